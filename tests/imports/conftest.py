"""Short ways to write a file and import it."""

import csv
import gzip
from pathlib import Path

import pytest

from accounts.imports.kinds import KINDS
from accounts.imports.mapping import load_mapping
from accounts.imports.running import Import, run_import

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


class Files:
    """Writes files into a folder of the test and imports them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rejects = folder / "rejects.csv"

    def write(self, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        data = text.encode(encoding)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    def book(self, kind, path, mapping="standard", **options):
        if isinstance(path, str):
            path = self.write(path)
        options = {"on_error": "skip", "rejects_path": self.rejects, **options}
        return run_import(
            Import(
                kind=KINDS[kind], mapping=load_mapping(KINDS[kind], mapping), path=path, **options
            )
        )

    def orders(self, *lines, **options):
        """Import lines in the form of the Online Retail data."""
        text = "\n".join([HEADER, *lines]) + "\n"
        return self.book("orders", text, "online-retail", **options)

    def reasons(self):
        """(line, column, reason) of each line in the rejects file."""
        with self.rejects.open(newline="") as file:
            return [(int(r["line"]), r["column"], r["reason"]) for r in csv.DictReader(file)]


@pytest.fixture
def files(db, tmp_path):
    return Files(tmp_path)


@pytest.fixture
def shop(files):
    """Three distributors, 1 > 2 > 3, whose customer numbers are 11, 22 and 33, and three goods."""
    files.book(
        "distributors",
        "distributor_number,sponsor_number,joined_on,customer_id,country\n"
        "D-000001,,2010-12-01,11,United Kingdom\n"
        "D-000002,D-000001,2010-12-01,22,United Kingdom\n"
        "D-000003,D-000002,2010-12-01,33,France\n",
    )
    files.book(
        "products",
        f"{HEADER}\n"
        "1,MUG,Mug,1,2010-12-01 08:00:00,2.55,11,UK\n"
        "1,BOX,Box,1,2010-12-01 08:00:00,10.00,11,UK\n"
        "1,POST,Postage,1,2010-12-01 08:00:00,18.00,11,UK\n",
        "online-retail",
    )
    return files
