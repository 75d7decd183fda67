"""What a distributor sees of his invitations."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from genealogy.models import Distributor, Referral, ReferralClick

PAGE = 50


@dataclass(frozen=True)
class Funnel:
    """From opened links to first orders, over all codes of a distributor."""

    clicks: int
    clicks_lately: int
    joined: int
    by_link: int
    by_code: int
    completed: int
    cancelled: int

    @property
    def waiting(self) -> int:
        return self.joined - self.completed - self.cancelled


def funnel(distributor: Distributor, days: int = 30) -> Funnel:
    """Two queries, whatever there is to count; `clicks_lately` is of the last so many days."""
    since = timezone.now() - timedelta(days=days)
    clicks = ReferralClick.objects.filter(code__distributor=distributor).aggregate(
        clicks=Count("pk"), clicks_lately=Count("pk", filter=Q(clicked_at__gte=since))
    )
    direct = Referral.objects.filter(referrer=distributor, tier=1)
    counted = direct.aggregate(
        joined=Count("pk"),
        by_link=Count("pk", filter=Q(channel=Referral.Channel.LINK)),
        by_code=Count("pk", filter=Q(channel=Referral.Channel.CODE)),
        completed=Count("pk", filter=Q(status=Referral.Status.COMPLETED)),
        cancelled=Count("pk", filter=Q(status=Referral.Status.CANCELLED)),
    )
    return Funnel(**clicks, **counted)


def referrals_of(distributor: Distributor, tier: int, reader: User) -> QuerySet[Referral]:
    """What the reader may see of a distributor's referrals, newest first, with the people."""
    rows = Referral.objects.visible_to(reader).filter(referrer=distributor, tier=tier)
    return rows.select_related("referred", "code__distributor").order_by("-pk")
