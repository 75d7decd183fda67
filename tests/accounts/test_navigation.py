"""Each role finds its own way, and nobody is shown a door that does not open."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from accounts.context import Shell, navigation
from accounts.models import User

pytestmark = pytest.mark.django_db


def person(role: str) -> User:
    return User.objects.create_user(f"{role}@example.com", role=role)


def labels(user: User, path: str = "/") -> list[str]:
    request = RequestFactory().get(path)
    request.user = user
    return [item.label for section in navigation(request) for item in section.links]


def test_a_distributor_sees_the_portal_only():
    assert labels(person("distributor")) == [
        "Dashboard",
        "Genealogy",
        "Referrals",
        "Team",
        "Orders",
        "Earnings",
        "Ranks",
        "Payouts",
        "Plan",
        "Identity",
        "Privacy and contact",
        "Notifications",
    ]


def test_support_sees_no_money():
    shown = labels(person("support"))

    assert {"Identity review", "Distributors", "Orders"} <= set(shown)
    assert not {"Periods", "Payouts", "Payout batches", "Ledger", "Audit"} & set(shown)


def test_nobody_sees_nothing():
    assert labels(AnonymousUser()) == []


@pytest.mark.parametrize("role", ["admin", "manager", "support", "finance", "auditor"])
def test_every_item_opens(client: Client, role: str):
    user = person(role)
    client.force_login(user)
    request = RequestFactory().get("/")
    request.user = user

    for section in navigation(request):
        for item in section.links:
            assert client.get(item.url).status_code == 200, item.url


def test_the_closest_item_is_current():
    user = person("finance")
    request = RequestFactory().get("/admin/commerce/order/1/change/")
    request.user = user

    current = [item.label for s in navigation(request) for item in s.links if item.is_current]

    assert current == ["Orders"]


def test_a_person_without_a_profile_is_named_by_the_address():
    request = RequestFactory().get("/")
    request.user = person("finance")

    assert Shell(request).person == "finance"
