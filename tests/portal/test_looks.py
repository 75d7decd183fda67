"""Whose page staff open, in the portal or in the admin, stands in the audit trail."""

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from tests.access_world import identified
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def looks() -> list[tuple[str, str]]:
    rows = AuditEvent.objects.filter(action__endswith=".viewed").order_by("pk")
    return list(rows.values_list("action", "entity_id"))


def admin_page(row, page="change") -> str:
    name = f"{row._meta.app_label}_{row._meta.model_name}"
    return reverse(f"admin:{name}_{page}", args=[row.pk])


def test_a_record_of_a_person_is_not_opened_without_a_trace(cast: Cast, sign_in) -> None:
    client, user = sign_in(cast, "sam"), cast.user("chloe")
    rosa = cast.rosa

    for row in (user, user.profile, cast.chloe, rosa):
        assert client.get(admin_page(row)).status_code == 200
        assert client.get(admin_page(row, "history")).status_code == 200

    expected = [
        ("user.viewed", str(user.pk)),
        ("profile.viewed", str(user.pk)),
        ("distributor.viewed", cast.chloe.number),
        ("customer.viewed", rosa.number),
    ]
    assert looks() == [look for look in expected for _ in range(2)]
    assert {row.actor for row in AuditEvent.objects.filter(action__endswith=".viewed")} == {
        cast.user("sam")
    }


def test_earnings_ranks_and_papers_of_a_person_too(cast: Cast, sign_in) -> None:
    document = identified(cast.user("chloe"), cast.user("ada"))
    client, number = sign_in(cast, "otto"), cast.chloe.number

    for name in ("earnings", "ranks"):
        page = f"{reverse(f'commissions:{name}')}?distributor={number}"
        assert client.get(page).status_code == 200
    steps = f"{reverse('commissions:rank_steps')}?distributor={number}"
    client.get(steps, headers={"HX-Request": "true"})
    client.get(reverse("admin:compliance_kycdocument_review", args=[document.number]))

    assert looks() == [
        ("distributor.viewed", number),
        ("distributor.viewed", number),
        ("kyc.viewed", document.number),
    ]
    pages = AuditEvent.objects.filter(action="distributor.viewed").order_by("pk")
    assert [row.after["page"] for row in pages] == ["commissions:earnings", "commissions:ranks"]


def test_only_what_was_seen_is_kept(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")
    for url in (
        admin_page(cast.user("chloe")),
        admin_page(cast.chloe),
        reverse("genealogy:distributor", args=[cast.chloe.number]),
        reverse("commissions:earnings"),
        reverse("commissions:ranks"),
    ):
        client.get(url)
    staff = sign_in(cast, "sam")
    staff.post(admin_page(cast.user("chloe")), {"email": "x"})
    staff.get(reverse("admin:accounts_user_change", args=[999_999]))

    assert looks() == []
