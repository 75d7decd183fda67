"""Small companies as facts: people by name, sales in decimal strings.

facts = known(document(), {"asha": None, "bela": "asha"}, [("bela", "100.00")])
assert of(facts, facts.metric("gv")) == {"asha": 10_000, "bela": 10_000}
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from numpy.typing import NDArray

from commissions.engine.facts import Facts
from commissions.engine.snapshot import Snapshot, build_snapshot
from tests.engine.documents import KINDS, load

FIRST_DAY, LAST_DAY = 1_000, 1_029
Sale = tuple[Any, ...]
"""Seller, PV and CV, then, where it matters, kind and day, and of the buyer the number of his
order, the day he joined and who he is."""


def hundredths(amount: str) -> int:
    return int(Decimal(amount).scaleb(2))


def company(
    sponsors: Mapping[str, str | None],
    sales: Sequence[Sale] = (),
    refunds: Sequence[Sale] = (),
    state: Mapping[str, Sequence[int]] | None = None,
    **columns: Any,
) -> Snapshot:
    """Ids are 1, 2, 3 ... in the order of the names; `columns` are further ones of members."""
    names = list(sponsors)
    above = [-1 if up is None else names.index(up) for up in sponsors.values()]
    people = {"id": range(1, len(names) + 1), "parents": {"sponsor": above, "enroller": above}}
    return build_snapshot(
        members={name: columns_of(values) for name, values in (people | columns).items()},
        lines=entries(sales, names, 1),
        refunds=entries(refunds, names, -1),
        state=state,
        starts_on=FIRST_DAY,
        ends_on=LAST_DAY,
    )


def columns_of(values: Any) -> Any:
    return values if isinstance(values, Mapping) else list(values)


def entries(sales: Sequence[Sale], names: list[str], sign: int) -> dict[str, Any]:
    rows = [(*sale, *("retail", LAST_DAY, 1, FIRST_DAY, 0)[len(sale) - 2 :]) for sale in sales]
    figures = [sign * hundredths(row[1]) for row in rows]
    return {
        "id": [i + 1 for i in range(len(rows))],
        "seller": [names.index(row[0]) for row in rows],
        "kind": [KINDS.index(row[2]) for row in rows],
        "day": [row[3] for row in rows],
        "volumes": {"pv": figures, "cv": figures, "margin": [0] * len(rows)},
        "buyer": {
            what: [row[place] for row in rows]
            for place, what in enumerate(("number", "joined", "who"), start=4)
        },
    }


def known(
    document: Mapping[str, Any], sponsors: Mapping[str, str | None], *parts: Any, **more: Any
) -> Facts:
    facts = Facts(company(sponsors, *parts, **more), load(document))
    facts.names = tuple(sponsors)
    return facts


def of(facts: Facts, figures: NDArray[Any]) -> dict[str, Any]:
    return dict(zip(facts.names, figures.tolist(), strict=True))
