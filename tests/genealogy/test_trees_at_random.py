"""Random enrolments, moves, placements, departures and undoings: index, view and days stay true.

After each step the intervals and the paths equal the log of tests/genealogy/model.py, what the log
refuses is refused, and the positions of any day, as known at any step, are those of the log.
"""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from accounts.models import User
from genealogy.models import (
    Distributor,
    DistributorPosition,
    GenealogyPath,
    Move,
    PlacementPreference,
    PlacementRule,
)
from genealogy.queries import Day, past_lines
from genealogy.queries.past import PastTree
from genealogy.services import moves, placement, tree, tree_index
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.moves import MoveRefused, Place
from genealogy.services.terminations import TerminationRefused, terminate_distributor
from genealogy.services.tree_check import find_breaks
from tests.genealogy.model import Entry, Log

DAYS = st.integers(0, 4)
SOMEBODY = st.integers(0, 30)
TREES = ("sponsor", "placement")
WIDTH = 3
STRATEGIES = ("breadth_first", "weaker_leg", "least_populated", "fixed_leg")


class Genealogy(RuleBasedStateMachine):
    """Each run is one transaction that is rolled back at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.log = Log(timezone.localdate())
        self.people: list[int] = []
        self.known: list[tuple[datetime, int]] = []
        self.staff = User.objects.create_user("ada@example.com", role="admin")
        self.rule = PlacementRule.objects.create(width=WIDTH, waiting_days=None)
        self.enrol(0, 4)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.around.__exit__(None, None, None)

    def day(self, ago: int):
        return self.log.today - timedelta(days=ago)

    def person(self, number: int) -> Distributor:
        return Distributor.objects.get(pk=self.people[number % len(self.people)])

    def write(self, who, tree, parent, leg, since) -> None:
        self.log.entries.append(Entry(who, tree, parent, leg, since))

    @rule(sponsor=SOMEBODY, ago=DAYS)
    def enrol(self, sponsor: int, ago: int) -> None:
        above = self.person(sponsor) if self.people else None
        try:
            person = enrol_distributor(
                sponsor=above, display_name="N", joined_on=self.day(ago), actor=None
            )
        except EnrolmentRefused:
            assert above.pk in self.log.left or self.day(ago) < self.log.joined[above.pk]
            return
        self.people.append(person.pk)
        self.log.joined[person.pk] = self.day(ago)
        self.write(person.pk, "sponsor", above and above.pk, None, self.day(ago))

    @rule(who=SOMEBODY, to=SOMEBODY, ago=DAYS)
    def change_sponsor(self, who: int, to: int, ago: int) -> None:
        self.move(self.person(who), "sponsor", Place(self.person(to)), self.day(ago))

    @rule(who=SOMEBODY, to=SOMEBODY, leg=st.integers(1, 3), ago=DAYS)
    def place(self, who: int, to: int, leg: int, ago: int) -> None:
        self.move(self.person(who), "placement", Place(self.person(to), leg), self.day(ago))

    @rule(
        who=SOMEBODY,
        strategy=st.sampled_from(STRATEGIES),
        leg=st.integers(1, WIDTH),
        is_wish=st.booleans(),
    )
    def place_by_rule(self, who: int, strategy: str, leg: int, is_wish: bool) -> None:
        """By the company's strategy, or by the sponsor's where the company has another one."""
        person = self.person(who)
        sponsor, _ = self.log.place(person.pk, "sponsor")
        if sponsor is None or self.log.place(person.pk, "placement")[0] is not None:
            assert placement.place_by_rule(distributor=person) is None
            return
        start = self.log.start(sponsor)
        if strategy == "fixed_leg":
            expected = self.log.outside(start, leg)
        else:
            expected = getattr(self.log, strategy)(start, WIDTH)
        side = leg if strategy == "fixed_leg" else None
        if is_wish:
            self.wish(person, strategy, side)
        else:
            self.rule.strategy, self.rule.fixed_leg = strategy, side
            self.rule.open_strategies = []
        self.rule.save()
        found = placement.find_place(person.sponsor, strategy, side, WIDTH)
        assert (found.parent.pk, found.leg) == expected
        try:
            placement.place_by_rule(distributor=person)
        except MoveRefused:
            assert self.log.refuses(person.pk, "placement", *expected, self.log.today)
            return
        assert not self.log.refuses(person.pk, "placement", *expected, self.log.today)
        self.write(person.pk, "placement", *expected, self.log.today)

    def wish(self, person: Distributor, strategy: str, leg: int | None) -> None:
        """What the sponsor said before this person joined; the rule alone would do otherwise."""
        others = ("breadth_first", "weaker_leg")
        self.rule.strategy = next(other for other in others if other != strategy)
        self.rule.fixed_leg = None
        self.rule.open_strategies = [strategy]
        PlacementPreference.objects.create(
            distributor=person.sponsor,
            strategy=strategy,
            leg=leg,
            chosen_at=person.waiting.since - timedelta(seconds=1),
            actor=self.staff,
        )

    @rule(who=SOMEBODY, tree=st.sampled_from(TREES))
    def put_at_the_top(self, who: int, tree: str) -> None:
        self.move(self.person(who), tree, Place(None), self.log.today)

    def move(self, who: Distributor, tree: str, to: Place, since) -> None:
        parent = to.parent.pk if to.parent else None
        is_done = True
        try:
            moves.request_move(
                distributor=who, tree=tree, to=to, effective_on=since, reason="x", actor=self.staff
            )
        except MoveRefused:
            is_done = False
        assert is_done != self.log.refuses(who.pk, tree, parent, to.leg, since)
        if is_done:
            self.write(who.pk, tree, parent, to.leg, since)

    @precondition(lambda self: Move.objects.exists())
    @rule(ago=DAYS)
    def undo(self, ago: int) -> None:
        last = Move.objects.with_people().order_by("-id").first()
        try:
            moves.undo_move(move=last, effective_on=self.day(ago), reason="x", actor=self.staff)
        except MoveRefused:
            return
        back = last.from_parent and last.from_parent.pk
        assert not self.log.refuses(
            last.distributor_id, last.tree, back, last.from_leg, self.day(ago)
        )
        self.write(last.distributor_id, last.tree, back, last.from_leg, self.day(ago))

    @rule(who=SOMEBODY, downline=st.sampled_from(["stay", "roll_up"]))
    def leave(self, who: int, downline: str) -> None:
        person = self.person(who)
        above, _ = self.log.place(person.pk, "sponsor")
        try:
            terminate_distributor(
                distributor=person, downline=downline, reason="x", actor=self.staff
            )
        except TerminationRefused:
            assert person.pk in self.log.left or above is None
            return
        if downline == "roll_up":
            for direct in self.log.directs(person.pk, "sponsor"):
                self.write(direct, "sponsor", above, None, self.log.today)
        self.log.left.add(person.pk)

    @invariant()
    def index_and_view_are_the_parents(self) -> None:
        for name in TREES:
            assert find_breaks(name) == []
            rows = GenealogyPath.objects.filter(path_type=name)
            found = rows.values_list("ancestor_id", "descendant_id", "depth", "leg_position")
            assert set(found) == self.log.paths(name)
        directs = dict(Distributor.objects.values_list("pk", "direct_referral_count"))
        assert directs == {pk: len(self.log.directs(pk, "sponsor")) for pk in self.people}

    @invariant()
    def each_day_is_as_the_log_tells_it(self) -> None:
        self.known.append((timezone.now(), len(self.log.entries)))
        for moment, entries in {*self.known[-1:], *self.known[::5]}:
            for ago in range(5):
                rows = DistributorPosition.objects.as_of(self.day(ago), known_at=moment)
                found = {(p.distributor_id, p.tree): (p.parent_id, p.leg) for p in rows}
                for who, tree_name in ((w, t) for w in self.people for t in TREES):
                    expected = self.log.place(who, tree_name, self.day(ago), entries)
                    assert found.get((who, tree_name), (None, None)) == expected

    @invariant()
    def each_day_is_read_from_today_and_what_changed(self) -> None:
        for moment, entries in ((None, None), self.known[len(self.known) // 2]):
            for ago in range(5):
                for name in TREES:
                    self.hold_day(PastTree(name, Day(self.day(ago), moment)), entries)

    def hold_day(self, past: PastTree, entries: int | None) -> None:
        """Sizes, parents, uplines and levels of a day against the log."""
        day, name = past.day.on, past.tree
        lines = self.log.lines(name, day, entries)
        ways = {who: self.log.upline(who, name, day, entries) for who in lines}
        nodes = past.nodes(dict.fromkeys(self.people, 0))
        assert {pk: node.size for pk, node in nodes.items()} == {
            who: len(line) for who, line in lines.items()
        }
        somebody = self.people[len(self.log.entries) % len(self.people)]
        assert past.has(somebody) == (somebody in lines)
        assert past.uplines(lines) == {who: way for who, way in ways.items() if way}
        directs = Counter(way[0] for way in ways.values() if way)
        assert {pk: node.distributor.direct_referral_count for pk, node in nodes.items()} == {
            who: directs[who] for who in lines
        }
        tops = [node.distributor_id for node in past.tops()]
        order = sorted((who for who in lines if not ways[who]), key=lambda w: (-len(lines[w]), w))
        assert tops == order
        for top in tops if name == "sponsor" else []:
            levels = Counter(len(ways[who]) for who in lines[top] - {top})
            bars = [(f"Level {n}", levels[n]) for n in sorted(levels)]
            assert past_lines.people_by_level(past, nodes[top]) == bars
            found, growth = past_lines.levels_and_growth(past, nodes[top])
            assert found == bars
            assert [month.people for month in growth][-1:] == [levels.total()][: len(bars)]


SETTINGS = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_trees_stay_true_whatever_is_done(db):
    run(Genealogy, settings=SETTINGS)


def counted(ways: Counter[str], name: str):
    way = getattr(tree, name)

    def way_and_count(*args):
        ways[name] += 1
        return way(*args)

    return way_and_count


def test_labels_that_run_out_are_written_anew(db, monkeypatch):
    """Room for some tens of labels a person: each way to find room is taken again and again."""
    ways: Counter[str] = Counter()
    for name in ("_spread_anew", "relabel_line", "rebuild_tree"):
        monkeypatch.setattr(tree, name, counted(ways, name))
    for module, name, value in (
        (tree_index, "SPAN", 3900),
        (tree, "LIMIT", 4000),
        (tree, "ROOM", 44),
        (tree, "NARROWEST", 2),
    ):
        monkeypatch.setattr(module, name, value)
    draw, today = random.Random(3), timezone.localdate()
    people: list[Distributor] = []
    for _ in range(40):
        above = draw.choice(people) if people else None
        people.append(
            enrol_distributor(sponsor=above, display_name="N", joined_on=today, actor=None)
        )

    for _ in range(120):
        who, to = (Distributor.objects.get(pk=draw.choice(people).pk) for _ in range(2))
        if to not in (who, who.sponsor) and not moves.stands_below(to, who, "sponsor"):
            moves.put_under(who, "sponsor", Place(to), actor=None, reason="x")
        assert find_breaks() == []

    assert len(ways) == 3, ways


@pytest.mark.parametrize("count", [1, 40])
def test_a_chain_is_turned_upside_down(db, count):
    """Each of a chain is put at its top in turn: the deepest tree becomes the flattest and back."""
    staff = User.objects.create_user("ada@example.com", role="admin")
    today = timezone.localdate()
    top = enrol_distributor(sponsor=None, display_name="N", joined_on=today, actor=None)
    chain = [top]
    for _ in range(count):
        chain.append(
            enrol_distributor(sponsor=chain[-1], display_name="N", joined_on=today, actor=None)
        )

    for below in reversed(chain[2:]):
        moves.request_move(
            distributor=below,
            tree="sponsor",
            to=Place(top),
            effective_on=today,
            reason="x",
            actor=staff,
        )

    assert find_breaks() == []
    assert GenealogyPath.objects.filter(ancestor=top, depth=1, path_type="sponsor").count() == count
