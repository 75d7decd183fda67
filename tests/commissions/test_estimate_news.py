"""Whose open pages are told that an estimate is another: he who sold, those above, nobody else.

            Asha
           /    \\
         Ben    Stella
          |
        Chloe ── Rosa
          |
        Dmitri
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event as Signal
from threading import Thread

import numpy as np
import pytest
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, EventStream, Notification, User
from commissions.services import estimate_news, estimates, own_line
from commissions.services.claims import claim_volume
from commissions.services.plan_reading import loaded
from commissions.services.plans import activate_version, create_version
from commissions.services.projections import current_period
from genealogy.services.enrolment import enrol_distributor
from tests.cast import DEMO_PLAN, Cast, at, gather, make_user
from tests.commissions.test_estimates import estimated, give_back, move

pytestmark = pytest.mark.django_db
LINE = ["asha", "ben", "chloe", "dmitri"]


@pytest.fixture
def company(cast: Cast) -> Cast:
    """The cast, all signed in and paying by the demo plan."""
    assert cast.plan
    come_in()
    return cast


def come_in() -> None:
    User.objects.update(last_login=timezone.now())


def settle() -> int:
    """What the worker does after each paid or refunded order."""
    claim_volume()
    return estimate_news.tell()


def heard(cast: Cast) -> dict[str, int]:
    """How many such events each of the cast has in his stream."""
    streams = Event.objects.filter(name="commission.estimated").values_list("stream_id", flat=True)
    names = {f"user:{user.pk}": name for name, user in cast.users.items()}
    return dict(Counter(names[stream] for stream in streams))


def note_sale_of(cast: Cast, name: str) -> None:
    """As a claim does, and nobody else hears of an order: a worker may be about."""
    seller = np.array([getattr(cast, name).pk])
    estimate_news.note_sales(current_period(), loaded(cast.plan), seller)


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from commissions_estimatenews")
        (count,) = cursor.fetchone()
    return count


def test_a_paid_order_tells_the_seller_and_everybody_above_once(company: Cast) -> None:
    company.buys("dmitri", 3)

    assert settle() == 4

    assert heard(company) == dict.fromkeys(LINE, 1)
    assert waiting() == 0


def test_it_says_nothing_but_that_something_changed(company: Cast) -> None:
    company.buys("stella", 3)
    settle()

    event = Event.objects.filter(name="commission.estimated").first()
    assert (event.ref, event.facts) == ("", {})
    assert not Notification.objects.filter(event__name="commission.estimated").exists()


def test_a_refund_tells_the_same_people(company: Cast) -> None:
    order = company.buys("dmitri", 3)
    settle()
    cache.clear()

    give_back(order, 2, timezone.now())
    settle()

    assert heard(company) == dict.fromkeys(LINE, 2)


def test_who_stands_further_up_than_the_reach_is_not_told(
    company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_news, "REACH", 2)
    company.buys("dmitri", 3)

    settle()

    assert heard(company) == dict.fromkeys(["ben", "chloe", "dmitri"], 1)


def test_only_those_who_can_have_a_page_open_are_told(company: Cast) -> None:
    long_ago = timezone.now() - estimate_news.HERE_FOR - timedelta(minutes=1)
    User.objects.filter(pk=company.user("asha").pk).update(last_login=long_ago)
    User.objects.filter(pk=company.user("ben").pk).update(status="suspended")
    User.objects.filter(pk=company.user("chloe").pk).update(last_login=None)
    company.buys("dmitri", 3)

    settle()

    assert heard(company) == {"dmitri": 1}
    assert waiting() == 0


def test_of_many_orders_the_first_is_told_at_once_and_the_last_after_a_pause(
    company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_news, "PAUSE", 1)
    for _ in range(5):
        company.buys("dmitri", 1)
        settle()
    at_first = heard(company)

    time.sleep(1.2)
    estimate_news.tell()
    estimate_news.tell()

    assert at_first == dict.fromkeys(LINE, 1)
    assert heard(company) == dict.fromkeys(LINE, 2)
    assert waiting() == 0


def test_a_pause_of_one_does_not_hold_up_the_others(company: Cast) -> None:
    company.buys("stella", 1)
    settle()

    company.buys("dmitri", 1)
    settle()

    assert heard(company) == {"stella": 1, "asha": 1, "ben": 1, "chloe": 1, "dmitri": 1}
    assert waiting() == 1, "Asha is told of Dmitri's order when her pause is over"


def test_a_move_tells_both_uplines(company: Cast) -> None:
    move(company, "dmitri", "stella", timezone.localdate())

    estimate_news.tell()

    assert heard(company) == dict.fromkeys([*LINE, "stella"], 1)


def test_volume_of_another_period_than_the_one_under_way_tells_nobody(company: Cast) -> None:
    company.buys("ben", 1)
    settle()
    cache.clear()

    company.buys("dmitri", 3, at("2026-10-05"))
    settle()

    assert heard(company) == {"ben": 1, "asha": 1}


def test_a_line_too_large_for_a_page_is_told_by_the_company_s_estimate(
    company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_line, "LARGEST_LINE", 2)
    monkeypatch.setattr(estimate_news, "REACH", 2)
    company.buys("ben", 6)
    company.buys("asha", 6)
    company.buys("dmitri", 9)
    settle()
    by_order = heard(company)

    estimates.keep_up()
    cache.clear()
    estimate_news.tell()
    estimates.record(current_period())
    cache.clear()
    estimate_news.tell()

    assert by_order == {"ben": 1, "chloe": 1, "dmitri": 1}
    assert heard(company) == {**by_order, "asha": 1}, "Asha once: the second changed nothing"


@pytest.mark.parametrize(("small", "by_order"), [(5_000, 4), (0, 0)])
def test_a_plan_with_a_limit_that_cuts_is_told_at_once_in_a_small_company_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, small: int, by_order: int
) -> None:
    monkeypatch.setattr(own_line, "SMALL_COMPANY", small)
    definition = json.loads(DEMO_PLAN.read_text())
    definition["limits"][0]["enforcement"] = "pro_rata"
    version = create_version(
        plan=cast.plan.plan,
        definition=definition,
        effective_from=timezone.localdate().replace(day=1),
        actor=cast.user("ada"),
    )
    activate_version(version=version, actor=cast.user("mona"))
    come_in()
    cast.buys("chloe", 6)
    cast.buys("dmitri", 9)

    assert settle() == by_order
    assert sum(heard(cast).values()) == by_order
    estimates.keep_up()
    estimate_news.tell()

    earners = {number for number, _ in estimated(current_period().code)}
    told = {name for name, count in heard(cast).items() if count}
    assert told >= {name for name in LINE if getattr(cast, name).number in earners}
    assert cast.chloe.number in earners


def test_statements_are_as_many_for_a_long_line_as_for_a_short_one(company: Cast) -> None:
    end = company.dmitri
    for place in range(60):
        user = make_user(f"Person{place} Below")
        end = enrol_distributor(
            sponsor=end,
            display_name=f"Person {place}",
            joined_on=timezone.localdate(),
            actor=None,
            user=user,
        )
        company.users[f"person{place}"], company.distributors[f"person{place}"] = user, end
    come_in()
    company.buys("chloe", 1)
    settle()
    cache.clear()

    short = statements(lambda: company.buys("chloe", 1))
    cache.clear()
    long = statements(lambda: company.buys("person59", 1))

    assert long == short
    told = heard(company)
    assert told["person59"] == told["person9"] == 1
    assert "person8" not in told


def statements(deed: Callable[[], object]) -> int:
    deed()
    with CaptureQueriesContext(connection) as queries:
        settle()
    return len(queries)


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_yet_is_told_later_and_holds_nobody_up() -> None:
    company = gather()
    assert company.plan
    come_in()
    noted, go_on = Signal(), Signal()

    def note_slowly() -> None:
        with transaction.atomic():
            note_sale_of(company, "dmitri")
            noted.set()
            go_on.wait(10)
        connection.close()

    slow = Thread(target=note_slowly)
    slow.start()
    assert noted.wait(10)
    too_early = estimate_news.tell()
    go_on.set()
    slow.join()

    assert too_early == 0
    assert estimate_news.tell() == 4
    assert heard(company) == dict.fromkeys(LINE, 1)


@pytest.mark.django_db(transaction=True)
def test_a_stream_that_somebody_holds_is_told_the_next_time() -> None:
    company = gather()
    assert company.plan
    come_in()
    note_sale_of(company, "asha")
    assert estimate_news.tell() == 1
    cache.clear()
    note_sale_of(company, "dmitri")
    held, go_on = Signal(), Signal()

    def hold() -> None:
        with transaction.atomic():
            EventStream.objects.select_for_update().get(key=f"user:{company.user('asha').pk}")
            held.set()
            go_on.wait(10)
        connection.close()

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(10)
    with pytest.raises(OperationalError, match="lock timeout"):
        estimate_news.tell()
    go_on.set()
    holder.join()

    assert estimate_news.tell() == 4
    assert heard(company) == {**dict.fromkeys(LINE, 1), "asha": 2}
