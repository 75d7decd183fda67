"""Codes and referrals: who is credited with whom, up to which tier, and what completes it."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import Event, User
from commerce.services.orders import OrderLine, pay_order, place_order
from genealogy.models import Distributor, Referral, ReferralClick, ReferralCode, ReferralProgram
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.referral_codes import (
    close_code,
    code_differences,
    current_code,
    issue_codes,
    normalised,
    renew_code,
)
from genealogy.services.referrals import (
    PaidOrder,
    ReferralRefused,
    attribute,
    cancel_referral,
    complete_referrals,
    cookie_for,
    device_of,
    find_claim,
    record_click,
)
from mlmcrm.transitions import TransitionRefused
from tests.cast import at, make_user

JOINED = date(2026, 11, 2)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148 Safari/604.1"


def code_of(distributor):
    return current_code(distributor).code


def enrol(name, code="", cookie="", sponsor=None, user=None):
    return enrol_distributor(
        sponsor=sponsor,
        display_name=name,
        joined_on=JOINED,
        actor=None,
        user=user,
        claim=find_claim(code=code, cookie=cookie),
    )


def told(name):
    return list(Event.objects.filter(name=name).order_by("pk").values_list("stream_id", "facts"))


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


# Codes


def test_everybody_enrolled_has_a_code_of_readable_letters(cast):
    codes = ReferralCode.objects.filter(is_current=True)

    assert codes.count() == Distributor.objects.count() == 5
    assert code_of(cast.chloe) == cast.user("chloe").referral_code
    assert set("".join(code.code for code in codes)) <= set("ABCDEFGHJKMNPQRSTUVWXYZ23456789")


def test_a_code_is_read_however_it_is_typed():
    assert normalised(" abcd-efgh ") == "ABCDEFGH"
    assert normalised("") == ""


def test_issuing_twice_gives_one_code(cast):
    issue_codes([cast.ben.pk, cast.chloe.pk], None)

    assert ReferralCode.objects.filter(distributor__in=[cast.ben, cast.chloe]).count() == 2


def test_somebody_whose_code_was_taken_gets_another_and_his_account_follows(cast):
    user = make_user("Eve Late")
    User.objects.filter(pk=user.pk).update(referral_code=code_of(cast.ben) + "X")
    run(
        "insert into genealogy_referralcode (distributor_id, code, is_current, created_at)"
        " values (%s, %s, false, now())",
        cast.ben.pk,
        code_of(cast.ben) + "X",
    )

    late = enrol("Eve Late", sponsor=cast.ben, user=User.objects.get(pk=user.pk))

    assert code_of(late) != code_of(cast.ben) + "X"
    assert User.objects.get(pk=user.pk).referral_code == code_of(late)
    assert code_differences() == []


def test_a_renewed_code_goes_on_working_unless_it_is_closed(cast):
    first = code_of(cast.ben)

    second = renew_code(
        distributor=cast.ben, actor=cast.user("ben"), close_former=False, seen=first
    )
    third = renew_code(
        distributor=cast.ben, actor=cast.user("ben"), close_former=True, seen=second.code
    )

    assert User.objects.get(pk=cast.user("ben").pk).referral_code == third.code
    assert enrol("By the first", first).sponsor == cast.ben
    with pytest.raises(ReferralRefused, match=f"The code {second} is closed"):
        enrol("By the second", second.code)


def test_a_code_is_renewed_once_for_one_page(cast):
    seen = code_of(cast.ben)
    options = {"actor": cast.user("ben"), "close_former": False, "seen": seen}

    first = renew_code(distributor=cast.ben, **options)
    again = renew_code(distributor=cast.ben, **options)

    assert first == again
    assert cast.ben.referral_codes.count() == 2


def test_a_former_code_is_closed_and_the_present_one_is_not(cast):
    former = current_code(cast.ben)
    present = renew_code(
        distributor=cast.ben, actor=cast.user("ben"), close_former=False, seen=former.code
    )

    for code in (former, present):
        close_code(code=code, actor=cast.user("mona"), reason="Printed wrongly")

    assert [code.closed_at is None for code in cast.ben.referral_codes.order_by("pk")] == [
        False,
        True,
    ]


# Who is credited


def test_the_code_names_enroller_and_sponsor_where_none_is_named(cast):
    alone = enrol("Eve One", code_of(cast.chloe))
    under = enrol("Eve Two", code_of(cast.chloe), sponsor=cast.dmitri)

    assert (alone.sponsor, alone.enroller) == (cast.chloe, cast.chloe)
    assert (under.sponsor, under.enroller) == (cast.dmitri, cast.chloe)


def test_a_referral_is_kept_up_to_the_depth_of_the_program(cast):
    people = [cast.stella]
    for n in range(1, 5):
        people.append(enrol(f"Eve {n}", code_of(people[-1])))

    rows = Referral.objects.filter(referred=people[4]).order_by("tier")

    assert [(row.tier, row.referrer) for row in rows] == [
        (1, people[3]),
        (2, people[2]),
        (3, people[1]),
    ]
    assert {row.code.distributor for row in rows} == {people[3]}


def test_the_depth_of_the_program_is_a_setting(cast):
    ReferralProgram.objects.update(max_tier_level=1)
    eve = enrol("Eve One", code_of(cast.stella))

    enrol("Eve Two", code_of(eve))

    assert list(Referral.objects.values_list("tier", flat=True)) == [1, 1]


def test_the_typed_code_counts_before_what_the_device_remembers(cast):
    cookie = cookie_for(record_click(current_code(cast.ben), PHONE))

    typed = enrol("Eve One", code_of(cast.stella), cookie)
    remembered = enrol("Eve Two", "", cookie)

    assert Referral.objects.get(referred=typed, tier=1).referrer == cast.stella
    referral = Referral.objects.get(referred=remembered, tier=1)
    assert (referral.referrer, referral.channel) == (cast.ben, "link")
    assert referral.click.device == "phone"


@pytest.mark.parametrize("cookie", ["", "nonsense", "IjEi:1vSx:abc"])
def test_a_cookie_that_is_not_ours_attributes_nothing(cast, cookie):
    eve = enrol("Eve One", "", cookie, sponsor=cast.ben)

    assert (eve.enroller, Referral.objects.count()) == (cast.ben, 0)


def test_a_cookie_lasts_as_long_as_the_program_says(cast, time_machine):
    time_machine.move_to(at("2026-11-02"))
    cookie = cookie_for(record_click(current_code(cast.ben), PHONE))

    time_machine.move_to(at("2026-12-01"))
    within = enrol("Eve One", "", cookie, sponsor=cast.asha)
    time_machine.move_to(at("2026-12-03"))
    after = enrol("Eve Two", "", cookie, sponsor=cast.asha)

    assert (within.enroller, after.enroller) == (cast.ben, cast.asha)


@pytest.mark.parametrize(
    ("code", "message"),
    [("ZZZZZZZZ", "There is no code ZZZZZZZZ"), ("nobody", "There is no code NOBODY")],
)
def test_a_wrong_code_is_refused_and_nobody_is_enrolled(cast, code, message):
    with pytest.raises(ReferralRefused, match=message):
        enrol("Eve One", code, sponsor=cast.ben)

    assert not Distributor.objects.filter(display_name="Eve One").exists()
    assert told("referral.created") == []


def test_a_code_brings_nobody_in_while_its_distributor_or_the_program_does_not(cast):
    code = code_of(cast.ben)

    Distributor.objects.filter(pk=cast.ben.pk).update(status="on_hold")
    with pytest.raises(ReferralRefused, match="brings nobody in at present"):
        enrol("Eve One", code)
    Distributor.objects.filter(pk=cast.ben.pk).update(status="active")
    ReferralProgram.objects.update(is_open=False)
    with pytest.raises(ReferralRefused, match="takes no invitations at present"):
        enrol("Eve One", code)

    assert Referral.objects.count() == 0


def test_nobody_refers_himself_or_who_was_there_before(cast):
    with pytest.raises(ReferralRefused, match="themselves"):
        attribute(distributor=cast.ben, actor=None, code=code_of(cast.ben))
    with pytest.raises(ReferralRefused, match="joined after"):
        attribute(distributor=cast.ben, actor=None, code=code_of(cast.stella))

    assert Referral.objects.count() == 0


def test_attributing_again_keeps_the_first_and_tells_nobody(cast):
    eve = enrol("Eve One", code_of(cast.ben))

    again = attribute(distributor=eve, actor=None, code=code_of(cast.stella))

    assert again.referrer == cast.ben
    assert Referral.objects.filter(referred=eve, tier=1).count() == 1
    ben = cast.user("ben")
    assert [stream for stream, _ in told("referral.created")] == [f"user:{ben.pk}", "staff"]


# What becomes of it


def test_the_first_paid_order_completes_it_once_and_a_second_changes_nothing(cast):
    eve = enrol("Eve One", code_of(cast.chloe), user=make_user("Eve One"))
    cast.distributors["eve"] = eve
    cast.buys("eve", 1, at("2026-11-04"), paid=False)
    assert Referral.objects.get().status == "pending"

    first = cast.buys("eve", 1, at("2026-11-05"))
    cast.buys("eve", 2, at("2026-11-06"))
    complete_referrals([PaidOrder(eve.pk, "O-2026-999999", at("2026-11-01"))])

    referral = Referral.objects.get()
    assert (referral.status, referral.first_order) == ("completed", first.number)
    assert referral.completed_at == at("2026-11-05")
    chloe = cast.user("chloe")
    assert [stream for stream, _ in told("referral.activated")] == [f"user:{chloe.pk}", "staff"]
    assert [row.status for row in referral.history.order_by("history_id")] == [
        "pending",
        "completed",
    ]


def test_it_is_completed_at_every_tier_and_only_whose_code_it_was_is_told(cast):
    eve = enrol("Eve One", code_of(cast.chloe))
    mia = enrol("Mia Two", code_of(eve))

    assert complete_referrals([PaidOrder(mia.pk, "O-2026-000001", at("2026-11-05"))]) == 1

    rows = Referral.objects.filter(referred=mia).order_by("tier")
    assert [(row.referrer, row.status) for row in rows] == [
        (eve, "completed"),
        (cast.chloe, "completed"),
    ]
    assert [stream for stream, _ in told("referral.activated")] == ["staff"]


def test_paying_to_join_and_a_sale_to_a_customer_complete_nothing(cast):
    eve = enrol("Eve One", code_of(cast.chloe))
    cast.distributors["eve"] = eve
    kit = place_order(
        customer=cast.own_account("eve"),
        lines=[OrderLine(product=cast.tea, quantity=1)],
        actor=None,
        order_class="enrolment_kit",
    )
    pay_order(order=kit, method="card", reference="kit", actor=None)
    cast.rosa.distributor = eve
    cast.rosa.save()
    cast.buys(cast.rosa, 1, at("2026-11-05"))

    assert Referral.objects.get().status == "pending"


def test_a_pending_referral_is_cancelled_at_all_tiers_and_the_referrer_reads_why(cast):
    eve = enrol("Eve One", code_of(cast.chloe))
    mia = enrol("Mia Two", code_of(eve))
    referral = Referral.objects.get(referred=mia, tier=2)

    cancel_referral(referral=referral, actor=cast.user("mona"), reason="Enrolled twice")

    assert {row.status for row in Referral.objects.filter(referred=mia)} == {"cancelled"}
    assert Referral.objects.get(referred=eve).status == "pending"
    assert [facts["reason"] for _, facts in told("referral.cancelled")] == ["Enrolled twice"]
    with pytest.raises(TransitionRefused):
        cancel_referral(referral=referral, actor=cast.user("mona"), reason="Again")


@pytest.mark.parametrize(
    ("browser", "device"),
    [
        (PHONE, "phone"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)", "tablet"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140 Mobile Safari", "phone"),
        ("Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140 Safari", "tablet"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "computer"),
        ("something else", "unknown"),
    ],
)
def test_of_the_browser_only_the_kind_of_device_is_kept(browser, device):
    assert device_of(browser) == device


@pytest.mark.parametrize("browser", ["", "WhatsApp/2.23", "facebookexternalhit/1.1", "Googlebot"])
def test_robots_that_look_before_people_do_are_no_clicks(cast, browser):
    assert record_click(current_code(cast.ben), browser) is None
    assert ReferralClick.objects.count() == 0


# What the database refuses


@pytest.fixture
def referred(cast):
    return enrol("Eve One", code_of(cast.chloe))


def insert(referrer, referred, tier):
    run(
        "insert into genealogy_referral (referrer_id, referred_id, tier, status, code_id, channel,"
        " first_order, cancelled_reason, created_at, updated_at)"
        " select %s, %s, %s, 'pending', id, 'code', '', '', now(), now()"
        " from genealogy_referralcode where distributor_id = %s",
        referrer.pk,
        referred.pk,
        tier,
        referrer.pk,
    )


def test_nobody_is_referred_twice_or_by_himself(cast, referred):
    with pytest.raises(IntegrityError, match="referred_once"):
        insert(cast.ben, referred, 1)
    with pytest.raises(IntegrityError, match="not_oneself"):
        insert(cast.ben, cast.ben, 1)
    with pytest.raises(IntegrityError, match="nobody stands at this tier"):
        insert(cast.ben, referred, 2)


def test_a_referral_is_not_rewritten(cast, referred):
    with pytest.raises(DatabaseError, match="made referral is final"):
        run("update genealogy_referral set referrer_id = %s", cast.ben.pk)
    with pytest.raises(IntegrityError, match="completed_by_order"):
        run("update genealogy_referral set status = 'completed'")
    complete_referrals([PaidOrder(referred.pk, "O-2026-000001", at("2026-11-05"))])
    with pytest.raises(DatabaseError, match="status is not allowed"):
        run("update genealogy_referral set status = 'pending'")
    with pytest.raises(DatabaseError, match="ended referral is final"):
        run("update genealogy_referral set first_order = 'O-2026-000002'")


def test_a_code_never_means_anybody_else(cast):
    with pytest.raises(DatabaseError, match="given code is final"):
        run("update genealogy_referralcode set distributor_id = %s", cast.ben.pk)
    with pytest.raises(IntegrityError, match="one_current"):
        run(
            "insert into genealogy_referralcode (distributor_id, code, is_current, created_at)"
            " values (%s, 'ABCDEFGH', true, now())",
            cast.ben.pk,
        )
    with pytest.raises(IntegrityError, match="readable"):
        run(
            "insert into genealogy_referralcode (distributor_id, code, is_current, created_at)"
            " values (%s, 'ABCDEFG0', false, now())",
            cast.ben.pk,
        )
