"""Enrolments under way: twice at once, cut off in the middle, left too long, round the ORM."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent, Consent, Event, User
from commerce.models import Order, ProductCategory
from genealogy.models import Distributor, Enrolment, PlacementRule, Referral, Waiting
from genealogy.services.completion import StepRefused, complete_enrolment
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolment_links import (
    invite,
)
from genealogy.services.enrolments import (
    Person,
    cancel_enrolment,
    choose_order,
    choose_place,
    expire_enrolments,
    start_for_somebody,
    write_person,
)
from genealogy.services.moves import Place
from genealogy.services.placement import place_by_hand
from genealogy.services.tree_check import find_breaks
from tests.cast import gather
from tests.genealogy.joining import (
    NIA,
    SECRET,
    begun,
    publish,
    ready,
)

PERSONAL = ("first_name", "last_name", "country", "birth_date", "email", "phone", "order_lines")
MOVED_IN = (Distributor, User, Consent, Referral, Order)


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def counts():
    return [model.objects.count() for model in MOVED_IN]


def complete(enrolment, account=None):
    return complete_enrolment(enrolment=enrolment, account=account, password=SECRET)


def in_a_thread(call):
    """Run it on a connection of its own, and close that."""

    def working():
        try:
            return call()
        finally:
            connection.close()

    return working


# Once, whatever happens


def test_completing_twice_gives_one_distributor(cast):
    publish(cast)
    enrolment = ready(cast.ben)

    first = complete(enrolment)
    before = counts()
    second = complete(enrolment)

    assert first.distributor == second.distributor
    assert counts() == before


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_once_give_one_distributor():
    cast = gather()
    publish(cast)
    enrolment = ready(cast.ben)
    together = threading.Barrier(2)

    def press():
        together.wait()
        return complete(enrolment).distributor_id

    with ThreadPoolExecutor(2) as both:
        pressed = [both.submit(in_a_thread(press)) for _ in range(2)]
        ids = {one.result() for one in pressed}

    assert len(ids) == 1
    assert Distributor.objects.filter(display_name="Nia Okoro").count() == 1
    assert User.objects.filter(email="nia@example.com").count() == 1
    assert find_breaks() == []


@pytest.mark.django_db(transaction=True)
def test_two_enrolments_of_one_address_give_one_account():
    cast = gather()
    publish(cast)
    rivals = [ready(cast.ben), ready(cast.stella)]
    together = threading.Barrier(2)

    def press(enrolment):
        together.wait()
        try:
            return complete(enrolment).distributor_id
        except EnrolmentRefused as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as both:
        pressed = [both.submit(in_a_thread(lambda one=one: press(one))) for one in rivals]
        answers = [one.result() for one in pressed]

    assert "An account has this address. Sign in with it." in answers
    assert Distributor.objects.filter(display_name="Nia Okoro").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_connection_killed_in_the_middle_leaves_nothing_half_done():
    """All of it is written when the enrolment waits to tell the staff; there its connection is
    killed."""
    cast = gather()
    publish(cast)
    PlacementRule.objects.create(width=2, waiting_days=0)
    enrolment = ready(cast.ben)
    before = counts()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        run("lock table accounts_eventstream in share mode")
        pressed = other.submit(in_a_thread(lambda: complete(enrolment)))
        kill_who_waits()
        with pytest.raises(OperationalError):
            pressed.result(20)

    assert counts() == before
    enrolment.refresh_from_db()
    assert enrolment.status == "invited"
    nia = Distributor.objects.get(pk=complete(enrolment).distributor_id)
    assert nia.placement_parent is not None
    assert counts() == [n + 1 for n in before[:4]] + before[4:]


def kill_who_waits():
    deadline = monotonic() + 10
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_locks where not granted and database = "
                "(select oid from pg_database where datname = current_database())"
            )
            if cursor.fetchall():
                return
        sleep(0.02)
    raise AssertionError("nobody waited")


def test_an_order_that_cannot_be_placed_takes_all_of_it_back(cast):
    publish(cast)
    enrolment = ready(cast.ben)
    choose_order(enrolment=enrolment, lines=[(cast.tea.sku, 2)])
    cast.tea.status = "discontinued"
    cast.tea.save()
    before = counts()

    with pytest.raises(StepRefused, match="TEA is not sold any more") as refused:
        complete(enrolment)

    assert refused.value.step == "order"
    assert counts() == before


def test_a_kit_goes_on_an_order_without_volume(cast):
    publish(cast)
    kit = type(cast.tea).objects.create(
        sku="KIT", name="Starter kit", price=30, currency="GBP", pv=30, cv=30,
        category=ProductCategory.objects.create(code="enrolment-kit", name="Kits"),
    )  # fmt: skip
    enrolment = ready(cast.ben)
    choose_order(enrolment=enrolment, lines=[(cast.tea.sku, 1), (kit.sku, 1)])

    nia = complete(enrolment).distributor

    volumes = {
        order.order_class: [item.unit_cv for item in order.items.all()]
        for order in Order.objects.filter(distributor=nia)
    }
    assert volumes == {"self_consumption": [20], "enrolment_kit": [0]}


# Who did what, and what is kept


def test_the_trail_says_who_did_what_and_nothing_personal(cast):
    publish(cast)
    ben = cast.user("ben")
    enrolment = ready(cast.ben, by=ben)
    nia = complete(enrolment).distributor

    trail = AuditEvent.objects.filter(entity_id=enrolment.number).order_by("pk")
    assert list(trail.values_list("action", "actor__email")) == [
        ("enrolment.started", "ben@example.com"),
        ("enrolment.invited", None),
        ("enrolment.confirmed", None),
        ("enrolment.agreed", None),
        ("enrolment.completed", "nia@example.com"),
    ]
    kept = str(list(trail.values_list("before", "after", "reason")))
    assert "Nia" not in kept
    assert "1990" not in kept
    registered = Event.objects.filter(name="user.registered").values_list("stream_id", flat=True)
    assert set(registered) == {f"user:{nia.user_id}", "staff"}


@pytest.mark.parametrize("end", ["completed", "cancelled", "expired"])
def test_nothing_personal_outlives_the_enrolment(cast, time_machine, end):
    publish(cast)
    enrolment = ready(cast.ben)
    if end == "completed":
        complete(enrolment)
    elif end == "cancelled":
        cancel_enrolment(enrolment=enrolment, actor=cast.user("mona"), reason="A mistake")
    else:
        time_machine.move_to(timezone.now() + timedelta(days=31))
        assert expire_enrolments() == 1
        assert expire_enrolments() == 0

    enrolment.refresh_from_db()
    assert enrolment.status == end
    assert not any(getattr(enrolment, name) for name in PERSONAL)
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('genealogy_historicalenrolment')")
        assert cursor.fetchone() == (None,)
    with pytest.raises(EnrolmentRefused):
        write_person(enrolment=enrolment, person=NIA, by=None)


def test_one_that_is_not_old_enough_stays(cast, time_machine):
    enrolment = begun(cast.ben)
    time_machine.move_to(timezone.now() + timedelta(days=29))

    assert expire_enrolments() == 0
    enrolment.refresh_from_db()
    assert enrolment.email == "nia@example.com"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("update genealogy_enrolment set status = 'completed'", "completed_as_somebody"),
        ("update genealogy_enrolment set status = 'open'", "status is not allowed"),
        ("update genealogy_enrolment set started_by_id = null", "begun enrolment is final"),
        ("update genealogy_enrolment set code_id = null", "by_code_or_sign_in"),
        ("update genealogy_enrolment set placement = 'by_hand'", "place_by_hand"),
        ("update genealogy_enrolment set placement = 'best'", "placement_known"),
        ("update genealogy_enrolment set email = ''", "invited_by_email"),
        ("update genealogy_enrolment set messages_sent = 6", "messages_bounded"),
        (
            "update genealogy_enrolment set status = 'expired', ended_at = now(), "
            "link_wanted_at = null",
            "over_is_empty",
        ),
    ],
)
def test_the_database_refuses_what_must_not_be(cast, statement, rule):
    enrolment = begun(cast.ben, by=cast.user("ben"))
    invite(enrolment=enrolment, actor=None)

    with pytest.raises(DatabaseError, match=rule):
        run(statement)


def test_what_is_over_stays_as_it_is(cast):
    enrolment = begun(cast.ben)
    cancel_enrolment(enrolment=enrolment, actor=None, reason="No")

    with pytest.raises(DatabaseError, match="ended enrolment is final"):
        run("update genealogy_enrolment set ended_reason = 'Another'")
    with pytest.raises(DatabaseError, match="status is not allowed"):
        run("update genealogy_enrolment set status = 'open'")
    with pytest.raises(IntegrityError, match="over_is_empty"):
        run("update genealogy_enrolment set email = 'nia@example.com'")


# The sponsor's part


def test_a_sponsor_changes_nothing_once_the_person_has_taken_over(cast):
    publish(cast)
    ben = cast.user("ben")
    enrolment = ready(cast.ben, by=ben)

    with pytest.raises(EnrolmentRefused, match="has taken over"):
        write_person(enrolment=enrolment, person=NIA, by=ben)


def test_a_sponsor_never_writes_what_is_the_persons_to_tell(cast):
    enrolment = begun(cast.ben, by=cast.user("ben"))

    assert (enrolment.birth_date, enrolment.phone) == (None, "")
    assert enrolment.first_name == "Nia"


def test_a_sponsor_on_hold_enrols_nobody(cast):
    Distributor.objects.filter(pk=cast.ben.pk).update(status="on_hold")

    with pytest.raises(EnrolmentRefused, match="You can enrol nobody at present"):
        start_for_somebody(sponsor=cast.ben, actor=cast.user("ben"), person=NIA)

    assert not Enrolment.objects.exists()


def test_only_the_sponsor_chooses_a_place_by_hand(cast):
    PlacementRule.objects.create(width=2, waiting_days=7)
    enrolment = begun(cast.ben)

    with pytest.raises(EnrolmentRefused, match="Only the sponsor or the staff"):
        choose_place(enrolment=enrolment, choice="by_hand", place=Place(cast.ben, 1), by=None)


@pytest.mark.parametrize("days", [0, 7, None])
def test_a_place_chosen_by_hand_is_taken_whatever_the_rule_says(cast, days):
    PlacementRule.objects.create(width=2, waiting_days=days)
    publish(cast)
    ben = cast.user("ben")
    place_by_hand(distributor=cast.ben, to=Place(cast.asha, 1), actor=ben)
    enrolment = ready(cast.ben, by=ben)
    choose_place(enrolment=enrolment, choice="by_hand", place=Place(cast.ben, 2), by=ben)

    nia = complete(enrolment).distributor

    nia.refresh_from_db()
    assert (nia.placement_parent, nia.leg) == (cast.ben, 2)
    assert not Waiting.objects.open().filter(distributor=nia).exists()


def test_a_place_that_was_taken_meanwhile_stops_nobody_and_the_sponsor_is_told(cast):
    PlacementRule.objects.create(width=2, waiting_days=7)
    publish(cast)
    ben = cast.user("ben")
    place_by_hand(distributor=cast.ben, to=Place(cast.asha, 1), actor=ben)
    enrolment = ready(cast.ben, by=ben)
    choose_place(enrolment=enrolment, choice="by_hand", place=Place(cast.ben, 2), by=ben)
    place_by_hand(distributor=cast.chloe, to=Place(cast.ben, 2), actor=ben)

    nia = complete(enrolment).distributor

    nia.refresh_from_db()
    assert nia.placement_parent is None
    assert Waiting.objects.open().filter(distributor=nia).exists()
    told = Event.objects.get(name="enrolment.place_taken")
    assert (told.stream_id, told.ref) == (f"user:{ben.pk}", nia.number)


def test_too_many_invitations_of_one_sponsor_are_refused(cast):
    ben = cast.user("ben")
    for number in range(50):
        person = Person("Eve", "Lind", "Sweden", f"eve{number}@example.com")
        start_for_somebody(sponsor=cast.ben, actor=ben, person=person)

    with pytest.raises(EnrolmentRefused, match="50 of your invitations are open"):
        start_for_somebody(sponsor=cast.ben, actor=ben, person=NIA)
