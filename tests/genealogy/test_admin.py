from django.contrib import admin
from django.forms import modelform_factory
from django.test import RequestFactory

from genealogy.models import Distributor
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.referral_codes import current_code
from tests.cast import make_user


def test_saving_a_form_sets_no_figure_back_that_was_counted_meanwhile(cast):
    request = RequestFactory().post("/")
    request.user = cast.user("mona")
    screen = admin.site.get_model_admin(Distributor)
    opened = Distributor.objects.get(pk=cast.ben.pk)
    form = modelform_factory(Distributor, form=screen.form, fields=["notes"])(
        {"notes": "Prefers calls", "change_reason": "He asked"}, instance=opened
    )
    assert form.is_valid(), form.errors
    Distributor.objects.filter(pk=cast.ben.pk).update(lifetime_pv=12_300)

    screen.save_model(request, opened, form, change=True)

    saved = Distributor.objects.get(pk=cast.ben.pk)
    assert (saved.notes, saved.lifetime_pv) == ("Prefers calls", 12_300)
    newest = saved.history.latest()
    assert (newest.history_change_reason, newest.history_user) == ("He asked", request.user)


def test_an_account_given_to_a_distributor_shows_his_code(cast):
    request = RequestFactory().post("/")
    request.user = cast.user("mona")
    screen = admin.site.get_model_admin(Distributor)
    alone = enrol_distributor(
        sponsor=cast.ben, display_name="Eve One", joined_on=cast.ben.joined_on, actor=None
    )
    user = make_user("Eve One")
    form = modelform_factory(Distributor, form=screen.form, fields=["user"])(
        {"user": user.pk, "change_reason": "Invited"}, instance=alone
    )
    assert form.is_valid(), form.errors

    screen.save_model(request, alone, form, change=True)

    user.refresh_from_db()
    assert user.referral_code == current_code(alone).code
