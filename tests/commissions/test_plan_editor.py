"""Writing a plan: tables and document, what is said of it while one types, storing, activating."""

import json
import re
from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from commissions.models import PlanVersion
from commissions.plan_desk import as_text
from commissions.plan_tables import grids, with_cells
from commissions.services.drafts import copy_version, revise_draft
from commissions.services.plans import PlanRefused
from tests.cast import DEMO_PLAN

GOLD_STEP_3 = "$.bonuses[2].rates.table.gold[2]"


@pytest.fixture
def document():
    return json.loads(DEMO_PLAN.read_text())


@pytest.fixture
def draft(cast):
    return copy_version(version=cast.plan, effective_from=date(2027, 1, 1), actor=cast.user("ada"))


@pytest.fixture
def ada(cast):
    client = Client()
    client.force_login(cast.user("ada"))
    return client


def url(name: str, version: PlanVersion) -> str:
    return reverse(f"admin:commissions_planversion_{name}", args=[version.pk])


def form(document: object, cells: dict[str, str] | None = None, day: str = "2027-01-01") -> dict:
    posted = {"effective_from": day, "definition": json.dumps(document)}
    for path, text in (cells or {}).items():
        posted |= {f"cell:{path}": text, f"was:{path}": ""}
    return posted


def said(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# The tables


def test_every_rank_rate_and_limit_of_the_demo_plan_is_a_cell(document):
    found = {grid.title: grid for grid in grids(document)}

    assert list(found) == [
        "Ranks: rank", "Partner commission", "Retail margin", "Unilevel", "Rank bonus", "Limits",
    ]  # fmt: skip
    gold = next(cells for name, cells in found["Unilevel"].rows if name == "Gold")
    assert [cell.text for cell in gold] == ["5", "5", "4", "3", "2", "", ""]
    assert gold[2].path == GOLD_STEP_3
    assert gold[2].label == "Gold, Step 3"


def test_windows_rewards_and_sizes_of_orders_are_cells_too(document):
    bands = [{"at": "15", "rates": ["0.05"]}]
    document["metrics"].append({"code": "start", "name": "First days", "window": "first_days",
                                "length": 30})  # fmt: skip
    document["bonuses"][1]["rates"] = {"by": "figure", "volume": "pv", "bands": bands}
    document["bonuses"][1]["orders"] = {"within_days": 60}
    document["bonuses"][3]["reward"] = {"name": "Watch", "value": "200"}

    found = {grid.title: grid for grid in grids(document)}
    cells = {"$.metrics[5].length": "45", "$.bonuses[1].orders.within_days": "90",
             "$.bonuses[3].reward.value": "250",
             "$.bonuses[1].rates.bands[0].rates[0]": "6"}  # fmt: skip
    changed = with_cells(document, cells)

    assert [name for name, _ in found["Windows"].rows] == [
        "First days: first days", "Retail margin: days after the buyer joined",
    ]  # fmt: skip
    assert [name for name, _ in found["Rewards"].rows] == ["Watch"]
    assert found["Rank bonus"].lead == "How many: Watch."
    assert changed["metrics"][5]["length"] == 45
    assert changed["bonuses"][1]["orders"] == {"within_days": 90}
    assert changed["bonuses"][1]["rates"]["bands"][0]["rates"] == ["0.06"]
    assert changed["bonuses"][3]["reward"]["value"] == "250"


def test_writing_back_what_was_read_changes_nothing(document):
    cells = {
        cell.path: cell.text
        for grid in grids(document)
        for _, row in grid.rows
        for cell in row
        if cell
    }

    again = with_cells(document, cells)

    shares = [bonus["rates"] for bonus in again["bonuses"]]
    assert [rates["by"] for rates in shares] == ["step", "kind", "rank", "rank"]
    assert again["bonuses"][2]["rates"]["table"]["diamond"][2] == "0.04"
    assert {**again, "bonuses": [], "limits": []} == {**document, "bonuses": [], "limits": []}


@pytest.mark.parametrize(
    ("path", "text", "row"),
    [
        (GOLD_STEP_3, "3.5", ["0.05", "0.05", "0.035", "0.03", "0.02"]),
        ("$.bonuses[2].rates.table.gold[4]", "", ["0.05", "0.05", "0.04", "0.03"]),
        (
            "$.bonuses[2].rates.table.gold[6]",
            "1",
            ["0.05", "0.05", "0.04", "0.03", "0.02", "0", "0.01"],
        ),
    ],
)
def test_a_cell_goes_where_its_path_says(document, path, text, row):
    changed = with_cells(document, {path: text})

    assert changed["bonuses"][2]["rates"]["table"]["gold"] == row
    assert document["bonuses"][2]["rates"]["table"]["gold"][2] == "0.04"


def test_a_path_that_is_no_cell_is_left_out(document):
    assert with_cells(document, {"$.name": "X", "$.bonuses[99].rates": "1"}) == document


@pytest.mark.parametrize("odd", [None, [], {}, {"bonuses": 1}, {"bonuses": [{}], "ladders": "x"}])
def test_what_is_no_plan_has_no_tables(odd):
    assert grids(odd) == []


def test_a_document_is_shown_with_its_keys_in_the_order_of_the_language(document):
    shuffled = json.loads(json.dumps(document, sort_keys=True))

    text = as_text(shuffled | {"unknown": 1})

    assert json.loads(text) == document | {"unknown": 1}
    keys = re.findall(r'^  "(\w+)":', text, re.MULTILINE)
    assert keys[:4] == ["schema", "name", "currency", "money"]
    assert keys[-1] == "unknown"
    assert text.index('"who": "upline"') < text.index('"max_steps"')


# While one writes


def test_a_check_names_faults_by_path_and_stores_nothing(ada, draft, document):
    document["money"]["rounding"] = "floor"

    page = said(ada.post(url("check", draft), form(document)))

    assert "This is not a plan yet" in page
    assert "$.money.rounding" in page
    draft.refresh_from_db()
    assert draft.definition["money"]["rounding"] == "half_even"


def test_text_that_is_no_json_is_placed(ada, draft):
    page = said(ada.post(url("check", draft), {"definition": "{\n  ]"}))

    assert "line 2, column 3" in page


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"activity": ' + '{"is": "not", "of": ' * 900 + "null" + "}" * 901, "nested too deeply"),
        ('{"name": NaN}', "NaN, which is no number"),
        ('{"name": "A", "name": "B"}', "has &quot;name&quot; twice"),
        ('"plan"', "must be an object"),
        ("[]", "must be an object"),
        ('{"bonuses": {"a": 1}, "ladders": [[]], "limits": "x"}', "must be a list"),
    ],
)
def test_hostile_texts_get_a_reason_and_no_error_page(ada, draft, text, reason):
    posted = {"definition": text, "effective_from": "2027-01-01"}

    assert reason in ada.post(url("check", draft), posted).content.decode()
    assert ada.post(url("edit", draft), posted).status_code == 200
    draft.refresh_from_db()
    assert draft.definition["name"] == "Demo plan"


def test_a_cell_changes_the_document_beside_it_and_the_difference_is_told(ada, draft, document):
    response = ada.post(url("check", draft), form(document, {GOLD_STEP_3: "3"}))

    assert "&quot;0.03&quot;" in response.content.decode()
    assert "What changes" in said(response)
    assert "Gold" in said(response)


def test_typing_in_the_document_redraws_the_tables_and_leaves_it_alone(ada, draft, document):
    document["bonuses"][2]["rates"]["table"]["gold"][2] = "0.01"

    response = ada.post(url("check", draft), form(document) | {"from": "document"})

    assert "<textarea" not in response.content.decode()
    assert re.search(
        r'name="cell:\$\.bonuses\[2\][^"]*gold\[2\]"\s+value="1"', response.content.decode()
    )


# Storing and activating


def test_a_draft_is_stored_with_its_bonuses_and_its_last_hand_as_author(cast, ada, draft, document):
    document["bonuses"] = document["bonuses"][:3]
    document["limits"] = []

    response = ada.post(url("edit", draft), form(document, {GOLD_STEP_3: "3"}))

    assert response.url == url("desk", draft)
    draft.refresh_from_db()
    assert draft.definition["bonuses"][2]["rates"]["table"]["gold"][2] == "0.03"
    assert [bonus.code for bonus in draft.bonuses.all()] == ["partner", "retail", "unilevel"]
    assert draft.created_by == cast.user("ada")
    assert draft.history.latest().history_change_reason == "Draft written anew"


def test_a_faulty_document_comes_back_with_what_was_written(ada, draft, document):
    document["currency"] = "EUR"

    response = ada.post(url("edit", draft), form(document))

    assert response.status_code == 200
    assert "the company in GBP" in said(response)
    assert "EUR" in response.content.decode()


def test_storing_the_same_again_changes_nothing(cast, draft):
    before = draft.history.count()

    revise_draft(
        version=draft,
        definition=draft.definition,
        effective_from=draft.effective_from,
        actor=cast.user("mona"),
    )

    assert draft.history.count() == before


def test_what_is_active_is_neither_written_nor_changed_in_the_database(cast, ada, document):
    active = cast.plan

    assert ada.get(url("edit", active)).url == url("desk", active)
    with pytest.raises(PlanRefused, match="is active and cannot change"):
        revise_draft(
            version=active,
            definition=document | {"name": "Other"},
            effective_from=active.effective_from,
            actor=cast.user("ada"),
        )
    with pytest.raises(DatabaseError, match="active plan is final"), transaction.atomic():
        PlanVersion.objects.filter(pk=active.pk).update(definition={})


def test_the_author_does_not_activate_and_somebody_else_does(cast, ada, draft):
    answer = ada.post(url("activate", draft))
    assert "somebody else" in str(next(iter(get_messages(answer.wsgi_request))))
    draft.refresh_from_db()
    assert draft.status == "draft"

    PlanVersion.objects.filter(pk=draft.pk).update(created_by=cast.user("mona"))
    ada.post(url("activate", draft))

    draft.refresh_from_db()
    assert (draft.status, draft.approved_by) == ("active", cast.user("ada"))


def test_a_copy_is_a_draft_with_the_same_document(cast, ada):
    answer = ada.post(url("copy", cast.plan))

    newest = PlanVersion.objects.latest("pk")
    assert answer.url == url("edit", newest)
    assert (newest.status, newest.definition) == ("draft", cast.plan.definition)
    assert newest.effective_from.day == 1


# Reading


def test_the_desk_shows_the_plan_in_words_and_that_nothing_changes(ada, draft):
    page = said(ada.get(url("desk", draft)))

    assert "Nothing: it pays as" in page
    assert "Unilevel" in page
    assert "Partner commission" in page


def test_the_language_is_described_field_by_field(ada):
    page = said(ada.get(reverse("admin:commissions_planversion_language")))

    assert "after_payout" in page
    assert "carry: the weaker leg goes to zero" in page


def test_a_distributor_reads_the_plan_in_force(cast):
    assert cast.plan
    client = Client()
    client.force_login(cast.user("chloe"))

    page = said(client.get(reverse("commissions:plan")))

    assert "Unilevel" in page
    assert "Diamond" in page


def test_before_the_first_plan_the_page_says_so(cast):
    client = Client()
    client.force_login(cast.user("chloe"))

    assert "No plan yet" in said(client.get(reverse("commissions:plan")))
