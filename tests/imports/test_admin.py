"""Importing in the admin: nothing is booked before it was seen, and only what was seen."""

import stat
from html import unescape
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import AuditEvent, Event, ImportJob
from accounts.services import imports
from commerce.models import Product

PRICES = b"sku,name,price\nTEA,Tea,25.00\nMUG,Mug,dear\n"
ADD = "/admin/accounts/importjob/add/"


@pytest.fixture
def manager(cast, client, settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    sent = []
    monkeypatch.setattr(imports, "send_task", sent.append)
    client.force_login(cast.user("mona"))
    client.sent = sent
    return client


def upload(client, data=PRICES, name="prices.csv", **fields):
    fields = {"kind": "products", "mapping": "standard", "on_error": "skip", **fields}
    return client.post(ADD, {**fields, "file": SimpleUploadedFile(name, data)})


def words(response):
    return " ".join(unescape(strip_tags(response.content.decode())).split())


def page(job):
    return reverse("admin:accounts_importjob_change", args=[job.pk])


def test_upload_is_kept_privately_and_tried_out(manager):
    response = upload(manager)

    job = ImportJob.objects.get()
    assert response.url == page(job)
    assert (job.status, job.lines_total) == ("previewed", 2)
    assert stat.S_IMODE(Path(job.file_path).stat().st_mode) == 0o600
    assert not Product.objects.exists()
    shown = words(manager.get(page(job)))
    assert "price is not a number: dear" in shown
    assert "Would be booked" in shown
    assert "Import 2 lines" in shown


def test_confirmed_file_is_booked_by_the_worker(manager, cast, django_capture_on_commit_callbacks):
    upload(manager)
    job = ImportJob.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        manager.post(
            reverse("admin:accounts_importjob_confirm", args=[job.pk]), {"sha256": job.file_sha256}
        )

    assert manager.sent == [job.pk]
    imports.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.lines_booked, job.lines_rejected) == ("done", 1, 1)
    assert Product.objects.get().sku == "TEA"
    assert Event.objects.filter(name="import.finished").count() >= 1
    assert AuditEvent.objects.filter(action="import.confirmed", actor=cast.user("mona")).exists()
    rejects = manager.get(reverse("admin:accounts_importjob_rejects", args=[job.pk]))
    assert b"".join(rejects.streaming_content).decode().splitlines() == [
        "line,column,reason,sku,name,price",
        "3,price,price is not a number: dear,MUG,Mug,dear",
    ]


def test_running_import_shows_how_far_it_is(manager):
    upload(manager)
    ImportJob.objects.update(status="running", lines_total=200, lines_done=50)
    job = ImportJob.objects.get()

    part = words(manager.get(page(job), headers={"HX-Request": "true"}))

    assert "50 of 200" in part
    assert "Stop after this part" in part
    ImportJob.objects.update(status="done")
    assert manager.get(page(job), headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_another_file_than_the_previewed_one_is_not_booked(manager):
    upload(manager)
    job = ImportJob.objects.get()
    confirm = reverse("admin:accounts_importjob_confirm", args=[job.pk])

    refused = manager.post(confirm, {"sha256": "0" * 64}, follow=True)

    assert "This is not the file that was previewed" in words(refused)
    assert ImportJob.objects.get().status == "previewed"

    manager.post(confirm, {"sha256": job.file_sha256})
    Path(job.file_path).write_bytes(b"sku,name,price\nGOLD,Gold,1.00\n")
    imports.run_job(job.pk)

    job.refresh_from_db()
    assert job.status == "stopped"
    assert "not the file that was looked at before" in job.report["error"]
    assert not Product.objects.exists()


def test_stopped_import_says_where(manager):
    upload(manager, on_error="stop")
    ImportJob.objects.update(status="queued")
    job = ImportJob.objects.get()

    imports.run_job(job.pk)

    shown = words(manager.get(page(job)))
    assert "prices.csv, line 3, column price: price is not a number: dear" in shown
    assert not Product.objects.exists()


def test_cancelled_import_books_no_further_part(manager, monkeypatch):
    monkeypatch.setattr("accounts.imports.running.Import.part_size", 1, raising=False)
    lines = b"".join(b"SKU%d,Name,1.00\n" % n for n in range(6))
    upload(manager, b"sku,name,price\n" + lines)
    job = ImportJob.objects.get()
    manager.post(reverse("admin:accounts_importjob_cancel", args=[job.pk]))

    imports.run_job(job.pk)

    job.refresh_from_db()
    assert job.status == "cancelled"
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("data", "fields", "reason"),
    [
        (b"", {}, "The submitted file is empty"),
        (b"PK\x03\x04", {}, "this is a spreadsheet or a zip archive"),
        (b"sku;name;price\n", {}, "the columns are separated by a semicolon"),
        (PRICES, {"kind": "distributors", "mapping": "online-retail"}, "There is no mapping"),
        (PRICES, {"kind": "houses"}, "Select a valid choice"),
    ],
)
def test_bad_upload_says_why_and_keeps_nothing(manager, tmp_path, data, fields, reason):
    response = upload(manager, data, **fields)

    assert reason in words(response)
    assert not ImportJob.objects.exists()
    assert list(tmp_path.glob("imports/*")) == []


def test_finance_may_look_but_not_import(manager, cast):
    upload(manager)
    job = ImportJob.objects.get()
    manager.force_login(cast.user("fiona"))

    assert manager.get(page(job)).status_code == 200
    assert manager.get(ADD).status_code == 403
    confirm = reverse("admin:accounts_importjob_confirm", args=[job.pk])
    assert manager.post(confirm, {"sha256": job.file_sha256}).status_code == 403
    assert ImportJob.objects.get().status == "previewed"


def test_rejects_outside_the_folder_are_not_served(manager, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("x")
    upload(manager)
    ImportJob.objects.update(status="done", rejects_path=str(secret))
    job = ImportJob.objects.get()

    response = manager.get(reverse("admin:accounts_importjob_rejects", args=[job.pk]))

    assert response.status_code == 404
