"""The commission engine: `calculate(snapshot, plan) -> result`. Pure arithmetic on arrays.

No database, no clock, no settings, no float: the same input gives the same bytes. Units everywhere:
volumes and metrics in **hundredths** (int64; three people are 300), money in units of
**10 ** -plan.money.scale** (int64), rates in **millionths** (int32), people and order lines as
**indexes** into the snapshot's arrays (int32, -1 for nobody), ranks as **levels** of their ladder
(int16, 0 for no rank, 1 for the lowest), days as numbers since 1970-01-01.

    plan = load_plan(version.definition)                     # PlanError lists faults by JSON path
    snapshot = build_snapshot(members={...}, lines={...}, refunds={...}, state=last.state)
    result = calculate(snapshot, plan)                       # trigger="payment" for just paid lines
    for block in result.blocks(rows=65_536):                 # views, to stream into a COPY
        ids = snapshot.members.id[block.earner]

`build_snapshot` columns (any integer dtype that fits; any order, the snapshot is in order of id):

    members  id · parents {tree: index in the order given, -1 none} · leg (place under the placement
             parent) · owner (index of the position that stands for the person) · joined day
             · sequence · package (place in plan.packages) · flags {name: bool} · given, highest,
             title {ladder: levels before this period}
    lines    id (volume entry) · seller (member index) · kind (place in plan.kinds) · day
             · volumes {code: hundredths, net of refunds of the same period}
             · buyer {number: the how-manieth order of its buyer; joined: his day}, where the plan
             asks for it (`asked_of_buyers`)
    refunds  the same columns, negative figures: refunds of sales of earlier periods
    state    what the period before carried on: `Result.state`, by name; and `paid.<bonus>`, what
             bonuses of the payment trigger paid in this period, for the limits that count them

`Result`: `.standings` (metrics by code, active, ranks by ladder: paid_as, title, highest; None at
payment) · `.ledger` / `.blocks(rows)` of `Block` (place in plan.programmes, level, and arrays
earner, source, line · base · rate · amount · rank_level) · `.retained` what the company keeps ·
`.held` what waits · `.rewards` what is given besides money · `.totals` by code of bonus or limit ·
`.checks` limits that refuse · `.payable` and `.earned()` by member · `.state` for the next period ·
`.result_hash()`. The hashes of snapshot, plan and result and the `ENGINE_VERSION` are a replay's
certificate.

At payment give the lines just paid, and each seller with his upline in the trees the bonuses walk;
nobody else is needed. `check_limits` holds the totals of both triggers against the limits that
refuse. `reverse` undoes earlier ledger lines of an order line for refunds, `restate` all others of
a closed period. `Facts` is everything known of everybody,
for those who explain: `trace` tells an order line's story, `rank_facts` what a rank asks, both with
the code that pays.

Where to read on: `plan/` is the language (records, reading, checking), `lint/` and `prose/` read
plans without calculating. `calculate` is the order of everything; `snapshot`, `facts` with
`volumes`, `metrics`, `conditions`, `ladders`; `awards`, `paying` with `walk`, `source`, `pairs`,
`pool`, `company`; `occurrence`, `money`, `limits`, `reversal`, `restatement` with `returned` and
`rows`, `payout`; `explain`; beneath them `trees` and `rounding`. `figures` says what a story asks
that others decide.
"""

from commissions.engine.calculate import ENGINE_VERSION, LASTING, calculate
from commissions.engine.errors import (
    CapacityError,
    CycleError,
    EngineError,
    Fault,
    PlanError,
    SnapshotError,
)
from commissions.engine.explain import Booked, Step, trace
from commissions.engine.facts import Facts
from commissions.engine.limits import check_limits
from commissions.engine.orders import asked_of_buyers
from commissions.engine.plan import PAYMENT, PERIOD_CLOSE, Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.requirements import Asked, RankFacts, rank_facts
from commissions.engine.restatement import Closed, Restated, restate
from commissions.engine.result import Block, LimitCheck, Ranks, Result, Standings
from commissions.engine.returned import Returns
from commissions.engine.reversal import Refunded, reverse
from commissions.engine.snapshot import Lines, Members, Snapshot, build_snapshot

__all__ = [
    "ENGINE_VERSION",
    "LASTING",
    "PAYMENT",
    "PERIOD_CLOSE",
    "Asked",
    "Block",
    "Booked",
    "CapacityError",
    "Closed",
    "CycleError",
    "EngineError",
    "Facts",
    "Fault",
    "LimitCheck",
    "Lines",
    "Members",
    "Plan",
    "PlanError",
    "RankFacts",
    "Ranks",
    "Refunded",
    "Restated",
    "Result",
    "Returns",
    "Snapshot",
    "SnapshotError",
    "Standings",
    "Step",
    "asked_of_buyers",
    "build_snapshot",
    "calculate",
    "check_limits",
    "load_plan",
    "rank_facts",
    "restate",
    "reverse",
    "trace",
]
