"""What of a figure is paid on, how often, and whose buyers count."""

import pytest

from tests.engine.closing import close
from tests.engine.documents import bonus, by_step, document, given_ladder, load, metric, upline
from tests.engine.small import FIRST_DAY, LAST_DAY, known, of
from tests.engine.test_language import faults_of

TEAM = {"asha": None, "bela": "asha"}
SOURCE = {"who": "source"}


@pytest.mark.parametrize(
    ("part", "paid"),
    [
        ({"above": "20"}, {"asha": ["8.00", "1.00"]}),
        ({"above": "20", "at_most": "60"}, {"asha": ["4.00", "1.00"]}),
        ({"above": "100"}, {}),
    ],
)
def test_only_what_of_a_line_is_above_so_much(part, paid):
    line = bonus("line", pays=upline(1), rates=by_step("0.1"),
                 base={"of": "order", "volume": "cv"} | part)  # fmt: skip

    closed = close(load(document(bonuses=[line])), TEAM, [("bela", "100"), ("bela", "30")])

    assert closed.paid("line") == paid


@pytest.mark.parametrize(
    ("sold", "paid"),
    [
        ("1000", ["250.00"]),
        ("1000.01", ["250.00"]),
        ("1700", ["250.00", "210.00"]),
        ("2500", ["250.00", "300.00", "175.00"]),
    ],
)
def test_each_tier_pays_on_its_own_part_alone(sold, paid):
    """25 % up to 1,000, 30 % of the next 1,000, 35 % of the rest; of a cent there is nothing."""
    tiers = {"low": ("0.25", {"at_most": "1000"}),
             "middle": ("0.3", {"above": "1000", "at_most": "2000"}),
             "high": ("0.35", {"above": "2000"})}  # fmt: skip
    plan = load(document(bonuses=[
        bonus(code, pays=SOURCE, rates=by_step(rate),
              base={"of": "metric", "metric": "cv"} | part)
        for code, (rate, part) in tiers.items()
    ]))  # fmt: skip

    closed = close(plan, {"asha": None}, [("asha", sold)])

    assert [amount for code in tiers for amount in closed.paid(code).get("asha", [])] == paid


@pytest.mark.parametrize(("sold", "paid"), [("2999.99", "50.00"), ("3000", "100.00"), ("900", "")])
def test_an_amount_for_each_whole_so_much_above_a_threshold(sold, paid):
    plan = load(document(bonuses=[
        bonus("step", pays=SOURCE, unit="amount", rates=by_step("50"),
              base={"of": "metric", "metric": "cv", "above": "1000", "each": "1000"})
    ]))  # fmt: skip

    closed = close(plan, {"asha": None}, [("asha", sold)])

    assert closed.paid("step") == ({"asha": [paid]} if paid else {})


@pytest.mark.parametrize(("most", "paid"), [(2, [True, True, False]), (None, [True, True, True])])
def test_no_more_than_so_many_times_in_a_life(most, paid):
    plan = load(document(bonuses=[
        bonus("start", pays=SOURCE, unit="amount", rates=by_step("5"),
              base={"of": "flat", "per": "member"},
              occurrence={"times": "always", "most_times": most})
    ]))  # fmt: skip
    state, found = None, []

    for _ in paid:
        closed = close(plan, {"asha": None}, state=state)
        found.append("asha" in closed.paid("start"))
        state = closed.result.state

    assert found == paid


@pytest.mark.parametrize(
    ("asked", "counted"),
    [({}, 300), ({"least": "50"}, 200), ({"least": "100"}, 100), ({"kinds": ["autoship"]}, 100)],
)
def test_buyers_are_counted_once_however_often_they_buy(asked, counted):
    """Of Bela bought one of two orders of 30 and 40, one of 100 and one of 5; a fourth brought all
    of his 60 back."""
    sales = [
        ("bela", "30", "retail", LAST_DAY, 1, FIRST_DAY, 1),
        ("bela", "40", "autoship", LAST_DAY, 2, FIRST_DAY, 1),
        ("bela", "100", "retail", LAST_DAY, 1, FIRST_DAY, 2),
        ("bela", "5", "retail", LAST_DAY, 1, FIRST_DAY, 3),
        ("bela", "60", "retail", LAST_DAY, 1, FIRST_DAY, 4),
    ]
    back = [("bela", "60", "retail", LAST_DAY, 1, FIRST_DAY, 4)]
    whole = document(metrics=[metric("it", what="buyers", volume="pv", **asked)], bonuses=[])

    facts = known(whole, TEAM, sales, back)

    assert of(facts, facts.metric("it"))["bela"] == counted


# What goes wrong


def on(base, **parts):
    return {"bonuses": [bonus(pays=SOURCE, rates=by_step("0.1"), base=base, **parts)]}


CV, BUYERS = {"of": "metric", "metric": "cv"}, {"what": "buyers", "volume": "pv"}
FIRST_OF_LEGS = {"scope": {"scope": "legs", "tree": "sponsor", "first": 3, "last": 2}}
PAIRS = {
    "who": "pairs", "tree": "placement", "volume": "pv", "cycle": None, "after_payout": "carry",
    "if_ineligible": "keep_both", "carry_cap": None,
}  # fmt: skip


def most_by_rank(**parts):
    most = {"ladder": "rank", "which": "paid_as", "table": {"bronze": "50"}} | parts
    pairs = bonus(pays=PAIRS | {"most_by_rank": most}, rates=by_step("0.1"))
    return {"bonuses": [pairs], "ladders": [given_ladder("rank", "bronze")]}


LIMIT = {
    "code": "most", "name": "Most", "scope": "person", "bonuses": ["unilevel"], "amount": "5",
    "share": None, "metric": None, "enforcement": "pro_rata", "overflow": "lost",
}  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (on(CV | {"above": "50", "at_most": "50"}),
         "$.bonuses[0].base.at_most: is not more than `above`, so that nothing is paid on"),
        (on(CV | {"each": "0"}, unit="amount"),
         "$.bonuses[0].base.each: must be above zero; null stands for all of it"),
        (on(CV | {"each": "5"}),
         "$.bonuses[0].unit: is share, and for each whole so much an amount is paid"),
        ({"metrics": [metric("it", what="buyers")]},
         "$.metrics[0].volume: is missing: it says which figure of the lines is summed"),
        ({"metrics": [metric("it", **BUYERS, window="lifetime")]},
         "$.metrics[0].window: of buyers must be period: who bought is known of that alone"),
        ({"metrics": [metric("it", volume="pv", least="5")]},
         "$.metrics[0].least: has no meaning but where buyers are counted"),
        ({"metrics": [metric("it", volume="pv", **FIRST_OF_LEGS)]},
         "$.metrics[0].scope.last: is less than the first, which is 3"),
        ({"bonuses": [bonus(pays=PAIRS | {"over_most": "flush"}, rates=by_step("0.1"))]},
         "$.bonuses[0].pays.over_most: has no meaning without the most volume that is matched"),
        (most_by_rank(ladder="club"),
         '$.bonuses[0].pays.most_by_rank.ladder: "club" is no ladder of this plan: rank'),
        (most_by_rank(table={"ruby": "5"}),
         '$.bonuses[0].pays.most_by_rank.table.ruby: "ruby" is no rank of the ladder "rank": '
         "bronze, none"),
        (most_by_rank(table={}),
         "$.bonuses[0].pays.most_by_rank.table: is empty, so it would limit nobody"),
        ({"bonuses": [bonus()], "limits": [LIMIT | {"when": {"is": "active"}}]},
         "$.limits[0].when: is asked of a member, and this limit is that of a person"),
    ],
)  # fmt: skip
def test_faults_are_named(parts, fault):
    assert fault in faults_of(document(**parts))
