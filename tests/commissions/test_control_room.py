from http import HTTPStatus

import pytest
from django.urls import reverse

from commissions.models import CommissionRun
from commissions.services.claims import claim_volume
from commissions.services.runs import calculate, fail
from tests.cast import at
from tests.commissions.steps import closed, the_period

pytestmark = pytest.mark.django_db


@pytest.fixture
def october(company):
    company.buys("ben", 5, at("2026-10-05"))
    company.buys("chloe", 6, at("2026-10-06"))
    company.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()
    return the_period("2026-10")


def room(period):
    return reverse("admin:commissions_commissionperiod_control_room", args=[period.pk])


def step(period, code):
    return reverse("admin:commissions_commissionperiod_step", args=[period.pk, code])


def page(client, period):
    response = client.get(room(period))
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def test_open_period_shows_what_a_close_will_take_in(client, company, october):
    client.force_login(company.user("fiona"))

    text = page(client, october)

    assert "What the close will take in" in text
    assert "420.00" in text
    assert "Demo plan version 1" in text
    assert "Partner commission" in text
    assert "felix@example.com" in text
    assert step(october, "close") in text


def test_each_step_asks_first_and_acts_on_post(client, company, october):
    client.force_login(company.user("fiona"))

    asked = client.get(step(october, "close"))
    assert "Close the books of October 2026?" in asked.content.decode()
    assert the_period("2026-10").status == "open"
    client.post(step(october, "close"))
    client.post(step(october, "calculate"))

    run = CommissionRun.objects.get(kind="close")
    assert "Waiting for a worker" in page(client, october)
    assert "every 1s" in page(client, october)
    calculate(run.pk)
    text = page(client, october)
    assert "What comes out" in text
    assert "every 1s" not in text
    assert "Payout ceiling" in text


def test_closer_sees_why_there_is_no_approve_button(client, company, october):
    client.force_login(company.user("fiona"))
    client.post(step(october, "close"))
    client.post(step(october, "calculate"))
    calculate(CommissionRun.objects.get(kind="close").pk)

    text = page(client, october)
    refused = client.post(step(october, "approve"))

    assert "You closed this period, so somebody else has to approve it." in text
    assert step(october, "approve") not in text
    assert refused.status_code == HTTPStatus.FOUND
    assert the_period("2026-10").status == "calculated"


def test_second_person_approves_and_finalizes(client, company, october):
    client.force_login(company.user("fiona"))
    client.post(step(october, "close"))
    client.post(step(october, "calculate"))
    calculate(CommissionRun.objects.get(kind="close").pk)

    client.force_login(company.user("felix"))
    client.post(step(october, "approve"))
    client.post(step(october, "finalize"))

    period = the_period("2026-10")
    assert period.status == "finalized"
    text = page(client, october)
    assert period.certificate["result_hash"] in text
    assert "Total at payment" in text


def test_failed_calculation_says_why(client, company, october):
    client.force_login(company.user("fiona"))
    client.post(step(october, "close"))
    client.post(step(october, "calculate"))
    fail(CommissionRun.objects.get(kind="close").pk, "The totals differ by 0.01.")

    text = page(client, october)

    assert "The last calculation failed" in text
    assert "The totals differ by 0.01." in text
    assert step(october, "calculate") in text


def test_a_step_that_is_not_next_is_refused(client, company, october):
    client.force_login(company.user("felix"))

    client.get(step(october, "finalize"))
    client.post(step(october, "finalize"))

    assert the_period("2026-10").status == "open"


@pytest.mark.parametrize(
    ("who", "look", "close"),
    [
        ("ada", HTTPStatus.OK, HTTPStatus.FORBIDDEN),
        ("otto", HTTPStatus.OK, HTTPStatus.FORBIDDEN),
        ("mona", HTTPStatus.OK, HTTPStatus.FORBIDDEN),
        ("sam", HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN),
        ("felix", HTTPStatus.OK, HTTPStatus.FOUND),
    ],
)
def test_roles(client, company, october, who, look, close):
    client.force_login(company.user(who))

    assert client.get(room(october)).status_code == look
    assert client.post(step(october, "close")).status_code == close
    assert the_period("2026-10").status == ("closed" if close == HTTPStatus.FOUND else "open")


def test_a_distributor_does_not_get_in(client, company, october):
    client.force_login(company.ben.user)

    assert client.get(room(october)).status_code != HTTPStatus.OK
    client.post(step(october, "close"))
    assert the_period("2026-10").status == "open"


def test_queries_do_not_grow_with_what_is_shown(
    client, company, october, django_assert_max_num_queries
):
    closed(company, "2026-10")
    client.force_login(company.user("felix"))
    page(client, october)

    with django_assert_max_num_queries(20):
        page(client, october)


def test_list_links_to_the_room(client, company, october):
    client.force_login(company.user("fiona"))
    address = reverse("admin:commissions_commissionperiod_changelist")
    change = reverse("admin:commissions_commissionperiod_change", args=[october.pk])

    assert change in client.get(address).content.decode()
    assert client.get(change).headers["Location"] == room(october)


def test_period_is_opened_by_form(client, company):
    client.force_login(company.user("fiona"))
    add = reverse("admin:commissions_commissionperiod_add")
    data = {
        "code": "2026-12",
        "name": "December 2026",
        "frequency": "monthly",
        "starts_on": "2026-12-01",
        "ends_on": "2026-12-31",
    }

    client.post(add, data)
    refused = client.post(add, data | {"code": "again"}, follow=True)

    assert the_period("2026-12").runs.get().kind == "payment"
    assert "another period" in refused.content.decode().lower()
