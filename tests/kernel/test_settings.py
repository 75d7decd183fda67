import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(b"k" * 32).decode()
PRODUCTION = {
    "MLMCRM_ENV": "production",
    "SECRET_KEY": "for-the-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz",
    "FIELD_KEYS": f"k2:{KEY},k1:{KEY}",
    "INDEX_KEY": KEY,
    "ALLOWED_HOSTS": "portal.example.com",
    "DATABASE_URL": "postgresql://app:p%40ss@db.example.com:6432/mlmcrm?sslmode=require",
    "REDIS_URL": "redis://cache.example.com:6379/0",
}


def settings_in(tmp_path, question, **environ):
    """Loads the settings in a process of its own and answers a question about them."""
    return subprocess.run(
        [sys.executable, "-c", f"from mlmcrm import settings as s; print({question})"],
        env={"PATH": os.defpath, "MLMCRM_DATA_DIR": str(tmp_path), **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "FIELD_KEYS", "INDEX_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"]
)
def test_production_does_not_start_without(tmp_path, name):
    rest = {key: value for key, value in PRODUCTION.items() if key != name}

    answer = settings_in(tmp_path, "s.DEBUG", **rest)

    assert answer.returncode == 1
    assert f"The environment variable {name} is not set." in answer.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIELD_KEYS", "k1:c2hvcnQ="),
        ("FIELD_KEYS", ","),
        ("INDEX_KEY", "not base64"),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("COMPANY_TIMEZONE", "Europe/Nowhere"),
        ("DATABASE_POOL_SIZE", "many"),
        ("SSL_REDIRECT", "perhaps"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(tmp_path, name, value):
    environ = PRODUCTION | {"MLMCRM_PROCESS": "web", name: value}

    answer = settings_in(tmp_path, "s.DEBUG", **environ)

    assert answer.returncode == 1
    assert f"The environment variable {name} cannot be read." in answer.stderr
    assert value not in answer.stderr.splitlines()[-1]


def test_production_is_the_default_and_never_debugs(tmp_path):
    environ = {k: v for k, v in PRODUCTION.items() if k != "MLMCRM_ENV"} | {"DEBUG": "1"}

    answer = settings_in(
        tmp_path, "s.DEBUG, s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT", **environ
    )

    assert answer.stdout == "False True True\n"


def test_production_reads_the_database_address(tmp_path):
    answer = settings_in(
        tmp_path,
        "*(s.DATABASES['default'][k] for k in ('NAME', 'USER', 'PASSWORD', 'HOST', 'PORT')),"
        "s.DATABASES['default']['OPTIONS']['sslmode'], list(s.FIELD_KEYS)",
        **PRODUCTION,
    )

    assert answer.stdout == "mlmcrm app p@ss db.example.com 6432 require ['k2', 'k1']\n"


@pytest.mark.parametrize(("process", "limited"), [("web", True), ("worker", False)])
def test_only_the_web_limits_statements_and_pools(tmp_path, process, limited):
    answer = settings_in(
        tmp_path,
        "'statement_timeout=15s' in s.DATABASES['default']['OPTIONS']['options'],"
        "'pool' in s.DATABASES['default']['OPTIONS']",
        MLMCRM_PROCESS=process,
        **PRODUCTION,
    )

    assert answer.stdout == f"{limited} {limited}\n"


def test_development_makes_its_secrets_once_and_keeps_them_private(tmp_path):
    first = settings_in(tmp_path, "s.SECRET_KEY", MLMCRM_ENV="development")
    second = settings_in(tmp_path, "s.SECRET_KEY", MLMCRM_ENV="development")

    assert len(first.stdout) > 50
    assert first.stdout == second.stdout
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_the_settings_of_a_test_process_name_the_redis_of_its_children(settings):
    assert settings.CACHES["default"]["LOCATION"] == os.environ["CACHE_URL"]
    assert os.environ["REDIS_URL"] == settings.CELERY_BROKER_URL
