"""How a team's score comes about: whole numbers only, so that everybody gets the same result.

    target   40 points for the month's target: 40 * earned / target, at most 40, none without one
    active   40 points for people who sell:    40 * members with PV this period / members
    growth   20 points for newcomers:          4 for each who joined this period and is still there

Each part is rounded down. 80 and more is platinum, 60 gold, 40 silver, less is bronze. The formula
is printed on every team's page and in docs/teams.md.
"""

from dataclasses import dataclass

TARGET_POINTS = 40
ACTIVE_POINTS = 40
GROWTH_POINTS = 20
POINTS_A_NEWCOMER = 4
TIERS = ((80, "platinum"), (60, "gold"), (40, "silver"), (0, "bronze"))


@dataclass(frozen=True)
class TeamFacts:
    """What a team is measured by; amounts in hundredths."""

    members: int
    active: int
    new: int
    earned: int
    target: int


@dataclass(frozen=True)
class Score:
    """The three parts and what follows from them: Score(20, 30, 8) is 58 and silver."""

    target: int
    active: int
    growth: int

    @property
    def total(self) -> int:
        return self.target + self.active + self.growth

    @property
    def tier(self) -> str:
        return next(name for least, name in TIERS if self.total >= least)


def score_of(facts: TeamFacts) -> Score:
    """The score of a team: 4 members, 3 with PV, 1 new, 50.00 of 100.00 gives 20 + 30 + 4 = 54."""
    reached = min(max(facts.earned, 0), facts.target)
    return Score(
        target=TARGET_POINTS * reached // facts.target if facts.target else 0,
        active=ACTIVE_POINTS * facts.active // facts.members if facts.members else 0,
        growth=min(POINTS_A_NEWCOMER * facts.new, GROWTH_POINTS),
    )
