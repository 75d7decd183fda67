"""Every route as every role, against the written table; a route without rows fails."""

from http.cookies import SimpleCookie

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import snapshot
from tests.access_table import ADMIN_MODELS, ROUTES, VIEWPOINTS, WITH_DESK
from tests.access_world import build
from tests.cast import gather

STAFF = ("admin", "manager", "support", "finance", "auditor")
ADMIN_PAGES = ("changelist", "add", "change", "delete", "history", "simple_history")
# Django's own helpers inside the admin: all of them behind the admin's door.
ADMIN_ITSELF = {
    "admin:index",
    "admin:login",
    "admin:logout",
    "admin:password_change",
    "admin:password_change_done",
    "admin:autocomplete",
    "admin:jsi18n",
    "admin:view_on_site",
    "admin:app_list",
}


def names(resolver, namespace=""):
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from names(entry, inner)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{namespace}{entry.name}"


def model_routes():
    for model in admin.site._registry:
        for page in ADMIN_PAGES:
            yield f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    """The world is made once and kept; what a request writes is rolled back."""
    with django_db_blocker.unblock():
        yield build(gather())
        snapshot.restore()


@pytest.fixture
def world(built, db):
    return built


def answers(world, method, url):
    """The status for each viewpoint, in the table's order; what one writes the next never sees."""
    for viewpoint in VIEWPOINTS:
        client = Client()
        client.cookies = SimpleCookie(world.cookies.get(viewpoint, {}))
        yield status_of(client, method, url)


def status_of(client, method, url):
    with transaction.atomic():
        response = getattr(client, method.lower())(url)
        if response.streaming:  # read to its end, which closes the file
            list(response)
        transaction.set_rollback(True)
    return response.status_code


def test_every_route_has_its_row():
    routes = set(names(get_resolver())) - ADMIN_ITSELF - set(model_routes())

    assert routes == {row.route for row in ROUTES}


def test_every_admin_model_has_its_row():
    registered = {model._meta.label_lower for model in admin.site._registry}

    assert registered == set(ADMIN_MODELS)


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row.method} {row.route}")
def test_route_answers_as_written(world, row):
    url = reverse(row.route, kwargs=world.arguments(row.arguments))

    assert list(answers(world, row.method, url)) == row.expected


@pytest.mark.parametrize("label", sorted(ADMIN_MODELS))
def test_admin_screens_answer_as_written(world, label):
    viewers, adders = ADMIN_MODELS[label]
    base = "admin:" + label.replace(".", "_")
    model = apps.get_model(label)
    pages = {
        reverse(f"{base}_changelist"): viewers,
        reverse(f"{base}_add"): adders,
    }
    if (pk := world.row_of(model)) is not None:
        pages |= {
            reverse(f"{base}_change", args=[pk]): viewers,
            reverse(f"{base}_history", args=[pk]): viewers,
            reverse(f"{base}_delete", args=[pk]): "",
        }
    for url, allowed in pages.items():
        leads_on = label in WITH_DESK and url.endswith("/change/")
        expected = [_expected(viewpoint, allowed, leads_on) for viewpoint in VIEWPOINTS]
        assert (url, list(answers(world, "GET", url))) == (url, expected)


def _expected(viewpoint, allowed, leads_on):
    if viewpoint == "anon":
        return 302
    if viewpoint not in STAFF:
        return 404
    if leads_on:  # to the work screen, which has its own row
        return 302
    return 200 if viewpoint in allowed.split() else 403
