"""Joining as somebody does it: by a link, on one device and on another, with every wrong turn."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent, Consent, User
from commerce.models import Order
from genealogy.models import Distributor, Enrolment, PlacementRule, Referral, ReferralProgram
from genealogy.services.enrolment_links import send_message
from genealogy.services.terminations import terminate_distributor
from tests.cast import Cast, make_user
from tests.genealogy.joining import (
    NIA_TYPED,
    SECRET,
    code_of,
    delivered,
    join,
    publish,
)
from tests.portal.conftest import text_of

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148 Safari/604.1"


def device() -> Client:
    return Client(headers={"User-Agent": PHONE})


def typed(client: Client, **changes: str) -> Enrolment:
    client.post("/join/you/", NIA_TYPED | changes)
    return Enrolment.objects.latest("pk")


def opened(client: Client, enrolment: Enrolment) -> None:
    client.post(delivered(enrolment))


def agreed(client: Client, **boxes: str) -> object:
    form = client.get("/join/agreement/").context["form"]
    return client.post("/join/agreement/", {"seen": form.marks} | boxes)


@pytest.fixture
def opened_company(cast: Cast) -> Cast:
    publish(cast)
    return cast


def test_from_the_link_to_the_dashboard_with_a_first_order(cast: Cast) -> None:
    publish(cast, "distributor_agreement", "data_processing", "marketing")
    PlacementRule.objects.create(width=2, waiting_days=7)
    tea = cast.tea
    client = device()
    page = client.get(f"/r/{code_of(cast.ben)}")
    assert "Ben Cole invites you" in text_of(page)

    join(client, cast.ben)
    enrolment = typed(client)
    page = client.get("/join/message/")
    assert "We have sent a message to nia@example.com" in text_of(page)
    opened(client, enrolment)
    client.post("/join/you/", NIA_TYPED)
    page = client.get("/join/place/")
    assert "Ben Cole chooses for me, within 7 days" in text_of(page)
    client.post("/join/place/", {"choice": "rule"})
    agreed(client, distributor_agreement="on", data_processing="on")
    client.post("/join/order/", {f"pieces-{tea.sku}": "2", "go": "next"})
    page = client.get("/join/finish/")
    assert "Total, unpaid £40.00" in text_of(page)
    page = client.post("/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "now"})

    assert page.url == "/identity/"
    assert "You are distributor D-" in text_of(client.get("/"))
    nia = Distributor.objects.get(display_name="Nia Okoro")
    assert (nia.sponsor, nia.enroller, nia.country) == (cast.ben, cast.ben, "Ireland")
    assert nia.placement_parent is not None
    assert nia.user.email == "nia@example.com"
    assert nia.user.email_verified
    assert nia.user.check_password(SECRET)
    assert nia.user.profile.date_of_birth.isoformat() == "1990-05-17"
    assert {(row.text.purpose, row.channel) for row in Consent.objects.filter(user=nia.user)} == {
        ("distributor_agreement", "enrolment"),
        ("data_processing", "enrolment"),
    }
    order = Order.objects.get(distributor=nia)
    assert (str(order.total), order.payment_status) == ("40.00", "pending")
    referral = Referral.objects.get(referred=nia, tier=1)
    assert (referral.referrer, referral.channel) == (cast.ben, "link")
    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.distributor, enrolment.email) == ("completed", nia, "")


def test_nobody_signs_in_by_a_finished_enrolment_without_the_password(opened_company: Cast) -> None:
    client = device()
    join(client, opened_company.ben)
    opened(client, typed(client))
    agreed(client, distributor_agreement="on")
    cookie = client.cookies["enrolment"].value
    client.post("/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "later"})

    again = device()
    again.cookies["enrolment"] = cookie
    page = again.get("/join/finish/", follow=True)

    assert "Nothing is under way on this device" in text_of(page)
    assert "_auth_user_id" not in again.session


def test_it_goes_on_where_it_was_left_also_on_another_device(opened_company: Cast) -> None:
    first, second = device(), device()
    join(first, opened_company.ben)
    assert first.get("/join/").url == "/join/you/"
    enrolment = typed(first)
    assert first.get("/join/").url == "/join/message/"

    link = delivered(enrolment)
    page = second.get(link)
    assert "You join Harbour & Hearth with Ben Cole" in text_of(page)
    assert first.get("/join/").url == "/join/message/"  # to look at a link changes nothing
    second.post(link)
    page = second.get("/join/you/")

    assert page.context["form"]["first_name"].value() == "Nia"
    assert second.get("/join/").url == "/join/agreement/"
    # Whoever typed the address may have been anybody: that device sees nothing from here on.
    page = first.get("/join/you/", follow=True)
    assert "Nothing is under way on this device" in text_of(page)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("ZZZZZZZZ", "There is no code ZZZZZZZZ. Check it letter by letter."),
        ("", "This field is required."),
        ("-- !", "A code has letters and digits."),
    ],
)
def test_a_code_that_nobody_has_is_said_at_its_field(opened_company: Cast, wrong, words) -> None:
    page = device().post("/join/", {"code": wrong, "confirmed": "yes"})

    assert page.status_code == 422
    assert words in text_of(page)
    assert not Enrolment.objects.exists()


def test_every_invitation_that_works_no_more_has_its_own_words(opened_company: Cast) -> None:
    cast = opened_company
    code = code_of(cast.ben)

    def answer() -> str:
        page = device().post("/join/", {"code": code, "confirmed": "yes"})
        assert page.status_code == 422
        return text_of(page)

    cast.ben.referral_codes.update(is_current=False, closed_at="2026-11-01T12:00:00Z")
    assert f"The code {code} is closed. Ask whoever gave it to you" in answer()
    code = code_of(cast.chloe)
    Distributor.objects.filter(pk=cast.chloe.pk).update(status="on_hold")
    assert f"The code {code} brings nobody in at present." in answer()
    terminate_distributor(
        distributor=cast.chloe, downline="stay", reason="Left", actor=cast.user("mona")
    )
    assert f"Whoever gave out the code {code} has left the company." in answer()
    code = code_of(cast.stella)
    ReferralProgram.objects.update(is_open=False)
    assert "The company takes no invitations at present." in answer()
    assert "Stella" not in answer()


def test_the_name_is_confirmed_before_anything_is_begun(opened_company: Cast) -> None:
    page = device().post("/join/", {"code": code_of(opened_company.ben).lower()})

    assert "Did Ben Cole invite you?" in text_of(page)
    assert opened_company.ben.number not in text_of(page)
    assert not Enrolment.objects.exists()


def test_without_a_published_agreement_nobody_begins(cast: Cast) -> None:
    page = device().post("/join/", {"code": code_of(cast.ben), "confirmed": "yes"})

    assert "Enrolment is not open yet" in text_of(page)
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("first_name", " ", "This field is required."),
        ("country", "", "This field is required."),
        ("email", "nia at example", "Enter a valid email address."),
        ("birth_date", "", "This field is required."),
        ("birth_date", "2015-05-17", "Whoever joins is 18 or older: the agreement is a contract"),
        ("birth_date", "2999-01-01", "This day is in the future."),
        ("birth_date", "1790-01-01", "Check the year."),
    ],
)
def test_what_is_wrong_about_a_person_is_said_at_its_place(
    opened_company: Cast, field, value, words
) -> None:
    client = device()
    enrolment = join(client, opened_company.ben)

    page = client.post("/join/you/", NIA_TYPED | {field: value})

    assert page.status_code == 422
    assert any(words in error for error in page.context["form"].errors[field])
    enrolment.refresh_from_db()
    assert (enrolment.email, enrolment.first_name) == ("", "")
    assert enrolment.link_wanted_at is None


def test_an_address_with_and_without_an_account_is_answered_alike(opened_company: Cast) -> None:
    pages, queries = [], []
    for email in ("nobody@example.com", "stella@example.com", "ada@example.com"):
        client = device()
        join(client, opened_company.ben)
        with CaptureQueriesContext(connection) as captured:
            answer = client.post("/join/you/", NIA_TYPED | {"email": email})
            page = client.get(answer.url)
        queries.append(len(captured))
        pages.append((answer.status_code, answer.url, text_of(page).replace(email, "X")))

    assert pages[0] == pages[1] == pages[2]
    assert queries[0] == queries[1] == queries[2]
    assert not any("stella" in line["sql"] for line in captured if "accounts_user" in line["sql"])


def test_a_distributor_is_told_by_mail_that_he_is_one(opened_company: Cast) -> None:
    client = device()
    join(client, opened_company.ben)
    enrolment = typed(client, email="stella@example.com")

    assert send_message(enrolment.pk)

    (message,) = mail.outbox
    assert message.subject == "Harbour & Hearth: You are with us already"
    assert message.to == ["stella@example.com"]
    assert "/accounts/login/" in message.body
    assert "/join/link/" not in message.body


def test_an_account_without_a_distributor_signs_in_and_is_used(opened_company: Cast) -> None:
    rosa = make_user("Rosa Lopez")
    rosa.set_password(SECRET)
    rosa.save()
    client = device()
    join(client, opened_company.ben)
    enrolment = typed(client, email="rosa@example.com")
    opened(client, enrolment)
    assert "has an account already" in mail.outbox[-1].body

    page = client.get("/join/agreement/")
    assert "Sign in to go on" in text_of(page)
    client.force_login(opened_company.user("ben"))
    assert "somebody else's" in text_of(client.get("/join/agreement/"))
    client.force_login(rosa)
    agreed(client, distributor_agreement="on")
    page = client.get("/join/finish/")
    assert "password1" not in page.context["form"].fields
    client.post("/join/finish/", {"papers": "later"})

    distributor = Distributor.objects.get(user=rosa)
    assert (distributor.display_name, distributor.sponsor) == ("Nia Okoro", opened_company.ben)
    assert User.objects.filter(email="rosa@example.com").count() == 1
    rosa.profile.refresh_from_db()
    assert rosa.profile.first_name == "Rosa"


def test_the_account_that_is_signed_in_needs_no_message(opened_company: Cast) -> None:
    client = device()
    client.force_login(make_user("Rosa Lopez"))
    join(client, opened_company.ben)

    page = client.post("/join/you/", NIA_TYPED | {"email": "else@example.com"})

    assert page.url == "/join/agreement/"
    enrolment = Enrolment.objects.get()
    assert (enrolment.email, enrolment.is_confirmed) == ("rosa@example.com", True)
    assert enrolment.link_wanted_at is None


def test_who_is_a_distributor_or_of_the_staff_has_nothing_to_join(opened_company: Cast) -> None:
    client = device()
    client.force_login(opened_company.user("chloe"))
    assert "You are a distributor already" in text_of(client.get("/join/"))
    client.force_login(opened_company.user("mona"))
    page = client.post("/join/", {"code": code_of(opened_company.ben), "confirmed": "yes"})
    assert "Staff enrol people in the admin" in text_of(page)
    assert not Enrolment.objects.exists()


def test_a_distributor_who_signs_in_on_the_way_goes_no_further(opened_company: Cast) -> None:
    client = device()
    enrolment = join(client, opened_company.ben)
    client.force_login(opened_company.user("stella"))

    page = client.post("/join/you/", NIA_TYPED, follow=True)

    assert "You are a distributor already" in text_of(page)
    enrolment.refresh_from_db()
    assert (enrolment.email, enrolment.is_confirmed) == ("", False)


def test_no_box_is_ever_ticked_beforehand(cast: Cast) -> None:
    publish(cast, "distributor_agreement", "marketing", "contact_upline")
    client = device()
    join(client, cast.ben)
    opened(client, typed(client))

    before = client.get("/join/agreement/").content.decode()
    agreed(client, distributor_agreement="on", marketing="on")
    after = client.get("/join/agreement/").content.decode()

    assert "checked" not in before
    assert "checked" not in after
    assert "Second paragraph." in before


def test_without_the_agreement_nobody_goes_on(opened_company: Cast) -> None:
    client = device()
    join(client, opened_company.ben)
    opened(client, typed(client))

    page = agreed(client)

    assert page.status_code == 422
    assert "Without this nobody can join." in text_of(page)
    assert client.get("/join/finish/").url == "/join/agreement/"


def test_a_text_that_changes_is_asked_again_before_and_after(opened_company: Cast) -> None:
    client = device()
    join(client, opened_company.ben)
    opened(client, typed(client))
    seen = client.get("/join/agreement/").context["form"].marks
    publish(opened_company, version="2")
    page = client.post("/join/agreement/", {"seen": seen, "distributor_agreement": "on"})
    assert "A text has changed while you read." in text_of(page)

    agreed(client, distributor_agreement="on")
    assert client.get("/join/finish/").status_code == 200
    publish(opened_company, version="3")
    page = client.post(
        "/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "later"}, follow=True
    )

    assert "A text has changed since you agreed." in text_of(page)
    assert not Distributor.objects.filter(display_name="Nia Okoro").exists()
    assert not User.objects.filter(email="nia@example.com").exists()


def test_a_sponsor_who_leaves_meanwhile_is_told_clearly_and_can_be_changed(
    opened_company: Cast,
) -> None:
    cast = opened_company
    client = device()
    join(client, cast.chloe)
    opened(client, typed(client))
    agreed(client, distributor_agreement="on")
    terminate_distributor(
        distributor=cast.chloe, downline="stay", reason="Left", actor=cast.user("mona")
    )
    last = {"password1": SECRET, "password2": SECRET, "papers": "later"}

    page = client.post("/join/finish/", last, follow=True)
    assert "has left the company. Ask somebody who is in it." in text_of(page)
    assert not User.objects.filter(email="nia@example.com").exists()
    client.post("/join/", {"code": code_of(cast.ben), "confirmed": "yes"})
    client.post("/join/finish/", last)

    assert Distributor.objects.get(display_name="Nia Okoro").sponsor == cast.ben
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize(
    ("passwords", "field", "words"),
    [
        (("short", "short"), "password1", "too short"),
        (("1234567890123", "1234567890123"), "password1", "entirely numeric"),
        (("nia@example.com", "nia@example.com"), "password1", "too similar"),
        ((SECRET, "something else"), "password2", "The two are not the same."),
        (("", ""), "password1", "This field is required."),
    ],
)
def test_a_password_is_refused_for_its_reason_and_nothing_is_done(
    opened_company: Cast, passwords, field, words
) -> None:
    client = device()
    join(client, opened_company.ben)
    opened(client, typed(client))
    agreed(client, distributor_agreement="on")

    page = client.post(
        "/join/finish/",
        {"password1": passwords[0], "password2": passwords[1], "papers": "later"},
    )

    assert page.status_code == 422
    assert any(words in error for error in page.context["form"].errors[field])
    assert not User.objects.filter(email="nia@example.com").exists()


def test_a_step_is_not_reached_before_those_it_needs(opened_company: Cast) -> None:
    client = device()
    for step in ("you", "agreement", "finish"):
        assert client.get(f"/join/{step}/").url == "/join/"
    join(client, opened_company.ben)
    assert client.get("/join/finish/").url == "/join/you/"
    assert client.post("/join/agreement/", {"distributor_agreement": "on"}).url == "/join/you/"
    assert client.get("/join/nowhere/").status_code == 404


def test_another_address_makes_the_former_link_void(opened_company: Cast) -> None:
    client = device()
    join(client, opened_company.ben)
    former = delivered(typed(client))
    enrolment = typed(client, email="new@example.com")
    latter = delivered(enrolment)

    assert device().post(former).status_code == 410
    assert mail.outbox[-1].to == ["new@example.com"]
    assert device().post(latter).url == "/join/you/"


def test_old_and_used_links_say_what_they_are(opened_company: Cast, time_machine) -> None:
    client = device()
    join(client, opened_company.ben)
    link = delivered(typed(client))
    time_machine.move_to(timezone.now() + timedelta(days=8))
    page = device().get(link)
    assert (page.status_code, "This link is too old" in text_of(page)) == (410, True)
    page = device().post(link, {"renew": "yes"})
    assert "Another message is on its way" in text_of(page)

    link = delivered(Enrolment.objects.get())
    client.post(link)
    agreed(client, distributor_agreement="on")
    client.post("/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "later"})
    page = device().get(link)

    assert page.status_code == 410
    assert "This enrolment is completed. Sign in to go on." in text_of(page)
    assert device().get("/join/link/nonsense/").status_code == 410


def test_the_log_does_not_write_the_link_out(opened_company: Cast, caplog) -> None:
    client = device()
    join(client, opened_company.ben)
    link = delivered(typed(client))

    device().get(link)

    assert "/join/link/***/" in caplog.text
    assert link not in caplog.text


def test_who_stops_leaves_nothing_behind(opened_company: Cast) -> None:
    client = device()
    join(client, opened_company.ben)
    enrolment = typed(client)
    assert "Stop and delete" in text_of(client.get("/join/stop/"))

    page = client.post("/join/stop/", follow=True)

    assert "what you typed is deleted" in text_of(page)
    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.email, enrolment.birth_date) == ("cancelled", "", None)
    kept = str(list(AuditEvent.objects.values_list("before", "after", "reason", "entity_id")))
    assert "nia" not in kept.lower()


def test_one_address_asks_for_so_many_pages_and_no_more(cast: Cast, time_machine) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    client = device()

    answers = [client.get("/join/link/guess/").status_code for _ in range(31)]

    assert answers == [410] * 30 + [429]
