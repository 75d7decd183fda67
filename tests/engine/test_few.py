"""A story told of a few people is the one that the whole company tells, whatever the plan says."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings

from commissions.engine import CapacityError, Facts, calculate, load_plan, rank_facts, trace
from commissions.engine.explain import Step
from commissions.engine.figures import told_bonuses
from commissions.engine.plan import Plan
from commissions.engine.result import Result
from tests.engine.few import Few, upward
from tests.engine.strategies import World, told_worlds, worlds

thorough = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def told_lines(plan: Plan, result: Result) -> Iterator[tuple[str, int, int, int]]:
    """Code of the bonus, order line, source and base of every line that has a story."""
    told = {plan.programmes.index(bonus): bonus for bonus in told_bonuses(plan)}
    for block in result.ledger:
        if block.bonus in told:
            for line, source, base in zip(block.line, block.source, block.base, strict=True):
                if line >= 0:
                    yield told[block.bonus].code, int(line), int(source), int(base)


def closed(world: World) -> tuple[Facts, Result]:
    plan, snapshot = load_plan(world.document), world.snapshot()
    try:
        return Facts(snapshot, plan), calculate(snapshot, plan)
    except CapacityError:
        assume(False)
        raise


@thorough
@given(told_worlds)
def test_few_people_tell_the_story_of_all(world: World) -> None:
    facts, result = closed(world)
    plan, whole = facts.plan, facts.snapshot

    for code, line, source, base in set(told_lines(plan, result)):
        people = upward(whole, int(whole.lines.seller[line]))
        few = Few(whole, plan, result, people, line)

        of_all = trace(facts, code, line, source, base)
        place = int(few.place(source))
        of_few = trace(few.facts, code, 0, place, base, few.booked(plan.bonus(code)))

        assert [named(step, people) for step in of_few] == of_all


def named(step: Step, people: np.ndarray) -> Step:
    return replace(step, member=int(people[step.member]))


@thorough
@given(worlds)
def test_one_person_tells_what_ranks_asked(world: World) -> None:
    facts, result = closed(world)

    for ladder in facts.plan.ladders:
        for person in range(len(facts.snapshot.members)):
            alone = Few(facts.snapshot, facts.plan, result, np.array([person], np.int32))
            of_all = rank_facts(facts, person, ladder.code)
            assert rank_facts(alone.facts, 0, ladder.code) == of_all
