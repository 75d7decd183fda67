from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.events import words
from accounts.forms import CursorForm
from accounts.models import Notification
from accounts.queries import notifications_of, read_events, streams_of
from accounts.services.notifications import mark_read

PAGE = 30


@require_GET
@never_cache
def notifications(request: HttpRequest) -> HttpResponse:
    """The newest first, those not read yet marked; pages go by the number in the stream."""
    rows = notifications_of(request.user)
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        rows = rows.unread()
    before = request.GET.get("before", "")
    if before.isdecimal():
        rows = rows.filter(event__seq__lt=int(before))
    shown = list(rows[: PAGE + 1])
    context = {
        "notices": [as_notice(row) for row in shown[:PAGE]],
        "only_unread": only_unread,
        "is_first_page": not before,
        "older": _older(shown, only_unread),
    }
    return render(request, "accounts/notifications.html", context)


def as_notice(row: Notification) -> dict[str, Any]:
    return {"row": row, "seq": row.event.seq, **words(row.event)}


def _older(shown: list[Notification], only_unread: bool) -> str:
    if len(shown) <= PAGE:
        return ""
    query = {"show": "unread"} if only_unread else {}
    query["before"] = str(shown[PAGE - 1].event.seq)
    return f"{reverse('accounts:notifications')}?{urlencode(query)}"


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    count = mark_read(user=request.user)
    if count:
        noun = "notification" if count == 1 else "notifications"
        messages.success(request, f"{count} {noun} marked as read.")
    return redirect("accounts:notifications")


@require_POST
def open_notification(request: HttpRequest, seq: int) -> HttpResponse:
    """Mark it as read and go where it leads."""
    notice = get_object_or_404(notifications_of(request.user), event__seq=seq)
    mark_read(user=request.user, seq=seq)
    return redirect(words(notice.event)["url"] or "accounts:notifications")


@require_GET
@never_cache
def bell(request: HttpRequest) -> HttpResponse:
    """The bell in the top bar, as a fragment."""
    return render(request, "components/bell.html")


@require_GET
@never_cache
def events(request: HttpRequest) -> JsonResponse:
    """What the socket would say, for those who cannot keep one: `?after={"user:7": 12}`."""
    form = CursorForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"error": form.errors["after"][0]}, status=400)
    user = request.user
    reading = read_events(streams_of(user), user.role_permissions, form.cleaned_data["after"])
    return JsonResponse(
        {
            "events": reading.messages,
            "cursor": reading.cursor,
            "reset": reading.is_reset,
            "more": reading.has_more,
        }
    )
