"""Invitations as they are used: the link on one device, the code on another, the page about it."""

import re
from datetime import date
from uuid import uuid4

import pytest
import segno
from django.test import Client

from accounts.models import Event
from commerce.services.orders import pay_order
from genealogy.models import Distributor, Referral, ReferralClick, ReferralProgram
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.referral_codes import current_code, renew_code
from genealogy.services.referrals import PaidOrder, complete_referrals, find_claim
from genealogy.views import referrals as referral_views
from tests.cast import Cast, at, make_user
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"


def device(browser: str = PHONE) -> Client:
    return Client(headers={"User-Agent": browser})


def code_of(distributor: Distributor) -> str:
    return current_code(distributor).code


def enrol(name: str, code: str = "", cookie: str = "", user=None) -> Distributor:
    return enrol_distributor(
        sponsor=None,
        display_name=name,
        joined_on=date(2026, 11, 2),
        actor=None,
        user=user,
        claim=find_claim(code=code, cookie=cookie),
    )


def cookie_of(client: Client) -> str:
    return client.cookies["invitation"].value


def told(name: str) -> list[str]:
    return list(Event.objects.filter(name=name).order_by("pk").values_list("stream_id", flat=True))


def test_from_a_click_on_one_device_to_the_first_order_of_who_typed_the_code_on_another(
    cast: Cast, sign_in
) -> None:
    page = device(PHONE).get(f"/r/{code_of(cast.chloe)}")
    code = re.search(r'data-copy="(\w+)"', page.content.decode())[1]
    assert "Chloe Martin invites you" in text_of(page)

    laptop = device(LAPTOP)
    landed = laptop.get("/r/", {"code": code.lower()}, follow=True)
    laptop.cookies.clear()
    cast.users["eve"] = make_user("Eve One")
    cast.distributors["eve"] = enrol("Eve One", code, user=cast.users["eve"])
    order = cast.buys("eve", 1, at("2026-11-05"), paid=False)
    desk = sign_in(cast, "mona")
    paid = {"method": "card", "reference": str(uuid4())}
    assert desk.post(f"/admin/commerce/order/{order.number}/desk/", paid).status_code == 302
    order.refresh_from_db()
    pay_order(order=order, method="card", reference=paid["reference"], actor=None)
    complete_referrals([PaidOrder(cast.eve.pk, order.number, order.paid_at)])

    assert landed.redirect_chain == [(f"/r/{code}", 302)]
    referral = Referral.objects.get()
    assert (referral.referrer, referral.referred) == (cast.chloe, cast.eve)
    assert (referral.status, referral.channel, referral.click) == ("completed", "code", None)
    assert referral.first_order == order.number
    own = f"user:{cast.user('chloe').pk}"
    assert told("referral.created") == [own, "staff"]
    assert told("referral.activated") == [own, "staff"]
    page = text_of(sign_in(cast, "chloe").get("/referrals/"))
    assert "Link opened 2" in page
    assert "Joined 1" in page
    assert "First order paid 1" in page
    assert re.search(r"Eve One D-\d+ \d+ \w+ \d{4} Typed code Completed \d+ \w+ \d{4}", page)


def test_on_the_same_device_the_click_is_part_of_the_proof(cast: Cast) -> None:
    phone = device(PHONE)
    phone.get(f"/r/{code_of(cast.chloe)}")

    eve = enrol("Eve One", "", cookie_of(phone))

    referral = Referral.objects.get(referred=eve)
    assert referral.channel == "link"
    assert (referral.click.code.distributor, referral.click.device) == (cast.chloe, "phone")


def test_a_page_loaded_again_is_one_click_and_another_code_is_another(cast: Cast) -> None:
    phone = device()

    for code in (code_of(cast.chloe), code_of(cast.chloe), code_of(cast.ben)):
        phone.get(f"/r/{code}")

    clicks = ReferralClick.objects.order_by("pk").values_list("code__distributor", flat=True)
    assert list(clicks) == [cast.chloe.pk, cast.ben.pk]


def test_the_cookie_is_closed_to_scripts_and_holds_no_more_than_the_click(cast: Cast) -> None:
    phone = device()

    response = phone.get(f"/r/{code_of(cast.chloe)}")

    morsel = response.cookies["invitation"]
    assert (morsel["httponly"], morsel["samesite"], morsel["max-age"]) == (True, "Lax", 2592000)
    assert {field.name for field in ReferralClick._meta.fields} == {
        "id",
        "code",
        "token",
        "device",
        "clicked_at",
    }
    assert response["X-Robots-Tag"] == "noindex"


def test_who_asks_not_to_be_remembered_is_not(cast: Cast) -> None:
    response = device().get(f"/r/{code_of(cast.chloe)}", headers={"Sec-GPC": "1"})

    assert "invitation" not in response.cookies
    assert "does not remember" in text_of(response)


def test_a_device_forgets_the_code_when_told(cast: Cast) -> None:
    phone = device()
    phone.get(f"/r/{code_of(cast.chloe)}")

    response = phone.post("/invitation/forget/", follow=True)

    assert "This device has forgotten the code" in text_of(response)
    assert cookie_of(phone) == ""


def test_wrong_and_closed_codes_say_what_they_are_and_count_nothing(cast: Cast) -> None:
    former = code_of(cast.chloe)
    renew_code(distributor=cast.chloe, actor=cast.user("chloe"), close_former=True, seen=former)

    unknown = device().get("/r/ZZZZZZZZ")
    closed = device().get(f"/r/{former}")

    assert (unknown.status_code, closed.status_code) == (404, 410)
    assert "There is no such code" in text_of(unknown)
    assert "This invitation is closed" in text_of(closed)
    assert "Chloe" not in text_of(closed)
    assert ReferralClick.objects.count() == 0
    assert "invitation" not in unknown.cookies
    assert "invitation" not in closed.cookies


def test_a_closed_program_closes_every_link(cast: Cast) -> None:
    ReferralProgram.objects.update(is_open=False)

    assert device().get(f"/r/{code_of(cast.chloe)}").status_code == 410


def test_a_robot_reads_the_page_without_counting(cast: Cast) -> None:
    response = device("WhatsApp/2.23").get(f"/r/{code_of(cast.chloe)}")

    assert response.status_code == 200
    assert ReferralClick.objects.count() == 0
    assert "invitation" not in response.cookies


def test_one_address_does_not_try_codes_without_end(cast: Cast, time_machine) -> None:
    time_machine.move_to(at("2026-11-20", "12:00"), tick=False)

    statuses = [device().get("/r/ZZZZZZZZ").status_code for _ in range(30)]
    refused = device().get(f"/r/{code_of(cast.chloe)}")
    elsewhere = Client(REMOTE_ADDR="203.0.113.9").get("/r/ZZZZZZZZ")
    time_machine.move_to(at("2026-11-20", "12:01"), tick=False)
    later = device().get("/r/ZZZZZZZZ")

    assert statuses == [404] * 30
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "Too many attempts" in text_of(refused)
    assert (elsewhere.status_code, later.status_code) == (404, 404)
    assert ReferralClick.objects.count() == 0


def test_the_picture_is_the_own_link(cast: Cast, sign_in) -> None:
    response = sign_in(cast, "chloe").get("/referrals/qr.svg")

    drawn = response.content.decode()
    assert response["Content-Type"] == "image/svg+xml"
    assert "style=" not in drawn
    assert "<script" not in drawn
    same = segno.make(f"http://testserver/r/{code_of(cast.chloe)}", error="m", micro=False)
    path = same.svg_inline(scale=8, border=4, dark="#000", light="#fff", omitsize=False)
    assert re.findall(r' d="([^"]+)"', drawn) == re.findall(r' d="([^"]+)"', path)


def test_a_code_is_renewed_on_its_page(cast: Cast, sign_in) -> None:
    former = code_of(cast.chloe)
    client = sign_in(cast, "chloe")

    refused = client.post("/referrals/renew/", {"seen": former})
    done = client.post("/referrals/renew/", {"seen": former, "former": "close"}, follow=True)

    assert refused.status_code == 422
    assert f"Your code is {code_of(cast.chloe)} now" in text_of(done)
    assert f"{former} closed on" in text_of(done)


def test_each_tier_has_its_list_and_pages_go_on(cast: Cast, sign_in, monkeypatch) -> None:
    monkeypatch.setattr(referral_views, "PAGE", 2)
    people = [enrol(f"Eve {n}", code_of(cast.chloe)) for n in range(3)]
    mia = enrol("Mia Two", code_of(people[0]))
    client = sign_in(cast, "chloe")

    first = text_of(client.get("/referrals/"))
    second = text_of(client.get(f"/referrals/?tier=1&before={people[1].number}"))
    below = text_of(client.get("/referrals/?tier=2"))

    assert people[2].number in first
    assert people[0].number not in first
    assert people[0].number in second
    assert people[1].number not in second
    assert mia.number in below
    assert people[0].number not in below
    assert client.get(f"/referrals/?before={cast.dmitri.number}").status_code == 404


def test_the_page_asks_as_often_for_one_referral_as_for_three(cast: Cast, sign_in) -> None:
    enrol("Eve One", code_of(cast.chloe))
    client = sign_in(cast, "chloe")
    few = queries_of(client, "/referrals/")

    for n in range(3):
        enrol(f"Mia {n}", code_of(cast.chloe))

    assert queries_of(client, "/referrals/") == few


def test_staff_cancel_a_referral_with_a_reason(cast: Cast, sign_in) -> None:
    referral = Referral.objects.get(referred=enrol("Eve One", code_of(cast.chloe)))
    client = sign_in(cast, "mona")
    url = f"/admin/genealogy/referral/{referral.pk}/cancel/"

    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "Enrolled twice"}).status_code == 302
    assert client.post(url, {"reason": "Again"}).status_code == 422

    referral.refresh_from_db()
    assert (referral.status, referral.cancelled_reason) == ("cancelled", "Enrolled twice")
