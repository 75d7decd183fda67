"""The register, read again by readers that know nothing of the writer."""

import csv
import hashlib
import io
from decimal import Decimal

import openpyxl
import pytest

from commissions.services import batches
from commissions.services.registers import inert
from tests.payouts.company import approved, exported


@pytest.fixture
def batch(asha, ben, fiona, felix):
    items = [approved(asha, felix, "100.10"), approved(ben, felix, "20.05")]
    return exported(fiona, felix, *items)


def content_of(batch, file_format):
    file = batch.files.get(format=file_format)
    return file, batches.open_file(file=file, actor=batch.created_by)


def test_csv_totals_equal_batch_and_file_row(batch):
    file, content = content_of(batch, "csv")

    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    header, items, total = rows[0], rows[1:3], rows[3]
    amount = header.index("amount")
    summed = sum(Decimal(row[amount]) for row in items)
    facts = dict(row for row in rows[5:])
    assert summed == Decimal(total[amount]) == Decimal("120.15")
    assert summed == batch.control_sum == file.control_sum == Decimal(facts["control_sum"])
    assert (total[0], total[1], facts["payouts"]) == ("Total", "2", "2")
    assert facts["batch"] == batch.number
    assert facts["content_sha256"] == batch.content_hash
    assert facts["generated_at_utc"].endswith("+00:00")
    assert facts["generated_at_local"]
    assert hashlib.sha256(content).hexdigest() == file.sha256


def test_csv_keeps_leading_zeros_and_makes_formulas_inert(batch):
    _, content = content_of(batch, "csv")

    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    assert (rows[0]["account"], rows[0]["routing"]) == ("00900001", "010203")
    assert rows[1]["beneficiary"] == "'=HYPERLINK(1)"


def test_xlsx_totals_equal_batch_and_cells_are_typed(batch):
    file, content = content_of(batch, "xlsx")

    book = openpyxl.load_workbook(io.BytesIO(content))

    sheet = book["Payouts"]
    header = [cell.value for cell in sheet[1]]
    column = {name: header.index(name) for name in header}
    items = [list(sheet[line]) for line in (2, 3)]
    amounts = [Decimal(str(row[column["amount"]].value)) for row in items]
    total = Decimal(str(sheet[4][column["amount"]].value))
    assert sum(amounts) == total == batch.control_sum == file.control_sum
    assert items[0][column["account"]].value == "00900001"
    assert items[0][column["account"]].number_format == "@"
    assert items[1][column["beneficiary"]].value == "=HYPERLINK(1)"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    facts = {row[0].value: row[1].value for row in book["Batch"].iter_rows()}
    assert facts["content_sha256"] == batch.content_hash
    assert facts["control_sum"] == "120.15"


@pytest.mark.parametrize("start", [*"=+-@|%", "\t", "\r", "\n"])
def test_text_that_a_spreadsheet_would_run_is_inert(start):
    assert inert(f"{start}1+1") == f"'{start}1+1"


def test_ordinary_text_is_left_alone():
    assert inert("Asha Rao") == "Asha Rao"
