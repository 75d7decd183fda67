"""As what people were paid on another day: told from the final periods and their rank changes."""

from datetime import date, datetime

from django.db.models import QuerySet

from commissions.models import CommissionPeriod, RankChange
from commissions.rank_history import name_of
from genealogy.services.past_ranks import RankSource


def are_known(on: date, known_at: datetime | None) -> bool:
    """Whether a period that had ended by a day was final, at a moment or by now."""
    return _final(on, known_at).exists()


def names_of(ids: list[int], on: date, known_at: datetime | None) -> dict[int, str]:
    """The paid-as ranks of some people by the last final period that had ended by a day.

    One statement: of each the newest change, whose ladder names the rank. Who was paid as none is
    left out.
    """
    changes = RankChange.objects.filter(
        distributor__in=ids, period__in=_final(on, known_at)
    ).select_related("version")
    newest = changes.order_by("distributor_id", "-period__starts_on").distinct("distributor_id")
    return {
        change.distributor_id: name_of(change, change.level_to)
        for change in newest
        if change.level_to
    }


def _final(on: date, known_at: datetime | None) -> QuerySet[CommissionPeriod]:
    periods = CommissionPeriod.objects.filter(
        status=CommissionPeriod.Status.FINALIZED, ends_on__lte=on
    )
    return periods.filter(finalized_at__lte=known_at) if known_at else periods


RANKS = RankSource(are_known, names_of)
