"""The portal's payout pages: what they say, to whom, and what they never show."""

import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import User
from commissions.models import Payout, PayoutMethod
from tests.payouts.company import approved, ask, balance

PAGES = ["payouts", "payout_new", "payout_methods"]


def url(name, *args):
    return reverse(f"commissions:{name}", args=args)


def text_of(response):
    return response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_pages_open_for_the_distributor(client, asha, page):
    client.force_login(asha.user)

    response = client.get(url(page))

    assert response.status_code == 200
    assert "00900001" not in text_of(response)


@pytest.mark.parametrize("page", PAGES)
def test_pages_ask_to_sign_in(client, db, page):
    assert client.get(url(page)).status_code == 302


def test_people_without_a_wallet_find_nothing(client, people):
    client.force_login(people["sue"])

    assert client.get(url("payouts")).status_code == 404


def test_finance_is_sent_to_the_queue(client, fiona):
    client.force_login(fiona)

    response = client.get(url("payouts"))

    assert response.headers["Location"] == reverse("admin:commissions_payout_changelist")


def test_what_is_missing_is_said_before_the_question(client, asha):
    User.objects.filter(pk=asha.user_id).update(kyc_status="rejected")
    PayoutMethod.objects.update(is_active=False)
    client.force_login(asha.user)

    for page in ("payouts", "payout_new"):
        text = text_of(client.get(url(page)))

        assert "Your document was not accepted" in text
        assert "Tell us where the money should go" in text
        assert reverse("compliance:identity") in text


def test_request_through_the_page(client, asha):
    client.force_login(asha.user)
    body = {"amount": "75.50", "request_key": str(uuid.uuid4())}

    first = client.post(url("payout_new"), body)
    second = client.post(url("payout_new"), body)

    payout = Payout.objects.get()
    assert first.headers["Location"] == second.headers["Location"]
    assert first.headers["Location"] == url("payout_detail", payout.number)
    assert balance("wallet", asha) == Decimal("424.50")


@pytest.mark.parametrize("amount", ["5", "500.01", "12.345", "abc", "", "-10", "1e5"])
def test_bad_amount_is_said_on_the_page(client, asha, amount):
    client.force_login(asha.user)

    response = client.post(url("payout_new"), {"amount": amount, "request_key": str(uuid.uuid4())})

    assert response.status_code == 422
    assert not Payout.objects.exists()


def test_refusal_for_identity_reaches_the_page(client, asha):
    User.objects.filter(pk=asha.user_id).update(kyc_status="pending")
    client.force_login(asha.user)

    response = client.post(url("payout_new"), {"amount": "20.00", "request_key": str(uuid.uuid4())})

    assert response.status_code == 422
    assert "being reviewed" in text_of(response)
    assert not Payout.objects.exists()


def test_detail_shows_the_course_and_the_reason(client, asha, fiona):
    from commissions.services.payouts import refuse_payout

    payout = refuse_payout(payout=ask(asha), actor=fiona, reason="The name differs.")
    client.force_login(asha.user)

    text = text_of(client.get(url("payout_detail", payout.number)))

    assert payout.number in text
    assert "The name differs." in text
    assert "00900001" not in text


@pytest.mark.parametrize("page", ["payout_detail", "payout_cancel"])
@pytest.mark.parametrize("who", ["ben", "sue"])
def test_strangers_find_nothing(client, asha, ben, people, page, who):
    payout = ask(asha)
    client.force_login(people[who])

    assert client.get(url(page, payout.number)).status_code == 404
    assert client.post(url("payout_cancel", payout.number)).status_code == 404
    assert Payout.objects.get().status == "requested"


def test_auditor_may_look_but_not_cancel(client, asha, people):
    payout = ask(asha)
    client.force_login(people["aled"])

    assert client.get(url("payout_detail", payout.number)).status_code == 200
    assert client.post(url("payout_cancel", payout.number)).status_code == 403
    assert Payout.objects.get().status == "requested"


def test_cancel_through_the_page(client, asha):
    payout = ask(asha)
    client.force_login(asha.user)

    client.post(url("payout_cancel", payout.number))

    assert Payout.objects.get().status == "cancelled"
    assert balance("wallet", asha) == Decimal("500.00")


def test_cancel_comes_too_late_after_approval(client, asha, fiona):
    payout = approved(asha, fiona)
    client.force_login(asha.user)

    text = text_of(client.post(url("payout_cancel", payout.number), follow=True))

    assert "cannot be cancelled" in text
    assert Payout.objects.get().status == "approved"


def test_new_method_through_the_page(client, asha):
    client.force_login(asha.user)
    address = url("payout_method_new") + "?kind=bank_transfer&country=DE"

    form = client.get(address)
    response = client.post(
        address, {"holder_name": "Asha Rao", "iban": "DE89370400440532013000"}, follow=True
    )

    assert form.headers["Cache-Control"] == "no-store"
    assert PayoutMethod.objects.get(is_active=True).last4 == "3000"
    assert "DE89370400440532013000" not in text_of(response)


def test_method_page_without_a_known_kind_goes_back(client, asha):
    client.force_login(asha.user)

    response = client.get(url("payout_method_new") + "?kind=cash&country=GB")

    assert response.headers["Location"] == url("payout_methods")


def test_history_is_paged_by_number(client, asha):
    payouts = [ask(asha, "10.00") for _ in range(30)]
    client.force_login(asha.user)

    first = text_of(client.get(url("payouts")))
    second = text_of(client.get(url("payouts") + f"?before={payouts[5].number}"))

    assert payouts[29].number in first
    assert payouts[4].number not in first
    assert f"?before={payouts[5].number}" in first
    assert payouts[4].number in second
    assert payouts[5].number not in second.replace(f"before={payouts[5].number}", "")


def test_fragment_is_the_overview_alone(client, asha):
    client.force_login(asha.user)

    response = client.get(url("payouts") + "?part=overview", headers={"HX-Request": "true"})

    assert "<html" not in text_of(response)
    assert "live:payout.completed" in text_of(response)


@pytest.mark.parametrize("wanted", [1, 3])
def test_list_asks_the_same_number_of_queries(client, asha, django_assert_num_queries, wanted):
    for _ in range(wanted):
        ask(asha, "10.00")
    client.force_login(asha.user)
    client.get(url("payouts"))

    with django_assert_num_queries(12):
        client.get(url("payouts"))
