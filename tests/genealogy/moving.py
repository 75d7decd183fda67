"""What the tests of moves share: a day in the open period, and short ways to move somebody."""

from datetime import date, timedelta

from django.utils import timezone

from genealogy.models import Distributor
from genealogy.services import moves
from genealogy.services.moves import Place

JOINED = date(2026, 1, 5)


def today() -> date:
    return timezone.localdate()


def tomorrow() -> date:
    return today() + timedelta(days=1)


def asked(cast, who: str, under: str | None, **changes):
    """A request of Ada's to move somebody under somebody else in the sponsor tree, from today."""
    wanted = {
        "distributor": getattr(cast, who),
        "tree": "sponsor",
        "to": Place(getattr(cast, under) if under else None),
        "effective_on": today(),
        "reason": "Asked for by both",
        "actor": cast.user("ada"),
    }
    return moves.request_move(**(wanted | changes))


def sponsor_of(distributor: Distributor) -> Distributor | None:
    return Distributor.objects.get(pk=distributor.pk).sponsor
