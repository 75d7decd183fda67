from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import record
from accounts.models import User
from compliance.forms import DocumentForm
from compliance.models import KYCDocument, KYCImage
from compliance.services.kyc import SubmissionRefused, refusal, submit_document

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def identity(request: HttpRequest) -> HttpResponse:
    """Where the person's identity check stands, and the form when there is something to send."""
    user: User = request.user  # type: ignore[assignment]
    papers = list(
        KYCDocument.objects.filter(user=user).prefetch_related("images").order_by("-pk")[:20]
    )
    if refused := refusal(user, papers[0] if papers else None):
        if request.method == "POST":
            messages.error(request, refused)
            return redirect("compliance:identity")
        form = None
    elif request.method == "POST":
        form = DocumentForm(request.POST, request.FILES)
        if form.is_valid() and _submit(request, user, form):
            return redirect("compliance:identity")
    else:
        form = DocumentForm(initial=DocumentForm.known_about(user))
    return render(request, "compliance/identity.html", _page(user, papers, form))


def _submit(request: HttpRequest, user: User, form: DocumentForm) -> bool:
    try:
        document = submit_document(
            user=user,
            declared=form.declared,
            number=form.cleaned_data["document_number"],
            front=form.cleaned_data["front"],
            back=form.cleaned_data["back"],
        )
    except SubmissionRefused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(
        request, f"{document.get_document_type_display()} received as {document.number}."
    )
    return True


def _page(user: User, papers: list[KYCDocument], form: DocumentForm | None) -> dict[str, Any]:
    latest = papers[0] if papers else None
    return {
        "status": user.kyc_status,
        "status_label": user.get_kyc_status_display(),
        "latest": latest,
        "papers": papers,
        "form": form,
        "is_renewal": form is not None and user.kyc_status == User.KYCStatus.VERIFIED,
    }


@require_GET
def picture(request: HttpRequest, token: UUID) -> HttpResponse:
    """A side of a paper, for its owner and the reviewers; each look is recorded before it."""
    image = get_object_or_404(
        KYCImage.objects.select_related("document").filter(
            document__in=KYCDocument.objects.visible_to(request.user)  # type: ignore[arg-type]
        ),
        token=token,
    )
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Http404
    record(
        actor=request.user,  # type: ignore[arg-type]
        action="kyc.picture_viewed",
        target=image.document,
        after={"side": image.side},
    )
    response = HttpResponse(image.content, content_type="image/jpeg")
    name = f"{image.document.number}-{image.side}.jpg"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store, private"
    response["Content-Security-Policy"] = SANDBOX
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
