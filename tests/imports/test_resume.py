"""An import that is killed goes on where it was, and ends as if nothing had happened."""

import gzip
import os
import signal
import subprocess
import sys
import time
from itertools import islice

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import ImportJob
from tests import snapshot
from tests.imports.online_retail import DISTRIBUTORS, ORDERS
from tests.stack import ROOT, environ

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OPTIONS = {"mapping": "online-retail", "on_error": "skip", "verbosity": 0}
BOOKS = """
select (select count(*) from commerce_order), (select sum(total) from commerce_order),
       (select count(*) from commerce_orderitem), (select sum(amount) from commerce_payment),
       (select count(*) from commerce_refunditem), (select sum(amount) from commerce_refund),
       (select count(*) from commerce_volumeentry), (select sum(pv) from commerce_volumeentry),
       (select sum(lifetime_value) from commerce_customer),
       (select count(*) from commerce_historicalorder),
       (select md5(string_agg(o.external_reference || i.line_number || i.refunded_quantity, ','
               order by o.external_reference, i.line_number))
        from commerce_orderitem i join commerce_order o on o.id = i.order_id)
"""


def books():
    with connection.cursor() as cursor:
        cursor.execute(BOOKS)
        return cursor.fetchone()


@pytest.fixture
def part_of_the_file(tmp_path):
    path = tmp_path / "orders.csv"
    with gzip.open(ORDERS, "rt", encoding="utf-8", newline="") as file:
        path.write_text("".join(islice(file, 50_001)), encoding="utf-8")
    return path


def found(path):
    call_command("import_distributors", DISTRIBUTORS, verbosity=0)
    call_command("import_products", path, **OPTIONS)


def test_killed_import_is_completed_by_running_it_again(part_of_the_file, tmp_path):
    path = part_of_the_file
    found(path)
    call_command("import_orders", path, **OPTIONS, rejects=tmp_path / "calm.csv")
    undisturbed = books()
    connection.ensure_connection()
    snapshot.restore()
    found(path)

    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_orders", path, "--mapping=online-retail",
         "--on-error=skip"],
        cwd=ROOT, env=environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    job = ImportJob.objects.filter(kind="orders")
    while not job.filter(lines_done__gt=10_000).exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert job.get().status == "running"
    assert 0 < books()[0] < undisturbed[0]

    call_command("import_orders", path, **OPTIONS, rejects=tmp_path / "again.csv")

    assert books() == undisturbed
    job = job.get()
    assert job.status == "done"
    assert job.lines_unchanged > 9_000
    assert job.lines_booked + job.lines_unchanged + job.lines_rejected == 50_000
