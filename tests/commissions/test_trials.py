"""A plan tried on past periods: the plan that paid changes nothing, another one what it should."""

import copy
import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from commerce.services.orders import RefundLine, refund_order
from commissions.models import PlanTrial
from commissions.plan_tables import with_cells
from commissions.services import trials
from commissions.services.claims import claim_volume
from commissions.services.drafts import copy_version, revise_draft
from tests.cast import at, gather_paying
from tests.remembered import remembered


@pytest.fixture
def told(db):
    return remembered(company_with_a_history)


@pytest.fixture
def cast(told):
    return told[0]


@pytest.fixture
def history(told):
    return told[1]


def company_with_a_history():
    """Three months with refunds in the month of the sale and after it; the middle two are tried."""
    cast = gather_paying()
    orders = {}
    for month, amounts in {
        "2026-08": (9, 7, 5), "2026-09": (12, 8, 6), "2026-10": (7, 11, 9),
    }.items():  # fmt: skip
        for name, pieces in zip(("ben", "chloe", "dmitri"), amounts, strict=True):
            orders[month, name] = cast.buys(name, pieces, at(f"{month}-06"))
        orders[month, "rosa"] = cast.buys(cast.rosa, 3, at(f"{month}-09"))
    claim_volume()
    give_back(cast, orders["2026-08", "dmitri"], 2, at("2026-09-12"))
    give_back(cast, orders["2026-09", "chloe"], 1, at("2026-09-20"))
    claim_volume()
    give_back(cast, orders["2026-09", "chloe"], 2, at("2026-10-04"))
    give_back(cast, orders["2026-09", "dmitri"], 3, at("2026-10-05"))
    give_back(cast, orders["2026-10", "rosa"], 1, at("2026-10-25"))
    claim_volume()
    return cast, [cast.close(code) for code in ("2026-08", "2026-09", "2026-10")]


def give_back(cast, order, pieces, moment):
    item = order.items.get()
    refund_order(
        order=order, lines=[RefundLine(item=item, quantity=pieces)], reason="Came back",
        actor=cast.user("mona"), refunded_at=moment,
    )  # fmt: skip


def tried(version, periods, actor):
    trial = trials.start_trial(version=version, first=periods[0], last=periods[-1], actor=actor)
    trials.carry_out(trial.pk)
    trial.refresh_from_db()
    assert trial.error == ""
    return trial


@pytest.mark.parametrize("span", [slice(0, 3), slice(1, 3), slice(2, 3)])
def test_the_plan_that_paid_changes_nothing(cast, history, span):
    trial = tried(cast.plan, history[span], cast.user("fiona"))

    assert trial.status == "done"
    assert trial.report["before"] == trial.report["after"]
    assert Decimal(trial.report["before"]) > 0
    assert trial.earnings.count() == 0
    for row in (*trial.report["periods"], *trial.report["bonuses"], *trial.report["ranks"]):
        assert row["before"] == row["after"], row
    assert trial.report["winners"] == trial.report["losers"] == {"count": 0, "sum": "0.00"}


def test_another_rate_changes_what_it_should(cast, history):
    document = copy.deepcopy(cast.plan.definition)
    document["bonuses"][0]["rates"]["table"] = ["0.03"]
    draft = copy_version(version=cast.plan, effective_from=date(2027, 1, 1), actor=cast.user("ada"))
    revise_draft(
        version=draft, definition=document, effective_from=draft.effective_from,
        actor=cast.user("ada"),
    )  # fmt: skip
    draft.refresh_from_db()

    trial = tried(draft, history, cast.user("fiona"))

    partner = next(row for row in trial.report["bonuses"] if row["code"] == "partner")
    others = [row for row in trial.report["bonuses"] if row["code"] != "partner"]
    assert Decimal(partner["after"]) > Decimal(partner["before"])
    assert all(row["before"] == row["after"] for row in others)
    gained = sum(row.change for row in trial.earnings.all())
    assert gained == Decimal(trial.report["after"]) - Decimal(trial.report["before"])
    assert gained == Decimal(partner["after"]) - Decimal(partner["before"])
    assert trial.report["winners"]["count"] == trial.earnings.count()
    assert sum(row["count"] for row in trial.report["distribution"]) == trial.earnings.count()


def test_harder_ranks_are_told_with_their_names(cast, history):
    document = json.loads(json.dumps(cast.plan.definition))
    document["ladders"][0]["ranks"][0]["when"]["of"][0]["figure"] = "99999.00"
    draft = copy_version(version=cast.plan, effective_from=date(2027, 1, 1), actor=cast.user("ada"))
    draft = revise_draft(
        version=draft, definition=document, effective_from=draft.effective_from,
        actor=cast.user("ada"),
    )  # fmt: skip

    trial = tried(draft, history, cast.user("fiona"))

    assert [row["name"] for row in trial.report["ranks"]][:2] == ["", "Bronze"]
    ranked = sum(row["before"] for row in trial.report["ranks"][1:])
    assert ranked > 0
    assert [row["after"] for row in trial.report["ranks"]] == [5, 0, 0, 0, 0, 0]
    assert (trial.report["promoted"], trial.report["demoted"]) == (0, ranked)
    total = [sum(row[side] for row in trial.report["ranks"]) for side in ("before", "after")]
    assert total == [5, 5]


def test_what_is_not_final_is_not_tried(cast, history):
    cast.buys("ben", 1, at("2026-11-03"))
    claim_volume()
    november = type(history[0]).objects.get(code="2026-11")

    with pytest.raises(trials.TrialRefused, match="November 2026 is not final"):
        trials.start_trial(
            version=cast.plan, first=history[0], last=november, actor=cast.user("fiona")
        )
    with pytest.raises(trials.TrialRefused, match="before the first"):
        trials.start_trial(
            version=cast.plan, first=history[1], last=history[0], actor=cast.user("fiona")
        )


def test_a_cancelled_trial_leaves_nothing_and_does_not_start_again(cast, history):
    actor = cast.user("fiona")
    trial = trials.start_trial(version=cast.plan, first=history[0], last=history[0], actor=actor)
    trials.cancel_trial(trial=trial, actor=actor)

    assert trials.carry_out(trial.pk) is None
    assert trials.waiting_trials() == []
    with pytest.raises(trials.TrialRefused, match="has ended"):
        trials.cancel_trial(trial=trial, actor=actor)


def test_a_draft_written_anew_fails_the_trial_with_the_reason(cast, history):
    draft = copy_version(version=cast.plan, effective_from=date(2027, 1, 1), actor=cast.user("ada"))
    trial = trials.start_trial(
        version=draft, first=history[0], last=history[0], actor=cast.user("fiona")
    )
    revise_draft(
        version=draft, definition=draft.definition | {"name": "Other"},
        effective_from=draft.effective_from, actor=cast.user("ada"),
    )  # fmt: skip

    trials.carry_out(trial.pk)

    trial.refresh_from_db()
    assert (trial.status, trial.error[:28]) == ("failed", "The draft was written anew s")


def test_the_database_keeps_what_a_trial_found(cast, history):
    trial = tried(cast.plan, history[:1], cast.user("fiona"))

    with pytest.raises(DatabaseError, match="ended trial is final"), transaction.atomic():
        PlanTrial.objects.filter(pk=trial.pk).update(report={})


def test_the_file_names_everybody_for_whom_something_differs(cast, history):
    cast.chloe.display_name = "=Chloe"
    cast.chloe.save(update_fields=["display_name"])
    draft = copy_version(version=cast.plan, effective_from=date(2027, 1, 1), actor=cast.user("ada"))
    draft = revise_draft(
        version=draft,
        definition=with_cells(draft.definition, {"$.bonuses[0].rates.table[0]": "3"}),
        effective_from=draft.effective_from, actor=cast.user("ada"),
    )  # fmt: skip
    trial = tried(draft, history, cast.user("fiona"))
    client = Client()
    client.force_login(cast.user("otto"))

    response = client.get(reverse("admin:commissions_plantrial_file", args=[trial.pk]))

    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == trial.earnings.count() > 0
    assert sum(Decimal(row["Change"]) for row in rows) == sum(
        row.change for row in trial.earnings.all()
    )
    assert "'=Chloe" in [row["Name"] for row in rows]
