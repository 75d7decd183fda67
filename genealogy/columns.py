"""What the list of a downline can show of each person, and what the reader chose of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.templatetags import contact, ui
from genealogy.models import Distributor

COOKIE = "genealogy_columns"
COOKIE_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Column:
    """A column beside the name. `kind` says how a value is written: text, status, count, points,
    day, email or phone; what is counted from the tree and how somebody may be reached comes with
    the row, the rest from the distributor. What `is_dated` is known of other days than today too.
    """

    key: str
    label: str
    kind: str
    read: Callable[[Distributor], Any] | None = None
    is_dated: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in ("count", "points")

    @property
    def is_contact(self) -> bool:
        return self.kind in ("email", "phone")

    def value(self, row: Any) -> Any:
        """The value of a row of the list or of a hit."""
        if self.is_contact:
            return getattr(row.contact, self.kind)
        return getattr(row, self.key) if self.read is None else self.read(row.distributor)

    def cell(self, row: Any) -> "Cell":
        """The value as the page shows it: here and not in a template, for there are hundreds."""
        if row.is_reduced:
            return Cell(self.label, self.is_number, ui.NOTHING)
        return Cell(self.label, self.is_number, SHOWN[self.kind](self.value(row)))


@dataclass(frozen=True)
class Cell:
    label: str
    is_number: bool
    html: SafeString


def _text(value: str) -> SafeString:
    return format_html("{}", value) if value else NO_RANK


def _status(person: Distributor) -> SafeString:
    return _status_badge(person.status, person.get_status_display())


@cache
def _status_badge(status: str, label: str) -> SafeString:
    return render_to_string("components/badge.html", ui.badge(status, label=label))


NO_RANK = mark_safe('<span class="quiet nowrap">No rank</span>')
SHOWN: dict[str, Callable[[Any], SafeString]] = {
    "text": _text,
    "status": _status,
    "count": ui.count,
    "points": ui.points,
    "day": ui.day,
    "email": contact.email_link,
    "phone": contact.phone_link,
}


def _rank(person: Distributor) -> str:
    return person.paid_as_rank.name if person.paid_as_rank else ""


def _highest(person: Distributor) -> str:
    return person.highest_rank.name if person.highest_rank else ""


COLUMNS = {
    column.key: column
    for column in (
        Column("rank", "Paid as", "text", _rank, is_dated=True),
        Column("highest", "Highest rank", "text", _highest),
        Column("status", "Status", "status", lambda person: person),
        Column("distance", "Level", "count", is_dated=True),
        Column(
            "directs",
            "Directs",
            "count",
            lambda person: person.direct_referral_count,
            is_dated=True,
        ),
        Column("downline", "Downline", "count", is_dated=True),
        Column("pv", "PV this period", "points", lambda person: person.current_month_pv),
        Column("gv", "GV this period", "points", lambda person: person.current_month_gv),
        Column("last_pv", "PV last period", "points", lambda person: person.personal_pv),
        Column("last_gv", "GV last period", "points", lambda person: person.group_pv),
        Column("joined", "Joined", "day", lambda person: person.joined_on, is_dated=True),
        Column("email", "E-mail", "email"),
        Column("phone", "Phone", "phone"),
    )
}
USUAL = ("rank", "status", "directs", "downline", "pv", "gv")
USUAL_THEN = ("rank", "distance", "directs", "downline", "joined")


def asks_contact(columns: Iterable[Column]) -> bool:
    """Whether any of the columns tells how to reach somebody."""
    return any(column.is_contact for column in columns)


def known(keys: Iterable[str]) -> list[str]:
    """Those of the keys that are columns, once each, in the order of the table."""
    wanted = set(keys)
    return [key for key in COLUMNS if key in wanted]


def chosen(request: HttpRequest) -> list[Column]:
    """The columns that the address asks for, else those of the last time, else the usual ones."""
    remembered = request.COOKIES.get(COOKIE, "").split(".")
    keys = known(request.GET.getlist("columns")) or known(remembered) or USUAL
    return [COLUMNS[key] for key in keys]


def dated(columns: Iterable[Column], *, with_ranks: bool) -> list[Column]:
    """Those of the columns that can be told of another day; the usual ones where none can."""
    kept = [column for column in columns if column.is_dated]
    kept = kept if len(kept) > 1 else [COLUMNS[key] for key in USUAL_THEN]
    return [column for column in kept if with_ranks or column.key != "rank"]


def remember(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Keep the columns of the address in the browser for the next time."""
    if keys := known(request.GET.getlist("columns")):
        response.set_cookie(
            COOKIE,
            ".".join(keys),
            max_age=COOKIE_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
