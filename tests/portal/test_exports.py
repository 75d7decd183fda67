"""A downline as a file: ordered, made in the background, fetched by its reader, deleted."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent, Notification
from genealogy.models import Distributor, DownlineExport
from genealogy.services import exports
from tests.cast import Cast
from tests.portal.conftest import text_of
from tests.portal.lines import enrol_under

pytestmark = pytest.mark.django_db


def ordered(cast: Cast, name: str, **more) -> DownlineExport:
    facts = {"root": cast.distributors.get(name), "filters": {}, "columns": ["status", "pv"]}
    return exports.order_export(**facts | more, actor=cast.user(name))


def made(cast: Cast, name: str, **more) -> DownlineExport:
    export = ordered(cast, name, **more)
    exports.make_export(export.pk)
    export.refresh_from_db()
    return export


def rows_of(export: DownlineExport) -> list[list[str]]:
    text = exports.file_of(export).read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_file_holds_the_line_below_its_reader(cast: Cast) -> None:
    export = made(cast, "ben")

    assert (export.status, export.rows) == ("done", 2)
    assert rows_of(export) == [
        ["Number", "Name", "Level", "Sponsor", "Status", "PV this period"],
        [cast.chloe.number, "Chloe Martin", "1", cast.ben.number, "Active", "0.00"],
        [cast.dmitri.number, "Dmitri Orlov", "2", cast.chloe.number, "Active", "0.00"],
    ]


def test_the_filters_of_the_page_hold_for_the_file(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "asha")
    enrol_under(cast, "dmitri", 3)

    client.post("/genealogy/exports/new/", {"level": "4", "columns": ["joined", "rank"]})
    export = DownlineExport.objects.get()
    exports.make_export(export.pk)

    header, *rows = rows_of(export)
    assert header[4:] == ["Paid as", "Joined"]
    assert [row[2] for row in rows] == ["4", "4", "4"]


def test_nothing_in_the_file_can_start_a_formula(cast: Cast) -> None:
    Distributor.objects.filter(pk=cast.chloe.pk).update(display_name='=HYPERLINK("http://x")')
    Distributor.objects.filter(pk=cast.dmitri.pk).update(display_name="@SUM(A1)")

    export = made(cast, "ben")

    assert [row[1] for row in rows_of(export)[1:]] == ['\'=HYPERLINK("http://x")', "'@SUM(A1)"]


def test_a_reader_orders_only_what_lies_below(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")

    refused = client.post("/genealogy/exports/new/", {"root": cast.stella.number})
    allowed = client.post("/genealogy/exports/new/", {"root": cast.chloe.number})

    assert (refused.status_code, allowed.status_code) == (404, 302)
    assert DownlineExport.objects.get().root == cast.chloe


def test_an_empty_root_is_the_own_line_for_a_distributor_and_everybody_for_staff(
    cast: Cast, sign_in
) -> None:
    sign_in(cast, "ben").post("/genealogy/exports/new/")
    sign_in(cast, "mona").post("/genealogy/exports/new/")

    own, everybody = DownlineExport.objects.order_by("pk")
    exports.make_export(everybody.pk)

    assert (own.root, everybody.root) == (cast.ben, None)
    assert len(rows_of(everybody)) == 1 + 5


def test_a_filter_that_cannot_be_orders_nothing(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")

    response = client.post("/genealogy/exports/new/", {"level": "none"}, follow=True)

    assert "one of its filters is not valid" in text_of(response)
    assert not DownlineExport.objects.exists()


def test_one_export_at_a_time(cast: Cast, sign_in) -> None:
    ordered(cast, "ben")

    page = text_of(sign_in(cast, "ben").post("/genealogy/exports/new/", follow=True))

    assert "Another export is being made for you already." in page
    assert DownlineExport.objects.count() == 1


def test_only_its_reader_sees_and_fetches_it(cast: Cast, sign_in) -> None:
    export = made(cast, "ben")
    url = f"/genealogy/exports/{export.key}/file/"

    fetched = sign_in(cast, "ben").get(url)
    assert fetched.status_code == 200
    assert b"".join(fetched).startswith(b"\xef\xbb\xbfNumber,Name")
    assert f'filename="downline-{cast.ben.number}-' in fetched["Content-Disposition"]
    assert AuditEvent.objects.filter(action="downline_export.fetched").count() == 1
    for name in ("asha", "chloe", "ada"):
        client = sign_in(cast, name)
        assert client.get(url).status_code == 404
        assert "No exports yet" in text_of(client.get("/genealogy/exports/"))


def test_a_line_that_is_no_longer_the_reader_s_is_neither_made_nor_fetched(
    cast: Cast, sign_in
) -> None:
    done = made(cast, "mona", root=cast.ben)
    waiting = ordered(cast, "mona", root=cast.ben)
    mona = cast.user("mona")
    mona.role = "distributor"
    mona.save()

    exports.make_export(waiting.pk)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.error) == ("failed", "This line is not yours to see any more.")
    assert not exports.file_of(waiting).exists()
    assert sign_in(cast, "mona").get(f"/genealogy/exports/{done.key}/file/").status_code == 404


def test_the_reader_is_told_when_it_is_done(cast: Cast) -> None:
    made(cast, "ben")

    event = Notification.objects.get(user=cast.user("ben"), event__name="export.finished").event
    assert event.facts["outcome"] == "2 people. The file is kept for 7 days."


def test_making_it_twice_makes_it_once(cast: Cast) -> None:
    export = made(cast, "ben")
    written = exports.file_of(export).stat().st_mtime_ns

    assert exports.make_export(export.pk) is None
    assert exports.file_of(export).stat().st_mtime_ns == written
    assert Notification.objects.filter(event__name="export.finished").count() == 1


def test_an_interrupted_attempt_begins_again_and_gives_up_in_the_end(cast: Cast) -> None:
    export = ordered(cast, "ben")
    DownlineExport.objects.filter(pk=export.pk).update(status="running", attempts=2)
    assert exports.waiting_exports() == [export.pk]

    exports.make_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.attempts) == ("done", 3)

    other = ordered(cast, "ben")
    DownlineExport.objects.filter(pk=other.pk).update(attempts=3)
    exports.make_export(other.pk)
    other.refresh_from_db()
    assert (other.status, other.error) == ("failed", "The export was interrupted 3 times.")


def test_a_cancelled_export_leaves_no_file(cast: Cast, sign_in, monkeypatch) -> None:
    export = ordered(cast, "ben")
    client = sign_in(cast, "ben")

    page = text_of(client.post(f"/genealogy/exports/{export.key}/cancel/", follow=True))

    assert "The export is cancelled." in page
    assert exports.make_export(export.pk) is None
    assert not exports.file_of(export).exists()
    again = text_of(client.post(f"/genealogy/exports/{export.key}/cancel/", follow=True))
    assert "This export has ended already." in again


def test_a_cancel_while_it_is_made_stops_it(cast: Cast, monkeypatch) -> None:
    export = ordered(cast, "asha")
    monkeypatch.setattr(exports, "PART", 1)
    exports._count_attempt(export.pk)
    exports.cancel_export(export=export, actor=cast.user("asha"))

    with pytest.raises(exports._Stopped):
        exports._make(export.pk)

    assert list(exports.folder().glob(f"{export.key}*")) == []


def test_progress_is_told_part_by_part(cast: Cast, sign_in, monkeypatch) -> None:
    monkeypatch.setattr(exports, "PART", 2)
    export = made(cast, "asha")

    assert exports.progress_of(export) == (4, 4)
    DownlineExport.objects.create(ordered_by=cast.user("asha"), root=cast.asha)
    assert "Waiting for a worker" in text_of(sign_in(cast, "asha").get("/genealogy/exports/"))


def test_the_file_is_private_and_goes_when_its_time_is_over(cast: Cast, sign_in) -> None:
    export = made(cast, "ben")
    path = exports.file_of(export)
    assert path.stat().st_mode & 0o777 == 0o600
    assert export.delete_at - export.finished_at == timedelta(days=7)
    exports.delete_old_files()
    assert path.exists()

    DownlineExport.objects.filter(pk=export.pk).update(delete_at=timezone.now())
    exports.delete_old_files()

    export.refresh_from_db()
    assert export.status == "deleted"
    assert not path.exists()
    client = sign_in(cast, "ben")
    assert client.get(f"/genealogy/exports/{export.key}/file/").status_code == 404
    assert "Deleted" in text_of(client.get("/genealogy/exports/"))


def test_what_a_crash_left_behind_is_cleared_away(cast: Cast) -> None:
    import os

    left = exports.folder() / f"{uuid4()}.1.part"
    left.write_text("half a file")
    old = (timezone.now() - timedelta(days=9)).timestamp()
    os.utime(left, (old, old))

    exports.delete_old_files()

    assert not left.exists()


def test_the_database_keeps_what_was_ordered_and_its_course(cast: Cast) -> None:
    made(cast, "ben")

    for change, words in (
        ("status = 'running'", "status is not allowed"),
        ('filters = \'{"level": "1"}\'', "ordered export is final"),
        ("root_id = null", "ordered export is final"),
    ):
        with (
            pytest.raises(DatabaseError, match=words),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"update genealogy_downlineexport set {change}")
