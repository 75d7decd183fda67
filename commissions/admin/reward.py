from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.admin_base import ReadOnlyAdmin
from accounts.permissions import require
from accounts.templatetags.ui import money
from commissions.admin.columns import link, status_badge
from commissions.forms import ReasonForm
from commissions.models import Reward
from commissions.reward_story import tell_reward
from commissions.services import rewards
from commissions.services.rewards import SETTLE, RewardRefused

DELIVERED, WITHDRAWN = Reward.Status.DELIVERED, Reward.Status.WITHDRAWN
DANGER, PRIMARY = "button-danger", "button-primary"
WITH_REASON = ("deliver", "withdraw", "decline")

Step = tuple[str, str, str]
"""What is sent, what the button says, and how it looks."""


class Work(admin.SimpleListFilter):
    """What there is to do."""

    title = "work"
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("deliver", "To deliver"), ("confirm", "To confirm")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reward]) -> QuerySet[Reward]:
        if self.value() == "deliver":
            return queryset.to_deliver()  # type: ignore[attr-defined,no-any-return]
        if self.value() == "confirm":
            return queryset.to_confirm()  # type: ignore[attr-defined,no-any-return]
        return queryset


@admin.register(Reward)
class RewardAdmin(ReadOnlyAdmin):
    """What was given besides money; each is settled on its desk."""

    list_display = ["desk", "distributor", "bonus_name", "period", "state", "asked", "value"]
    list_display_links = None
    list_filter = [Work, "status", "period"]
    list_select_related = ["distributor", "period", "run", "bonus"]
    search_fields = ["=distributor__number", "^name", "=period__code"]
    search_help_text = "Number of the distributor, the reward or the period"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reward]:
        return super().get_queryset(request).final()  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="Reward", ordering="name")
    def desk(self, reward: Reward) -> SafeString:
        return link(desk_url(reward), reward.what)

    @admin.display(description="For", ordering="bonus")
    def bonus_name(self, reward: Reward) -> str:
        return reward.bonus.name

    @admin.display(description="State", ordering="status")
    def state(self, reward: Reward) -> SafeString:
        return status_badge(reward)

    @admin.display(description="Waits for a second person", boolean=True)
    def asked(self, reward: Reward) -> bool:
        return reward.waits_for_second

    @admin.display(description="Worth", ordering="unit_value")
    def value(self, reward: Reward) -> SafeString | None:
        return None if reward.worth is None else money(reward.worth, reward.period.currency)

    def get_urls(self) -> list[URLPattern]:
        desk = path(
            "<int:pk>/desk/",
            self.admin_site.admin_view(self.desk_view),
            name="commissions_reward_desk",
        )
        return [desk, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        reward = self.get_object(request, object_id)
        if reward is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(desk_url(reward))

    def desk_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One reward, why it was given, and what staff may do about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        masters = ("period", "run", "distributor", "bonus__version__plan", "asked_by", "settled_by")
        reward = get_object_or_404(Reward.objects.final().select_related(*masters), pk=pk)
        step = request.POST.get("step", "")
        form = ReasonForm(request.POST if step in WITH_REASON else None)
        if request.method == "POST":
            require(request.user, SETTLE)
            if step not in WITH_REASON or form.is_valid():
                carry_out(request, reward, step, form)
                return redirect(desk_url(reward))
        steps = steps_for(reward, request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": reward.what,
            "reward": reward,
            "period": reward.period,
            "story": tell_reward(reward),
            "form": form,
            "steps": steps,
            "asks_reason": any(step in WITH_REASON for step, _, _ in steps),
            "obstacles": obstacles_of(reward, request.user),
            "may_settle": request.user.has_perm(SETTLE),
        }
        return TemplateResponse(request, "admin/commissions/reward/desk.html", context)


def desk_url(reward: Reward) -> str:
    return reverse("admin:commissions_reward_desk", args=[reward.pk])


def steps_for(reward: Reward, actor: Any) -> list[Step]:
    """The buttons: what this person can do about the reward now."""
    found: list[Step] = []
    if not rewards.claim_obstacle(reward, actor):
        found.append(("claim", "Claimed by the distributor", PRIMARY))
    if not rewards.settle_obstacle(reward, DELIVERED, actor):
        found.append(("deliver", "Delivered", PRIMARY))
    if not rewards.settle_obstacle(reward, WITHDRAWN, actor):
        found.append(("withdraw", "Withdraw", DANGER))
    if not rewards.confirm_obstacle(reward, actor):
        found.append(("confirm", f"Confirm: {reward.asked_status}", PRIMARY))
    if not rewards.decline_obstacle(reward, actor):
        found.append(("decline", "Leave it as it is", ""))
    return found


def obstacles_of(reward: Reward, actor: Any) -> list[str]:
    """Why somebody who could settle it cannot: the second person's part, or his own reward."""
    obstacle = rewards.confirm_obstacle(reward, actor) if reward.waits_for_second else ""
    return [obstacle] if obstacle else []


def carry_out(request: HttpRequest, reward: Reward, step: str, form: ReasonForm) -> None:
    actor: Any = request.user
    reason = form.cleaned_data["reason"] if step in WITH_REASON else ""
    try:
        if step == "claim":
            reward = rewards.claim_reward(reward=reward, actor=actor)
        elif step == "confirm":
            reward = rewards.confirm_reward(reward=reward, actor=actor)
        elif step == "decline":
            reward = rewards.decline_reward(reward=reward, actor=actor, reason=reason)
        else:
            to = {"deliver": DELIVERED, "withdraw": WITHDRAWN}.get(step, "")
            reward = rewards.settle_reward(reward=reward, to=to, actor=actor, reason=reason)
        messages.success(request, told(reward))
    except RewardRefused as refused:
        messages.error(request, str(refused))


def told(reward: Reward) -> str:
    if reward.waits_for_second:
        return f"Somebody else confirms now that {reward.what} is {reward.asked_status}."
    return f"{reward.what} is {reward.get_status_display().lower()}."
