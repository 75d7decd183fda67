"""Lines without an order line go back with their sales: worked examples, and against an oracle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from commissions.engine.calculate import calculate
from commissions.engine.errors import SnapshotError
from commissions.engine.plan import Plan
from commissions.engine.restatement import Closed, due_now, is_concerned, restate
from commissions.engine.returned import Returns
from commissions.engine.rows import rows_of
from tests.engine.documents import (
    COMPANY,
    METRICS,
    Document,
    at_least,
    bonus,
    by_step,
    document,
    ladder,
    load,
    metric,
    money,
    upline,
)
from tests.engine.small import company, hundredths

REVERSAL = document()["reversal"]
TURNOVER = metric("turnover", volume="cv", scope=COMPANY)
OWN: Document = {"who": "source"}
ON_CV: Document = {"of": "metric", "metric": "cv"}
PLACES = {"parents": {"placement": [-1, 0, 0]}, "leg": [-1, 0, 1]}


def plan(*bonuses: Document, **parts: Any) -> Plan:
    parts["reversal"] = REVERSAL | parts.get("reversal", {})
    return load(document(bonuses=list(bonuses), metrics=[*METRICS, TURNOVER], **parts))


def limit(amount: str, *bonuses: str, **parts: Any) -> Document:
    given: Document = {
        "code": "cap", "name": "Cap", "scope": "member", "bonuses": list(bonuses),
        "amount": amount, "share": None, "metric": None, "enforcement": "pro_rata",
        "overflow": "lost",
    }  # fmt: skip
    return given | parts


@dataclass
class Month:
    """A closed period, and what its refunds undo, by the names of people; amounts in units."""

    plan: Plan
    names: list[str]
    closed: Closed

    def back(self, *parts: tuple[int, str], days: int = 30) -> Returns:
        """Of lines, counted from 0, so much CV; a line's quantity is its CV."""
        line = np.array([place for place, _ in parts], np.int32)
        figures = np.array([hundredths(amount) for _, amount in parts], np.int64)
        whole = self.closed.snapshot.lines.volumes["cv"][line]
        volumes = {"pv": -figures, "cv": -figures, "margin": 0 * figures}
        return Returns(line, whole, figures, np.full(line.size, days), volumes)

    def undone(self, *parts: tuple[int, str], **more: Any) -> dict[str, dict[str, int]]:
        restated = restate(self.closed, self.back(*parts, **more), self.plan.reversal)
        return self.by_name(restated.undone)

    def by_name(self, amounts: np.ndarray) -> dict[str, dict[str, int]]:
        rows = rows_of(self.closed.result.ledger)
        found: dict[str, dict[str, int]] = {}
        for place, earner, amount in zip(rows.bonus, rows.earner, amounts, strict=True):
            if amount:
                mine = found.setdefault(self.plan.programmes[place].code, {})
                mine[self.names[earner]] = mine.get(self.names[earner], 0) + int(amount)
        return found


def month(
    rules: Plan, sponsors: Mapping[str, str | None], sales: Sequence[Any], **columns: Any
) -> Month:
    """`columns` of the members; trees beside the sponsor's under `parents`."""
    if "parents" in columns:
        above = [-1 if up is None else list(sponsors).index(up) for up in sponsors.values()]
        columns["parents"] = {"sponsor": above, "enroller": above} | columns["parents"]
    snapshot = company(sponsors, sales, **columns)
    return Month(rules, list(sponsors), Closed(snapshot, rules, calculate(snapshot, rules)))


TEAM = {"asha": None, "bela": "asha", "carl": "bela"}


def test_unilevel_on_a_members_volume_goes_back_in_step_with_it():
    rules = plan(bonus("team", base=ON_CV, rates=by_step("0.10", "0.05")))
    july = month(rules, TEAM, [("carl", "100.00"), ("carl", "50.00"), ("bela", "40.00")])

    # Carl's 150.00: Bela 15.00, Asha 7.50; Bela's 40.00: Asha 4.00.
    assert july.undone((0, "25.00")) == {"team": {"bela": -250, "asha": -125}}
    assert july.undone((0, "100.00"), (2, "40.00")) == {
        "team": {"bela": -10_00, "asha": -5_00 - 4_00}
    }
    assert july.undone((0, "100.00"), (1, "50.00"), (2, "40.00")) == {
        "team": {"bela": -15_00, "asha": -11_50}
    }


def test_match_of_a_members_sum_follows_lines_that_name_their_order():
    match = bonus(
        "match",
        base={"of": "commissions", "bonuses": ["direct"], "per": "member", "after_limits": False},
        pays=upline(1),
        rates=by_step("0.10"),
    )
    july = month(plan(bonus("direct", rates=by_step("0.10")), match), TEAM, [("carl", "333.00")])

    # Bela 33.30, of which Asha 3.33. A third of it back: round(11.10), so 22.20 are left.
    assert july.undone((0, "111.00")) == {"match": {"asha": -111}}
    kept = plan(bonus("direct", rates=by_step("0.10")), match, reversal={"derived": False})
    assert month(kept, TEAM, [("carl", "333.00")]).undone((0, "111.00")) == {}


def pool(shares: Document) -> Document:
    return bonus(
        "pool",
        base={"of": "metric", "metric": "turnover"},
        pays={"who": "pool", "shares": shares, "remainder": "company", "if_nobody": "company"},
        rates=by_step("0.10"),
    )


def test_pool_is_shared_again_with_the_shares_of_its_month():
    equal = plan(pool({"by": "equal"}))
    sales = [("asha", "600.00"), ("bela", "400.00")]
    july = month(equal, {"asha": None, "bela": None}, sales)
    by_volume = month(
        plan(pool({"by": "metric", "metric": "cv"})), dict.fromkeys(july.names), sales
    )

    assert july.undone((0, "300.00")) == {"pool": {"asha": -15_00, "bela": -15_00}}
    assert by_volume.undone((0, "300.00")) == {"pool": {"asha": -18_00, "bela": -12_00}}
    assert july.undone((0, "600.00"), (1, "400.00")) == {"pool": {"asha": -50_00, "bela": -50_00}}


def test_pairs_give_the_volume_they_took_back_to_the_legs():
    pays = {
        "who": "pairs", "tree": "placement", "volume": "cv", "cycle": None,
        "after_payout": "carry", "if_ineligible": "keep_both", "carry_cap": None,
    }  # fmt: skip
    rules = plan(bonus("binary", pays=pays, rates=by_step("0.10")))
    people = {"you": None, "left": "you", "right": "you"}
    july = month(rules, people, [("left", "200.00"), ("right", "500.00")], **PLACES)

    restated = restate(july.closed, july.back((0, "100.00")), rules.reversal)
    stronger = restate(july.closed, july.back((1, "100.00")), rules.reversal)

    assert july.by_name(restated.undone) == {"binary": {"you": -10_00}}
    given = {name: figures.tolist() for name, figures in restated.given_back.items()}
    assert given == {"pairs.binary.left": [100_00, 0, 0], "pairs.binary.right": [100_00, 0, 0]}
    assert not stronger.undone.any()
    assert not any(figures.any() for figures in stronger.given_back.values())
    # August, with the refund and 50.00 sold on the left: legs 50.00 and 400.00.
    carried = july.closed.result.state
    state = {name: carried[name] + restated.given_back.get(name, 0) for name in carried}
    august = company(
        people, [("left", "50.00")], [("left", "100.00")], state,
        parents={tree: [-1, 0, 0] for tree in ("sponsor", "enroller", "placement")},
        leg=[-1, 0, 1],
    )  # fmt: skip
    paid = calculate(august, rules)
    assert paid.totals == {"binary": 5_00}
    assert paid.state["pairs.binary.right"].tolist() == [350_00, 0, 0]


def test_what_a_limit_cut_is_not_taken_back():
    own = bonus("own", pays=OWN, rates=by_step("1"))
    rules = plan(own, limits=[limit("5000", "own")])
    july = month(rules, {"asha": None}, [("asha", "6000.00"), ("asha", "2000.00")])

    # 8,000.00 less 3,000.00. The order lines go back by themselves, -2,000.00 and -6,000.00.
    assert july.undone((1, "2000.00")) == {"cap": {"asha": 2000_00}}
    assert july.undone((0, "6000.00")) == {"cap": {"asha": 3000_00}}
    assert july.undone((0, "6000.00"), (1, "2000.00")) == {"cap": {"asha": 3000_00}}


def test_refund_of_another_lets_no_limit_pay():
    own = bonus("own", pays=OWN, rates=by_step("1"))
    rules = plan(own, limits=[limit("500", "own", scope="company")])
    july = month(rules, {"asha": None, "bela": None}, [("asha", "600.00"), ("bela", "400.00")])

    # Cut to 300.00 and 200.00. On 200.00 and 400.00 it would be 166.67 and 333.33.
    assert july.undone((0, "400.00")) == {"cap": {"asha": 266_67}}


def test_cut_that_is_held_is_given_back_as_far_as_it_still_is():
    own = bonus("own", pays=OWN, rates=by_step("1"))
    rules = plan(own, limits=[limit("5000", "own", overflow="held")])
    july = month(rules, {"asha": None}, [("asha", "8000.00")])
    restated = restate(july.closed, july.back((0, "2000.00")), rules.reversal)
    nothing = np.zeros(2, np.int64)[: restated.undone.size]

    def now(held: int) -> tuple[list[int], list[int]]:
        carried, rows = {"limit.cap": np.array([held])}, rows_of(july.closed.result.ledger)
        amount, less = due_now(rules, rows, restated.undone, nothing, carried, 1)
        return amount.tolist(), less["limit.cap"].tolist()

    assert now(3000_00) == ([2000_00], [-2000_00])
    assert now(500_00) == ([500_00], [-500_00])


def test_ranks_stand_and_so_does_what_is_paid_for_them():
    rank = bonus(
        "rank", base={"of": "flat", "per": "member"}, pays=OWN, unit="amount",
        rates={"by": "rank", "ladder": "rank", "which": "highest", "table": {"bronze": ["25"]}},
        occurrence={"times": "once_per_rank", "skipped_ranks": "pay_all"},
    )  # fmt: skip
    by_rank = {"by": "rank", "ladder": "rank", "which": "paid_as", "table": {"bronze": ["0.10"]}}
    own = bonus("own", base=ON_CV, pays=OWN, rates=by_rank)
    rules = plan(rank, own, ladders=[ladder({"bronze": at_least("pv", "100")})])
    july = month(rules, {"asha": None}, [("asha", "100.00")])

    # With 40.00 left he would have no rank; he is taken back 10 % of what came back.
    assert july.undone((0, "60.00")) == {"own": {"asha": -6_00}}


PARTS = bonus("parts", pays=upline(1), rates=by_step("0.10"), instalments=3)


def waiting(month: Month, *parts: tuple[int, str]) -> dict[str, list[int]]:
    restated = restate(month.closed, month.back(*parts), month.plan.reversal)
    return {name: figures.tolist() for name, figures in restated.waiting.items()}


def test_each_instalment_is_less_in_proportion():
    july = month(plan(PARTS), TEAM, [("carl", "300.00"), ("bela", "30.00")])

    # Bela's 30.00 in three, Asha's 3.00 as well. Of 10.00 a third goes; the first one by its line.
    assert july.undone((0, "100.00")) == {}
    assert waiting(july, (0, "100.00")) == {f"due.parts.{k}": [1_00, 6_67, 0] for k in (1, 2)}
    assert waiting(july, (0, "300.00"), (1, "30.00")) == {
        f"due.parts.{k}": [0, 0, 0] for k in (1, 2)
    }


def test_instalments_of_a_sum_are_less_as_the_sum_is():
    team = bonus("team", base=ON_CV, pays=upline(1), rates=by_step("0.10"), instalments=3)
    july = month(plan(team), TEAM, [("carl", "0.30"), ("carl", "0.20")])

    # 0.05 in 0.02, 0.02, 0.01; 0.03 are left, so of each round(2/5): 0.01, 0.01, 0.00.
    assert july.undone((1, "0.20")) == {"team": {"bela": -1}}
    assert waiting(july, (1, "0.20")) == {"due.team.1": [0, 1, 0]}


def test_what_is_held_is_less_in_proportion():
    rule = {"when": at_least("pv", "500"), "otherwise": "held"}
    held = bonus("held", pays=OWN, rates=by_step("0.10"), eligibility=rule)
    july = month(plan(held), TEAM, [("carl", "70.00"), ("bela", "500.00")])

    assert waiting(july, (0, "35.00")) == {"held.held": [0, 0, 3_50]}
    assert waiting(july, (1, "500.00")) == {}


def test_what_a_period_was_told_too_much_is_undone_where_it_was_paid():
    """Bela was paid 10.00 that fell due, and Asha half of it; 3.33 of that is of no sale any more.
    Of 8.00 in two more months 2.00 are not."""
    match = bonus(
        "match",
        base={"of": "commissions", "bonuses": ["parts"], "per": "member", "after_limits": False},
        pays=upline(1),
        rates=by_step("0.50"),
    )
    state = {"due.parts.1": [0, 10_00, 0], "due.parts.2": [0, 8_00, 0]}
    rules = plan(PARTS, match)
    snapshot = company(TEAM, state=state)
    august = Month(rules, list(TEAM), Closed(snapshot, rules, calculate(snapshot, rules)))
    told = {"due.parts.1": np.array([0, -3_33, 0]), "due.parts.2": np.array([0, -2_00, 0])}

    restated = restate(august.closed, replace(august.back(), told=told), rules.reversal)

    assert august.by_name(restated.undone) == {"parts": {"bela": -3_33}, "match": {"asha": -1_66}}
    assert {name: left.tolist() for name, left in restated.waiting.items()} == {
        "due.parts.1": [0, 6_00, 0]
    }


def test_rule_of_the_plan_is_kept():
    own = bonus("own", base=ON_CV, pays=OWN, rates=by_step("0.10"))
    sales = [("asha", "100.00"), ("asha", "20.00")]

    def undone_by(**rule: Any) -> dict[str, dict[str, int]]:
        return month(plan(own, reversal=rule), {"asha": None}, sales).undone((0, "10.00"))

    assert undone_by() == {"own": {"asha": -1_00}}
    assert undone_by(commissions="full") == {"own": {"asha": -10_00}}
    assert undone_by(commissions="none") == {}
    assert undone_by(window_days=30) == {"own": {"asha": -1_00}}
    assert undone_by(window_days=29) == {}


def test_more_back_than_was_sold_is_refused():
    rules = plan(bonus("own", base=ON_CV, pays=OWN, rates=by_step("0.10")))
    july = month(rules, {"asha": None}, [("asha", "100.00")])

    with pytest.raises(SnapshotError, match="more came back"):
        july.undone((0, "60.00"), (0, "60.00"))


def test_refund_does_not_lower_what_is_paid_on_in_its_own_period():
    """The 250.00 of July are undone there: -25.00. August pays its own 1,000.00."""
    rules = plan(bonus("own", base=ON_CV, pays=OWN, rates=by_step("0.10")), pool({"by": "equal"}))
    august = company({"asha": None}, [("asha", "1000.00")], [("asha", "250.00")])

    result = calculate(august, rules)

    assert result.totals == {"own": 100_00, "pool": 100_00}
    assert result.standings is not None
    assert result.standings.metrics["cv"].tolist() == [750_00]


def test_plans_that_pay_orders_alone_are_not_concerned():
    direct = bonus("direct")
    refuse = limit("10", "direct", scope="company", enforcement="refuse")

    assert not is_concerned(plan(direct, limits=[refuse]))
    assert is_concerned(plan(direct, limits=[limit("10", "direct")]))
    assert is_concerned(plan(bonus("own", base=ON_CV, pays=OWN, rates=by_step("1"))))
    assert is_concerned(plan(PARTS))


def test_money_of_a_member_is_rounded_as_his_sum():
    own = bonus("own", base=ON_CV, pays=OWN, rates=by_step("0.0333"))
    rules = plan(own, money=money(granularity="member", zero_amounts="keep"))
    july = month(rules, {"asha": None}, [("asha", "10.00"), ("asha", "20.00")])

    # 30.00 at 3.33 % is 0.999, so 1.00; on 20.00 it is 0.67.
    assert july.undone((0, "10.00")) == {"own": {"asha": -33}}
