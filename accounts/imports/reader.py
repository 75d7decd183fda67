"""From the bytes of a .csv or .csv.gz to its lines, refusing what is not such a file in words."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from accounts.imports.errors import FileRefused, WrongEncoding

GZIP = b"\x1f\x8b"
NOT_TABLES = {
    b"PK\x03\x04": "this is a spreadsheet or a zip archive; save it as CSV",
    b"\xff\xfe": "this is UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "this is UTF-16 text; save it as UTF-8",
    b"%PDF": "this is a PDF document; a CSV file is needed",
}
LONGEST_LINE = 1_000_000
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}

Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Dialect:
    """How the file is written. Encodings are tried in order; the last one takes what comes."""

    delimiter: str = ","
    encodings: tuple[str, ...] = ("utf-8-sig",)


class Table:
    """An open file: its header, its lines one by one, and how far into the file they are."""

    def __init__(self, name: str, raw: IO[bytes], dialect: Dialect, encoding: str) -> None:
        self.name = name
        self.encoding = encoding
        self._raw = raw
        self._read = 0
        stream = _unpacked(raw)
        self._reader = csv.reader(
            _decoded(stream, encoding, name), delimiter=dialect.delimiter, strict=True
        )
        self.columns = self._header(dialect)

    @property
    def bytes_read(self) -> int:
        return self._raw.tell()

    def lines(self) -> Iterator[Line]:
        """Line number and cells of each line that is not blank. Raises FileRefused."""
        reader = self._reader
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                words = _encoding_words(error, self.encoding)
                raise WrongEncoding(self.name, words, reader.line_num + 1) from error
            except csv.Error as error:
                raise FileRefused(self.name, f"not well-formed CSV ({error})", number) from error
            except (OSError, EOFError, zlib.error) as error:
                raise FileRefused(self.name, _gzip_words(error), number) from error
            if cells:
                yield number, cells

    def _header(self, dialect: Dialect) -> list[str]:
        _, cells = next(self.lines(), (0, []))
        columns = [cell.strip() for cell in cells]
        if not any(columns):
            raise FileRefused(self.name, "the file is empty; a header line is needed")
        twice = sorted({column for column in columns if column and columns.count(column) > 1})
        if twice:
            raise FileRefused(self.name, f"the header names {', '.join(twice)} twice", 1)
        if len(columns) == 1:
            for delimiter, words in DELIMITERS.items():
                if delimiter != dialect.delimiter and delimiter in columns[0]:
                    wanted = DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
                    raise FileRefused(
                        self.name,
                        f"the columns are separated by {words}; the mapping says {wanted}",
                        1,
                    )
        return columns


@contextmanager
def open_table(path: Path, dialect: Dialect, *, encoding: str, name: str = "") -> Iterator[Table]:
    name = name or path.name
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileRefused(name, f"cannot be opened ({error.strerror})") from error
    with raw:
        start = raw.read(4)
        raw.seek(0)
        for magic, reason in NOT_TABLES.items():
            if start.startswith(magic):
                raise FileRefused(name, reason)
        yield Table(name, raw, dialect, encoding)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    start = raw.read(2)
    raw.seek(0)
    if start == GZIP:
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), 2**18)
    return raw


def _decoded(stream: IO[bytes], encoding: str, name: str) -> Iterator[str]:
    first = True
    number = 0
    while raw := stream.readline(LONGEST_LINE):
        number += 1
        if len(raw) == LONGEST_LINE:
            raise FileRefused(name, "the line is too long; line ends may be missing", number)
        if b"\0" in raw:
            raise FileRefused(name, "there is a NUL byte in the line", number)
        yield raw.decode(encoding if first else encoding.removesuffix("-sig"))
        first = False


def _encoding_words(error: UnicodeDecodeError, encoding: str) -> str:
    byte = error.object[error.start]
    name = encoding.removesuffix("-sig").upper()
    return f"byte 0x{byte:02x} is not {name}; save the file as {name} or name its encoding"


def _gzip_words(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the gzip file ends too early; it was cut off on its way"
    return f"the gzip file is damaged ({error})"
