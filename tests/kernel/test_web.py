import json

import pytest
from django.db import connection
from django.test import override_settings
from django.urls import reverse

from mlmcrm import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
PAGES = ["/healthz", "/accounts/login/", "/admin/login/", "/no/such/page/", "/static/no-such.css"]


def directives(policy):
    return {part.split()[0]: part.split()[1:] for part in policy.split(";")}


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(client, path):
    response = client.get(path)

    assert directives(response["Content-Security-Policy"]) == directives(POLICY)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert "camera=()" in response["Permissions-Policy"]
    assert len(response["X-Request-ID"]) == 32


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["next=a%00b", "a%00=b", "next=/&next=%00"])
def test_an_address_with_a_nul_is_refused(client, query):
    response = client.get(f"/accounts/login/?{query}")

    assert response.status_code == 400
    assert "That request made no sense" in response.content.decode()
    assert len(response["X-Request-ID"]) == 32


@pytest.mark.django_db
@pytest.mark.parametrize("form", [{"login": "a\0b", "password": "c"}, {"login\0": "a"}])
def test_a_form_with_a_nul_is_refused(client, form):
    assert client.post("/accounts/login/", form).status_code == 400


@override_settings(SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=[r"^healthz$"])
def test_healthz_touches_nothing(client, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(web, "cache", None)

    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_readyz_is_ready_when_everything_is(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"database": True, "redis": True, "migrations": True}


@pytest.mark.django_db
def test_readyz_names_what_is_missing(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"database": True, "redis": True, "migrations": False}


@pytest.mark.django_db
def test_readyz_survives_a_lost_redis(client, settings):
    broken = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": broken}}

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["redis"] is False


@pytest.fixture
def request_lines(caplog):
    caplog.set_level("INFO")

    def lines(logger):
        return [record.msg for record in caplog.records if record.name == logger]

    return lines


def test_request_line_has_no_query_string(client, request_lines):
    response = client.get("/healthz?email=asha@example.com&key=canary")

    (line,) = request_lines("mlmcrm.requests")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/healthz", 200)
    assert line["request_id"] == response["X-Request-ID"]
    assert "canary" not in json.dumps(line, default=str)


def test_slow_request_is_marked(client, settings, request_lines):
    settings.SLOW_REQUEST_SECONDS = 0.0

    client.get("/healthz")

    (line,) = request_lines("mlmcrm.slow")
    assert (line["event"], line["slow"], line["path"]) == ("slow_request", True, "/healthz")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "6.6.6.6, 10.0.0.1", "10.0.0.1"),
        (2, "6.6.6.6, 10.0.0.1, 10.0.0.2", "10.0.0.1"),
        (2, "10.0.0.2", "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_tell_the_address(rf, settings, proxies, forwarded, address):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    request = rf.get("/", headers={"X-Forwarded-For": forwarded})

    assert web.client_address(request) == address


@pytest.mark.django_db
def test_sign_up_is_closed(client):
    response = client.post(
        reverse("account_signup"), {"email": "new@example.com", "password1": "x", "password2": "x"}
    )

    assert response.status_code == 200
    assert "account/signup_closed.html" in [t.name for t in response.templates]
