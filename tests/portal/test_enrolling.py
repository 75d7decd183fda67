"""A sponsor enrols somebody, and staff do: what each says, sees, and never sees."""

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Consent
from genealogy.models import Distributor, Enrolment, PlacementRule
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.enrolment_steps import texts_to_show
from genealogy.services.enrolments import agree
from genealogy.views.joining import remember
from tests.cast import Cast
from tests.genealogy.joining import NIA_TYPED, SECRET, begun, delivered, publish, ready
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db

WHO = {name: NIA_TYPED[name] for name in ("first_name", "last_name", "country", "email")}
ADD = "/admin/genealogy/distributor/add/"


@pytest.fixture
def ben(cast: Cast, sign_in) -> Client:
    publish(cast)
    return sign_in(cast, "ben")


# A sponsor


def test_a_sponsor_says_who_and_where_and_the_person_does_the_rest(cast: Cast, ben: Client) -> None:
    PlacementRule.objects.create(width=2, waiting_days=7)
    assert "Enrol somebody" in text_of(ben.get("/referrals/"))
    page = ben.get("/enrolments/new/")
    assert not {"birth_date", "phone"} & set(page.context["form"].fields)

    page = ben.post("/enrolments/new/", WHO, follow=True)
    enrolment = Enrolment.objects.get()
    assert "By the company's rule" in text_of(page)
    ben.post(f"/enrolments/{enrolment.number}/place/", {"choice": "rule"})
    page = ben.get(f"/enrolments/{enrolment.number}/finish/")
    assert "nia@example.com" in text_of(page)
    page = ben.post(f"/enrolments/{enrolment.number}/finish/", follow=True)
    assert "A message to nia@example.com is on its way." in text_of(page)
    assert ben.get(f"/enrolments/{enrolment.number}/you/").url == "/enrolments/"

    person = Client()
    link = delivered(enrolment)
    assert "Ben Cole invites you to join" in mail.outbox[-1].body
    assert "Ben Cole invites you" in text_of(person.get(link))
    person.post(link)
    assert person.get("/join/").url == "/join/you/"
    assert person.get("/join/you/").context["form"]["first_name"].value() == "Nia"
    person.post("/join/you/", NIA_TYPED)
    assert person.get("/join/place/").status_code == 302  # the sponsor has chosen
    marks = person.get("/join/agreement/").context["form"].marks
    person.post("/join/agreement/", {"seen": marks, "distributor_agreement": "on"})
    seen = text_of(ben.get("/enrolments/"))
    assert "Agreed to the texts" in seen
    assert "1990" not in seen
    assert "555 0100" not in seen
    person.post("/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "later"})

    nia = Distributor.objects.get(display_name="Nia Okoro")
    assert (nia.sponsor, nia.user.phone) == (cast.ben, NIA_TYPED["phone"])
    assert nia.placement_parent is not None
    assert f"Joined as {nia.number}" in text_of(ben.get("/enrolments/"))


@pytest.mark.parametrize("field", ["first_name", "last_name", "country", "email"])
def test_what_a_sponsor_leaves_out_is_said_at_its_place(ben: Client, field: str) -> None:
    page = ben.post("/enrolments/new/", WHO | {field: ""})

    assert page.status_code == 422
    assert page.context["form"].errors[field] == ["This field is required."]
    assert not Enrolment.objects.exists()


def test_a_sponsor_chooses_a_free_place_in_his_own_line_alone(cast: Cast, ben: Client) -> None:
    PlacementRule.objects.create(width=2, waiting_days=7)
    Distributor.objects.filter(pk=cast.ben.pk).update(sponsor=None)
    enrolment = begun(cast.ben, by=cast.user("ben"))
    url = f"/enrolments/{enrolment.number}/place/"
    assert f"Left of {cast.ben}" in text_of(ben.get(url))

    page = ben.post(url, {"choice": "elsewhere", "under": cast.stella.number, "leg": "1"})
    assert page.status_code == 422
    assert "Nobody in your line has the number" in text_of(page)
    ben.post(url, {"choice": "1"})

    enrolment.refresh_from_db()
    assert (enrolment.placement, enrolment.place_parent, enrolment.place_leg) == (
        "by_hand",
        cast.ben,
        2,
    )


def test_nobody_sees_or_touches_the_invitations_of_another(cast: Cast, sign_in) -> None:
    publish(cast)
    enrolment = begun(cast.ben, by=cast.user("ben"))
    other = sign_in(cast, "chloe")

    assert "Nia" not in text_of(other.get("/enrolments/"))
    for page in ("you", "cancel", "finish"):
        assert other.get(f"/enrolments/{enrolment.number}/{page}/").status_code == 404
    assert other.post(f"/enrolments/{enrolment.number}/resend/").status_code == 404
    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.link_wanted_at) == ("open", None)


def test_an_invitation_is_taken_back_and_its_link_says_so(cast: Cast, ben: Client) -> None:
    enrolment = begun(cast.ben, by=cast.user("ben"))
    ben.post(f"/enrolments/{enrolment.number}/resend/")
    link = delivered(enrolment)

    assert ben.post(f"/enrolments/{enrolment.number}/cancel/", {"reason": ""}).status_code == 422
    ben.post(f"/enrolments/{enrolment.number}/cancel/", {"reason": "The wrong address"})

    page = Client().get(link)
    assert (page.status_code, "was cancelled" in text_of(page)) == (410, True)
    assert "Deleted" in text_of(ben.get("/enrolments/"))
    assert "nia" not in text_of(ben.get("/enrolments/")).lower()


def test_the_list_asks_the_same_whatever_its_length(cast: Cast, ben: Client) -> None:
    begun(cast.ben, by=cast.user("ben"))
    one = queries_of(ben, "/enrolments/")
    for _ in range(3):
        begun(cast.ben, by=cast.user("ben"))

    assert queries_of(ben, "/enrolments/") == one


def test_the_last_page_asks_a_bounded_number_of_times(cast: Cast) -> None:
    publish(cast, "distributor_agreement", "data_processing", "marketing")
    enrolment = ready(cast.ben)
    agree(enrolment=enrolment, texts=texts_to_show(enrolment))
    person = Client()
    person.cookies["enrolment"] = remember(HttpResponse(), enrolment).cookies["enrolment"].value

    assert queries_of(person, "/join/finish/") <= 12


def test_a_search_keeps_what_was_chosen(cast: Cast, ben: Client) -> None:
    for number in range(25):
        type(cast.tea).objects.create(
            sku=f"SOAP{number}", name=f"Soap {number}", price=4, currency="GBP"
        )
    enrolment = begun(cast.ben, by=cast.user("ben"))
    url = f"/enrolments/{enrolment.number}/order/"
    page = ben.get(url)
    assert "There are more: search for what you want." in text_of(page)

    page = ben.post(url, {"pieces-TEA": "3", "go": "search", "q": "soap 24"}, follow=True)
    assert "Chosen so far: £60.00" in text_of(page)
    assert "Soap 24" in text_of(page)
    assert ben.post(url, {"pieces-TEA": "100", "go": "next"}).status_code == 422
    ben.post(f"{url}?q=soap 24", {"pieces-TEA": "0", "pieces-SOAP24": "2", "go": "next"})

    enrolment.refresh_from_db()
    assert enrolment.order_lines == [{"sku": "SOAP24", "quantity": 2}]


# The staff


def said(cast: Cast, **changes: str) -> dict[str, str]:
    return {
        "sponsor": cast.chloe.number.lower(),
        "first_name": "Nia",
        "last_name": "Okoro",
        "country": "Ireland",
        "joined_on": timezone.localdate().isoformat(),
        "agreement": "paper",
        "paper_signed_on": timezone.localdate().isoformat(),
    } | changes


def test_staff_see_the_names_before_somebody_is_enrolled(cast: Cast, sign_in) -> None:
    publish(cast)
    mona = sign_in(cast, "mona")

    page = mona.post(ADD, said(cast, external_reference="X-17"))
    assert f"Sponsor Chloe Martin ({cast.chloe.number})" in text_of(page)
    assert not Distributor.objects.filter(display_name="Nia Okoro").exists()
    mona.post(ADD, said(cast, external_reference="X-17", confirmed="yes"))

    nia = Distributor.objects.get(display_name="Nia Okoro")
    assert (nia.sponsor, nia.enroller, nia.user) == (cast.chloe, cast.chloe, None)
    assert (nia.external_reference, nia.country) == ("X-17", "Ireland")
    paper = AuditEvent.objects.get(action="distributor.agreement_on_paper")
    assert paper.after["text"] == "Distributor agreement, version 1"
    assert not Enrolment.objects.exists()


def test_somebody_enrolled_by_staff_signs_in_by_the_message(cast: Cast, sign_in) -> None:
    publish(cast)
    PlacementRule.objects.create(width=2, waiting_days=7)
    Distributor.objects.filter(pk=cast.chloe.pk).update(sponsor=None)
    sign_in(cast, "mona").post(
        ADD,
        said(
            cast,
            email="nia@example.com",
            placement="by_hand",
            under=cast.chloe.number,
            leg="2",
            confirmed="yes",
        ),
    )
    nia = Distributor.objects.get(display_name="Nia Okoro")
    assert (nia.placement_parent, nia.leg) == (cast.chloe, 2)

    person = Client()
    link = delivered(Enrolment.objects.get())
    assert f"You are distributor {nia.number}" in mail.outbox[-1].body
    assert "Sign in for the first time" in text_of(person.get(link))
    person.post(link)
    person.post("/join/you/", NIA_TYPED)
    person.post("/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "later"})

    nia.refresh_from_db()
    assert nia.user.check_password(SECRET)
    consent = Consent.objects.get(user=nia.user)
    assert (consent.channel, consent.actor) == ("paper", cast.user("mona"))
    assert nia.user.referral_code == nia.referral_codes.get(is_current=True).code


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"sponsor": "D-999999"}, "sponsor", "There is no distributor D-999999."),
        ({"joined_on": "2999-01-01"}, "joined_on", "Nobody joins on a day to come."),
        ({"joined_on": "2026-01-01"}, "joined_on", "joined on 05 January 2026"),
        ({"agreement": "mail"}, "email", "say to where"),
        ({"paper_signed_on": ""}, "paper_signed_on", "Say when it was signed."),
        ({"paper_signed_on": "2026-01-01"}, "paper_signed_on", "No published agreement"),
        ({"paper_signed_on": "2999-01-01"}, "paper_signed_on", "in the future"),
        ({"placement": "by_hand"}, "under", "Say under whom."),
        ({"email": "stella@example.com"}, "email", "This is the address of Stella Stone"),
        ({"email": "ada@example.com"}, "email", "somebody of the staff"),
    ],
)
def test_what_staff_get_wrong_is_said_at_its_place(
    cast: Cast, sign_in, changes, field, words
) -> None:
    publish(cast)
    PlacementRule.objects.create(width=2, waiting_days=7)

    page = sign_in(cast, "mona").post(ADD, said(cast, placement="rule", confirmed="yes") | changes)

    assert page.status_code == 422
    assert any(words in error for error in page.context["form"].errors[field])
    assert not Distributor.objects.filter(display_name="Nia Okoro").exists()


def test_nobody_joins_in_a_period_that_is_closed(company: Cast, sign_in) -> None:
    publish(company)

    page = sign_in(company, "mona").post(
        ADD, said(company, joined_on="2026-10-15", confirmed="yes")
    )

    assert (
        "The tree is final before 01 November 2026" in page.context["form"].errors["joined_on"][0]
    )
    assert not Distributor.objects.filter(display_name="Nia Okoro").exists()


def test_a_place_that_is_taken_is_said_at_its_leg_and_nobody_is_enrolled(
    cast: Cast, sign_in
) -> None:
    publish(cast)
    PlacementRule.objects.create(width=2, waiting_days=0)
    Distributor.objects.filter(pk=cast.chloe.pk).update(sponsor=None)
    enrol_distributor(
        sponsor=cast.chloe, display_name="Eve Lind", joined_on=timezone.localdate(), actor=None
    )

    page = sign_in(cast, "mona").post(
        ADD,
        said(cast, placement="by_hand", under=cast.chloe.number, leg="1", confirmed="yes"),
    )

    assert "stands in leg 1" in page.context["form"].errors["leg"][0]
    assert not Distributor.objects.filter(display_name="Nia Okoro").exists()


def test_an_imported_distributor_is_asked_to_sign_in_once(cast: Cast, sign_in) -> None:
    publish(cast)
    nia = enrol_distributor(
        sponsor=cast.ben, display_name="Nia Okoro", joined_on=timezone.localdate(), actor=None
    )
    mona = sign_in(cast, "mona")
    url = f"/admin/genealogy/distributor/{nia.number}/invite/"
    assert "Invite to sign in" in text_of(
        mona.get(f"/admin/genealogy/distributor/{nia.pk}/change/")
    )
    mona.post(url, {"first_name": "Nia", "last_name": "Okoro", "email": "nia@example.com"})
    page = mona.post(url, {"first_name": "Nia", "last_name": "Okoro", "email": "n@example.com"})
    assert "was asked to sign in already" in text_of(page)

    person = Client()
    person.post(delivered(Enrolment.objects.get()))
    person.post("/join/you/", NIA_TYPED)
    marks = person.get("/join/agreement/").context["form"].marks
    person.post("/join/agreement/", {"seen": marks, "distributor_agreement": "on"})
    person.post("/join/finish/", {"password1": SECRET, "password2": SECRET, "papers": "later"})

    nia.refresh_from_db()
    assert nia.user.email == "nia@example.com"
    assert Distributor.objects.filter(display_name="Nia Okoro").count() == 1
    page = mona.post(url, {"first_name": "Nia", "last_name": "Okoro", "email": "n@example.com"})
    assert "signs in already" in text_of(page)


def test_staff_are_told_where_to_publish_the_agreement(cast: Cast, sign_in) -> None:
    ada = sign_in(cast, "ada")
    page = ada.get(ADD)

    assert "Publish the distributor agreement" in text_of(page)
    assert "/admin/accounts/consenttext/add/" in page.content.decode()
    assert "Agreements to publish" in text_of(ada.get("/"))
    publish(cast)
    assert "Agreements to publish" not in text_of(ada.get("/"))


def test_staff_find_enrolments_and_cancel_one_with_a_reason(cast: Cast, sign_in) -> None:
    enrolment = begun(cast.ben)
    sam = sign_in(cast, "sam")
    listed = sam.get("/admin/genealogy/enrolment/?status__exact=open")
    assert enrolment.number in text_of(listed)

    url = f"/admin/genealogy/enrolment/{enrolment.number}/cancel/"
    assert sam.post(url, {"reason": ""}).status_code == 422
    sam.post(url, {"reason": "Asked for by phone"})

    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.ended_reason) == ("cancelled", "Asked for by phone")
    assert AuditEvent.objects.get(action="enrolment.cancelled").actor == cast.user("sam")
