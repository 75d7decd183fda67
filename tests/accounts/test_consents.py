"""Consents: asked in one version's words, given and taken back by rows that nobody changes."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.models import AuditEvent, Consent, ConsentText, Profile
from accounts.services.consents import (
    ConsentRefused,
    Contact,
    give,
    publish_text,
    published_contacts,
    text_in_force,
    who_consents,
    withdraw,
)
from tests.accounts.consenting import says_no, says_yes, text_of


def run(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def ben(cast):
    return cast.user("ben")


def test_nothing_is_consented_to_from_the_start(ben):
    text_of("marketing")

    assert who_consents([ben.pk], "marketing") == set()
    assert not ben.profile.marketing_consent
    assert not ben.profile.data_processing_consent


def test_the_latest_text_that_has_begun_is_in_force(db):
    today = timezone.localdate()
    assert text_in_force("marketing") is None
    old, new = text_of("marketing", "1", -9), text_of("marketing", "2", 3)
    text_of("data_processing", "7", -1)

    assert text_in_force("marketing") == old
    assert text_in_force("marketing", today + timedelta(days=3)) == new
    assert text_in_force("marketing", today - timedelta(days=10)) is None
    assert text_of("marketing", "1a", -9) == text_in_force("marketing")


def test_an_answer_is_recorded_with_text_time_channel_and_actor(ben, cast):
    text = text_of("marketing")
    sam = cast.user("sam")

    consent = give(user=ben, text=text, actor=sam, channel="paper")

    assert (consent.text, consent.is_given, consent.channel) == (text, True, "paper")
    assert (consent.user, consent.actor) == (ben, sam)
    assert timezone.now() - consent.at < timedelta(minutes=1)
    assert who_consents([ben.pk, sam.pk], "marketing") == {ben.pk}
    event = AuditEvent.objects.get(action="consent.given")
    assert (event.actor, event.entity_id) == (sam, str(ben.pk))
    assert event.after == {"purpose": "marketing", "version": "1", "channel": "paper"}


def test_the_same_answer_twice_is_written_once(ben):
    text = text_of("marketing")

    assert says_yes(ben, text) == says_yes(ben, text)
    assert says_no(ben, "marketing").is_given is False
    assert says_no(ben, "marketing") is None

    assert [row.is_given for row in ben.consents.all()] == [False, True]
    assert AuditEvent.objects.filter(action__startswith="consent.").count() == 2
    assert who_consents([ben.pk], "marketing") == set()


def test_a_newer_text_takes_nothing_over(ben):
    says_yes(ben, text_of("contact_upline", "1", -5))
    newer = text_of("contact_upline", "2")

    assert who_consents([ben.pk], "contact_upline") == set()

    says_yes(ben, newer)
    assert who_consents([ben.pk], "contact_upline") == {ben.pk}


def test_only_the_text_in_force_can_be_agreed_to(ben, cast):
    old, current, coming = (text_of("marketing", *row) for row in [("1", -9), ("2", -1), ("3", 5)])

    for text in (old, coming):
        with pytest.raises(ConsentRefused, match="not the one in force"):
            says_yes(ben, text)
    with pytest.raises(ConsentRefused, match="not the one in force"):
        give(user=ben, text=coming, actor=cast.user("sam"), channel="paper")
    assert not Consent.objects.exists()

    give(user=ben, text=old, actor=cast.user("sam"), channel="paper")
    assert who_consents([ben.pk], "marketing") == set()
    says_yes(ben, current)
    assert who_consents([ben.pk], "marketing") == {ben.pk}


def test_nobody_answers_in_the_portal_for_somebody_else(ben, cast):
    text = text_of("marketing")
    with pytest.raises(ConsentRefused, match="answers for himself"):
        give(user=ben, text=text, actor=cast.user("ada"), channel="portal")
    says_yes(ben, text)

    with pytest.raises(ConsentRefused, match="answers for himself"):
        withdraw(user=ben, purpose="marketing", actor=cast.user("ada"), channel="portal")
    assert who_consents([ben.pk], "marketing") == {ben.pk}


def test_an_agreement_is_not_withdrawn(ben):
    says_yes(ben, text_of("distributor_agreement"))

    with pytest.raises(ConsentRefused, match="ends with the membership"):
        says_no(ben, "distributor_agreement")

    assert who_consents([ben.pk], "distributor_agreement") == {ben.pk}


def test_a_published_contact_says_what_of_it(ben):
    text = text_of("contact_downline")
    for shows in ([], ["phone"]):  # no number of his is known
        with pytest.raises(ConsentRefused, match="e-mail, phone or both"):
            says_yes(ben, text, shows=shows)
    assert not says_yes(ben, text).shows_phone
    ben.phone = "+44 20 7946 0101"
    ben.save()
    assert published_contacts([ben.pk], "contact_downline") == {ben.pk: Contact(email=ben.email)}

    assert says_yes(ben, text).shows_phone
    narrowed = says_yes(ben, text, shows=["email"])

    assert (narrowed.shows_email, narrowed.shows_phone) == (True, False)
    assert ben.consents.count() == 3
    plain = says_yes(ben, text_of("marketing"))
    assert {plain.shows_email, plain.shows_phone} == {False}


def test_a_paper_comes_too_late_for_whoever_answered_a_newer_text(ben, cast):
    old, current = text_of("marketing", "1", -9), text_of("marketing", "2", -1)
    says_yes(ben, current)

    with pytest.raises(ConsentRefused, match="answered since"):
        give(user=ben, text=old, actor=cast.user("sam"), channel="paper")

    assert who_consents([ben.pk], "marketing") == {ben.pk}


def test_a_published_contact_is_what_was_chosen_and_gone_when_withdrawn(cast):
    ben, chloe = cast.user("ben"), cast.user("chloe")
    ben.phone = "+44 20 7946 0101"
    ben.save()
    text = text_of("contact_upline")
    says_yes(ben, text, shows=["phone"])
    says_yes(chloe, text)

    assert published_contacts([ben.pk, chloe.pk], "contact_upline") == {
        ben.pk: Contact(phone="+44 20 7946 0101"),
        chloe.pk: Contact(email="chloe@example.com"),
    }
    assert published_contacts([ben.pk], "contact_downline") == {}
    says_no(ben, "contact_upline")
    assert published_contacts([ben.pk], "contact_upline") == {}


def test_profile_repeats_the_newest_answers(ben, cast):
    marketing = says_yes(ben, text_of("marketing", "2026-1"))
    processing = says_yes(ben, text_of("data_processing", "2026-2"))

    profile = Profile.objects.get(user=ben)
    assert (profile.marketing_consent, profile.marketing_consent_at) == (True, marketing.at)
    assert (profile.data_processing_consent, profile.data_processing_consent_at) == (
        True,
        processing.at,
    )
    assert profile.consent_text_version == "2026-2"
    assert profile.history.first().history_change_reason == f"Given: {processing.text}"

    says_no(ben, "data_processing")
    profile.refresh_from_db()
    assert (profile.data_processing_consent, profile.data_processing_consent_at) == (False, None)
    assert profile.consent_text_version == "2026-1"
    says_no(ben, "marketing")
    profile.refresh_from_db()
    assert (profile.marketing_consent, profile.consent_text_version) == (False, "")
    call_command("check_projections")


def test_the_check_finds_a_profile_that_says_otherwise(ben, cast, capsys):
    says_yes(ben, text_of("marketing"))
    run("update accounts_profile set marketing_consent = false")
    run(
        "update accounts_profile set data_processing_consent = true, consent_text_version = '9',"
        f" data_processing_consent_at = now() where user_id = {cast.user('chloe').pk}"
    )

    with pytest.raises(CommandError, match="4 figures differ"):
        call_command("check_projections")
    call_command("check_projections", "--fix")
    call_command("check_projections")

    assert f"user {ben.pk} marketing_consent: stored False, true True" in capsys.readouterr().out
    assert Profile.objects.get(user=ben).marketing_consent
    assert not Profile.objects.get(user=cast.user("chloe")).data_processing_consent


def test_who_consents_asks_two_questions_for_any_number(cast, django_assert_num_queries):
    text = text_of("contact_upline")
    people = [cast.user(name) for name in ("asha", "ben", "chloe")]
    for user in people:
        says_yes(user, text)

    with django_assert_num_queries(2):
        assert who_consents([people[0].pk], "contact_upline") == {people[0].pk}
    with django_assert_num_queries(2):
        assert len(who_consents([user.pk for user in people], "contact_upline")) == 3


def test_a_text_is_published_once_and_not_for_days_gone(db, cast):
    words = {
        "purpose": "marketing",
        "title": "News",
        "body": "We write.",
        "actor": cast.user("ada"),
    }
    today = timezone.localdate()
    with pytest.raises(ConsentRefused, match="a day that is over"):
        publish_text(version="1", effective_from=today - timedelta(days=1), **words)
    text = publish_text(version="1", effective_from=today, **words)

    with pytest.raises(ConsentRefused, match="this purpose and version already"):
        publish_text(version="1", effective_from=today, **words)

    assert list(ConsentText.objects.all()) == [text]
    assert text.published_by == cast.user("ada")
    assert AuditEvent.objects.get(action="consent_text.published").after["version"] == "1"
    with pytest.raises(ValidationError, match="A text needs"):
        ConsentText(purpose="marketing", version="", title="", body="").validate_constraints()


@pytest.mark.parametrize("table", ["accounts_consent", "accounts_consenttext"])
def test_texts_and_answers_are_never_changed(ben, table):
    says_yes(ben, text_of("marketing"))

    for sql in (
        f"update {table} set id = id",
        f"delete from {table}",
        f"truncate {table} cascade",
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            run(f"set constraints all immediate; {sql}")


def test_the_database_refuses_an_answer_without_an_answer(ben):
    text = text_of("contact_upline")
    insert = (
        "insert into accounts_consent (user_id, text_id, actor_id, at, channel, is_given,"
        f" shows_email, shows_phone) values ({ben.pk}, {text.pk}, {ben.pk}, now(), %s)"
    )

    for values, rule in [
        ("'portal', null, false, false", "is_given"),
        ("'portal', false, true, false", "withdrawn_shows_nothing"),
        ("'hearsay', true, false, false", "channel_known"),
    ]:
        with pytest.raises(IntegrityError, match=rule):
            run(insert % values)
    assert not Consent.objects.exists()


def words(**more):
    today = timezone.localdate().isoformat()
    return {
        "purpose": "marketing",
        "version": "2",
        "title": "News and offers",
        "body": "We write to you.\n\n<b>Rarely.</b>",
        "effective_from": today,
        **more,
    }


def test_staff_look_at_a_text_before_it_is_published(client, ben, cast):
    says_yes(ben, text_of("marketing"))
    client.force_login(cast.user("ada"))
    url = reverse("admin:accounts_consenttext_add")

    looked_at = client.post(url, words()).content.decode()

    assert "<p>We write to you.</p>" in looked_at
    assert "&lt;b&gt;Rarely.&lt;/b&gt;" in looked_at
    assert "version 1, to which 1 person agrees now" in " ".join(strip_tags(looked_at).split())
    assert ConsentText.objects.count() == 1

    again = client.post(url, words(edit="yes")).content.decode()
    assert "We write to you." in again
    assert 'name="publish"' not in again

    published = client.post(url, words(publish="yes"), follow=True)
    text = ConsentText.objects.latest("pk")
    assert published.redirect_chain[-1][0] == reverse(
        "admin:accounts_consenttext_change", args=[text.pk]
    )
    assert (text.version, text.published_by) == ("2", cast.user("ada"))
    assert who_consents([ben.pk], "marketing") == set()


def test_a_text_that_cannot_be_published_says_why_at_its_place(client, cast, db):
    text_of("marketing", "2")
    client.force_login(cast.user("ada"))
    url = reverse("admin:accounts_consenttext_add")

    page = client.post(url, words(publish="yes")).content.decode()
    assert "this purpose and version already" in page
    page = client.post(url, words(version="3", effective_from="2020-01-01")).content.decode()
    assert "a day that is over" in page
    page = client.post(url, words(version="3", body=" ", publish="yes")).content.decode()
    assert "This field is required" in page

    assert ConsentText.objects.count() == 1


def test_a_published_text_is_read_and_not_changed(client, cast, db):
    old, text = text_of("marketing", "1", -3), text_of("marketing", "2", 4)
    client.force_login(cast.user("ada"))

    page = client.get(reverse("admin:accounts_consenttext_change", args=[text.pk]))
    assert "To come" in page.content.decode()
    page = client.get(reverse("admin:accounts_consenttext_change", args=[old.pk]))
    assert "In force" in page.content.decode()
    client.post(reverse("admin:accounts_consenttext_change", args=[old.pk]), words(title="New"))

    old.refresh_from_db()
    assert old.title == "What we ask"


def test_staff_write_down_what_was_signed_on_paper(client, ben, cast):
    old = text_of("contact_upline", "1", -5)
    coming = text_of("contact_upline", "2", 5)
    client.force_login(cast.user("sam"))
    url = reverse("admin:accounts_consent_add")
    paper = {"email": "Ben@example.com", "text": old.pk, "answer": "yes", "shows": ["email"]}

    for mistake, said in [
        ({"email": "nobody@example.com"}, "Nobody signs in with this address."),
        ({"shows": []}, "Choose e-mail, phone or both."),
        ({"text": coming.pk}, "Select a valid choice."),
        ({"answer": "no"}, "There was nothing to take back."),
    ]:
        assert said in client.post(url, paper | mistake).content.decode()
    assert not Consent.objects.exists()

    client.post(url, paper)
    consent = Consent.objects.get()
    assert (consent.user, consent.actor, consent.channel) == (ben, cast.user("sam"), "paper")
    assert published_contacts([ben.pk], "contact_upline") == {ben.pk: Contact(email=ben.email)}
    client.post(url, paper | {"answer": "no"})
    assert published_contacts([ben.pk], "contact_upline") == {}
