"""The suite reads the project: nothing is left unused, unworded or out of sight."""

import re
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import reverse

from accounts.event_types import EVENTS
from accounts.permissions import ROLE_PERMISSIONS

APPS = ["accounts", "genealogy", "commerce", "commissions", "compliance"]
ROOT = Path(settings.BASE_DIR)

# Shown inside another screen, or not meant for eyes at all.
WITHOUT_ADMIN = {
    "accounts.EventStream",
    "commerce.RefundItem",
    "commerce.VolumeCutoff",
    "commissions.CarriedState",
    "commissions.Estimate",
    "commissions.EstimatedAmount",
    "commissions.MeasuredPart",
    "commissions.RankChange",
    "commissions.Standing",
    "commissions.TrialEarning",
    "commissions.VolumeClaim",
    "compliance.KYCImage",
    "genealogy.DownlineExport",
    "genealogy.GenealogyNode",
    "genealogy.GenealogyPath",
}


def code_files() -> list[Path]:
    files = [path for app in ["mlmcrm", *APPS] for path in (ROOT / app).rglob("*.py")]
    return [path for path in files if "migrations" not in path.parts]


def all_code() -> str:
    return "\n".join(path.read_text() for path in code_files())


def test_every_model_is_in_the_admin_or_on_the_list():
    missing = {
        model._meta.label
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if not admin.site.is_registered(model) and not model.__name__.startswith("Historical")
    }

    assert missing == WITHOUT_ADMIN


def test_every_event_is_published_somewhere():
    code = all_code().replace(str(EVENTS), "")
    registry = (ROOT / "accounts" / "event_types.py").read_text()
    code = code.replace(registry, "")

    # A service may name the step alone: announce(payout, "approved") publishes payout.approved.
    silent = [
        name
        for name in EVENTS
        if f'"{name}"' not in code
        and not (f'f"{name.split(".")[0]}.{{' in code and f'"{name.split(".")[1]}"' in code)
    ]

    assert silent == []


def test_every_published_event_is_in_the_registry():
    published = set(re.findall(r'publish(?:_many)?\(\s*"([a-z_.]+)"', all_code()))

    assert published - set(EVENTS) == set()


def test_every_event_leads_to_a_page():
    for event in EVENTS.values():
        if event.url:
            reverse(event.url)


def test_every_template_is_used():
    templates = list((ROOT / "templates").rglob("*.html"))
    ours = [
        path.relative_to(ROOT / "templates").as_posix()
        for path in templates
        # Django, allauth and the admin look for theirs by name.
        if not re.match(
            r"(account|admin|allauth|django|registration|simple_history)/|\d+\.html$",
            path.relative_to(ROOT / "templates").as_posix(),
        )
    ]
    text = all_code() + "\n".join(path.read_text() for path in templates)

    def is_named(name: str) -> bool:
        quoted = (f'"{name}"', f"'{name}'", f'"{Path(name).name}"')
        return any(words in text for words in quoted)

    assert [name for name in ours if not is_named(name)] == []


def test_every_permission_of_a_role_exists(db):
    from django.contrib.auth.models import Permission

    known = {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in Permission.objects.select_related("content_type")
    }

    assert set().union(*ROLE_PERMISSIONS.values()) - known == set()


def test_every_model_says_what_a_row_means():
    unexplained = [
        model._meta.label
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.startswith("Historical")
        and (model.__doc__ or "").startswith(f"{model.__name__}(")
    ]

    assert unexplained == []


def test_no_file_is_longer_than_one_sitting():
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in code_files()
        if (lines := len(path.read_text().splitlines())) > 400
    }

    assert long == {}
