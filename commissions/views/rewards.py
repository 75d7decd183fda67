"""What a distributor was given besides money, why, and what becomes of it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from commissions.models import Reward
from commissions.reward_story import tell_reward
from commissions.services.rewards import RewardRefused, claim_obstacle, claim_reward
from commissions.views.earnings import Reader
from commissions.views.payouts import signed_in

VIEW_ALL = "commissions.view_reward"
PAGE = 50


@require_safe
def reward_list(request: HttpRequest) -> HttpResponse:
    """Everything somebody was given, newest first; staff who name nobody see the list of all."""
    reader = Reader(request, VIEW_ALL)
    distributor = reader.distributor()
    if distributor is None:
        return redirect("admin:commissions_reward_changelist")
    rewards = Reward.objects.final().filter(distributor=distributor)
    rows = rewards.select_related("period", "run", "bonus").order_by("-run_id", "place")
    facts = {
        "distributor": distributor,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "is_own": not reader.sees_all,
        "asked": reader.asked,
    }
    return render(request, "commissions/reward_list.html", facts)


@require_safe
def reward_detail(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """The story of one reward. 404 for one of somebody else."""
    reader = Reader(request, VIEW_ALL)
    reward = find_reward(request, code, name)
    facts = {
        "reward": reward,
        "period": reward.period,
        "story": tell_reward(reward),
        "is_own": not reader.sees_all,
        "suffix": f"?distributor={reward.distributor.number}" if reader.sees_all else "",
        "may_claim": not reader.sees_all and not claim_obstacle(reward, signed_in(request)),
    }
    return render(request, "commissions/reward_detail.html", facts)


@require_POST
def reward_claim(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """Its distributor wants it."""
    reward = find_reward(request, code, name)
    if reward.distributor.user_id != signed_in(request).pk:
        raise PermissionDenied
    try:
        claim_reward(reward=reward, actor=signed_in(request))
        messages.success(request, f"{reward.what} is claimed.")
    except RewardRefused as refused:
        messages.error(request, str(refused))
    return redirect("commissions:reward", code, name)


def find_reward(request: HttpRequest, code: str, name: str) -> Reward:
    """The reward of this name, as far as the reader may see it."""
    run, _, place = name.partition("-")
    if not (run.isdecimal() and place.isdecimal() and len(name) < 20):
        raise Http404
    rows = Reward.objects.visible_to(signed_in(request))
    masters = ("period", "run", "bonus__version__plan", "distributor", "asked_by", "settled_by")
    return get_object_or_404(
        rows.select_related(*masters), period__code=code, run__number=run, place=place
    )
