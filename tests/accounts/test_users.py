"""Who may come in: suspension, return and change of role."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import AuditEvent, Event, User
from accounts.services.users import change_role, reactivate_user, suspend_user

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_suspension_signs_the_person_out_and_says_why(cast) -> None:
    chloe, ada = cast.user("chloe"), cast.user("ada")
    client = signed_in(chloe)
    assert client.get("/notifications/").status_code == 200

    suspend_user(user=chloe, actor=ada, reason="Chargebacks")

    assert client.get("/notifications/").status_code == 302
    chloe.refresh_from_db()
    assert (chloe.status, chloe.is_active, chloe.suspended_reason, chloe.authz_version) == (
        "suspended",
        False,
        "Chargebacks",
        1,
    )
    event = AuditEvent.objects.get(action="user.suspended")
    assert (event.actor, event.entity_id, event.reason) == (ada, str(chloe.pk), "Chargebacks")
    assert event.before == {"status": "active", "suspended_reason": ""}
    row = chloe.history.first()
    assert (row.history_user_id, row.history_change_reason) == (ada.pk, "Chargebacks")
    assert Event.objects.filter(name="user.suspended").count() == 2


def test_reactivation_lets_the_person_in_again(cast) -> None:
    chloe, ada = cast.user("chloe"), cast.user("ada")
    suspend_user(user=chloe, actor=ada, reason="Chargebacks")

    reactivate_user(user=chloe, actor=ada, reason="Settled")

    chloe.refresh_from_db()
    assert (chloe.status, chloe.suspended_reason, chloe.authz_version) == ("active", "", 2)
    assert signed_in(chloe).get("/notifications/").status_code == 200


def test_role_counts_from_the_next_request(cast) -> None:
    sam, ada = cast.user("sam"), cast.user("ada")
    client = signed_in(sam)
    assert client.get("/admin/compliance/kycdocument/").status_code == 200

    change_role(user=sam, role="finance", actor=ada, reason="Moved")

    assert client.get("/admin/compliance/kycdocument/").status_code == 403
    assert User.objects.get(pk=sam.pk).has_perm("commissions.close_period")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ada, sam: suspend_user(user=ada, actor=ada, reason="x"), "his own access"),
        (lambda ada, sam: suspend_user(user=sam, actor=ada, reason=" "), "reason is needed"),
        (lambda ada, sam: reactivate_user(user=sam, actor=ada, reason="x"), "active already"),
        (lambda ada, sam: suspend_user(user=ada, actor=sam, reason="x"), "last active admin"),
        (
            lambda ada, sam: change_role(user=ada, role="support", actor=sam, reason="x"),
            "last active admin",
        ),
        (lambda ada, sam: change_role(user=sam, role="king", actor=ada, reason="x"), "no such"),
        (
            lambda ada, sam: change_role(user=sam, role="support", actor=ada, reason="x"),
            "role already",
        ),
    ],
)
def test_change_of_access_that_makes_no_sense_is_refused(cast, change, message: str) -> None:
    ada, sam = cast.user("ada"), cast.user("sam")

    with pytest.raises(ValidationError, match=message):
        change(ada, sam)

    assert not AuditEvent.objects.filter(action__startswith="user.").exists()
    assert User.objects.get(pk=ada.pk).authz_version == 0


def test_sign_in_and_out_are_recorded_without_the_session_key(cast) -> None:
    client = signed_in(cast.user("chloe"))
    key = client.cookies["sessionid"].value

    client.post("/accounts/logout/")

    rows = AuditEvent.objects.filter(action__startswith="user.").order_by("pk")
    assert [row.action for row in rows] == ["user.signed_in", "user.signed_out"]
    assert rows[1].actor == cast.user("chloe")
    assert rows[1].session_id
    assert key not in rows[1].session_id


def test_admin_suspends_through_the_service_with_a_reason(cast) -> None:
    chloe, client = cast.user("chloe"), signed_in(cast.user("ada"))
    address = f"/admin/accounts/user/{chloe.pk}/access/suspend/"
    assert b"signed out at once" in client.get(address).content

    client.post(address, {"reason": ""})
    chloe.refresh_from_db()
    assert chloe.status == "active"

    client.post(address, {"reason": "Chargebacks"})
    chloe.refresh_from_db()
    assert chloe.status == "suspended"


def test_admin_action_asks_first_and_reports_each_refusal(cast) -> None:
    ada, chloe, client = cast.user("ada"), cast.user("chloe"), signed_in(cast.user("ada"))
    chosen = {"action": "suspend_chosen", "_selected_action": [ada.pk, chloe.pk]}

    page = client.post("/admin/accounts/user/", chosen)
    assert b"chloe@example.com" in page.content
    assert User.objects.filter(status="suspended").count() == 0

    page = client.post(
        "/admin/accounts/user/", {**chosen, "confirmed": "yes", "reason": "Audit"}, follow=True
    )
    assert list(User.objects.filter(status="suspended")) == [chloe]
    assert "Nobody changes his own access." in page.content.decode()


@pytest.mark.parametrize("name", ["mona", "sam", "fiona", "otto"])
def test_only_admins_change_access(cast, name: str) -> None:
    chloe = cast.user("chloe")

    answer = signed_in(cast.user(name)).post(
        f"/admin/accounts/user/{chloe.pk}/access/suspend/", {"reason": "x"}
    )

    assert answer.status_code == 403
    chloe.refresh_from_db()
    assert chloe.status == "active"


@pytest.mark.parametrize("model", ["user", "profile", "auditevent", "event", "notification"])
def test_lists_open_with_one_number_of_queries(
    cast, model: str, django_assert_max_num_queries
) -> None:
    client = signed_in(cast.user("ada"))
    client.get(f"/admin/accounts/{model}/")

    with django_assert_max_num_queries(16):
        assert client.get(f"/admin/accounts/{model}/", {"q": "chloe"}).status_code == 200


def test_user_is_opened_changed_with_a_reason_and_added(cast) -> None:
    chloe, client = cast.user("chloe"), signed_in(cast.user("ada"))
    address = f"/admin/accounts/user/{chloe.pk}/change/"
    assert b"Change role" in client.get(address).content

    client.post(
        "/admin/accounts/user/add/", {"email": "Nora@Example.com", "phone": "", "role": "support"}
    )

    nora = User.objects.get(email="nora@example.com")
    assert (nora.role, nora.has_usable_password(), nora.created_by) == (
        "support",
        False,
        cast.user("ada"),
    )
