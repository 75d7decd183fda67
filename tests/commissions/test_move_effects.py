"""What a move would do, said before it is done, is what the estimate says once it is done.

            Asha                    Dmitri goes from Chloe to Stella.
           /    \\
         Ben    Stella
          |
        Chloe
          |
        Dmitri
"""

import json
import random
import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commissions.models import CommissionPeriod, EstimatedAmount
from commissions.move_report import MoveReport
from commissions.services import estimates, move_orders
from commissions.services.claims import claim_volume
from commissions.services.move_effects import effects_of
from commissions.services.projections import last_final_run
from commissions.services.touched import touched_of
from commissions.tasks import sweep_moves
from genealogy.models import Distributor
from genealogy.services import effects
from genealogy.services.effects import Change, EffectsRefused, Keeper
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.positions import record_position
from genealogy.services.tree_index import rebuild_tree
from tests.cast import Cast, at, gather_paying
from tests.commissions.plans import bonus, cap, demo, pay_by
from tests.commissions.steps import calculated, closed
from tests.commissions.test_refunds_of_sums import PAIRS, POOL, SOLD, put
from tests.remembered import remembered

pytestmark = pytest.mark.django_db
NOVEMBER = "2026-11"


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def november() -> CommissionPeriod:
    return CommissionPeriod.objects.get(code=NOVEMBER)


def carry_out(changes: tuple[Change, ...]) -> None:
    """Make the changes for good, as the services of the tree would."""
    people = Distributor.objects.in_bulk()
    placed = [change for change in changes if change.tree == "placement"]
    Distributor.objects.filter(pk__in=[each.distributor_id for each in placed]).update(
        placement_parent=None, leg=None
    )
    for change in changes:
        who = Distributor.objects.filter(pk=change.distributor_id)
        if change.tree == "sponsor":
            who.update(sponsor=change.new_parent_id)
        else:
            who.update(placement_parent=change.new_parent_id, leg=change.leg)
        record_position(
            distributor=people[change.distributor_id],
            tree=change.tree,
            parent=people.get(change.new_parent_id),
            leg=change.leg,
            valid_from=date(2026, 11, 20),
            actor=None,
            reason="Moved",
        )
    rebuild_tree("sponsor")
    rebuild_tree("placement")


# What the estimate says of everybody


def money() -> dict[tuple[str, str], int]:
    """Cents by distributor and bonus, from the estimate's own rows."""
    assert estimates.record(november()) is not None
    rows = EstimatedAmount.objects.filter(estimate__period__code=NOVEMBER)
    return {
        (row.distributor.number, row.bonus.code): int(row.amount * 100)
        for row in rows.select_related("distributor", "bonus")
    }


def standings() -> dict[str, tuple[int, int, int]]:
    """GV, paid-as and title by distributor, as the estimate has them."""
    cut = estimates.cut_at(estimates.take_mark(), november(), last_final_run())
    outcome = estimates.at(cut, november().plan_version)
    numbers = dict(Distributor.objects.values_list("pk", "number"))
    columns = (outcome.standings.metrics["gv"], outcome.ranks.paid_as, outcome.ranks.title)
    return {
        numbers[pk]: tuple(int(column[place]) for column in columns)
        for place, pk in enumerate(outcome.snapshot.members.id.tolist())
    }


def check(report: MoveReport, changes: tuple[Change, ...]) -> None:
    """The report against the estimate before, and against the estimate after the change."""
    money_before, standings_before = money(), standings()
    carry_out(changes)
    money_after, standings_after = money(), standings()

    told = {person.who.number: person for person in report.people}
    assert len(told) == report.people_changed
    keys = money_before.keys() | money_after.keys()
    for number, old in standings_before.items():
        new = standings_after[number]
        mine = {code for owner, code in keys if owner == number}
        sums = {
            code: (money_before.get((number, code), 0), money_after.get((number, code), 0))
            for code in mine
        }
        if number not in told:
            assert old == new
            assert all(before == after for before, after in sums.values())
            continue
        person = told[number]
        assert (person.gv.before, person.paid_as.before, person.title.before) == old
        assert (person.gv.after, person.paid_as.after, person.title.after) == new
        said = {row.code: (row.amount.before, row.amount.after) for row in person.bonuses}
        assert said == sums
        total = person.amounts["GBP"]
        assert total.before == sum(before for before, _ in sums.values())
        assert total.after == sum(after for _, after in sums.values())
    company = report.amounts["GBP"]
    assert company.before == sum(money_before.values())
    assert company.after == sum(money_after.values())


# Random companies


@st.composite
def worlds(draw):
    """Sponsors, places and orders of up to eight people, and one or two changes that can be."""
    size = draw(st.integers(4, 8))
    sponsors = [None, *(draw(st.integers(0, place - 1)) for place in range(1, size))]
    spots, places = [], {}
    for person in range(size):
        if spots and draw(st.integers(0, 5)):
            places[person] = spots.pop(draw(st.integers(0, len(spots) - 1)))
        spots += [(person, 1), (person, 2)]
    orders = draw(st.lists(st.integers(0, 15), min_size=size, max_size=size))
    return sponsors, places, orders, draw(st.randoms(use_true_random=False))


def below(parents: dict[int, int | None], person: int) -> set[int]:
    found, fresh = {person}, {person}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def some_changes(sponsors, places, people, chance: random.Random) -> tuple[Change, ...]:
    size, changes = len(people), []
    mover = chance.randrange(1, size)
    line = below(dict(enumerate(sponsors)), mover)
    options = [None, *(place for place in range(size) if place not in line)]
    under = chance.choice(options)
    changes.append(Change(people[mover].pk, "sponsor", None if under is None else people[under].pk))
    if places and chance.random() < 0.8:
        mover = chance.choice(sorted(places))
        line = below({who: spot[0] for who, spot in places.items()}, mover)
        taken = {spot for who, spot in places.items() if who != mover}
        free = [
            (parent, leg)
            for parent in range(size)
            for leg in (1, 2)
            if parent not in line and (parent, leg) not in taken
        ]
        parent, leg = chance.choice([*free, (None, None)])
        changes.append(
            Change(
                people[mover].pk, "placement", None if parent is None else people[parent].pk, leg
            )
        )
    return tuple(changes)


def settle(cast: Cast, sponsors, places, orders) -> list[Distributor]:
    people: list[Distributor] = []
    for number, sponsor in enumerate(sponsors):
        name = f"person{number}"
        person = enrol_distributor(
            sponsor=None if sponsor is None else people[sponsor],
            display_name=f"Person {number}",
            joined_on=date(2026, 1, 5),
            actor=None,
        )
        cast.distributors[name] = person
        people.append(person)
    for who, (parent, leg) in places.items():
        person = people[who]
        Distributor.objects.filter(pk=person.pk).update(placement_parent=people[parent], leg=leg)
        record_position(
            distributor=person, tree="placement", parent=people[parent], leg=leg,
            valid_from=date(2026, 1, 5), actor=None,
        )  # fmt: skip
    for number, pieces in enumerate(orders):
        if pieces:
            cast.buys(f"person{number}", pieces, at("2026-11-05"))
    claim_volume()
    return people


def by_demo(cast: Cast) -> None:
    assert cast.plan


def by_legs(cast: Cast) -> None:
    """The demo plan with pairs of the placement tree, a pool, and ranks that rest on legs."""
    put(cast, "asha", {"ben": 1})
    document = demo()
    document["volumes"].append({"code": "sold", "of": "cv", "kinds": list(SOLD)})
    document["bonuses"] += [PAIRS, POOL]
    silver, gold = document["ladders"][0]["ranks"][1:3]
    silver["when"] = {
        "is": "legs_with_volume",
        "legs": 2,
        "tree": "sponsor",
        "volume": "pv",
        "figure": "60.00",
    }
    gold["when"] = {
        "is": "legs_with_members",
        "legs": 1,
        "tree": "sponsor",
        "members": 1,
        "ladder": "rank",
        "rank": "silver",
    }
    pay_by(cast, document)


@pytest.mark.parametrize("pay", [by_demo, by_legs], ids=["demo", "binary and legs"])
def test_a_report_says_what_the_estimate_says_afterwards(cast: Cast, pay) -> None:
    pay(cast)
    assert cast.tea

    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(world=worlds())
    def said_and_done(world) -> None:
        sponsors, places, orders, chance = world
        with transaction.atomic():
            people = settle(cast, sponsors, places, [max(orders[0], 1), *orders[1:]])
            changes = some_changes(sponsors, places, people, chance)
            check(effects_of(changes, most=None), changes)
            transaction.set_rollback(True)

    said_and_done()


# One company, by name


@pytest.fixture
def selling(db) -> Cast:
    return remembered(company_that_sells)


def company_that_sells() -> Cast:
    """Ben 100 PV, Chloe 240, Dmitri 900, in November."""
    cast = gather_paying()
    cast.buys("ben", 5, at("2026-11-03"))
    cast.buys("chloe", 12, at("2026-11-04"))
    cast.buys("dmitri", 45, at("2026-11-05"))
    claim_volume()
    return cast


def to_stella(cast: Cast) -> tuple[Change, ...]:
    return (Change(cast.dmitri.pk, "sponsor", cast.stella.pk),)


def test_uplines_are_lost_and_gained_nearest_first(selling: Cast) -> None:
    report = effects_of(to_stella(selling))

    (moved,) = report.moved
    assert (moved.who.name, moved.tree, moved.below) == ("Dmitri Orlov", "sponsor", 0)
    assert [each.name for each in moved.lost.people] == ["Chloe Martin", "Ben Cole"]
    assert [each.name for each in moved.gained.people] == ["Stella Stone"]


def test_people_come_by_the_largest_change(selling: Cast) -> None:
    report = effects_of(to_stella(selling))

    # Chloe was a Silver by Dmitri's volume: 5 % of his 900.00 and a rank bonus of 15.00 go.
    chloe, ben, *_ = report.people
    assert (chloe.who.name, chloe.gv.was, chloe.gv.will) == (
        "Chloe Martin",
        Decimal("1140.00"),
        Decimal("240.00"),
    )
    assert (chloe.paid_as.was, chloe.paid_as.will) == ("Silver", "Bronze")
    assert chloe.amounts["GBP"].by == Decimal("-60.00")
    assert {row.code: row.amount.by for row in chloe.bonuses} == {
        "unilevel": Decimal("-45.00"),
        "rank": Decimal("-15.00"),
    }
    assert ben.amounts["GBP"].by == Decimal("-36.00")
    sizes = [abs(person.amounts["GBP"].by) for person in report.people]
    assert sizes == sorted(sizes, reverse=True)
    assert "Dmitri Orlov" not in {person.who.name for person in report.people}
    assert (report.demoted, report.promoted) == (1, 0)


def test_nothing_is_written(selling: Cast) -> None:
    with CaptureQueriesContext(connection) as queries:
        effects_of(to_stella(selling))

    words = ("insert", "update", "delete")
    written = [query["sql"] for query in queries if query["sql"].lower().startswith(words)]
    assert written == []
    selling.dmitri.refresh_from_db()
    assert selling.dmitri.sponsor == selling.chloe


def test_the_json_is_the_report(selling: Cast) -> None:
    report = effects_of(to_stella(selling))

    stored = json.loads(json.dumps(report.as_json()))
    assert MoveReport.from_json(stored) == report
    assert stored["people"][0]["gv"] == {"before": 114_000, "after": 24_000}


def test_only_the_largest_changes_are_named(selling: Cast) -> None:
    whole = effects_of(to_stella(selling))

    report = effects_of(to_stella(selling), most=1)

    assert report.people == whole.people[:1]
    assert (report.people_changed, report.unnamed) == (3, 2)
    assert report.amounts == whole.amounts


@pytest.mark.parametrize(
    ("who", "tree", "under", "leg", "words"),
    [
        ("ben", "sponsor", "dmitri", None, r"would stand below themselves"),
        ("ben", "sponsor", "ben", None, r"would stand below themselves"),
        ("stella", "placement", "asha", 1, r"Leg 1 is taken by D-"),
        ("stella", "placement", "asha", None, r"has a leg"),
        ("stella", "placement", "asha", 0, r"counted from 1"),
        ("stella", "sponsor", "ben", 1, r"has a leg"),
    ],
)
def test_what_cannot_be_is_refused(selling: Cast, who, tree, under, leg, words) -> None:
    put(selling, "asha", {"ben": 1})
    change = Change(getattr(selling, who).pk, tree, getattr(selling, under).pk, leg)

    with pytest.raises(EffectsRefused, match=words):
        effects_of((change,))


def test_a_chain_of_changes_that_closes_a_circle_is_refused(selling: Cast) -> None:
    changes = (
        Change(selling.stella.pk, "sponsor", selling.ben.pk),
        Change(selling.ben.pk, "sponsor", selling.stella.pk),
    )

    with pytest.raises(EffectsRefused, match=selling.stella.number):
        effects_of(changes)


def test_the_same_person_cannot_be_moved_twice_in_a_tree(selling: Cast) -> None:
    with pytest.raises(EffectsRefused, match="twice"):
        effects_of((*to_stella(selling), Change(selling.dmitri.pk, "sponsor", selling.ben.pk)))


def test_without_a_plan_nothing_can_be_said(cast: Cast) -> None:
    with pytest.raises(EffectsRefused, match="No period is open"):
        effects_of(to_stella(cast))


# Orders of moves, carried out by the task


class Desk:
    """Moves that wait, in place of their service: what is asked, and what was kept."""

    def __init__(self, **asked: tuple[Change, ...]) -> None:
        self.asked, self.kept = asked, {}

    def __enter__(self) -> "Desk":
        self.others = list(effects._KEEPERS)
        effects.register_keeper(
            Keeper(
                changes_of=self.asked.get,
                waiting=lambda code: sorted(self.asked.keys() - self.kept.keys()),
                keep=lambda reference, code, found: self.kept.update({reference: (code, found)}),
            )
        )
        return self

    def __exit__(self, *_) -> None:
        effects._KEEPERS[:] = self.others


def test_a_task_hands_its_answer_to_the_keeper(selling: Cast) -> None:
    with Desk(m1=to_stella(selling)) as desk:
        assert move_orders.carry_out("m1")
        sweep_moves()

    code, found = desk.kept["m1"]
    assert (code, found) == ("commissions", effects_of(to_stella(selling)).as_json())
    assert effects.progress("m1") == []


def test_a_task_keeps_why_something_cannot_be(selling: Cast) -> None:
    change = Change(selling.ben.pk, "sponsor", selling.dmitri.pk)

    with Desk(m1=(change,), m2=to_stella(selling)) as desk:
        sweep_moves()

    assert desk.kept["m1"][1] == {"refused": f"{selling.ben.number} would stand below themselves."}
    assert desk.kept["m2"][1]["people_changed"] == 3
    (shown,) = effects.shown({"commissions": desk.kept["m1"][1]})
    assert "would stand below themselves" in render_to_string(
        shown.template, {"effects": shown.effects}
    )


def test_a_task_that_dies_three_times_is_given_up(selling: Cast, monkeypatch) -> None:
    def die(*_, **__):
        raise KeyboardInterrupt

    with Desk(m1=to_stella(selling)) as desk:
        monkeypatch.setattr(move_orders, "effects_of", die)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                move_orders.carry_out("m1")
        assert desk.kept == {}
        move_orders.carry_out("m1")

    assert desk.kept["m1"][1] == {"refused": "The calculation was interrupted 3 times."}


def test_progress_is_told_step_by_step(selling: Cast) -> None:
    seen = []

    with Desk(m1=to_stella(selling)):
        move_orders.answer("m1", to_stella(selling), estimates.take_mark())
        seen += effects.progress("m1")

    assert [(each.done, each.of) for each in seen] == [(2, 3)]
    assert seen[0].label == "Calculating as it would be"


def test_an_order_is_sent_when_it_is_committed(
    selling: Cast, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    sent = []
    monkeypatch.setattr(
        move_orders.current_app, "send_task", lambda task, args: sent.append((task, args))
    )

    with django_capture_on_commit_callbacks(execute=True):
        effects.order("m1")
        assert sent == []

    assert sent == [("commissions.tasks.work_out_move", ["m1"])]


def test_a_company_above_the_setting_does_not_fit_a_request(selling: Cast, settings) -> None:
    assert effects.fit_request()

    settings.MOVE_EFFECTS_AT_ONCE = 4

    assert not effects.fit_request()


def test_the_page_shows_people_money_and_uplines(selling: Cast) -> None:
    (shown,) = effects.shown(effects.work_out(to_stella(selling)))

    page = words_of(render_to_string(shown.template, {"effects": shown.effects}))

    assert "Dmitri Orlov" in page
    assert "Leaves Chloe Martin, Ben Cole" in page
    assert "Comes under Stella Stone" in page
    assert "1,140.00" in page
    assert "Silver to Bronze" in page
    assert "−£60.00" in page


# What ending a contract touches


def test_a_termination_touches_estimate_wallet_and_payouts(selling: Cast) -> None:
    estimates.record(november())

    touched = {each.label: each.amount for each in effects.touched_by(selling.chloe)}

    # The partner commission of 2 % on Dmitri's 900.00 is in the wallet; the close would bring
    # 5 % of it and the rank bonuses of Bronze and Silver.
    assert touched == {
        "Estimated for November 2026": Decimal("70.00"),
        "Wallet": Decimal("18.00"),
    }


def test_a_termination_touches_what_is_calculated_and_not_final(selling: Cast) -> None:
    calculated(selling, NOVEMBER)

    touched = {each.label: each.amount for each in touched_of(selling.chloe)}

    assert touched["November 2026, calculated and not final"] == Decimal("70.00")
    assert "Estimated for November 2026" not in touched


def test_a_termination_touches_what_a_limit_holds_and_instalments_to_come(cast: Cast) -> None:
    document = demo()
    document["limits"].append(cap("20.00", "unilevel"))
    bonus(document, "rank")["instalments"] = 3
    pay_by(cast, document)
    cast.buys("chloe", 12, at("2026-10-04"))
    cast.buys("dmitri", 45, at("2026-10-05"))
    claim_volume()
    closed(cast, "2026-10")

    touched = {each.label: each.amount for each in touched_of(cast.chloe)}

    # 5 % of 900.00 is 45.00, of which 25.00 wait; the second and third parts of 10.00 and 15.00.
    assert touched["Monthly cap, held until there is room below the limit"] == Decimal("25.00")
    assert touched["Rank bonus, instalments to come"] == Decimal("16.67")


def test_somebody_without_anything_touches_nothing(cast: Cast) -> None:
    assert effects.touched_by(cast.stella) == []
