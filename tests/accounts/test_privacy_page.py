"""The page of privacy and contact: nothing ticked beforehand, nothing carried over."""

import re

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import Consent, ConsentText
from accounts.services.consents import give, published_contacts, who_consents
from tests.accounts.consenting import says_yes, text_of

PAGE = reverse("accounts:privacy")


@pytest.fixture
def ben(cast, client):
    user = cast.user("ben")
    user.phone = "+44 20 7946 0101"
    user.save()
    client.force_login(user)
    return user


def words(response):
    return " ".join(strip_tags(response.content.decode()).split())


def agree(client, text, **data):
    url = reverse("accounts:consent_give", args=[text.purpose, text.version])
    return client.post(url, data, follow=True)


def take_back(client, purpose):
    return client.post(reverse("accounts:consent_withdraw", args=[purpose]), follow=True)


def ticks(response):
    """Each box of the page: (value, whether it is ticked)."""
    boxes = re.findall(r'<input type="checkbox"[^>]*>', response.content.decode())
    return [(re.search(r'value="(\w+)"', box)[1], "checked" in box) for box in boxes]


def test_nothing_is_asked_before_a_text_is_published(client, ben):
    text_of("marketing", days=3)

    page = client.get(PAGE)

    assert "Nothing is asked of you yet" in words(page)
    assert "I agree" not in words(page)


def test_nothing_is_ticked_beforehand(client, ben):
    for purpose in ConsentText.Purpose.values:
        text_of(purpose)

    page = client.get(PAGE)

    assert ticks(page) == [("email", False), ("phone", False)] * 2
    assert words(page).count("I agree") == 5
    assert words(page).count("Not agreed") == 5
    assert not Consent.objects.exists()


def test_a_consent_is_given_and_taken_back(client, ben):
    text = text_of("marketing", "2026-11")

    page = agree(client, text)
    assert "You agreed to “What we ask”, version 2026-11." in words(page)
    assert "Agreed since" in words(page)
    assert who_consents([ben.pk], "marketing") == {ben.pk}

    page = take_back(client, "marketing")
    assert "You took it back. It no longer counts." in words(page)
    assert "I agree" in words(page)
    assert who_consents([ben.pk], "marketing") == set()
    assert "There was nothing to take back" in words(take_back(client, "marketing"))
    assert [row.is_given for row in Consent.objects.all()] == [False, True]
    assert {row.actor for row in Consent.objects.all()} == {ben}


def test_each_of_e_mail_and_phone_is_chosen(client, ben):
    text = text_of("contact_downline")

    page = agree(client, text)
    assert page.status_code == 200
    assert "Choose e-mail, phone or both." in words(page)
    assert 'href="#contact_downline_shows"' in page.content.decode()
    assert 'id="contact_downline_shows"' in page.content.decode()
    assert "Choose e-mail, phone or both." in words(agree(client, text, shows=["fax"]))
    assert not Consent.objects.exists()

    page = agree(client, text, shows=["phone"])
    assert ticks(page) == [("email", False), ("phone", True)]
    assert published_contacts([ben.pk], "contact_downline")[ben.pk].email == ""
    agree(client, text, shows=["email", "phone"])
    assert published_contacts([ben.pk], "contact_downline")[ben.pk].email == ben.email


def test_a_phone_nobody_knows_cannot_be_published(client, ben):
    ben.phone = ""
    ben.save()
    text = text_of("contact_upline")

    page = client.get(PAGE)
    assert ticks(page) == [("email", False)]
    assert "The company has no phone number of yours" in words(page)

    assert "Choose e-mail, phone or both." in words(agree(client, text, shows=["phone"]))
    assert not Consent.objects.exists()


def test_a_newer_text_is_asked_anew_with_nothing_ticked(client, ben):
    says_yes(ben, text_of("contact_upline", "1", -5))
    text_of("contact_upline", "2", -1)

    page = client.get(PAGE)

    assert "You are asked again" in words(page)
    assert "you agreed to version 1 on" in words(page)
    assert "until you agree to version 2, it counts as not agreed" in words(page)
    assert ticks(page) == [("email", False), ("phone", False)]
    assert "I agree" in words(page)


def test_the_text_that_was_read_is_the_one_that_is_agreed_to(client, ben):
    read = text_of("marketing", "1", -1)
    text_of("marketing", "2")

    page = agree(client, read)

    assert "not the one in force" in words(page)
    assert not Consent.objects.exists()
    coming = text_of("marketing", "3", 5)
    assert agree(client, coming).status_code == 404
    assert take_back(client, "nonsense").status_code == 404


def test_the_agreement_is_read_and_not_taken_back(client, ben):
    text = text_of("distributor_agreement")
    agree(client, text)

    page = client.get(PAGE)
    assert "Take it back" not in words(page)
    assert "ends with the membership" in words(take_back(client, "distributor_agreement"))
    assert who_consents([ben.pk], "distributor_agreement") == {ben.pk}

    alone = client.get(reverse("accounts:consent_text", args=[text.purpose, text.version]))
    assert "Ben Cole agreed to this version on" in words(alone)
    assert "data-print" in alone.content.decode()
    assert "<p>First.</p>" in alone.content.decode()


def test_an_earlier_version_stays_readable_and_says_so(client, ben):
    old = text_of("marketing", "1", -5)
    text_of("marketing", "2", -1)

    page = client.get(reverse("accounts:consent_text", args=["marketing", old.version]))

    assert "not in force any more" in words(page)
    assert "Read version 2" in words(page)


def test_what_the_company_wrote_down_is_told(client, ben, cast):
    give(user=ben, text=text_of("marketing"), actor=cast.user("sam"), channel="paper")

    assert "On paper written down by the company" in words(client.get(PAGE))


def test_staff_answer_for_their_own_data_only(client, cast):
    client.force_login(cast.user("sam"))
    for purpose in ConsentText.Purpose.values:
        text_of(purpose)

    page = client.get(PAGE)

    assert words(page).count("I agree") == 2
    assert agree(client, ConsentText.objects.get(purpose="contact_upline")).status_code == 404
    agree(client, ConsentText.objects.get(purpose="marketing"))
    assert who_consents([cast.user("sam").pk], "marketing") == {cast.user("sam").pk}


def test_the_page_asks_the_same_for_one_text_and_for_all(client, ben, django_assert_num_queries):
    says_yes(ben, text_of("marketing"))
    client.get(PAGE)
    with django_assert_num_queries(7):
        client.get(PAGE)

    for purpose in ("data_processing", "contact_upline", "distributor_agreement"):
        says_yes(ben, text_of(purpose, "1", -1))
        text_of(purpose, "2")
    with django_assert_num_queries(7):
        client.get(PAGE)
