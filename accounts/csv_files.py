"""CSV files to download: streamed row by row, and harmless in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_text(value: Any) -> str:
    """Text that a spreadsheet takes for text: a leading formula sign is put behind a quote."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class _Echo:
    """A file that hands each written row straight back, for a streaming response."""

    def write(self, row: str) -> str:
        return row


def csv_response(
    name: str, headings: Iterable[str], rows: Iterable[Iterable[Any]]
) -> StreamingHttpResponse:
    """A download of that file name, with the mark by which spreadsheets know UTF-8."""
    response = StreamingHttpResponse(_lines(headings, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(headings)
    for row in rows:
        yield writer.writerow(row)
