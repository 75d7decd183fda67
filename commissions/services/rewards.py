"""What becomes of what was given: claimed by its distributor, then delivered, or withdrawn.

    granted ──▶ claimed ──▶ delivered
       └───────────┴──────▶ withdrawn

Staff deliver and withdraw, with a reason. Where people are told what it is worth, that takes two:
one asks (`settle_reward`), another confirms (`confirm_reward`) or declines. Nothing is posted.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.models import User
from commissions.models import Reward
from commissions.models.reward import REWARD_EDGES
from mlmcrm.transitions import TransitionRefused, advance, sources

Status = Reward.Status
SETTLE = "commissions.settle_reward"


class RewardRefused(Exception):
    """The step is not possible now; the message says why."""


@transaction.atomic
def claim_reward(*, reward: Reward, actor: User) -> Reward:
    """He wants what he was given; staff may say it for him. Raises RewardRefused."""
    reward = _locked(reward)
    if obstacle := claim_obstacle(reward, actor):
        raise RewardRefused(obstacle)
    _advance(reward, Status.CLAIMED, claimed_at=timezone.now())
    _note(reward, "claimed", actor)
    _tell("incentive.claimed", reward, staff=True)
    return reward


@transaction.atomic
def settle_reward(*, reward: Reward, to: str, actor: User, reason: str) -> Reward:
    """Deliver or withdraw it at once, or ask for it where it has a value. Raises RewardRefused."""
    reward = _locked(reward)
    reason = reason.strip()
    if obstacle := settle_obstacle(reward, to, actor):
        raise RewardRefused(obstacle)
    if not reason:
        raise RewardRefused("Say how it was delivered, or why it is withdrawn.")
    now = timezone.now()
    asked: dict[str, Any] = {
        "asked_status": to, "asked_by": actor, "asked_at": now, "reason": reason,
    }  # fmt: skip
    if reward.unit_value is None:
        _settle(reward, to, actor, **asked)
        return reward
    _set(reward, **asked)
    _note(reward, f"{to}_asked", actor, reason)
    return reward


@transaction.atomic
def confirm_reward(*, reward: Reward, actor: User) -> Reward:
    """Settle it as somebody else asked. Raises RewardRefused."""
    reward = _locked(reward)
    if obstacle := confirm_obstacle(reward, actor):
        raise RewardRefused(obstacle)
    _settle(reward, reward.asked_status, actor)
    return reward


@transaction.atomic
def decline_reward(*, reward: Reward, actor: User, reason: str) -> Reward:
    """It stays as it is; whoever asked may do so himself. Raises RewardRefused."""
    reward = _locked(reward)
    if obstacle := decline_obstacle(reward, actor):
        raise RewardRefused(obstacle)
    _set(reward, asked_status="", asked_by=None, asked_at=None, reason="")
    _note(reward, "declined", actor, reason.strip())
    return reward


# Why a step is not possible; empty when it is


def claim_obstacle(reward: Reward, actor: User) -> str:
    if reward.waits_for_second:
        return f"Somebody asked for it to be {reward.asked_status} already."
    return _obstacle(reward, Status.CLAIMED)


def settle_obstacle(reward: Reward, to: str, actor: User) -> str:
    if to not in (Status.DELIVERED, Status.WITHDRAWN):
        return "A reward is delivered or withdrawn."
    if reward.waits_for_second:
        return f"Somebody asked for it to be {reward.asked_status} already."
    return _obstacle(reward, to) or _own(reward, actor)


def confirm_obstacle(reward: Reward, actor: User) -> str:
    if not reward.waits_for_second:
        return "Nobody asked for anything."
    if reward.asked_by_id == actor.pk:
        return "Somebody else than who asked for it confirms it."
    return _obstacle(reward, reward.asked_status) or _own(reward, actor)


def decline_obstacle(reward: Reward, actor: User) -> str:
    return _own(reward, actor) if reward.waits_for_second else "Nobody asked for anything."


def _obstacle(reward: Reward, to: str) -> str:
    if reward.status in sources(REWARD_EDGES, to):
        return ""
    if to == Status.DELIVERED and reward.status == Status.GRANTED:
        return "It is claimed first."
    return f"It is {reward.get_status_display().lower()}."


def _own(reward: Reward, actor: User) -> str:
    return "Nobody settles his own reward." if reward.distributor.user_id == actor.pk else ""


# The steps


def _locked(reward: Reward) -> Reward:
    rows = Reward.objects.final().select_for_update(of=("self",), no_key=True)
    found = rows.select_related("distributor", "period", "run").filter(pk=reward.pk).first()
    if found is None:
        raise RewardRefused("Its period is not final yet.")
    return found


def _advance(reward: Reward, to: str, **fields: Any) -> None:
    try:
        advance(reward, to, REWARD_EDGES, **fields)
    except TransitionRefused as refused:
        raise RewardRefused(str(refused)) from refused


def _set(reward: Reward, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(reward, name, value)
    reward.save(update_fields=list(fields))


def _settle(reward: Reward, to: str, actor: User, **asked: Any) -> None:
    _advance(reward, to, settled_by=actor, settled_at=timezone.now(), **asked)
    _note(reward, to, actor, reward.reason)
    _tell(f"incentive.{to}", reward)


def _note(reward: Reward, step: str, actor: User, reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=f"reward.{step}",
        target=reward,
        after={"reward": reward.what, "distributor": reward.distributor.number},
        reason=reason,
    )


def _tell(name: str, reward: Reward, *, staff: bool = False) -> None:
    distributor = reward.distributor
    publish(
        name,
        users=[distributor.user_id] if distributor.user_id else [],
        staff=staff,
        ref=reward.number,
        reward=reward.what,
        person=distributor.display_name,
        reason=reward.reason,
    )
