"""How the columns of somebody else's file become our values: a declaration, checked when read."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.imports import cells
from accounts.imports.errors import CellRefused, MappingRefused
from accounts.imports.kinds import Field, ImportKind, Record
from accounts.imports.reader import Dialect

SECTION_KEYS = {"about", "fields", "reject", "delimiter", "encodings", "timezone", "number"}
FIELD_KEYS = {"column", "constant", "default", "template", "values", "formats", "transform"}
FIELD_KEYS |= {"pattern", "optional"}
TRANSFORMS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "spaces": lambda text: " ".join(text.split()),
}


@dataclass(frozen=True)
class Refusal:
    """Lines whose field matches the pattern are not for the books, for this reason."""

    field: str
    pattern: re.Pattern[str]
    reason: str


@dataclass
class Source:
    """Where one field comes from: a column of the file, or a constant, or made from others."""

    name: str
    kind: Field
    convert: cells.Converter
    column: str = ""
    constant: Any = None
    template: str = ""
    default: Any = None
    values: dict[str, str] = field(default_factory=dict)
    transforms: list[Callable[[str], str]] = field(default_factory=list)
    pattern: re.Pattern[str] | None = None
    is_optional_column: bool = False
    place: int = -1

    def read(self, row: list[str]) -> Any:
        """The value of the field in this row. Raises CellRefused."""
        if self.place < 0:
            return self.constant
        cell = row[self.place].strip()
        for transform in self.transforms:
            cell = transform(cell)
        if self.values:
            cell = self.values.get(cell, cell)
        if not cell:
            if self.kind.required and self.default is None:
                raise CellRefused("empty")
            return self.default
        if self.pattern:
            match = self.pattern.fullmatch(cell)
            if not match:
                raise CellRefused("not in the expected form")
            cell = match[1] if self.pattern.groups else cell
        return self.convert(cell)


@dataclass
class Mapping:
    name: str
    kind: ImportKind
    dialect: Dialect
    sources: list[Source]
    refusals: list[Refusal]
    options: dict[str, Any]
    width: int = 0

    def bind(self, columns: list[str], file: str) -> None:
        """Find the columns in the header. Raises MappingRefused for those that are missing."""
        missing = []
        for source in self.sources:
            if not source.column:
                continue
            if source.column in columns:
                source.place = columns.index(source.column)
            elif not source.is_optional_column:
                missing.append(source.column)
        if missing:
            raise MappingRefused(
                f"{file}, line 1: the mapping {self.name} wants the column"
                f"{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
                f"the file has {', '.join(columns)}"
            )
        self.width = len(columns)

    def column_of(self, name: str) -> str:
        """What the file calls a field."""
        return next((s.column for s in self.sources if s.name == name and s.column), name)

    def place_of(self, name: str) -> int:
        return next((s.place for s in self.sources if s.name == name), -1)

    @property
    def group_place(self) -> int:
        return self.place_of(self.kind.group) if self.kind.group else -1

    def pattern_option(self, name: str) -> list[re.Pattern[str]]:
        """An option that is a list of patterns, compiled."""
        return [_pattern(self.name, text) for text in self.options.get(name, [])]

    def fill(self, record: Record) -> None:
        """Read the line's cells into values, or reject it with column and reason."""
        row, values = record.cells, record.values
        if len(row) != self.width:
            record.reject("", "Wrong number of cells", f"{len(row)} instead of {self.width}")
            return
        for source in self.sources:
            try:
                values[source.name] = source.read(row)
            except CellRefused as error:
                cell = row[source.place].strip()[:60]
                column = source.column
                record.reject(column, f"{column} is {error}", cell)
                return
        for source in self.sources:
            if source.template and values[source.name] is None:
                values[source.name] = source.template.format_map(values)
        for refusal in self.refusals:
            if refusal.pattern.fullmatch(str(values[refusal.field] or "")):
                record.reject(self.column_of(refusal.field), refusal.reason)
                return


def load_mapping(kind: ImportKind, name: str) -> Mapping:
    """The mapping of that name beside the kind's app, or from a path to a JSON file."""
    path = Path(name) if name.endswith(".json") else kind.mappings / f"{name}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(mapping_names(kind))
        raise MappingRefused(f"There is no mapping {name}; there are {known}.") from error
    except ValueError as error:
        raise MappingRefused(f"{path.name} is not valid JSON ({error}).") from error
    if not isinstance(document, dict) or kind.name not in document:
        raise MappingRefused(f"The mapping {name} says nothing of {kind.name}.")
    return read_mapping(kind, name, document[kind.name])


def mapping_names(kind: ImportKind) -> list[str]:
    """The mappings that can be chosen for a kind."""
    names = []
    for path in sorted(kind.mappings.glob("*.json")):
        if kind.name in json.loads(path.read_text(encoding="utf-8")):
            names.append(path.stem)
    return sorted(names, key=lambda name: (name != "standard", name))


def read_mapping(kind: ImportKind, name: str, section: dict[str, Any]) -> Mapping:
    _only(section, SECTION_KEYS | kind.options, f"The mapping {name}")
    declared = section.get("fields", {})
    _only(declared, set(kind.fields), f"The mapping {name}")
    lacking = [key for key, kept in kind.fields.items() if kept.required and key not in declared]
    if lacking:
        raise MappingRefused(f"The mapping {name} does not say {', '.join(lacking)}.")
    number = section.get("number", {})
    zone = ZoneInfo(section.get("timezone") or settings.COMPANY_TIMEZONE)
    sources = [
        _source(name, key, kind.fields[key], declared.get(key, {"constant": None}), number, zone)
        for key in kind.fields
    ]
    return Mapping(
        name=Path(name).stem,
        kind=kind,
        dialect=Dialect(
            delimiter=section.get("delimiter", ","),
            encodings=tuple(section.get("encodings", ["utf-8-sig"])),
        ),
        sources=sources,
        refusals=[_refusal(name, kind, item) for item in section.get("reject", [])],
        options={key: section[key] for key in kind.options if key in section},
    )


def _source(
    mapping: str, name: str, kind: Field, said: dict[str, Any], number: dict[str, str], zone: Any
) -> Source:
    _only(said, FIELD_KEYS, f"The mapping {mapping}, field {name},")
    formats = said.get("formats", ["iso"])
    converters: dict[str, Callable[[], cells.Converter]] = {
        "text": lambda: cells.text_of(kind.longest),
        "integer": lambda: cells.integer_of(**number),
        "number": lambda: cells.number_of(**number),
        "date": lambda: cells.date_of(formats),
        "moment": lambda: cells.moment_of(formats, zone),
        "truth": lambda: cells.truth,
    }
    convert = converters[kind.type]()
    given = {key: said.get(key) for key in ("constant", "default")}
    known = {key: value if value is None else convert(str(value)) for key, value in given.items()}
    if kind.type == "text" and not kind.required:
        known = {key: "" if value is None else value for key, value in known.items()}
    template = said.get("template", "")
    return Source(
        name=name,
        kind=kind,
        convert=convert,
        column=said.get("column", ""),
        constant=None if template else known["constant"] or known["default"],
        default=None if template else known["default"],
        template=template,
        values=said.get("values", {}),
        transforms=[TRANSFORMS[word] for word in said.get("transform", [])],
        pattern=_pattern(mapping, said["pattern"]) if "pattern" in said else None,
        is_optional_column=said.get("optional", False),
    )


def _refusal(mapping: str, kind: ImportKind, item: dict[str, str]) -> Refusal:
    _only(item, {"field", "pattern", "reason"}, f"The mapping {mapping}, reject,")
    if item["field"] not in kind.fields:
        raise MappingRefused(f"The mapping {mapping} rejects by an unknown field {item['field']}.")
    return Refusal(item["field"], _pattern(mapping, item["pattern"]), item["reason"])


def _pattern(mapping: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise MappingRefused(f"The mapping {mapping}: {text} is no pattern ({error}).") from error


def _only(said: dict[str, Any], allowed: set[str] | frozenset[str], where: str) -> None:
    unknown = sorted(set(said) - allowed)
    if unknown:
        raise MappingRefused(f"{where} does not know {', '.join(unknown)}.")
