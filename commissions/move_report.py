"""What a move would do, as it is stored with the move and shown: whole hundredths, no objects.

report.as_json()                 # {"period": "2026-11", "people": [{"gv": {"before": 32000, ...
MoveReport.from_json(stored)     # the same again, for _move_effects.html
"""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from commissions.needs import hundredths

Json = dict[str, Any]


@dataclass(frozen=True)
class Both:
    """A figure as it is and as it would be, in hundredths; `was`, `will` and `by` as Decimals."""

    before: int
    after: int

    @property
    def was(self) -> Decimal:
        return hundredths(self.before)

    @property
    def will(self) -> Decimal:
        return hundredths(self.after)

    @property
    def by(self) -> Decimal:
        return hundredths(self.after - self.before)

    @property
    def changes(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class AtRank:
    """Levels of the ladder that people see, 0 for none, with their names."""

    before: int
    after: int
    was: str
    will: str

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def rises(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True)
class Someone:
    """A distributor as pages name him."""

    number: str
    name: str


@dataclass(frozen=True)
class Upline:
    """People above, nearest first; `more` further up are only counted."""

    people: list[Someone]
    more: int

    @property
    def names(self) -> str:
        return ", ".join(each.name for each in self.people)

    @classmethod
    def from_json(cls, stored: Json) -> "Upline":
        return cls([Someone(**each) for each in stored["people"]], stored["more"])


@dataclass(frozen=True)
class MovedPerson:
    """Somebody who is moved in one tree with all below him: whom he leaves, whom he comes under."""

    who: Someone
    tree: str
    below: int
    lost: Upline
    gained: Upline

    @classmethod
    def from_json(cls, stored: Json) -> "MovedPerson":
        return cls(
            Someone(**stored["who"]),
            stored["tree"],
            stored["below"],
            Upline.from_json(stored["lost"]),
            Upline.from_json(stored["gained"]),
        )


@dataclass(frozen=True)
class BonusChange:
    """What one bonus would bring."""

    code: str
    name: str
    currency: str
    amount: Both

    @classmethod
    def from_json(cls, stored: Json) -> "BonusChange":
        return cls(**{**stored, "amount": Both(**stored["amount"])})


@dataclass(frozen=True)
class PersonChange:
    """A distributor for whom something changes. `amounts`: all bonuses together, by currency."""

    who: Someone
    gv: Both
    paid_as: AtRank
    title: AtRank
    amounts: dict[str, Both]
    bonuses: list[BonusChange]

    @classmethod
    def from_json(cls, stored: Json) -> "PersonChange":
        return cls(
            Someone(**stored["who"]),
            Both(**stored["gv"]),
            AtRank(**stored["paid_as"]),
            AtRank(**stored["title"]),
            {currency: Both(**amount) for currency, amount in stored["amounts"].items()},
            [BonusChange.from_json(each) for each in stored["bonuses"]],
        )


@dataclass(frozen=True)
class MoveReport:
    """The whole of it. `people`: the largest changes first, perhaps not all `people_changed`."""

    period: str
    period_name: str
    plan: str
    moved: list[MovedPerson]
    people: list[PersonChange]
    people_changed: int
    winners: int
    losers: int
    promoted: int
    demoted: int
    amounts: dict[str, Both]
    bonuses: list[BonusChange]

    @property
    def unnamed(self) -> int:
        return self.people_changed - len(self.people)

    def as_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Json) -> "MoveReport":
        return cls(
            **{
                **stored,
                "moved": [MovedPerson.from_json(each) for each in stored["moved"]],
                "people": [PersonChange.from_json(each) for each in stored["people"]],
                "amounts": {code: Both(**amount) for code, amount in stored["amounts"].items()},
                "bonuses": [BonusChange.from_json(each) for each in stored["bonuses"]],
            }
        )
