"""The commission engine: `calculate(snapshot, plan) -> result`. Pure arithmetic on arrays.

No database, no clock, no settings, no float: the same input gives the same bytes. Units everywhere:
volumes and money in **hundredths** (int64), rates in **millionths** (int32), people and order lines
as **indexes** into the snapshot's arrays (int32, -1 for nobody), ranks as **levels** (int16, 0 for
no rank, 1 for the lowest).

    plan = load_plan(version.definition)                     # PlanError lists faults by JSON path
    snapshot = build_snapshot(members={...}, lines={...}, refunds={...})
    result = calculate(snapshot, plan)                       # trigger="payment" for just paid lines
    for block in result.blocks(rows=65_536):                 # views, to stream into a COPY
        ids = snapshot.members.id[block.earner]

`build_snapshot` columns (any integer dtype that fits; any order, the snapshot is in order of id):

    members  id int64 · sponsor, enroller int32 (index in the order given, -1 none)
             · highest_level int16 (highest rank level ever before this period)
    lines    id int64 (volume entry) · seller int32 (member index) · order_class int8 (index into
             ORDER_CLASSES) · pv, cv, margin int64 hundredths, net of refunds of the same period
    refunds  the same columns, negative figures: refunds of sales of earlier periods

`Result`: `.standings` (pv, cv, gv int64 · legs int32 · active bool · rank_level, highest_level
int16, one entry a member; None at payment) · `.ledger` / `.blocks(rows)` of `Block` (bonus index in
plan.bonuses, level, and arrays earner, source, line int32 · base int64 · rate int32 · amount int64
· rank_level int16) · `.totals` hundredths by bonus code · `.total` · `.row_count` · `.earned()` by
member · `.result_hash()`. `snapshot.content_hash()` and `plan.content_hash` are the other two parts
of a replay certificate, `ENGINE_VERSION` the fourth.

At payment give the lines just paid, and each seller with his upline in the trees the bonuses walk;
nobody else is needed. `check_ceiling` holds the totals of both triggers against the plan's ceiling.
`reverse` undoes earlier ledger lines for refunds. `trace` and `rank_facts` explain, with the same
code.

Where to read on: `plan` (the language), `loading`, `snapshot`, `ranks`, `walk`, `retail`,
`rank_bonus`, `limits`, `reversal`, `explain`; beneath them `trees` and `rounding`.
"""

from commissions.engine.calculate import ENGINE_VERSION, calculate
from commissions.engine.errors import (
    CapacityError,
    CycleError,
    EngineError,
    PlanError,
    SnapshotError,
    StandingsError,
)
from commissions.engine.explain import RankFacts, Requirement, Step, rank_facts, trace
from commissions.engine.limits import check_ceiling
from commissions.engine.loading import load_plan
from commissions.engine.plan import ORDER_CLASSES, PAYMENT, PERIOD_CLOSE, Plan
from commissions.engine.result import Block, LimitCheck, Result, Standings
from commissions.engine.reversal import Refunded, reverse
from commissions.engine.snapshot import Lines, Members, Snapshot, build_snapshot

__all__ = [
    "ENGINE_VERSION",
    "ORDER_CLASSES",
    "PAYMENT",
    "PERIOD_CLOSE",
    "Block",
    "CapacityError",
    "CycleError",
    "EngineError",
    "LimitCheck",
    "Lines",
    "Members",
    "Plan",
    "PlanError",
    "RankFacts",
    "Refunded",
    "Requirement",
    "Result",
    "Snapshot",
    "SnapshotError",
    "Standings",
    "StandingsError",
    "Step",
    "build_snapshot",
    "calculate",
    "check_ceiling",
    "load_plan",
    "rank_facts",
    "reverse",
    "trace",
]
