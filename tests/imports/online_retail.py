"""The real file, and what becomes of it in pure Python: an oracle with no database in it."""

import csv
import gzip
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "data" / "online-retail"
ORDERS = FOLDER / "orders.csv.gz"
DISTRIBUTORS = FOLDER / "distributors.csv"
WITHOUT_VOLUME = re.compile(r"POST|DOT|M|C2|D|S|B|BANK CHARGES|AMAZONFEE|CRUK|GIFT_.*")


@dataclass
class Books:
    """What the file comes to when it is booked by the written rules, line after line."""

    lines: Counter = field(default_factory=Counter)
    amount: Counter = field(default_factory=Counter)
    volume: Counter = field(default_factory=Counter)
    """Pence of volume by customer and month; refunds in the month in which they happen."""


def account() -> Books:
    books = Books()
    shelf = defaultdict(list)
    began = {}
    with gzip.open(ORDERS, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            invoice = row["InvoiceNo"]
            began.setdefault(invoice, row["InvoiceDate"])
            quantity, price = int(row["Quantity"]), Decimal(row["UnitPrice"])
            state = _state(invoice, quantity, price)
            customer = row["CustomerID"].removesuffix(".0")
            key = (customer, row["StockCode"].strip().upper(), price)
            month = began[invoice][:7]
            if state == "sale":
                shelf[key].append([quantity])
            elif state == "cancellation":
                state = _take_back(shelf[key], -quantity)
            books.lines[state] += 1
            books.amount[state] += quantity * price
            if state in ("sale", "refund") and customer and not WITHOUT_VOLUME.fullmatch(key[1]):
                books.volume[customer, month] += int(quantity * price * 100)
    return books


def _state(invoice: str, quantity: int, price: Decimal) -> str:
    if invoice.startswith("A"):
        return "adjustment"
    if quantity < 0 and not invoice.startswith("C"):
        return "stock"
    if quantity * price != (quantity * price).quantize(Decimal("0.01")):
        return "fraction"
    return "cancellation" if invoice.startswith("C") else "sale"


def _take_back(sold: list[list[int]], wanted: int) -> str:
    if sum(pieces for (pieces,) in sold) < wanted:
        return "unmatched"
    for piece in reversed(sold):
        taken = min(piece[0], wanted)
        piece[0] -= taken
        wanted -= taken
    return "refund"
