"""The distributor's payout pages: what is missing, asking, the course of a payout, the methods."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from commissions.models import Payout, PayoutMethod
from commissions.services import payouts
from commissions.services.payout_methods import add_payout_method
from commissions.views import payouts as views
from tests.payouts.company import (
    approved,
    ask,
    balance,
    bank,
    check_ledger,
    exported,
    method_of,
    pay_in,
)
from tests.portal.conftest import queries_of, text_of

HELD = "New details rest until"
PAGES = ("/payouts/", "/payouts/new/", "/payouts/methods/")


@pytest.fixture
def client_of():
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def page(client_of, asha):
    return client_of(asha.user)


def new_key(page: Client) -> str:
    found = re.search(
        r'name="request_key" value="([0-9a-f-]{36})"', page.get("/payouts/new/").content.decode()
    )
    assert found, "The form carries a hidden request key."
    return found[1]


def without_identity(asha):
    User.objects.filter(pk=asha.user_id).update(kyc_status="missing")


def without_method(asha):
    PayoutMethod.objects.filter(distributor=asha).update(is_active=False)


def with_new_method(asha):
    add_payout_method(distributor=asha, details=bank("87654321", "Asha Rao"), actor=asha.user)


def on_hold(asha):
    asha.status = "on_hold"
    asha.save(update_fields=["status"])


def poor(asha):
    ask(asha, "495.00")


@pytest.mark.parametrize(
    ("break_it", "words", "link"),
    [
        (without_identity, "Send one identity document.", "/identity/"),
        (without_method, "Tell us where the money should go.", "/payouts/methods/"),
        (with_new_method, HELD, "/payouts/methods/"),
        (on_hold, "Your account is on hold.", None),
        (poor, "Your wallet holds £5.00; the smallest payout is £10.00.", "/earnings/"),
    ],
)
def test_the_checklist_tells_what_is_missing_before_the_question(page, asha, break_it, words, link):
    break_it(asha)

    for url in ("/payouts/", "/payouts/new/"):
        response = page.get(url)
        shown = text_of(response)
        assert "Everything here has to be met." in shown
        assert words in shown
        assert shown.count("Not yet") == 1
        checklist = response.content.decode().partition('id="checklist"')[2].partition("</ol>")[0]
        assert re.findall(r'href="([^"]+)"', checklist) == ([link] if link else [])
    assert b"request_key" not in response.content


def test_who_has_everything_is_asked_at_once(page):
    overview, form = text_of(page.get("/payouts/")), text_of(page.get("/payouts/new/"))

    assert "£500.00" in overview
    assert "No payouts yet" in overview
    assert "From £10.00 up to £500.00." in form
    assert "Nothing is missing." in form
    assert "Not yet" not in form


def test_asking_leads_to_the_payout(page, asha):
    response = page.post(
        "/payouts/new/", {"amount": "120.50", "request_key": new_key(page)}, follow=True
    )

    payout = Payout.objects.get()
    assert response.redirect_chain == [(f"/payouts/{payout.number}/", 302)]
    assert f"Payout {payout.number} is requested." in text_of(response)
    assert balance("wallet", asha) == Decimal("379.50")


def test_a_double_click_asks_once(page, asha):
    question = {"amount": "300.00", "request_key": new_key(page)}

    first, second = (page.post("/payouts/new/", question) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Payout.objects.count() == 1
    assert balance("wallet", asha) == Decimal("200.00")
    check_ledger()


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("9.99", "The smallest payout is £10.00."),
        ("500.01", "Your wallet holds £500.00; ask for that much at most."),
        ("10.001", "no more than 2 decimal places"),
        ("much", "Enter a number."),
        ("", "This field is required."),
    ],
)
def test_a_refused_amount_is_explained_at_the_field(page, asha, amount, words):
    response = page.post("/payouts/new/", {"amount": amount, "request_key": new_key(page)})

    assert response.status_code == 422
    assert words in str(response.context["form"].errors["amount"])
    assert words in text_of(response)
    assert not Payout.objects.exists()
    assert balance("wallet", asha) == Decimal("500.00")


def test_a_condition_lost_meanwhile_is_told_on_the_page(page, asha):
    question = {"amount": "100.00", "request_key": new_key(page)}
    without_identity(asha)

    response = page.post("/payouts/new/", question)

    assert response.status_code == 422
    assert "Identity verified: Send one identity document." in text_of(response)
    assert not Payout.objects.exists()


def test_a_used_key_with_another_amount_is_refused(page):
    key = new_key(page)
    page.post("/payouts/new/", {"amount": "50.00", "request_key": key})

    response = page.post("/payouts/new/", {"amount": "60.00", "request_key": key})

    assert "This form was already used for another payout." in text_of(response)
    assert Payout.objects.count() == 1


def requested(asha, fiona, felix):
    return ask(asha)


def accepted(asha, fiona, felix):
    return approved(asha, fiona)


def processing(asha, fiona, felix):
    payout = approved(asha, fiona)
    exported(fiona, felix, payout)
    return payouts.locked(payout.pk)


def completed(asha, fiona, felix):
    payout = processing(asha, fiona, felix)
    payouts.complete_payout(payout, "FP-1", fiona)
    return payout


def failed(asha, fiona, felix):
    payout = processing(asha, fiona, felix)
    payouts.fail_payout(payout, "AC04 account closed", fiona)
    return payout


def returned(asha, fiona, felix):
    payout = completed(asha, fiona, felix)
    payouts.return_payout(payout, "AC06 account blocked", fiona)
    return payout


def cancelled(asha, fiona, felix):
    return payouts.cancel_payout(payout=ask(asha), actor=asha.user)


def refused(asha, fiona, felix):
    return payouts.refuse_payout(payout=ask(asha), actor=fiona, reason="Ask again in May.")


@pytest.mark.parametrize(
    ("make", "status", "course", "words"),
    [
        (requested, "Requested", "done now next next", "set aside"),
        (accepted, "Approved", "done done now next", "approved by our finance team"),
        (processing, "Processing", "done done done now", "in a batch"),
        (completed, "Completed", "done done done done", "FP-1"),
        (failed, "Failed", "done done done refused", "AC04 account closed The money is back"),
        (returned, "Returned", "done done done done refused", "AC06 account blocked The money"),
        (cancelled, "Cancelled", "done refused", "You took the request back. The money is back"),
        (refused, "Cancelled", "done refused", "Ask again in May. The money is back"),
    ],
)
def test_each_state_has_its_course(page, asha, fiona, felix, make, status, course, words):
    payout = make(asha, fiona, felix)

    response = page.get(f"/payouts/{payout.number}/")

    content, shown = response.content.decode(), text_of(response)
    assert f"{payout.number} £100.00 {status}" in shown
    assert "Amount £100.00 Fee £0.00 Tax £0.00 Net £100.00" in shown
    assert f"Paid to Bank transfer ending in {payout.method.last4}" in shown
    assert re.findall(r'class="step step-(\w+)"', content) == course.split()
    assert words in shown
    moments = len(re.findall(r'class="step-aside"><time', content))
    assert moments == sum(step in ("done", "refused") for step in course.split())
    assert ("Our finance team checks it next." in shown) == (course == "done now next next")
    assert ("/cancel/" in content) == (status == "Requested")
    history = text_of(page.get("/payouts/"))
    assert re.search(
        rf"{payout.number} \d+ \w+ \d{{4}}, \d\d:\d\d (GMT|BST) .* {status} £", history
    )


def test_a_request_is_taken_back_by_a_page_of_its_own(page, asha):
    payout = ask(asha)
    question = text_of(page.get(f"/payouts/{payout.number}/cancel/"))

    response = page.post(f"/payouts/{payout.number}/cancel/", follow=True)

    assert "£100.00 goes back to your wallet at once." in question
    assert f"Payout {payout.number} is cancelled." in text_of(response)
    assert balance("wallet", asha) == Decimal("500.00")


def test_what_is_approved_is_not_cancelled_any_more(page, asha, fiona):
    payout = approved(asha, fiona)
    url = f"/payouts/{payout.number}/cancel/"

    assert "It cannot be cancelled" in text_of(page.get(url))
    assert "is approved and cannot be cancelled." in text_of(page.post(url, follow=True))
    payout.refresh_from_db()
    assert payout.status == "approved"


def test_a_stranger_finds_nothing(client_of, asha, ben, people):
    payout = ask(asha)
    paths = [f"/payouts/{payout.number}/", f"/payouts/{payout.number}/cancel/"]

    for path in [*paths, f"/payouts/?before={payout.number}"]:
        assert client_of(ben.user).get(path).status_code == 404
        assert client_of(people["sue"]).get(path).status_code in (302, 404)
    assert client_of(ben.user).post(paths[1]).status_code == 404
    assert payout.number not in text_of(client_of(ben.user).get("/payouts/"))
    payout.refresh_from_db()
    assert payout.status == "requested"
    for path in (*PAGES, *paths):
        assert Client().get(path).status_code == 302


def test_finance_reads_the_payout_and_is_told_whose_it_is(client_of, asha, fiona):
    payout = ask(asha)
    desk = client_of(fiona)

    assert "Asha Rao, D-900001" in text_of(desk.get(f"/payouts/{payout.number}/"))
    assert desk.get(f"/payouts/{payout.number}/cancel/").status_code == 403
    assert desk.get("/payouts/")["Location"] == "/admin/commissions/payout/"


def test_history_asks_as_often_for_one_payout_as_for_three(page, asha):
    ask(asha)
    one = queries_of(page, "/payouts/")
    ask(asha)
    ask(asha)

    assert queries_of(page, "/payouts/") == one


def test_history_goes_on_where_it_ended(page, asha, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    numbers = [ask(asha, "20.00").number for _ in range(3)]

    first = page.get("/payouts/")
    second = page.get("/payouts/" + first.context["older"])

    shown = [[payout.number for payout in each.context["payouts"]] for each in (first, second)]
    assert shown == [[numbers[2], numbers[1]], [numbers[0]]]
    assert f"part=overview&amp;before={numbers[1]}" in second.content.decode()


def test_the_overview_alone_is_a_fragment(page, asha):
    ask(asha)

    response = page.get("/payouts/?part=overview", headers={"HX-Request": "true"})

    assert response.content.strip().startswith(b'<div id="payout-overview"')
    assert b"<html" not in response.content
    assert "Wallet £400.00" in text_of(response)


STEPS = [
    ("bank_transfer", "GB", {"sort_code", "account_number"}),
    ("bank_transfer", "DE", {"iban"}),
    ("bank_transfer", "IN", {"account_number", "ifsc"}),
    ("bank_transfer", "US", {"routing_number", "account_number"}),
    ("bank_transfer", "AU", {"account_number", "bic"}),
    ("upi", "IN", {"vpa"}),
    ("paypal", "GB", {"email"}),
    ("check", "GB", {"line1", "line2", "city", "postcode"}),
    ("cryptocurrency", "GB", {"network", "wallet_address"}),
    ("e_wallet", "IN", {"provider", "account_id"}),
    ("stripe", "US", {"account_id"}),
    ("lemon_squeezy", "US", {"email"}),
]


@pytest.mark.parametrize(("kind", "country", "fields"), STEPS)
def test_the_second_step_asks_what_kind_and_country_need(page, kind, country, fields):
    url = "/payouts/methods/new/?" + urlencode({"kind": kind, "country": country})

    response = page.get(url)

    names = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', response.content.decode()))
    assert names - {"csrfmiddlewaretoken", "q"} == fields | {"holder_name"}
    assert response["Cache-Control"] == "no-store"


def test_without_a_choice_there_is_no_second_step(page):
    for query in ("", "?kind=barter&country=GB", "?kind=upi"):
        assert page.get(f"/payouts/methods/new/{query}")["Location"] == "/payouts/methods/"


def test_a_new_method_replaces_the_former_and_rests(page, asha):
    former, waiting = method_of(asha), ask(asha)
    url = "/payouts/methods/new/?kind=bank_transfer&country=GB"
    warning = text_of(page.get(url))
    details = {"holder_name": "Asha Rao", "sort_code": "20-00-00", "account_number": "5577 9911"}

    response = page.post(url, details, follow=True)

    assert f"{former} is used no more. New details rest for 72 hours" in warning
    assert waiting.number in warning
    shown = text_of(response)
    assert "Payouts go to Bank transfer ending in 9911 now." in shown
    assert re.search(r"ending in 9911 Asha Rao .* In use", shown)
    assert re.search(rf"ending in {former.last4} Asha Rao .* Replaced", shown)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    assert HELD in text_of(page.get("/payouts/"))


def test_wrong_details_are_explained_and_change_nothing(page, asha):
    former = method_of(asha)
    url = "/payouts/methods/new/?kind=bank_transfer&country=GB"

    response = page.post(url, {"holder_name": "", "sort_code": "1", "account_number": "2"})

    assert response.status_code == 422
    assert response["Cache-Control"] == "no-store"
    shown = text_of(response)
    assert "3 things to put right" in shown
    assert "A sort code has six digits." in shown
    assert method_of(asha) == former


def test_no_page_shows_the_full_account_number(page, asha, fiona, felix):
    details = bank("73194628", "Asha Rao", "204060")
    number = details.details["account_number"]
    add_payout_method(distributor=asha, details=details, actor=asha.user)
    PayoutMethod.objects.update(created_at=timezone.now() - timedelta(days=30))
    pay_in(asha, Decimal("100.00"))
    payout = completed(asha, fiona, felix)
    open_payout = ask(asha, "50.00", uuid.uuid4())
    choice = "/payouts/methods/new/?kind=bank_transfer&country=GB"
    own = [f"/payouts/{each.number}/" for each in (payout, open_payout)]

    for path in (*PAGES, choice, *own, f"/payouts/{open_payout.number}/cancel/"):
        content = page.get(path).content.decode()
        assert number not in content
        assert "204060" not in content
        assert number[-4:] in content or path.endswith("/cancel/")
