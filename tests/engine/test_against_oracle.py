"""The engine against an independent oracle, on random plans, trees, orders and refunds."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commissions.engine import PAYMENT, Plan, Result, Snapshot, calculate, load_plan, trace
from commissions.engine import explain as words
from tests.engine.oracle import Oracle
from tests.engine.strategies import World, worlds

thorough = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

quick = settings(thorough, max_examples=100)


def readable(result: Result, snapshot: Snapshot, plan: Plan) -> list[tuple]:
    """The ledger in the oracle's words."""
    member, line = snapshot.members.id, snapshot.lines.id
    rows = []
    for block in result.ledger:
        code = plan.bonuses[block.bonus].code
        for i in range(len(block)):
            source, sale = int(block.source[i]), int(block.line[i])
            rows.append((
                code,
                int(member[block.earner[i]]),
                int(member[source]) if source >= 0 else None,
                int(line[sale]) if sale >= 0 else None,
                block.level,
                Fraction(int(block.amount[i]), 100),
            ))  # fmt: skip
    return rows


def in_order(rows: list[tuple]) -> list[tuple]:
    return sorted(rows, key=lambda row: tuple((v is not None, v) for v in row))


@thorough
@given(worlds())
def test_standings_and_ledger_equal_the_oracle(world: World):
    oracle = Oracle(world.document, world.people, world.sales, world.refunds)
    plan, snapshot = load_plan(world.document), world.snapshot()

    result = calculate(snapshot, plan)

    people = [oracle.people[name] for name in snapshot.members.id.tolist()]
    standings = result.standings
    assert standings.pv.tolist() == [person.pv * 100 for person in people]
    assert standings.cv.tolist() == [person.cv * 100 for person in people]
    assert standings.gv.tolist() == [person.gv * 100 for person in people]
    assert standings.legs.tolist() == [sum(v > 0 for v in p.leg_volumes) for p in people]
    assert standings.active.tolist() == [person.active for person in people]
    assert standings.rank_level.tolist() == [person.rank for person in people]
    assert standings.highest_level.tolist() == [max(p.rank, p.highest) for p in people]
    rows = readable(result, snapshot, plan)
    assert in_order(rows) == in_order(oracle.ledger("period_close"))
    assert result.total == sum(row[-1] for row in rows) * 100


@thorough
@given(worlds())
def test_commissions_at_payment_equal_the_oracle(world: World):
    for bonus in world.document["bonuses"]:
        if bonus["selector"]["who"] != "self":
            bonus["eligibility"] = {"active": False, "min_rank": None, "otherwise": "lost"}
            bonus["trigger"] = "payment"
            if bonus["selector"]["who"] == "walk":
                bonus["selector"]["steps"] = {"count": "physical"}
                bonus["rates"] = {"by": "step", "table": ["0.0333", "0.125"]}
                bonus["selector"]["max_steps"] = 2
    oracle = Oracle(world.document, world.people, world.sales, world.refunds)
    plan, snapshot = load_plan(world.document), world.snapshot()

    result = calculate(snapshot, plan, PAYMENT)

    assert in_order(readable(result, snapshot, plan)) == in_order(oracle.ledger("payment"))


@quick
@given(worlds(), st.data())
def test_the_order_of_the_input_changes_nothing(world: World, data: st.DataObject):
    plan, snapshot = load_plan(world.document), world.snapshot()
    shuffled = World(
        world.document,
        world.people,
        data.draw(st.permutations(world.sales)),
        data.draw(st.permutations(world.refunds)),
    ).snapshot(data.draw(st.permutations(range(len(world.people)))))

    assert shuffled.content_hash() == snapshot.content_hash()
    assert calculate(shuffled, plan).result_hash() == calculate(snapshot, plan).result_hash()


@quick
@given(worlds())
def test_every_line_is_its_base_times_its_rate(world: World):
    plan = load_plan(world.document)

    for block in calculate(world.snapshot(), plan).ledger:
        for base, rate, amount in zip(block.base, block.rate, block.amount, strict=True):
            exact = Fraction(int(base) * int(rate), 1_000_000)
            assert abs(exact - int(amount)) < 1
            assert plan.money.rounding == "down" or abs(exact - int(amount)) <= Fraction(1, 2)


@quick
@given(worlds())
def test_the_trace_of_an_order_line_tells_its_ledger_lines(world: World):
    plan, snapshot = load_plan(world.document), world.snapshot()
    result = calculate(snapshot, plan)
    written = lines_by_order(result)

    for bonus in plan.bonuses:
        if bonus.selector.who == "self":
            continue
        for line in range(len(snapshot.lines)):
            steps = trace(snapshot, result.standings, plan, bonus.code, line)
            told = [
                (step.member, step.step, step.base, step.rate, step.amount, step.rank_level)
                for step in steps
                if step.outcome == words.PAID and (step.amount or plan.money.zero_amounts == "keep")
            ]
            assert told == sorted(written.get((bonus.position, line), []), key=lambda row: row[1])
            assert story_is_whole(steps, bonus.selector.max_steps)


def lines_by_order(result: Result) -> dict[tuple[int, int], list[tuple]]:
    written: dict[tuple[int, int], list[tuple]] = {}
    for block in result.ledger:
        columns = (block.earner, block.base, block.rate, block.amount, block.rank_level)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for line, (earner, base, rate, amount, rank) in zip(block.line.tolist(), rows, strict=True):
            row = (earner, block.level, base, rate, amount, rank)
            written.setdefault((block.bonus, line), []).append(row)
    return written


def story_is_whole(steps: list[words.Step], max_steps: int) -> bool:
    """Everybody in turn, each with a reason that his figures bear out; nobody after the end."""
    distances = [step.distance for step in steps]
    assert distances == list(range(distances[0], distances[0] + len(steps))) if steps else True
    assert [step.outcome for step in steps[:-1]].count(words.BEYOND) == 0
    used = [step.step for step in steps if step.outcome in (words.PAID, words.LOST)]
    assert used in ([0], list(range(1, len(used) + 1)))
    assert len(used) <= max_steps
    for step in steps:
        assert (step.reason == "none") == (step.outcome == words.PAID)
        if step.reason == "inactive":
            assert step.facts["pv"] < step.facts["pv_needed"]
        if step.reason == "below_rank":
            assert step.facts["level"] < step.facts["level_needed"]
        if step.outcome == words.PAID:
            assert step.raw == Decimal(step.base * step.rate) / 1_000_000
    return True


@quick
@given(worlds())
def test_rank_facts_agree_with_the_ranks(world: World):
    oracle = Oracle(world.document, world.people, world.sales, world.refunds)
    plan = load_plan(world.document)

    for person in oracle.people.values():
        facts = words.rank_facts(
            plan,
            pv=int(person.pv * 100),
            gv=int(person.gv * 100),
            leg_volumes=[int(leg * 100) for leg in person.leg_volumes],
        )
        met = [oracle.meets(person, rank) for rank in world.document["ranks"]["ladder"]]
        assert [fact.met for fact in facts] == met
