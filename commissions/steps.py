"""The people of a story in turn, as the reader may hear of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from commissions.engine import Facts, Step
from commissions.models import LedgerEntry
from commissions.needs import hundredths
from commissions.wording import Teller
from genealogy.models import Distributor

MOST_IN_A_ROW = 20
"""People passed over one after the other who are named; of those after them the number is told."""


@dataclass
class StoryStep:
    """One person in turn, as the reader may hear of him."""

    outcome: str
    who: str
    words: str
    amount: Decimal | None = None

    @property
    def state(self) -> str:
        if self.outcome in ("paid", "held", "company"):
            return "paid" if self.outcome == "paid" else "info"
        return "refused" if self.outcome in ("lost", "blocked") else "skipped"


def steps_told(
    line: LedgerEntry, facts: Facts, told: Sequence[Step], ids: Sequence[int], *, for_staff: bool
) -> list[StoryStep]:
    """One step a person, money for staff and the earner alone; `ids`: whose steps they are."""
    shown = list(shown_of(told))
    people = Distributor.objects.only("number", "display_name").in_bulk([ids[n] for n, _ in shown])
    teller = Teller(facts, facts.plan.bonus(line.bonus.code), line.period.currency)
    steps = []
    for place, more in shown:
        step, pk = told[place], ids[place]
        is_earner = pk == line.distributor_id
        shows_money = is_earner or for_staff
        steps.append(
            StoryStep(
                outcome=step.outcome,
                who="You" if is_earner and not for_staff else people[pk].display_name,
                words=teller.words(step, shows_money=shows_money),
                amount=hundredths(step.amount) if step.outcome == "paid" and shows_money else None,
            )
        )
        if more:
            steps.append(StoryStep("skipped", f"{more:,} more", "Skipped one after the other."))
    return steps


def shown_of(told: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """The places of the steps that are shown, and how many are left out after each."""
    for is_skipped, row in groupby(enumerate(told), lambda each: each[1].outcome == "skipped"):
        places = [place for place, _ in row]
        if not is_skipped or len(places) <= MOST_IN_A_ROW + 1:
            yield from ((place, 0) for place in places)
            continue
        yield from ((place, 0) for place in places[: MOST_IN_A_ROW - 1])
        yield places[MOST_IN_A_ROW - 1], len(places) - MOST_IN_A_ROW
