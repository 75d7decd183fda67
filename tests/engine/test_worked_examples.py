"""The demo plan on small companies, with the amounts worked out by hand.

            asha                 Silver   200.00 PV   1,270.00 GV
              |
            bela                 Bronze   100.00 PV
              |
            chetan               inactive  20.00 PV
           /      \\
       divya      farid          Bronze 150.00, unranked 60.00
         |
       esha                      Gold asks for 2,500 GV: Bronze with 740.00
"""

import pytest

from commissions.engine import PAYMENT, StandingsError, calculate, check_ceiling, load_plan
from commissions.engine.calculate import unranked
from tests.engine.company import Company, demo_document, demo_plan

TREE = {
    "asha": None,
    "bela": "asha",
    "chetan": "bela",
    "divya": "chetan",
    "esha": "divya",
    "farid": "chetan",
}


def buying_company() -> Company:
    company = Company(TREE)
    for name, volume in {
        "asha": "200.00", "bela": "100.00", "chetan": "20.00",
        "divya": "150.00", "esha": "740.00", "farid": "60.00",
    }.items():  # fmt: skip
        company.sells(name, volume)
    return company


def test_volumes_and_ranks():
    company, plan = buying_company(), demo_plan()

    standings = calculate(company.snapshot(), plan).standings

    assert standings.pv.tolist() == [20000, 10000, 2000, 15000, 74000, 6000]
    assert standings.gv.tolist() == [127000, 107000, 97000, 89000, 74000, 6000]
    assert standings.legs.tolist() == [1, 1, 2, 1, 0, 0]
    assert standings.active.tolist() == [True, True, False, True, True, True]
    assert standings.rank_level.tolist() == [2, 1, 0, 1, 1, 0]


def test_unilevel_passes_over_inactive_and_unranked_uplines():
    company, plan = buying_company(), demo_plan()

    lines = company.ledger(calculate(company.snapshot(), plan), plan, "unilevel")

    assert lines == [
        ("asha", 1, "5.00"),  # 5 % of bela's 100.00
        ("bela", 1, "1.00"),  # 5 % of chetan's 20.00
        ("bela", 1, "7.50"),  # 5 % of divya's 150.00, chetan is passed over
        ("divya", 1, "37.00"),  # 5 % of esha's 740.00
        ("bela", 1, "3.00"),  # 5 % of farid's 60.00
        ("asha", 2, "0.80"),  # 4 % of chetan's 20.00
        ("asha", 2, "6.00"),  # 4 % of divya's 150.00
        ("bela", 2, "29.60"),  # 4 % of esha's 740.00
        ("asha", 2, "2.40"),  # 4 % of farid's 60.00
        ("asha", 3, "22.20"),  # 3 % of esha's 740.00
    ]


def test_physical_counting_loses_the_steps_of_those_not_paid():
    document = demo_document()
    unilevel = document["bonuses"][2]
    unilevel["selector"]["steps"] = {"count": "physical"}
    unilevel["eligibility"]["active"] = True
    company, plan = buying_company(), load_plan(document)

    lines = company.ledger(calculate(company.snapshot(), plan), plan, "unilevel")

    # esha's 740.00: divya 1, chetan 2 (inactive, lost), bela 3, asha 4 (Silver has a fourth rate)
    assert [line for line in lines if line[1] >= 3] == [
        ("asha", 3, "4.50"),
        ("bela", 3, "22.20"),
        ("asha", 3, "1.80"),
        ("asha", 4, "22.20"),
    ]


def test_a_rank_without_a_rate_uses_up_the_step():
    chain = {"asha": None, "bela": "asha", "chetan": "bela", "divya": "chetan", "esha": "divya"}
    company, plan = Company(chain), demo_plan()
    for name in chain:
        company.sells(name, "100.00")

    lines = company.ledger(calculate(company.snapshot(), plan), plan, "unilevel")

    # all Bronze: three rates. esha's order reaches asha at step 4, which pays a Bronze nothing.
    assert [line for line in lines if line[0] == "asha"] == [
        ("asha", 1, "5.00"),
        ("asha", 2, "4.00"),
        ("asha", 3, "3.00"),
    ]


def test_rank_bonus_pays_every_rank_reached_for_the_first_time():
    company, plan = buying_company(), demo_plan()
    company.highest["bela"] = 1

    result = calculate(company.snapshot(), plan)

    assert company.ledger(result, plan, "rank") == [
        ("asha", 0, "10.00"),
        ("divya", 0, "10.00"),
        ("esha", 0, "10.00"),
        ("asha", 0, "15.00"),
    ]
    assert result.standings.highest_level.tolist() == [2, 1, 0, 1, 1, 0]


def test_rank_bonus_for_the_reached_rank_alone():
    document = demo_document()
    document["bonuses"][3]["occurrence"]["skipped_ranks"] = "reached_only"
    company, plan = buying_company(), load_plan(document)

    result = calculate(company.snapshot(), plan)

    assert ("asha", 0, "15.00") in company.ledger(result, plan, "rank")
    assert ("asha", 0, "10.00") not in company.ledger(result, plan, "rank")


def test_a_rank_once_held_is_not_paid_again():
    company, plan = buying_company(), demo_plan()
    company.highest = dict.fromkeys(company.names, 5)

    result = calculate(company.snapshot(), plan)

    assert company.ledger(result, plan, "rank") == []
    assert company.levels(result)["asha"] == 2
    assert result.standings.highest_level.tolist() == [5] * 6


def test_retail_margin_goes_to_the_seller_of_retail_and_preferred_orders():
    company, plan = Company({"asha": None, "bela": "asha"}), demo_plan()
    company.sells("bela", "30.00", kind="retail", margin="9.00")
    company.sells("bela", "30.00", kind="preferred", margin="4.35")
    company.sells("bela", "30.00", kind="self_consumption", margin="9.00")
    company.sells("asha", "30.00", kind="retail", margin="-2.00")

    lines = company.ledger(calculate(company.snapshot(), plan), plan, "retail")

    assert lines == [("bela", 0, "9.00"), ("bela", 0, "4.35")]


def test_partner_commission_at_payment():
    company, plan = Company({"asha": None, "bela": "asha", "chetan": "asha"}), demo_plan()
    company.enrollers["chetan"] = "bela"
    company.sells("chetan", "40.00", kind="retail")
    company.sells("chetan", "60.00", kind="self_consumption")
    company.sells("asha", "80.00", kind="self_consumption")

    result = calculate(company.snapshot(), plan, PAYMENT)

    assert company.ledger(result, plan, "partner") == [
        ("chetan", 1, "0.80"),  # his own sale to a customer
        ("bela", 1, "1.20"),  # his own purchase pays his enroller, not his sponsor
    ]
    assert result.standings is None
    assert result.totals == {"partner": 200}


def test_payment_does_not_need_anybody_else():
    whole, alone = (
        Company({"asha": None, "bela": "asha", "chetan": "bela"}),
        Company({"bela": None, "chetan": "bela"}),
    )
    plan = demo_plan()
    for company in (whole, alone):
        company.sells("chetan", "60.00")

    lines = [
        c.ledger(calculate(c.snapshot(), plan, PAYMENT), plan, "partner") for c in (whole, alone)
    ]

    assert lines[0] == lines[1] == [("bela", 1, "1.20")]


def test_enrolment_kits_earn_and_count_nothing():
    company, plan = Company({"asha": None, "bela": "asha"}), demo_plan()
    company.sells("asha", "100.00")
    company.sells("bela", "500.00", kind="enrolment_kit", margin="50.00")

    closed = calculate(company.snapshot(), plan)
    paid = calculate(company.snapshot(), plan, PAYMENT)

    assert closed.standings.gv.tolist() == [10000, 0]
    assert company.ledger(closed, plan, "rank") == [("asha", 0, "10.00")]
    assert closed.totals == {"retail": 0, "unilevel": 0, "rank": 1000}
    assert paid.totals == {"partner": 0}


def test_refund_of_an_earlier_sale_lowers_this_periods_volume_and_earns_nothing():
    company, plan = Company({"asha": None, "bela": "asha"}), demo_plan()
    company.sells("asha", "100.00").sells("bela", "120.00")
    company.takes_back("bela", "150.00")

    result = calculate(company.snapshot(), plan)

    assert result.standings.pv.tolist() == [10000, -3000]
    assert result.standings.gv.tolist() == [7000, -3000]
    assert result.standings.legs.tolist() == [0, 0]
    assert company.ledger(result, plan, "unilevel") == [("asha", 1, "6.00")]


@pytest.mark.parametrize(
    ("rounding", "amounts"),
    [
        ("half_even", ["0.62", "0.62", "0.64", "0.62"]),
        ("half_up", ["0.63", "0.62", "0.64", "0.62"]),
        ("down", ["0.62", "0.61", "0.63", "0.62"]),
    ],
)
def test_each_line_is_rounded_by_the_plans_rule(rounding, amounts):
    money = {**demo_document()["money"], "rounding": rounding}
    company, plan = Company({"asha": None, "bela": "asha"}), demo_plan(money=money)
    company.sells("asha", "100.00")
    for volume in ("12.50", "12.35", "12.70", "12.49"):
        company.sells("bela", volume)

    lines = company.ledger(calculate(company.snapshot(), plan), plan, "unilevel")

    assert [amount for _, _, amount in lines] == amounts


def test_amounts_that_round_to_nothing_are_left_out_or_kept():
    document = demo_document()
    company = Company({"asha": None, "bela": "asha"}).sells("asha", "100.00").sells("bela", "0.05")

    omitted = load_plan(document)
    document["money"]["zero_amounts"] = "keep"
    kept = load_plan(document)

    assert company.ledger(calculate(company.snapshot(), omitted), omitted, "unilevel") == []
    assert company.ledger(calculate(company.snapshot(), kept), kept, "unilevel") == [
        ("asha", 1, "0.00")
    ]


def test_legs_below_the_least_volume_do_not_count_for_a_rank():
    document = demo_document()
    for rank in document["ranks"]["ladder"][1:]:
        rank.update(min_legs=2, min_leg_volume="300.00")
    plan = load_plan(document)
    company = Company({"asha": None, "bela": "asha", "chetan": "asha", "divya": "bela"})
    company.sells("asha", "400.00").sells("divya", "2500.00").sells("chetan", "299.99")

    before = company.levels(calculate(company.snapshot(), plan))
    after = company.levels(calculate(company.sells("chetan", "0.01").snapshot(), plan))

    assert before["asha"] == 1
    assert after["asha"] == 3


def test_highest_met_climbs_past_a_rung_that_is_not_met():
    document = demo_document()
    document["ranks"]["ladder"][1]["min_group_pv"] = "9000.00"
    company = Company({"asha": None, "bela": "asha"}).sells("asha", "300.00")
    company.sells("bela", "2300.00")

    each_rank = load_plan(document)
    document["ranks"]["climb"] = "highest_met"
    highest_met = load_plan(document)

    assert company.levels(calculate(company.snapshot(), each_rank))["asha"] == 1
    assert company.levels(calculate(company.snapshot(), highest_met))["asha"] == 3


def test_group_volume_without_ones_own():
    volumes = demo_document()["volumes"] | {"group": {"tree": "sponsor", "includes_own": False}}
    company, plan = buying_company(), demo_plan(volumes=volumes)

    standings = calculate(company.snapshot(), plan).standings

    assert standings.gv.tolist() == [107000, 97000, 95000, 74000, 0, 0]


def test_ceiling_names_what_is_paid_over_the_share():
    company, plan = buying_company(), demo_plan()
    result = calculate(company.snapshot(), plan)

    check = check_ceiling(plan, {"partner": 2140, **result.totals}, result.standings)
    broken = check_ceiling(plan, {"partner": 60_000, "unilevel": 1}, result.standings)

    assert (check.volume, check.allowed, check.excess) == (127000, 57150, 0)
    assert check.paid == 2140 + result.totals["unilevel"] + 5500
    assert broken.excess == 60_001 - 57_150


def test_a_plan_without_a_ceiling_has_nothing_to_check():
    plan = demo_plan(limits={"payout_share": None})

    assert check_ceiling(plan, {"partner": 1}, unranked(0)) is None


def test_empty_company_and_empty_period():
    plan = demo_plan()

    nobody = calculate(Company({}).snapshot(), plan)
    quiet = calculate(Company(TREE).snapshot(), plan)

    assert (nobody.row_count, nobody.total, len(nobody.standings)) == (0, 0, 0)
    assert (quiet.row_count, quiet.total, len(quiet.standings)) == (0, 0, 6)
    assert quiet.totals == {"retail": 0, "unilevel": 0, "rank": 0}


def test_one_person_company_earns_nothing_from_herself():
    company, plan = Company({"asha": None}).sells("asha", "400.00"), demo_plan()

    result = calculate(company.snapshot(), plan)

    assert result.totals == {"retail": 0, "unilevel": 0, "rank": 1000}


def test_earned_adds_up_to_the_total():
    company, plan = buying_company(), demo_plan()

    result = calculate(company.snapshot(), plan)

    assert result.earned().tolist() == [3640 + 2500, 4110 + 1000, 0, 3700 + 1000, 1000, 0]
    assert result.total == int(result.earned().sum()) == 16950
    assert sum(len(block) for block in result.blocks(rows=2)) == result.row_count
    assert max(len(block) for block in result.blocks(rows=2)) == 2


def test_standings_given_as_facts_replace_the_computed_ones():
    company, plan = buying_company(), demo_plan()
    snapshot = company.snapshot()

    result = calculate(snapshot, plan, standings=unranked(6))

    assert result.totals == {"retail": 0, "unilevel": 0, "rank": 0}


def test_a_payment_bonus_that_asks_for_ranks_is_refused_without_standings():
    company, plan = buying_company(), demo_plan()
    object.__setattr__(plan.bonuses[2], "trigger", PAYMENT)

    with pytest.raises(StandingsError):
        calculate(company.snapshot(), plan, PAYMENT)
