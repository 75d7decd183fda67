"""Which plans can be stored, and which of them somebody can be paid by."""

import pytest

from commissions.models import Bonus, PlanVersion
from commissions.services.plans import PlanRefused, activate_version, bonus_ids
from tests.commissions.plans import bonus, cap, demo, pay_by, write

pytestmark = pytest.mark.django_db


def without(items, code):
    return [item for item in items if item["code"] != code]


def metric(document, code):
    return next(each for each in document["metrics"] if each["code"] == code)


def test_the_demo_plan_has_a_row_for_each_bonus_and_none_for_its_ceiling(cast):
    version = cast.plan

    assert list(version.bonuses.values_list("code", flat=True)) == [
        "partner",
        "retail",
        "unilevel",
        "rank",
    ]
    assert len(bonus_ids(version)) == 4


def test_a_limit_that_cuts_has_a_row_at_its_place(cast):
    version = write(cast, demo() | {"limits": [*demo()["limits"], cap("10.00", "unilevel")]})

    row = version.bonuses.get(code="cap")
    assert (row.position, row.ledger_type, row.trigger) == (5, "adjustment", "period_close")
    assert bonus_ids(version)[4:] == [0, row.pk]
    assert "cap" not in version.bonuses.paying().values_list("code", flat=True)


def changed_currency(document):
    document["currency"] = "EUR"


def changed_scale(document):
    document["money"]["scale"] = 4


def kept_zeros(document):
    document["money"]["zero_amounts"] = "keep"


def renamed_rank(document):
    document["ladders"][0]["ranks"][4]["code"] = "emerald"
    for code in ("unilevel", "rank"):
        table = bonus(document, code)["rates"]["table"]
        table["emerald"] = table.pop("diamond")


def forgotten_kind(document):
    document["kinds"].remove("enrolment_kit")


def unknown_kind(document):
    document["kinds"].append("subscription")


def unknown_volume(document):
    document["volumes"].append({"code": "qv"})


def no_legs(document):
    document["metrics"] = without(document["metrics"], "legs")


def other_gv(document):
    metric(document, "gv")["scope"]["tree"] = "enroller"


def other_pv(document):
    metric(document, "pv")["window"] = "periods"
    metric(document, "pv")["length"] = 3


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (changed_currency, "The plan pays in EUR, not in GBP."),
        (changed_scale, "The books are kept to two places: money.scale is 4, not 2."),
        (kept_zeros, "The ledger keeps no lines of nothing: money.zero_amounts has to be omit."),
        (renamed_rank, "The plan's rank emerald at level 5 is not among the company's ranks."),
        (
            forgotten_kind,
            "The plan does not know orders of the kind enrolment_kit; its kinds have to name them.",
        ),
        (unknown_kind, "There are no orders of the kind subscription here."),
        (unknown_volume, "Order lines have no figure qv; they have pv, cv, margin."),
        (
            no_legs,
            "The plan has no metric legs: it has to measure how many of those a member sponsored "
            "have a line with volume.",
        ),
        (
            other_gv,
            "The plan's metric gv has to measure the pv of each member's whole line in the sponsor "
            "tree; that is what pages show.",
        ),
        (
            other_pv,
            "The plan's metric pv has to measure the pv of each member's own orders in the period; "
            "that is what pages show.",
        ),
    ],
)
def test_a_plan_that_the_books_cannot_keep_is_not_stored(cast, change, fault):
    document = demo()
    change(document)

    with pytest.raises(PlanRefused) as refusal:
        write(cast, document)

    assert fault in refusal.value.faults
    assert not PlanVersion.objects.exists()
    assert not Bonus.objects.exists()


def with_placement(document):
    document["matrix"] = {"width": 2, "strategy": "breadth_first"}


def with_packages(document):
    document["packages"] = [{"code": "starter", "name": "Starter", "value": "100.00"}]


def with_a_flag(document):
    bonus(document, "unilevel")["eligibility"]["when"] = {"is": "flag", "flag": "approved"}


def with_first_orders(document):
    bonus(document, "unilevel")["orders"] = {"last": 1}


def with_a_reward(document):
    bonus(document, "rank")["reward"] = {"name": "Watch", "value": "200"}
    document["limits"][0]["bonuses"].remove("rank")


def with_a_given_ladder(document):
    document["ladders"].append(
        {
            "code": "honour",
            "source": "given",
            "climb": "each_rank",
            "when_not_met": {"policy": "falls_at_once"},
            "ranks": [{"code": "star", "name": "Star"}],
        }
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            with_placement,
            "The plan needs the placement tree, and nobody has a place in it.",
        ),
        (
            with_packages,
            "The plan pays by packages, and the portal does not record who holds which.",
        ),
        (with_a_flag, 'The plan asks for the mark "approved", and the portal sets no marks.'),
        (
            with_first_orders,
            "The plan asks who bought, and the portal tells the engine of sellers alone.",
        ),
        (
            with_a_reward,
            "Rank bonus gives no money, and the portal keeps no record of what else is given.",
        ),
        (
            with_a_given_ladder,
            'The ranks of the ladder "honour" are given, and nobody gives them here.',
        ),
    ],
)
def test_a_plan_that_asks_for_what_nobody_records_is_stored_and_not_activated(cast, change, fault):
    document = demo()
    change(document)
    version = write(cast, document)

    with pytest.raises(PlanRefused) as refusal:
        activate_version(version=version, actor=cast.user("mona"))

    assert refusal.value.faults == [fault]
    assert PlanVersion.objects.get(pk=version.pk).status == "draft"


def test_a_plan_that_pays_for_enrolment_is_stored_and_not_activated(cast):
    document = demo()
    bonus(document, "partner")["pays"]["start"]["enrolment_kit"] = "upline"
    version = write(cast, document)

    with pytest.raises(PlanRefused) as refusal:
        activate_version(version=version, actor=cast.user("mona"))

    assert len(refusal.value.faults) == 1
    assert "enrolment" in refusal.value.faults[0].lower()
    assert PlanVersion.objects.get(pk=version.pk).status == "draft"


def test_the_same_plan_without_it_is_activated(cast):
    assert pay_by(cast, demo()).status == "active"
