"""Where a new distributor goes in the placement tree, and the holding tank in which he waits.

The words are those of a plan's matrix (docs/plan-schema.json). Under the sponsor, or where he has
no place himself under the nearest above him who has one:

    breadth_first     the first free place, level by level, left to right
    weaker_leg        the leg with less volume (then fewer people, then the left one), along its
                      outer side to a free place
    least_populated   step by step into the leg with the fewest people, to the first free place
    fixed_leg         along the outer side of one leg

The company's rule says which, or the sponsor for his own newcomers, where the rule lets him choose.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.models import User
from genealogy.models import (
    Distributor,
    GenealogyNode,
    PlacementPreference,
    PlacementRule,
    Waiting,
)
from genealogy.models.node import Tree
from genealogy.models.placement import Strategy
from genealogy.services.locks import hold_people, lock_trees, stand_behind_the_clock
from genealogy.services.moves import (
    MoveRefused,
    Place,
    first_day_for_moves,
    put_under,
    refuse_unless_possible,
)
from genealogy.services.positions import record_position

logger = structlog.get_logger(__name__)

LegVolumes = Callable[[list[int]], dict[int, int]]
_VOLUMES: list[LegVolumes] = []
AT_ONCE = 2_000


def also_weighs_legs(volumes: LegVolumes) -> None:
    """Let an app further down say how much was sold in whole subtrees of the placement tree.

    The function gets the ids of their tops and returns hundredths. Called in `ready()`.
    """
    if volumes not in _VOLUMES:
        _VOLUMES.append(volumes)


def the_rule() -> PlacementRule | None:
    return PlacementRule.objects.first()


def begin_waiting(distributor_ids: list[int], *, at_once: bool = True) -> None:
    """New distributors wait for a place as the rule says; one who does not wait gets it at once.

    Of many who do not wait, and without `at_once`, the sweep places who is not placed before.
    """
    rule = the_rule()
    if rule is None:
        return
    days = rule.waiting_days
    until = None if days is None else timezone.now() + timedelta(days=days)
    new = Distributor.objects.filter(pk__in=distributor_ids).exclude(sponsor=None)
    waiting = [Waiting(distributor=person, until=until) for person in new.order_by("pk")]
    Waiting.objects.bulk_create(waiting, batch_size=5_000)
    if at_once and days == 0 and len(waiting) == 1:
        place_by_rule(distributor=waiting[0].distributor)


def place_waiting() -> int:
    """Place those whose time to be placed by hand is over; returns how many. Safe at any time."""
    due = Waiting.objects.open().filter(until__lte=timezone.now()).order_by("until", "pk")
    people = [row.distributor for row in due.select_related("distributor")[:AT_ONCE]]
    placed = 0
    for person in people:
        try:
            placed += place_by_rule(distributor=person) is not None
        except MoveRefused as refused:
            logger.warning("not placed", distributor=person.number, reason=str(refused))
    return placed


@transaction.atomic
def place_by_rule(*, distributor: Distributor) -> Place | None:
    """Find somebody a place and put him there; None when he has one already.

    As his sponsor wished when he joined, where the rule in force now still allows it; else by it.
    """
    lock_trees(Tree.PLACEMENT)
    rule = the_rule()
    distributor = Distributor.objects.with_masters().get(pk=distributor.pk)
    if rule is None or distributor.sponsor is None or distributor.placement_parent_id is not None:
        return None
    waiting = Waiting.objects.filter(distributor=distributor).first()
    wish = wish_of(distributor.sponsor, rule, at=waiting.since if waiting else None)
    by, strategy, leg = (
        ("As the sponsor wished", Strategy(wish.strategy), wish.leg)
        if wish
        else ("By the rule", Strategy(rule.strategy), rule.fixed_leg)
    )
    place = find_place(distributor.sponsor, strategy, leg, rule.width)
    _put(distributor, place, actor=None, reason=f"{by}: {strategy.label}")
    return place


def wish_of(
    sponsor: Distributor, rule: PlacementRule, at: datetime | None = None
) -> PlacementPreference | None:
    """What a sponsor wished at a moment (now) as far as the rule allows it; None: the rule."""
    said = PlacementPreference.objects.filter(distributor=sponsor)
    newest = (said.filter(chosen_at__lte=at) if at else said).first()
    if newest is None or newest.strategy not in rule.open_strategies:
        return None
    return newest if (newest.leg or 0) <= rule.width else None


@transaction.atomic
def prefer_place(
    *, sponsor: Distributor, strategy: str, leg: int | None, actor: User
) -> PlacementPreference:
    """Say where the sponsor's newcomers go who join from now on; "" leaves it to the rule again.

    The same wish twice is written once. Raises MoveRefused for what the rule does not allow.
    """
    Distributor.objects.select_for_update(of=("self",), no_key=True).get(pk=sponsor.pk)
    rule = the_rule()
    if rule is None or (strategy and strategy not in rule.open_strategies):
        raise MoveRefused("The company does not leave this choice to you.", "strategy")
    leg = leg if strategy == Strategy.FIXED_LEG else None
    if strategy == Strategy.FIXED_LEG and not 1 <= (leg or 0) <= rule.width:
        raise MoveRefused("Say which leg.", "leg")
    newest = PlacementPreference.objects.filter(distributor=sponsor).first()
    if newest and (newest.strategy, newest.leg) == (strategy, leg):
        return newest
    wish = PlacementPreference.objects.create(
        distributor=sponsor, strategy=strategy, leg=leg, actor=actor
    )
    after = {"strategy": strategy or "by the rule", "leg": leg}
    audit.record(actor=actor, action="placement_preference.chosen", target=sponsor, after=after)
    return wish


@transaction.atomic
def place_by_hand(*, distributor: Distributor, to: Place, actor: User) -> None:
    """Put somebody who waits where his sponsor or the staff chose. Raises MoveRefused."""
    lock_trees(Tree.PLACEMENT)
    distributor = Distributor.objects.with_masters().get(pk=distributor.pk)
    if distributor.placement_parent_id is not None:
        raise MoveRefused(f"{distributor} has a place already: it is changed by a move.")
    if to.parent is None:
        raise MoveRefused("Choose under whom.", "to_parent")
    parent = Distributor.objects.get(pk=to.parent.pk)
    _put(distributor, Place(parent, to.leg), actor=actor, reason="Placed by hand")


def find_place(sponsor: Distributor, strategy: str, leg: int | None, width: int) -> Place:
    """The place that a strategy gives to somebody new of a sponsor."""
    start = _nearest_placed(sponsor)
    if strategy == Strategy.BREADTH_FIRST:
        return _first_free(_walk(_NEAREST, start=start), width)
    if strategy == Strategy.LEAST_POPULATED:
        return _first_free(_walk(_FEWEST, start=start, width=width), width)
    side = leg if strategy == Strategy.FIXED_LEG and leg else _weaker_leg(start, width)
    return Place(Distributor.objects.get(pk=_walk(_OUTSIDE, start=start, leg=side)), side)


def free_places(sponsor: Distributor) -> list[Place]:
    """The nearest free place in each leg of somebody; none where he has no place himself."""
    rule = the_rule()
    if rule is None or _nearest_placed(sponsor) != sponsor.pk:
        return []
    heads = dict(sponsor.placed.values_list("leg", "pk"))
    return [
        _first_free(_walk(_NEAREST, start=heads[leg]), rule.width)
        if leg in heads
        else Place(sponsor, leg)
        for leg in range(1, rule.width + 1)
    ]


def _put(distributor: Distributor, to: Place, *, actor: User | None, reason: str) -> None:
    stand_behind_the_clock()
    hold_people(distributor.pk)
    day = max(timezone.localdate(), first_day_for_moves() or date.min)
    refuse_unless_possible(distributor, Tree.PLACEMENT, to, day)
    put_under(distributor, Tree.PLACEMENT, to, actor=actor, reason=reason)
    record_position(
        distributor=distributor,
        tree=Tree.PLACEMENT,
        parent=to.parent,
        leg=to.leg,
        valid_from=day,
        actor=actor,
        reason=reason,
    )
    above = to.parent
    audit.record(
        actor=actor,
        action="distributor.placed",
        target=distributor,
        after={"parent": above.number if above else None, "leg": to.leg},
        reason=reason,
    )
    publish(
        "distributor.placed",
        users=[distributor.sponsor.user if distributor.sponsor else None],
        ref=distributor.number,
        person=distributor.display_name,
        above=_name_for(distributor.sponsor, above),
        leg=to.leg,
    )


def _name_for(sponsor: Distributor | None, above: Distributor | None) -> str:
    """Whom somebody now stands under, in words for his sponsor: by name in the sponsor's own line,
    for he learns nothing of the people above him."""
    if sponsor is None or above is None:
        return ""
    line = Distributor.objects.in_downline_of(sponsor, Tree.PLACEMENT, with_self=True)
    return above.display_name if line.filter(pk=above.pk).exists() else "somebody above you"


def _nearest_placed(sponsor: Distributor) -> int:
    """The sponsor, or the nearest above him in the sponsor tree who stands in the placement tree.

    Where nobody does, the top of the sponsor tree becomes the top of the placement tree.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLACED, [sponsor.pk])
        (found,) = cursor.fetchone()
    return int(found)


_PLACED = """
with recursive up as (
  select id, sponsor_id, placement_parent_id, 0 as n from genealogy_distributor where id = %s
  union all
  select d.id, d.sponsor_id, d.placement_parent_id, up.n + 1
  from up join genealogy_distributor d on d.id = up.sponsor_id
  where up.placement_parent_id is null
)
select id from up order by n desc limit 1
"""


def _walk(query: str, **params: int) -> int:
    """Whom a way down the placement tree ends at."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        (found,) = cursor.fetchone()
    return int(found)


_NEAREST = """
with recursive down as (
  select %(start)s::bigint as id, n.depth, n.open_depth, 0 as step
  from (select 1) one left join genealogy_genealogynode n
    on n.distributor_id = %(start)s and n.tree = 'placement'
  union all
  select c.id, c.depth, c.open_depth, down.step + 1 from down cross join lateral (
    select d.id, n.depth, n.open_depth from genealogy_distributor d
    join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = 'placement'
    where d.placement_parent_id = down.id and n.open_depth = down.open_depth
    order by d.leg limit 1
  ) c
  where down.open_depth > down.depth + 1
)
select id from down order by step desc limit 1
"""
_FEWEST = """
with recursive down as (
  select %(start)s::bigint as id, 0 as step
  union all
  select c.id, down.step + 1 from down cross join lateral (
    select d.id, count(*) over () as people from genealogy_distributor d
    join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = 'placement'
    where d.placement_parent_id = down.id order by n.size, d.leg limit 1
  ) c
  where c.people >= %(width)s
)
select id from down order by step desc limit 1
"""
_OUTSIDE = """
with recursive down as (
  select %(start)s::bigint as id, 0 as step
  union all
  select d.id, down.step + 1 from down
  join genealogy_distributor d on d.placement_parent_id = down.id and d.leg = %(leg)s
)
select id from down order by step desc limit 1
"""


def _first_free(parent_id: int, width: int) -> Place:
    parent = Distributor.objects.get(pk=parent_id)
    taken = set(parent.placed.values_list("leg", flat=True))
    return Place(parent, next(leg for leg in range(1, width + 1) if leg not in taken))


def _weaker_leg(start: int, width: int) -> int:
    heads = dict(Distributor.objects.filter(placement_parent=start).values_list("leg", "pk"))
    volumes: dict[int, int] = {}
    for weigh in _VOLUMES:
        volumes |= weigh(list(heads.values()))
    nodes = GenealogyNode.objects.filter(tree=Tree.PLACEMENT, distributor__in=heads.values())
    sizes = dict(nodes.values_list("distributor_id", "size"))

    def weight(leg: int) -> tuple[int, int, int]:
        head = heads.get(leg, 0)
        return volumes.get(head, 0), sizes.get(head, 0), leg

    return min(range(1, width + 1), key=weight)
