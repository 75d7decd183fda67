"""All 541,909 real lines: each is booked or rejected with its reason, and the sums prove it."""

import csv
from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.imports.kinds import KINDS
from accounts.imports.mapping import load_mapping
from accounts.imports.running import Import, run_import
from genealogy.models import GenealogyNode
from genealogy.services.tree_check import find_breaks
from tests.imports.online_retail import DISTRIBUTORS, ORDERS, account

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def single(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


@pytest.fixture
def imported(transactional_db, tmp_path):
    call_command("import_distributors", DISTRIBUTORS, verbosity=0)
    options = {"mapping": "online-retail", "on_error": "skip", "verbosity": 0}
    call_command("import_products", ORDERS, **options, rejects=tmp_path / "products.csv")
    kind = KINDS["orders"]
    return run_import(
        Import(
            kind=kind,
            mapping=load_mapping(kind, "online-retail"),
            path=ORDERS,
            on_error="skip",
            rejects_path=tmp_path / "rejects.csv",
        )
    )


def test_the_real_file_is_booked_to_the_last_unit(imported, tmp_path):
    expected = account()

    report = imported

    assert report.file.lines == 541_909
    assert report.file.amount == Decimal("9747747.934")
    assert report.accounted == report.file
    assert report.by_state["booked"].lines == expected.lines["sale"] + expected.lines["refund"]
    assert report.by_state["booked"].amount == expected.amount["sale"] + expected.amount["refund"]
    with (tmp_path / "rejects.csv").open(newline="") as file:
        reasons = Counter(row["reason"].partition(":")[0] for row in csv.DictReader(file))
    assert reasons == {
        "Cancellation without a sale": 1909,
        "Stock correction": 1336,
        "Cancellation of more than was bought": 59,
        "The line is not a whole number of hundredths": 4,
        "Accounting adjustment, not a sale": 3,
    }
    assert sum(reasons.values()) == sum(
        expected.lines[state] for state in ("unmatched", "stock", "fraction", "adjustment")
    )

    assert GenealogyNode.objects.filter(tree="sponsor").count() == 4372
    assert find_breaks() == []
    assert single("select sum(total) from commerce_order") == (expected.amount["sale"],)
    assert single("select sum(amount) from commerce_payment") == (expected.amount["sale"],)
    assert single("select -sum(amount) from commerce_refund") == (expected.amount["refund"],)
    assert single("select sum(lifetime_value) from commerce_customer") == (
        report.by_state["booked"].amount,
    )
    assert volume_by_customer_and_month() == {
        key: pence for key, pence in expected.volume.items() if pence
    }


def volume_by_customer_and_month():
    with connection.cursor() as cursor:
        cursor.execute(
            """select d.external_reference, to_char(v.counts_on, 'YYYY-MM'), sum(v.pv)
               from commerce_volumeentry v join genealogy_distributor d on d.id = v.distributor_id
               group by 1, 2 having sum(v.pv) <> 0"""
        )
        return {(customer, month): int(pv) for customer, month, pv in cursor.fetchall()}
