"""Telling people that an estimate on their open pages is another now, so that the pages ask again.

    note_sales(...), note_changed(...)   # in the transaction that changes an estimate
    tell()                               # after it, and every few seconds

What is noted stays in a table (`commissions_estimatenews`) until it is told, so the last change is
never lost. Rows are only added and removed, so whoever notes waits for nobody. Who was told a
moment ago stays noted and is told when the pause is over: his page asks at once after the first
order, and once more after the last.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from accounts.events import Message, publish_many
from commissions.engine import Plan
from commissions.models import CommissionPeriod
from commissions.services import own_line
from commissions.services.projections import current_period
from mlmcrm.locks import advisory_lock

REACH = 50
"""So many people above a seller are told of an order; further up the company's estimate tells."""
PAUSE = 10
"""Seconds within which nobody is told twice."""
HERE_FOR = timedelta(seconds=2 * settings.SESSION_COOKIE_AGE)
"""Who has not signed in for so long has no page open."""


def note_sales(period: CommissionPeriod, plan: Plan, sellers: NDArray[Any]) -> None:
    """Volume of these sellers came in or was taken back: their lines' estimates are others now."""
    if period != current_period():
        return
    if own_line.rests_on_company(plan) and not own_line.is_small_company(own_line.cut_now(period)):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into commissions_estimatenews (distributor_id, with_upline) "
            "select distinct unnest(%s::bigint[]), true",
            [sellers.tolist()],
        )


def note_changed(period: CommissionPeriod, plan: Plan) -> None:
    """The company's estimate is another for those in `pg_temp.moved`.

    It is on the page of everybody, or of those with large lines. With at most REACH
    people below, nobody stands too far above a seller to have been told of his order.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE_CHANGED,
            {
                "everybody": own_line.rests_on_company(plan)
                or own_line.undoes_sums(own_line.cut_now(period)),
                "reach": REACH,
                "here_since": _since(),
            },
        )


@transaction.atomic
def tell() -> int:
    """Publish commission.estimated to whoever is noted and was not told just now.

    It says that something changed, nothing of what or whose. Returns to how many. Safe at any
    time: each note is told once. Raises OperationalError when a stream is held by somebody else
    for long; the notes stay for the next time.
    """
    advisory_lock("commissions.estimate_news")
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {"reach": REACH, "largest": own_line.LARGEST_LINE, "here_since": _since()},
        )
        users = dict(cursor.fetchall())
    told = cache.get_many([_key(user) for user in users])
    due = [user for user in users if _key(user) not in told]
    later = [distributor for user, distributor in users.items() if _key(user) in told]
    with connection.cursor() as cursor:
        cursor.execute(_PUT_OFF, {"people": later, "pause": PAUSE})
        # Whoever waits for one of these streams and holds another is not to be the one who fails.
        cursor.execute("set local lock_timeout = '300ms'")
    publish_many("commission.estimated", [Message(user, "", {}) for user in due])
    cache.set_many({_key(user): True for user in due}, PAUSE)
    return len(due)


def _since() -> Any:
    return timezone.now() - HERE_FOR


def _key(user: int) -> str:
    return f"commissions.estimate_told.{user}"


_HERE = """
join genealogy_distributor d on d.id = n.distributor_id
join accounts_user u on u.id = d.user_id and u.is_active and u.last_login > %(here_since)s
"""
_NOTE_CHANGED = f"""
insert into commissions_estimatenews (distributor_id, with_upline)
select distinct n.distributor_id, false from pg_temp.moved n {_HERE}
join genealogy_genealogynode g on g.distributor_id = d.id and g.tree = 'sponsor'
where %(everybody)s or g.size - 1 > %(reach)s
"""
_PUT_OFF = """
insert into commissions_estimatenews (distributor_id, with_upline, due_at)
select id, false, clock_timestamp() + make_interval(secs => %(pause)s)
from unnest(%(people)s::bigint[]) as id
where not exists (
  select 1 from commissions_estimatenews n where n.distributor_id = id and not n.with_upline)
"""
# A line too large to be worked out for a page does not change with an order.
_TAKE = f"""
with recursive news as (
  delete from commissions_estimatenews where due_at <= clock_timestamp()
  returning distributor_id, with_upline
), n(distributor_id, sponsor_id, with_upline, level) as (
  select d.id, d.sponsor_id, news.with_upline, 0 from news
  join genealogy_distributor d on d.id = news.distributor_id
  union
  select d.id, d.sponsor_id, true, n.level + 1 from n
  join genealogy_distributor d on d.id = n.sponsor_id
  where n.with_upline and n.level < %(reach)s
)
select distinct d.user_id, d.id from n {_HERE}
join genealogy_genealogynode g on g.distributor_id = d.id and g.tree = 'sponsor'
where not n.with_upline or g.size - 1 <= %(largest)s
"""
