"""The message with the link: sent once, by whomever, never lost, and nobody waits for it."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from genealogy.models import Enrolment
from genealogy.services import enrolment_links
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolment_links import (
    LinkRefused,
    confirm,
    enrolment_behind,
    invite,
    send_message,
    send_waiting_messages,
)
from genealogy.services.enrolments import write_person
from tests.cast import gather
from tests.genealogy.joining import NIA, begun, delivered, token_of
from tests.waiting import on_a_connection


def test_only_a_digest_of_the_link_is_kept(cast):
    enrolment = begun(cast.ben)
    invite(enrolment=enrolment, actor=None)

    token = token_of(delivered(enrolment))

    assert token not in str(Enrolment.objects.values().get(pk=enrolment.pk))
    assert enrolment_behind(token) == enrolment


def test_a_newer_message_takes_the_place_of_the_former_link(cast, time_machine):
    enrolment = begun(cast.ben)
    invite(enrolment=enrolment, actor=None)
    former = token_of(delivered(enrolment))
    with pytest.raises(EnrolmentRefused, match="a moment ago"):
        invite(enrolment=enrolment, actor=None)
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    invite(enrolment=enrolment, actor=None)
    assert enrolment_behind(former) == enrolment

    latter = token_of(delivered(enrolment))

    with pytest.raises(LinkRefused, match="does not work"):
        enrolment_behind(former)
    assert confirm(token=latter).is_confirmed


def test_messages_to_one_address_have_an_end(cast, time_machine):
    start = timezone.now()
    for number in range(5):
        time_machine.move_to(start + timedelta(minutes=2 * number))
        enrolment = begun(cast.ben)
        invite(enrolment=enrolment, actor=None)
        delivered(enrolment)

    enrolment = begun(cast.stella)
    with pytest.raises(EnrolmentRefused, match="No more messages go to this address today"):
        invite(enrolment=enrolment, actor=None)

    assert len(mail.outbox) == 5
    time_machine.move_to(start + timedelta(days=2))
    invite(enrolment=enrolment, actor=None)


def test_a_message_that_was_lost_is_sent_by_the_sweep_and_once(cast):
    enrolment = begun(cast.ben)
    invite(enrolment=enrolment, actor=None)

    send_waiting_messages()
    send_waiting_messages()

    assert len(mail.outbox) == 1
    assert not send_message(enrolment.pk)


def test_a_mail_server_that_is_away_leaves_the_former_link_working(cast, settings, time_machine):
    enrolment = begun(cast.ben)
    invite(enrolment=enrolment, actor=None)
    token = token_of(delivered(enrolment))
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    invite(enrolment=enrolment, actor=None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    send_waiting_messages()

    enrolment.refresh_from_db()
    assert (enrolment.messages_sent, enrolment.link_wanted_at is None) == (1, False)
    assert enrolment_behind(token) == enrolment


@contextmanager
def slow_mail_server(settings):
    """A server that takes a connection and says nothing until it is let go; gives when it has one.

    Nobody is mocked: the message goes by SMTP to it, and ends when it hangs up.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as answering:
        server.settimeout(10)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        yield answering.submit(lambda: server.accept()[0])


@pytest.mark.django_db(transaction=True)
def test_a_slow_mail_server_makes_no_page_wait_and_loses_no_message(settings):
    cast = gather()
    enrolment = begun(cast.ben)
    # As `invite` does, but that nobody is told: a worker of another test might be faster.
    Enrolment.objects.filter(pk=enrolment.pk).update(
        status=Enrolment.Status.INVITED, link_wanted_at=timezone.now()
    )
    with ThreadPoolExecutor(1) as other, slow_mail_server(settings) as connected:
        sending = other.submit(on_a_connection, lambda: send_message(enrolment.pk))
        line = connected.result(10)

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '100ms'")
            write_person(enrolment=enrolment, person=replace(NIA, first_name="Nina"), by=None)
        assert not send_message(enrolment.pk)
        line.close()
        with pytest.raises(OSError, match="Connection unexpectedly closed"):
            sending.result(10)

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send_waiting_messages()
    enrolment.refresh_from_db()
    assert (enrolment.first_name, enrolment.messages_sent) == ("Nina", 1)
    assert enrolment.link_wanted_at is None
    assert len(mail.outbox) == 1


def test_a_message_whose_sender_died_is_sent_by_the_sweep(cast, time_machine):
    enrolment = begun(cast.ben)
    invite(enrolment=enrolment, actor=None)
    enrolment_links.take_on(enrolment.pk)

    send_waiting_messages()
    assert len(mail.outbox) == 0
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    send_waiting_messages()

    assert len(mail.outbox) == 1


def test_an_address_that_changed_while_a_message_went_out_gets_its_own(cast, settings):
    enrolment = begun(cast.ben)
    invite(enrolment=enrolment, actor=None)
    former = enrolment_links.take_on(enrolment.pk)
    write_person(enrolment=enrolment, person=replace(NIA, email="new@example.com"), by=None)

    enrolment_links.note_sent(former, "the former token")
    with pytest.raises(LinkRefused, match="does not work"):
        enrolment_behind("the former token")
    send_waiting_messages()

    assert [message.to for message in mail.outbox] == [["new@example.com"]]
