"""Which plans can be stored, and which of them somebody can be paid by."""

import pytest

from accounts.models import AuditEvent
from commissions.models import Bonus, PlanVersion
from commissions.services.plans import PlanRefused, activate_version, bonus_ids
from genealogy.models import Rank
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


def forgotten_kind(document):
    document["kinds"].remove("enrolment_kit")


def unknown_kind(document):
    document["kinds"].append("subscription")


def unknown_volume(document):
    document["volumes"].append({"code": "qv"})


def other_order(document):
    ranks = document["ladders"][0]["ranks"]
    ranks[0], ranks[1] = ranks[1], ranks[0]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            changed_currency,
            'The plan pays in EUR, the company in GBP: write "currency": "GBP" and the amounts in '
            "that currency. Only a company that has no books yet can be set up with "
            "COMPANY_CURRENCY=EUR instead.",
        ),
        (changed_scale, "The books are kept to two places: money.scale is 4, not 2."),
        (kept_zeros, "The ledger keeps no lines of nothing: money.zero_amounts has to be omit."),
        (
            other_order,
            "The plan has bronze above silver, the company's ranks have it below: give bronze a "
            "level above 2 under Ranks.",
        ),
        (
            forgotten_kind,
            "The plan does not know orders of the kind enrolment_kit; its kinds have to name them.",
        ),
        (unknown_kind, "There are no orders of the kind subscription here."),
        (unknown_volume, "Order lines have no figure qv; they have pv, cv, margin."),
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


def test_a_plan_that_asks_for_what_nobody_records_is_stored_and_not_activated(cast):
    document = demo()
    with_placement(document)
    version = write(cast, document)

    with pytest.raises(PlanRefused) as refusal:
        activate_version(version=version, actor=cast.user("mona"))

    assert refusal.value.faults == [
        "The plan needs the placement tree, and nobody has a place in it."
    ]
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


def renamed_rank(document):
    document["ladders"][0]["ranks"][4]["code"] = "emerald"
    for code in ("unilevel", "rank"):
        table = bonus(document, code)["rates"]["table"]
        table["emerald"] = table.pop("diamond")


def levels():
    return dict(Rank.objects.order_by("level").values_list("code", "level"))


def test_a_rank_that_the_company_lacks_is_added_where_the_plan_has_it(cast):
    document = demo()
    renamed_rank(document)
    document["ladders"][0]["ranks"].insert(1, {"code": "pearl", "name": "Pearl", "when": None})
    version = write(cast, document)
    assert "pearl" not in levels()

    activate_version(version=version, actor=cast.user("mona"))

    # Pearl right below Silver, Emerald above all.
    assert levels() == {
        "bronze": 1, "pearl": 2, "silver": 3, "gold": 4, "platinum": 5, "diamond": 6, "emerald": 7,
    }  # fmt: skip
    pearl = Rank.objects.get(code="pearl")
    assert pearl.history.get().history_user == cast.user("mona")
    assert AuditEvent.objects.filter(action="rank.added").count() == 2
