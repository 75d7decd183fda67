"""What a plan gives besides money: kept with the run, told, claimed, delivered, withdrawn."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import AuditEvent, Event
from commissions.estimate import estimate_close
from commissions.models import JournalEntry, LedgerEntry, Reward
from commissions.reward_story import tell_reward
from commissions.services.claims import claim_volume
from commissions.services.replay import replay
from commissions.services.rewards import (
    RewardRefused,
    claim_reward,
    confirm_reward,
    decline_reward,
    settle_reward,
)
from commissions.services.runs import calculate, start_run
from commissions.services.trials import carry_out, start_trial
from commissions.services.verification import find_breaks
from commissions.standing import plan_of
from commissions.worklist import of as work_of
from tests.cast import Cast, at, gather
from tests.commissions.exported import booked, lines_in, worked_out
from tests.commissions.plans import WATCH, demo, pay_by
from tests.commissions.steps import calculated, closed, the_period
from tests.commissions.test_buyers import back
from tests.remembered import remembered

pytestmark = pytest.mark.django_db

MONTHS = ("2026-09", "2026-10", "2026-11")
SOLD = ("retail", "preferred", "self_consumption", "autoship")
BRONZE = {"is": "rank", "ladder": "rank", "rank": "bronze", "which": "paid_as"}
GOODS = {
    "code": "goods", "name": "Goods for party sales", "ledger_type": "reward_bonus",
    "trigger": "period_close", "base": {"of": "order", "volume": "cv"},
    "pays": {"who": "source"}, "orders": {"last": 2},
    "rates": {"by": "kind", "table": {kind: ["0.10"] for kind in SOLD}},
    "eligibility": {"when": None, "otherwise": "lost"},
    "reward": {"name": "Dollar of goods", "value": None},
}  # fmt: skip
TRIP = {
    "code": "trip", "name": "Trip", "ledger_type": "reward_bonus", "trigger": "period_close",
    "base": {"of": "flat", "per": "member"}, "pays": {"who": "source"}, "unit": "amount",
    "rates": {"by": "step", "table": ["1"]},
    "eligibility": {"when": {"is": "all", "of": [BRONZE, {
        "is": "at_least", "metric": "buys", "figure": "2"}]}, "otherwise": "lost"},
    "occurrence": {"times": "once"},
    "reward": {"name": "Trip to Lisbon", "value": "1500.00"},
}  # fmt: skip
BUYS = {
    "code": "buys", "name": "Orders in three months", "what": "orders", "kinds": list(SOLD),
    "scope": {"scope": "own"}, "window": "periods", "length": 3,
}  # fmt: skip


def giving() -> dict:
    """The demo plan, and a watch a rank, goods for first orders and a trip once."""
    document = demo() | {"limits": []}
    document["metrics"].append(BUYS)
    document["bonuses"] += [WATCH, GOODS, TRIP]
    return document


def a_month(cast: Cast, month: str) -> None:
    for name, pieces, day in (("ben", 5, "05"), ("chloe", 6, "06"), ("dmitri", 10, "07")):
        cast.buys(name, pieces, at(f"{month}-{day}"))
    cast.buys(cast.rosa, 4, at(f"{month}-08"))
    claim_volume()


@pytest.fixture
def given(db) -> Cast:
    return remembered(company_that_gave)


def company_that_gave() -> Cast:
    """September is final, and paid and gave by the plan."""
    cast = gather()
    pay_by(cast, giving())
    a_month(cast, MONTHS[0])
    closed(cast, MONTHS[0])
    return cast


def watch_of(cast: Cast, name: str) -> Reward:
    return Reward.objects.select_related("run", "period").get(
        distributor=cast.distributors[name], bonus__code="watch", rank_level=1
    )


def goods_of(cast: Cast, name: str) -> Reward:
    return Reward.objects.get(distributor=cast.distributors[name], bonus__code="goods")


# In the books


def in_the_books(month: str) -> Counter:
    rows = Reward.objects.filter(period__code=month).select_related("distributor", "bonus")
    found: Counter = Counter()
    for row in rows:
        found[row.distributor.number, row.bonus.code, row.name] += row.count
    return found


def by_the_simulator(document: dict) -> Counter:
    found: Counter = Counter()
    for row in document["periods"][-1].get("rewards", []):
        key = row["distributor"], row["bonus"], row["reward"]
        found[key] += Decimal(str(row["count"]))
    return found


def test_a_close_gives_what_the_simulator_gives_and_a_refund_takes_nothing_back(
    cast: Cast, tmp_path
) -> None:
    document = giving()
    version = pay_by(cast, document)

    state, gave = None, []
    for month in MONTHS:
        a_month(cast, month)
        if month == MONTHS[2]:
            back(cast, cast.rosa.orders.get(buyer_number=2), 4, "2026-11-10")
        claim_volume()
        before = in_the_books(MONTHS[1])
        period = closed(cast, month)
        found = worked_out(tmp_path / month, document, period, state)
        state = found["state"]
        assert booked(period) == lines_in(found)
        assert in_the_books(month) == by_the_simulator(found)
        gave.append({code for _, code, _ in in_the_books(month)})

    # A watch and the trip once, goods for two orders; in November nothing is left to give. Chloe
    # has two orders in September already, Rosa's among them; the others in October.
    assert gave == [{"watch", "goods", "trip"}, {"goods", "trip"}, set()]
    assert in_the_books(MONTHS[1]) == before
    assert list(find_breaks(strict=True)) == []
    for month in MONTHS:
        assert [proof.name for proof in replay(the_period(month)) if not proof.is_same] == []
    trial = start_trial(
        version=version, first=the_period(MONTHS[0]), last=the_period(MONTHS[2]),
        actor=cast.user("fiona"),
    )  # fmt: skip
    carry_out(trial.pk)
    trial.refresh_from_db()
    assert (trial.status, trial.error, trial.earnings.count()) == ("done", "", 0)
    assert {row["code"]: (row["before"], row["after"]) for row in trial.report["rewards"]} == {
        code: (str(count), str(count)) for code, count in total_of(MONTHS).items()
    }


def total_of(months: tuple[str, ...]) -> Counter:
    found: Counter = Counter()
    for month in months:
        for (_, code, _), count in in_the_books(month).items():
            found[code] += count
    return found


def test_one_row_adds_up_what_several_lines_give(given: Cast) -> None:
    goods = goods_of(given, "chloe")

    # A tenth of her own 120.00 and of Rosa's 80.00, each the first of its buyer.
    assert (goods.count, goods.base, goods.lines) == (Decimal("20.00"), Decimal("200.00"), 2)
    assert (goods.rate, goods.unit_value) == (Decimal("0.1"), None)
    assert (goods.what, goods.number) == ("20 × Dollar of goods", f"2026-09/{goods.reference}")


def test_nothing_of_it_is_money(given: Cast) -> None:
    watch = watch_of(given, "chloe")

    assert (watch.what, watch.worth) == ("Watch", Decimal("200.00"))
    codes = set(LedgerEntry.objects.values_list("bonus__code", flat=True))
    assert codes & {"watch", "goods", "trip"} == set()
    journal = JournalEntry.objects.filter(key="finalize:2026-09").get()
    expense = sum(abs(leg.amount) for leg in journal.postings.all()) / 2
    close = LedgerEntry.objects.filter(run=watch.run)
    assert expense == sum(line.amount for line in close)
    totals = watch.run.totals
    assert {row["code"] for row in totals["by_bonus"]} & {"watch", "goods", "trip"} == set()
    assert {(row["code"], row["count"], row["people"]) for row in totals["rewards"]} >= {
        ("watch", "3.00", 3)
    }


def test_a_run_that_is_not_final_gives_nobody_anything(cast: Cast) -> None:
    pay_by(cast, giving())
    a_month(cast, MONTHS[0])
    first = calculated(cast, MONTHS[0])
    assert Reward.objects.filter(run=first).exists()
    assert not Reward.objects.final().exists()

    second = start_run(period=the_period(MONTHS[0]), actor=cast.user("fiona"))
    calculate(second.pk)

    assert set(Reward.objects.values_list("run", flat=True)) == {second.pk}
    with pytest.raises(RewardRefused, match="not final yet"):
        claim_reward(reward=watch_of(cast, "chloe"), actor=cast.user("chloe"))


def test_a_plan_that_gives_money_alone_certifies_that_nothing_was_given(cast: Cast) -> None:
    pay_by(cast, demo())
    a_month(cast, MONTHS[0])

    period = closed(cast, MONTHS[0])

    assert period.certificate["rewards"] == 0
    assert not Reward.objects.exists()


def test_an_estimate_says_what_would_be_given(cast: Cast, client) -> None:
    version = pay_by(cast, giving())
    a_month(cast, MONTHS[0])

    expected = estimate_close(cast.chloe, the_period(MONTHS[0]), plan_of(version))

    assert expected is not None
    assert dict(expected.rewards) == {
        "Watch": Decimal("1.00"), "Dollar of goods": Decimal("20.00"),
        "Trip to Lisbon": Decimal("1.00"),
    }  # fmt: skip
    client.force_login(cast.user("chloe"))
    page = client.get(reverse("commissions:earnings_period", args=[MONTHS[0]])).content.decode()
    assert "× Dollar of goods" in page


def test_the_control_room_says_what_a_run_gives(given: Cast, client) -> None:
    client.force_login(given.user("fiona"))
    period = the_period(MONTHS[0])

    room = reverse("admin:commissions_commissionperiod_control_room", args=[period.pk])
    page = client.get(room).content.decode()

    assert "Dollar of goods" in page
    assert "Besides money" in page


# The database


def run(sql: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_the_database_keeps_what_was_given(given: Cast) -> None:
    pk = watch_of(given, "chloe").pk
    copy = (
        "insert into commissions_reward (period_id, run_id, place, bonus_id, distributor_id, "
        "rank_level, name, count, base, lines, status, asked_status, reason) select period_id, "
        "run_id, 900, bonus_id, distributor_id, 2, name, count, base, lines, %s, '', '' "
        "from commissions_reward where id = %s"
    )

    with pytest.raises(DatabaseError, match="what was given is final"):
        run("update commissions_reward set count = count + 1 where id = %s", pk)
    with pytest.raises(DatabaseError, match="what a run gave is final"):
        run("delete from commissions_reward where id = %s", pk)
    with pytest.raises(DatabaseError, match="what a run gave is final"):
        run("set constraints all immediate; truncate commissions_reward")
    with pytest.raises(DatabaseError, match="written by it, once"):
        run(copy, "granted", pk)
    with pytest.raises(DatabaseError, match="change of status is not allowed"):
        run("update commissions_reward set status = 'delivered' where id = %s", pk)
    with pytest.raises(IntegrityError, match="claimed_first"):
        run("update commissions_reward set status = 'claimed' where id = %s", pk)


def test_the_database_asks_for_a_second_person_where_there_is_a_value(given: Cast) -> None:
    watch, fiona = watch_of(given, "chloe"), given.user("fiona").pk
    alone = (
        "update commissions_reward set status = 'withdrawn', asked_status = 'withdrawn', "
        "asked_by_id = %s, asked_at = now(), reason = 'Lost', settled_by_id = %s, "
        "settled_at = now() where id = %s"
    )

    with pytest.raises(IntegrityError, match="four_eyes"):
        run(alone, fiona, fiona, watch.pk)
    run(alone, fiona, given.user("felix").pk, watch.pk)
    with pytest.raises(DatabaseError, match="what was settled is final"):
        run("update commissions_reward set reason = 'Found' where id = %s", watch.pk)


def test_rewards_of_a_period_that_is_not_final_do_not_move(cast: Cast) -> None:
    pay_by(cast, giving())
    a_month(cast, MONTHS[0])
    calculated(cast, MONTHS[0])

    with pytest.raises(DatabaseError, match="once its period is final"):
        run("update commissions_reward set status = 'claimed', claimed_at = now()")


def test_a_row_that_is_not_what_the_run_gave_is_found(given: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("alter table commissions_reward disable trigger user")
        cursor.execute("update commissions_reward set count = count + 100")

    (told,) = find_breaks()

    assert told.startswith("certificate: 2026-09 says rewards_hash")


# What becomes of it


def test_it_is_claimed_and_delivered_by_two_people(given: Cast, client) -> None:
    watch = watch_of(given, "chloe")
    fiona, felix = given.user("fiona"), given.user("felix")

    with pytest.raises(RewardRefused, match="It is claimed first"):
        settle_reward(reward=watch, to="delivered", actor=fiona, reason="By parcel")
    claim_reward(reward=watch, actor=given.user("chloe"))
    with pytest.raises(RewardRefused, match="It is claimed"):
        claim_reward(reward=watch, actor=given.user("chloe"))
    with pytest.raises(RewardRefused, match="Say how"):
        settle_reward(reward=watch, to="delivered", actor=fiona, reason="  ")
    asked = settle_reward(reward=watch, to="delivered", actor=fiona, reason="By parcel")
    assert (asked.status, asked.waits_for_second) == ("claimed", True)
    with pytest.raises(RewardRefused, match="Somebody else than who asked"):
        confirm_reward(reward=watch, actor=fiona)
    done = confirm_reward(reward=watch, actor=felix)

    assert (done.status, done.asked_by, done.settled_by) == ("delivered", fiona, felix)
    told = Event.objects.filter(stream_id=f"user:{given.user('chloe').pk}")
    names = told.filter(name__startswith="incentive").order_by("pk")
    assert list(names.values_list("name", flat=True)) == [
        "incentive.awarded", "incentive.claimed", "incentive.delivered",
    ]  # fmt: skip
    assert names[0].facts["reward"] == "Watch, 20 × Dollar of goods, Trip to Lisbon"
    actions = AuditEvent.objects.filter(entity_type="commissions.reward").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "reward.claimed", "reward.delivered_asked", "reward.delivered",
    ]  # fmt: skip


def test_what_has_no_value_takes_one_person(given: Cast) -> None:
    goods = goods_of(given, "ben")

    done = settle_reward(
        reward=goods, to="withdrawn", actor=given.user("mona"), reason="Sold to himself"
    )

    assert (done.status, done.settled_by, done.reason) == (
        "withdrawn", given.user("mona"), "Sold to himself",
    )  # fmt: skip


def test_a_second_person_may_leave_it_as_it_is(given: Cast) -> None:
    watch = watch_of(given, "ben")
    settle_reward(reward=watch, to="withdrawn", actor=given.user("fiona"), reason="Left")

    with pytest.raises(RewardRefused, match="Somebody asked for it to be withdrawn"):
        claim_reward(reward=watch, actor=given.user("ben"))
    decline_reward(reward=watch, actor=given.user("felix"), reason="He is back")
    claimed = claim_reward(reward=watch, actor=given.user("ben"))

    assert (claimed.status, claimed.asked_status, claimed.reason) == ("claimed", "", "")


def test_nobody_settles_what_he_was_given_himself(given: Cast) -> None:
    with pytest.raises(RewardRefused, match="his own"):
        settle_reward(
            reward=watch_of(given, "ben"), to="withdrawn", actor=given.user("ben"), reason="Mine"
        )


# Pages


def test_he_reads_what_he_was_given_and_why_and_claims_it(given: Cast, client) -> None:
    watch = watch_of(given, "chloe")
    client.force_login(given.user("chloe"))

    listed = client.get(reverse("commissions:rewards")).content.decode()
    assert "20 × Dollar of goods" in listed
    month = client.get(reverse("commissions:earnings_period", args=["2026-09"]))
    assert "Besides money" in month.content.decode()
    address = reverse("commissions:reward", args=["2026-09", watch.reference])
    page = client.get(address).content.decode()
    for words in ("It carries no money", "when Bronze is reached", "Recomputed just now", "200.00",
                  "Claim it"):  # fmt: skip
        assert words in page
    client.post(f"{address}claim/")
    watch.refresh_from_db()
    assert watch.status == "claimed"
    assert "Claim it" not in client.get(address).content.decode()


def test_the_story_says_what_was_asked_and_what_there_was(cast: Cast) -> None:
    pay_by(cast, giving())
    for month in MONTHS[:2]:
        a_month(cast, month)
        closed(cast, month)
    trip = Reward.objects.get(distributor=cast.dmitri, bonus__code="trip")

    story = tell_reward(trip)

    assert [(need.label, need.text) for need in story.needs] == [
        ("Bronze", "yes"), ("Orders in three months", "2 of 2"),
    ]  # fmt: skip
    assert (story.agrees, story.rank_name) == (True, "Bronze")
    for reward in Reward.objects.final().select_related("run", "bonus__version__plan", "period"):
        told = tell_reward(reward)
        assert told.agrees or (told.recomputed is None and reward.lines > 1)
        assert all(goal.is_met for goal in told.goals)


def test_somebody_elses_is_not_there(given: Cast, client) -> None:
    watch = watch_of(given, "chloe")
    client.force_login(given.user("ben"))

    for name in (watch.reference, "1-999", "x-1", "1"):
        address = reverse("commissions:reward", args=["2026-09", name])
        assert client.get(address).status_code == 404


def test_staff_work_through_the_list(given: Cast, client) -> None:
    watch, fiona = watch_of(given, "chloe"), given.user("fiona")
    claim_reward(reward=watch, actor=given.user("chloe"))
    piles = {task.label: task.count for task in work_of(fiona).tasks}
    assert (piles["Rewards to deliver"], "Rewards to confirm" in piles) == (1, False)
    client.force_login(fiona)
    listing = reverse("admin:commissions_reward_changelist")
    desk = reverse("admin:commissions_reward_desk", args=[watch.pk])

    assert desk in client.get(listing, {"work": "deliver"}).content.decode()
    refused = client.post(desk, {"step": "deliver", "reason": ""})
    assert "This field is required" in refused.content.decode()
    client.post(desk, {"step": "deliver", "reason": "By parcel 77"})
    client.force_login(given.user("mona"))
    assert desk in client.get(listing, {"work": "confirm"}).content.decode()
    assert "By parcel 77" in client.get(desk).content.decode()
    client.post(desk, {"step": "confirm"})

    watch.refresh_from_db()
    assert (watch.status, watch.settled_by) == ("delivered", given.user("mona"))
