"""Writing a plan in a real browser: tables and document keep step while one types."""

import json
from datetime import date

import pytest
from playwright.sync_api import expect

from commissions.models import PlanVersion
from commissions.services.claims import claim_volume
from commissions.services.drafts import copy_version
from tests.cast import at, gather

GOLD = 'input[name="cell:$.bonuses[2].rates.table.gold[2]"]'


@pytest.fixture
def company(live):
    return gather()


def test_a_rate_is_changed_in_the_table_and_in_the_document(company, new_page):
    draft = copy_version(
        version=company.plan, effective_from=date(2027, 1, 1), actor=company.user("mona")
    )
    page = new_page(company.user("ada"))
    page.goto(f"/admin/commissions/planversion/{draft.pk}/plan/edit/")
    document = page.get_by_label("Document", exact=True)

    page.locator(GOLD).fill("3.5")

    expect(page.locator("#plan-report")).to_contain_text("Unilevel")
    expect(page.locator("#plan-report")).to_contain_text("3.5")
    assert json.loads(document.input_value())["bonuses"][2]["rates"]["table"]["gold"][2] == "0.035"

    text = json.loads(document.input_value())
    text["bonuses"][2]["rates"]["table"]["gold"][2] = "0.01"
    document.fill(json.dumps(text))
    expect(page.locator(GOLD)).to_have_value("1")

    document.fill("{")
    expect(page.locator("#plan-report")).to_contain_text("is no JSON")
    document.fill(json.dumps(text))
    expect(page.locator(GOLD)).to_have_value("1")

    page.get_by_role("button", name="Store the draft").click()
    page.wait_for_url("**/plan/")
    stored = PlanVersion.objects.get(pk=draft.pk)
    assert stored.definition["bonuses"][2]["rates"]["table"]["gold"][2] == "0.01"
    assert stored.created_by == company.user("ada")


def test_a_trial_runs_in_the_background_and_shows_itself(company, new_page):
    assert company.plan
    company.buys("ben", 2, at("2026-10-06"))
    claim_volume()
    company.close("2026-10")
    page = new_page(company.user("fiona"))
    page.goto(f"/admin/commissions/planversion/{company.plan.pk}/plan/")

    page.get_by_role("link", name="Try on past periods").click()
    page.get_by_role("button", name="Try it").click()

    page.wait_for_url("**/report/")
    expect(page.locator("#trial")).to_contain_text("Nothing differs", timeout=15_000)
