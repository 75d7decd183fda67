"""A compensation plan as records: the whole plan language, in the order a document has it.

A plan says what the figures of an order are (`volumes`), what is measured of a distributor
(`metrics`), what one asks of him (conditions), which ranks there are (`ladders`), what is paid
(`bonuses`), what it may come to (`limits`), and what a refund and a payout do. There are no classes
of plan: a bonus is composed of

    base      what is paid on: an order line's volume, a member's metric, other commissions, a flat
    pays      who: the source himself, uplines on a walk, the owner of two legs, a pool, the company
    rates     how much, by step, rank, package, order kind or a metric's band
    eligibility, occurrence, exclusion

Unilevel, binary, matrix, breakaway, generation, matching, fast start, pools are documents made of
these (`commissions/plans/`). Where good plans differ, the field is required and says which way.

    "rates": {"by": "rank", "ladder": "rank", "which": "paid_as",
              "table": {"bronze": ["0.05", "0.04"], "silver": ["0.05", "0.04", "0.03"]}}

reads: a Bronze earns 5 % at the first counted step, 4 % at the second, nothing further up. A rank
without a row earns nothing. Volumes and money are held in hundredths, rates in millionths, exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Literal

from commissions.engine.plan.reading import Amount, Between, Code, Pattern, Rate

SCHEMA_VERSION = 2
WHOLE: int = 1_000_000
LONGEST_WALK = 100
NO_RANK = "none"
PAYMENT, PERIOD_CLOSE = "payment", "period_close"
SPONSOR, ENROLLER, PLACEMENT = "sponsor", "enroller", "placement"
ENROLMENT_KIT = "enrolment_kit"

Rounding = Literal["half_even", "half_up", "toward_zero", "away_from_zero"]
LedgerType = Literal[
    "direct_bonus", "level_income", "binary_bonus", "reward_bonus", "retail", "unilevel",
    "matching", "leadership", "fast_start", "rank_bonus", "car_bonus", "differential",
    "breakaway", "matrix", "pool_share", "pass_up", "adjustment",
]  # fmt: skip
Tree = Literal["sponsor", "enroller", "placement"]
Steps = Annotated[int, Between(1, LONGEST_WALK)]


# Money and volumes


@dataclass(frozen=True, slots=True)
class Money:
    """How exact figures become money."""

    scale: Annotated[int, Between(0, 6), "Decimal places of an amount; 2 for cents."]
    rounding: Annotated[Rounding, "Where a figure between two amounts goes."]
    granularity: Annotated[
        Literal["line", "member"],
        "line: each ledger line is rounded by itself. member: the sum of a member's lines of one "
        "bonus is rounded, and its lines share it so that they add up.",
    ]
    zero_amounts: Annotated[
        Literal["omit", "keep"], "Whether a line that rounds to nothing is written."
    ]


@dataclass(frozen=True, slots=True)
class Volume:
    """A figure of an order line: given with the order, or derived from figures before it.

    Derived: (`of` x `rate`, rounded) less the figures in `less`. A pool of 3.5 % of what the
    company leaves over is {"code": "pool", "of": "remainder", "rate": "0.035"}; the next figure
    that deducts it says {"of": "remainder", "less": ["pool"]}.
    """

    code: Annotated[Code, "The column of the order line, or the name of the derived figure."]
    of: Annotated[Code | None, "The figure it is derived from; left out: given."] = None
    rate: Annotated[Rate, "The share of `of`."] = WHOLE
    less: Annotated[tuple[Code, ...], "Figures deducted after the share."] = ()
    amounts: Annotated[
        Mapping[Code, Amount] | None,
        "Instead of a share: a fixed amount an order line of each kind; other kinds have none.",
    ] = None
    kinds: Annotated[tuple[Code, ...] | None, "Only on lines of these kinds, else zero."] = None


# Metrics: what is measured of a member


@dataclass(frozen=True, slots=True)
class Own:
    """What the member himself sold, bought or is."""

    scope: Literal["own"]


@dataclass(frozen=True, slots=True)
class Group:
    """The member's whole downline in a tree, without those who head a group of their own."""

    scope: Literal["group"]
    tree: Tree
    include_self: Annotated[bool, "Whether his own figures count into his group."]
    until: Annotated[
        Condition | None, "Who breaks away: he and all below him are left out; left out: nobody."
    ] = None


@dataclass(frozen=True, slots=True)
class Levels:
    """Those from one level below the member to another, by distance; level 1 is the frontline."""

    scope: Literal["levels"]
    tree: Tree
    first: Steps
    last: Steps


@dataclass(frozen=True, slots=True)
class Company:
    """Everybody together; the same figure for each member."""

    scope: Literal["company"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of each member in a period: what, whose, since when.

    Own PV is {"what": "volume", "volume": "pv", "scope": {"scope": "own"}, ...}; active frontline
    members are {"what": "members", "where": {"is": "active"}, "scope": {"scope": "levels", ...}}.
    Counts are whole numbers; conditions and bands write them as "3".
    """

    code: Code
    name: Annotated[str, "What it is called where people read it: Group volume."]
    what: Annotated[
        Literal["volume", "members", "orders"],
        "volume: sums a figure of order lines. members, orders: counts people, or paid lines.",
    ]
    scope: Own | Group | Levels | Company
    volume: Annotated[Code | None, "Which figure is summed."] = None
    kinds: Annotated[tuple[Code, ...] | None, "Only order lines of these kinds."] = None
    where: Annotated[Condition | None, "Only people (or their lines) who meet this."] = None
    window: Annotated[
        Literal["period", "periods", "lifetime", "first_days"],
        "period: this one. periods: this and the last `length` - 1. lifetime: all up to now. "
        "first_days: lines up to `length` days after their seller joined, of this period and those "
        "before; people who joined up to `length` days after the one who is measured.",
    ] = "period"
    length: Annotated[int, Between(1, 1_000)] = 1


# Conditions: what is asked of a member


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of them."""

    is_: Literal["all"]
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least `count` of them."""

    is_: Literal["any"]
    count: Annotated[int, Between(1, 100)]
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    is_: Literal["not"]
    of: Condition


@dataclass(frozen=True, slots=True)
class LegCap:
    """No leg counts for more than a share, of the required figure or of the member's own total;
    the share is rounded down to the hundredth."""

    share: Rate
    of: Literal["requirement", "total"]
    own_too: Annotated[bool, "Whether the member's own volume is limited like a leg."]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A metric reaches a figure (and, with `below`, stays under another)."""

    is_: Literal["at_least"]
    metric: Code
    figure: Amount
    below: Amount | None = None
    leg_cap: Annotated[LegCap | None, "Only for a group's volume."] = None


@dataclass(frozen=True, slots=True)
class LegsWithVolume:
    """So many legs whose head and downline together have a volume of at least so much."""

    is_: Literal["legs_with_volume"]
    legs: Annotated[int, Between(1, 1_000)]
    tree: Tree
    volume: Code
    figure: Amount


@dataclass(frozen=True, slots=True)
class LegsWithMembers:
    """So many different legs, each with at least so many members of a rank anywhere in it."""

    is_: Literal["legs_with_members"]
    legs: Annotated[int, Between(1, 1_000)]
    tree: Tree
    members: Annotated[int, Between(1, 100_000)]
    ladder: Code
    rank: Code


@dataclass(frozen=True, slots=True)
class HasRank:
    """Of this rank or a higher one. paid_as: met in this period; title: held; highest: ever.

    A rank that asks for a title or a highest rank of its own ladder means those from before.
    """

    is_: Literal["rank"]
    ladder: Code
    rank: Code
    which: Literal["paid_as", "title", "highest"]


@dataclass(frozen=True, slots=True)
class IsActive:
    """Active as the plan defines it."""

    is_: Literal["active"]


@dataclass(frozen=True, slots=True)
class HasPackage:
    """Holds one of these packages."""

    is_: Literal["package"]
    packages: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class HasFlag:
    """Carries a mark that the company sets outside the plan: approved, subscribed."""

    is_: Literal["flag"]
    flag: Code


@dataclass(frozen=True, slots=True)
class JoinedWithin:
    """Joined no more than so many days before (the order; without one, the end of the period)."""

    is_: Literal["joined_within"]
    days: Annotated[int, Between(0, 36_500)]


@dataclass(frozen=True, slots=True)
class JoinedInPeriod:
    """Joined in this period."""

    is_: Literal["joined_in_period"]


@dataclass(frozen=True, slots=True)
class Recruit:
    """The how-manieth recruit of his sponsor: by when he joined, or by his first order here."""

    is_: Literal["recruit"]
    first: Annotated[int, Between(1, 1_000_000)]
    last: Annotated[int, Between(1, 1_000_000)]
    by: Literal["joined", "first_order"]


Condition = (
    AllOf
    | AnyOf
    | Not
    | AtLeast
    | LegsWithVolume
    | LegsWithMembers
    | HasRank
    | IsActive
    | HasPackage
    | HasFlag
    | JoinedWithin
    | JoinedInPeriod
    | Recruit
)


# Ladders


@dataclass(frozen=True, slots=True)
class Rank:
    """One rung; its level is its place in the ladder, 1 for the lowest."""

    code: Code
    name: str
    when: Annotated[Condition | None, "What it asks; nothing in a ladder that is given."] = None


@dataclass(frozen=True, slots=True)
class FallsAtOnce:
    """The title is what the period's figures say."""

    policy: Literal["falls_at_once"]


@dataclass(frozen=True, slots=True)
class NeverFalls:
    """The title is the highest rank ever reached."""

    policy: Literal["never_falls"]


@dataclass(frozen=True, slots=True)
class Grace:
    """The title falls in the `periods`-th period in a row in which it is not met."""

    policy: Literal["grace"]
    periods: Annotated[int, Between(1, 120)]


@dataclass(frozen=True, slots=True)
class Lock:
    """A first rank reached soon after joining can't fall in the periods that follow; what is missed
    in them does not count."""

    joined_within_days: Annotated[int, Between(1, 3_650)]
    periods: Annotated[int, Between(1, 120)]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ranks from the lowest up. The first ladder of a plan is *the* rank people see.

    Three ranks are known of a member: paid-as (met by this period's figures), title (held, by
    `when_not_met`) and highest (ever).
    """

    code: Code
    source: Annotated[
        Literal["computed", "given"], "given: comes with the member, nothing is computed."
    ]
    climb: Annotated[
        Literal["each_rank", "highest_met"],
        "each_rank: every rung below must be met as well. highest_met: the highest met counts.",
    ]
    when_not_met: FallsAtOnce | NeverFalls | Grace
    ranks: tuple[Rank, ...]
    lock: Lock | None = None

    def level(self, code: str | None) -> int:
        """The level of a rank, 0 for no rank and for an unknown code."""
        codes = [rank.code for rank in self.ranks]
        return codes.index(code) + 1 if code in codes else 0

    def rank(self, level: int) -> Rank | None:
        """The rank of a level; None for level 0."""
        return self.ranks[level - 1] if 0 < level <= len(self.ranks) else None


@dataclass(frozen=True, slots=True)
class Package:
    """What a member bought to take part; packages stand from the smallest to the largest."""

    code: Code
    name: str
    value: Annotated[Amount, "Its price: the limit of a base taken from the smaller package."]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The placement tree's shape, and where somebody goes who was given no place."""

    width: Annotated[int | None, "Places under each; null: any number."]
    strategy: Literal["breadth_first", "weaker_leg", "least_populated"]


# What a bonus is paid on


@dataclass(frozen=True, slots=True)
class OfOrder:
    """Paid on each order line: one of its figures. The source is the seller."""

    of: Literal["order"]
    volume: Code
    smaller_package: Annotated[
        bool, "No more than the value of the smaller package of earner and source."
    ] = False


@dataclass(frozen=True, slots=True)
class OfMetric:
    """Paid on a figure of each member in the period. The source is that member."""

    of: Literal["metric"]
    metric: Code


@dataclass(frozen=True, slots=True)
class Flat:
    """Paid as an amount: for each order line, or for each member in a period."""

    of: Literal["flat"]
    per: Literal["order", "member"]


@dataclass(frozen=True, slots=True)
class OfCommissions:
    """Paid on what others were paid. The source is who was paid, the line his line's."""

    of: Literal["commissions"]
    bonuses: Annotated[tuple[Code, ...], "May name this bonus too: then a match is matched again."]
    per: Annotated[Literal["line", "member"], "Each of his lines by itself, or their sum."]
    after_limits: Annotated[bool, "Whether limits on those bonuses were applied before."]


# Who is paid


@dataclass(frozen=True, slots=True)
class PaysSource:
    """The source himself: the seller of the line, the member, the earner of the commission."""

    who: Literal["source"]


@dataclass(frozen=True, slots=True)
class Physical:
    """Each upline uses up a step."""

    count: Literal["physical"]


@dataclass(frozen=True, slots=True)
class Compressed:
    """Only uplines who meet the condition use up a step; the others are passed over."""

    count: Literal["compressed"]
    counts: Condition


@dataclass(frozen=True, slots=True)
class Generations:
    """A step is a generation: it ends with the next upline who meets the boundary."""

    count: Literal["generations"]
    boundary: Condition
    boundary_belongs_to: Annotated[
        Literal["generation_he_closes", "next_generation"],
        "Which generation's rate the boundary member himself is paid at.",
    ]
    pays: Annotated[Literal["boundary", "everyone"], "Who is paid within a generation."]


@dataclass(frozen=True, slots=True)
class Stop:
    """The walk ends with the first upline who meets the condition."""

    at: Condition
    pays_him: Annotated[bool, "Whether he is still paid."]


@dataclass(frozen=True, slots=True)
class PaysUpline:
    """Uplines of the source, one after the other, until the steps are used up."""

    who: Literal["upline"]
    tree: Tree
    start: Annotated[
        Mapping[Code, Literal["source", "upline"]] | Literal["source", "upline"],
        "Who is step 1: the source himself or the next above him. For order lines by kind of "
        "order; a kind left out pays nobody.",
    ]
    steps: Physical | Compressed | Generations
    max_steps: Steps
    max_distance: Annotated[
        Steps | None,
        "How far up it looks, physically, 1 being the next above the source; null: to the top.",
    ]
    unfilled: Annotated[
        Literal["nobody", "company"],
        "Who gets a step that no upline is left for; nobody after a stop or a block.",
    ]
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Nothing is matched before one leg has counted `more` and the other `fewer` people: those who
    joined in the period, or all who are there."""

    more: Annotated[int, Between(1, 1_000)]
    fewer: Annotated[int, Between(1, 1_000)]
    window: Literal["period", "lifetime"]


@dataclass(frozen=True, slots=True)
class CarryCap:
    """The most a leg carries on: an amount, or so many times the mean of what was matched in this
    and the periods before it, `periods` together. With both, the lower one."""

    amount: Amount | None = None
    times: Rate | None = None
    periods: Annotated[int, Between(1, 60)] = 1


@dataclass(frozen=True, slots=True)
class PaysPairs:
    """The owner of two legs, on what both have: the weaker leg's volume, or whole cycles.

    Base of the line: the matched volume; with cycles one flat unit a cycle. Volumes start from what
    was carried in. The member's own volume is in neither leg.
    """

    who: Literal["pairs"]
    tree: Literal["placement"]
    volume: Code
    cycle: Annotated[
        Amount | None, "Volume on each side of a whole cycle; null: the weaker leg to the cent."
    ]
    after_payout: Annotated[
        Literal["carry", "net_off", "flush"],
        "carry: the weaker leg goes to zero, the stronger keeps the difference. net_off: the "
        "matched volume is taken off both. flush: both go to zero, in every period.",
    ]
    if_ineligible: Annotated[
        Literal["keep_both", "weaker_to_zero", "flush"],
        "What happens to the legs of somebody who may not be paid. weaker_to_zero: the stronger "
        "stays as it is.",
    ]
    carry_cap: CarryCap | None
    most_volume: Annotated[
        Amount | None, "The most volume that is matched in a period; the rest stays in the legs."
    ] = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class PaysPool:
    """Members who meet the eligibility share a sum: a rate of a metric of the company.

    The pool is rates' first step x the base metric; who takes part stands in `eligibility`.
    """

    who: Literal["pool"]
    shares: EqualShares | MetricShares | RankShares
    remainder: Annotated[
        Literal["company", "largest_remainder"],
        "What rounding leaves over. company: each share is rounded down, the rest stays. "
        "largest_remainder: it goes out a unit at a time to those who lost most by rounding.",
    ]
    if_nobody: Annotated[Literal["company", "carry"], "Where the pool goes with nobody in it."]


@dataclass(frozen=True, slots=True)
class EqualShares:
    """Each the same."""

    by: Literal["equal"]


@dataclass(frozen=True, slots=True)
class MetricShares:
    """In proportion to a metric."""

    by: Literal["metric"]
    metric: Code


@dataclass(frozen=True, slots=True)
class RankShares:
    """So many shares by rank. `worth`: shares of a fixed number, or of those handed out."""

    by: Literal["rank"]
    ladder: Code
    shares: Mapping[Code, Annotated[int, Between(0, 1_000_000)]]


@dataclass(frozen=True, slots=True)
class PaysCompany:
    """The company itself: a fee or a retained part, less what other bonuses paid on the line."""

    who: Literal["company"]
    less: tuple[Code, ...] = ()


# How much


@dataclass(frozen=True, slots=True)
class ByStep:
    """One rate for each step, the same for everybody."""

    by: Literal["step"]
    table: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class ByRank:
    """A row of steps for each rank of a ladder; "none" is the row of those without one."""

    by: Literal["rank"]
    ladder: Code
    which: Literal["paid_as", "title", "highest"]
    table: Mapping[Code, tuple[Rate, ...]]


@dataclass(frozen=True, slots=True)
class ByPackage:
    """A row of steps for each package: the earner's, or the smaller of earner's and source's."""

    by: Literal["package"]
    whose: Literal["earner", "smaller"]
    table: Mapping[Code, tuple[Rate, ...]]


@dataclass(frozen=True, slots=True)
class ByKind:
    """A row of steps for each order kind."""

    by: Literal["kind"]
    table: Mapping[Code, tuple[Rate, ...]]


@dataclass(frozen=True, slots=True)
class Band:
    """From a figure of the metric on, up to the next band."""

    at: Amount
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class ByBand:
    """A row of steps by the band that the earner's metric lies in."""

    by: Literal["band"]
    metric: Code
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Less:
    """The earner gets the difference to a rate below him, not the whole rate.

    paid_below: the highest rate already applied on the same walk; that of a step that was lost, the
    company's or held counts as applied. source: the source's own rate by the table at step 1.
    """

    than: Literal["paid_below", "source"]
    minimum: Annotated[Rate, "Paid at least, even where the difference is nothing; 0 for none."]
    source_minimum: Annotated[Rate, "The source's rate counts as at least this; 0 for none."] = 0


# When, where not, and the bonus itself


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What the earner must fulfil, and what becomes of his part if he does not."""

    when: Condition | None
    otherwise: Annotated[
        Literal["lost", "compress", "block", "company", "held"],
        "lost: the step pays nobody. compress: it goes to the next who is eligible. block: the "
        "walk ends. company: the company keeps it. held: it waits, whole, until he is.",
    ]


@dataclass(frozen=True, slots=True)
class Speed:
    """A multiple for who reaches a rank within so many days of the rank before (or of joining)."""

    within_days: Annotated[int, Between(1, 3_650)]
    times: Rate


@dataclass(frozen=True, slots=True)
class Always:
    """Whenever it is earned."""

    times: Literal["always"]
    after_periods: Annotated[
        int, Between(1, 120), "Only in the so-manieth eligible period in a row and those after."
    ] = 1


@dataclass(frozen=True, slots=True)
class OnceEver:
    """Once in a member's life."""

    times: Literal["once"]


@dataclass(frozen=True, slots=True)
class OncePerRank:
    """Once for each rank of the ladder in the rates, when it is reached for the first time."""

    times: Literal["once_per_rank"]
    skipped_ranks: Annotated[
        Literal["pay_all", "reached_only"],
        "Who rises over several ranks at once is paid for each, or for the last alone.",
    ]
    speed: tuple[Speed, ...] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Not paid where other bonuses were.

    line: on no order line on which they paid anybody. line_and_earner: not to an earner whom they
    paid on the same line. seller: never on what the earner sold himself.
    """

    scope: Literal["line", "line_and_earner"]
    bonuses: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Bonus:
    """One thing that is paid. Its place in the list is its turn, and its number in the ledger."""

    code: Code
    name: str
    ledger_type: LedgerType
    trigger: Annotated[
        Literal["payment", "period_close"],
        "payment: final when the order is paid. period_close: with the whole period.",
    ]
    base: OfOrder | OfMetric | Flat | OfCommissions
    pays: PaysSource | PaysUpline | PaysPairs | PaysPool | PaysCompany
    rates: ByStep | ByRank | ByPackage | ByKind | ByBand
    eligibility: Eligibility
    unit: Annotated[
        Literal["share", "amount"],
        "Whether the rates are shares of the base or amounts of money, one for each thing paid on, "
        "each of a metric's count or each cycle.",
    ] = "share"
    factor: Annotated[Rate, "Money for one unit of volume; shares are taken after it."] = WHOLE
    less: Annotated[Less | None, "Left out: the whole rate."] = None
    sources: Annotated[Condition | None, "Only what comes from members who meet this."] = None
    exclusion: Exclusion | None = None
    occurrence: Always | OnceEver | OncePerRank = field(default_factory=lambda: Always("always"))
    instalments: Annotated[
        int, Between(1, 60), "Paid in so many equal parts, one a period; the last takes the rest."
    ] = 1


# Limits, reversal, payout


@dataclass(frozen=True, slots=True)
class Limit:
    """What these bonuses may come to in a period, for a member, a person, or all together.

    Limits apply in the order of the list, each to what those before it left. What is cut stands in
    the ledger as a line of its own.
    """

    code: Code
    name: str
    scope: Annotated[
        Literal["member", "person", "company"],
        "person: over all positions of one owner.",
    ]
    bonuses: tuple[Code, ...]
    amount: Annotated[Amount | None, "An absolute limit."]
    share: Annotated[Rate | None, "A limit as a share of `metric`."]
    metric: Annotated[
        Code | None,
        "For a company limit a metric of the company; for a person that of his positions together.",
    ]
    enforcement: Annotated[
        Literal["pro_rata", "lower_ranks_first", "refuse"],
        "pro_rata: everybody is cut in proportion, to the unit by largest remainder. "
        "lower_ranks_first: they are paid in full as far as it reaches, the rank where it ends by "
        "pro_rata. refuse: the run fails and names the difference.",
    ]
    overflow: Annotated[
        Literal["lost", "held"], "lost: not paid, not carried. held: paid when there is room."
    ]


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a refund after the period does."""

    commissions: Annotated[
        Literal["proportional", "full", "none"],
        "proportional: by the part that came back, to the cent. full: all of the line's.",
    ]
    derived: Annotated[bool, "Whether matches and the like on those commissions go back as well."]
    window_days: Annotated[
        Annotated[int, Between(1, 36_500)] | None, "Up to so many days after the sale; null: ever."
    ]
    volume_counts_in: Literal["period_of_refund"]
    reevaluate_rank: Annotated[Literal["never"], "Ranks of closed periods stand."]


@dataclass(frozen=True, slots=True)
class Payout:
    """When what was earned can be taken out; until then it is carried."""

    minimum: Amount
    when: Condition | None
    hold_days: Annotated[int, Between(0, 3_650)]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan."""

    schema: Annotated[int, Between(SCHEMA_VERSION, SCHEMA_VERSION), "Version of the language."]
    name: str
    currency: Annotated[str, Pattern("[A-Z]{3}", "three letters as in ISO 4217"), "Currency code."]
    money: Money
    kinds: Annotated[tuple[Code, ...], "The kinds of order lines there are."]
    volumes: tuple[Volume, ...]
    metrics: tuple[Metric, ...]
    activity: Annotated[Condition | None, "Who is active; null: everybody."]
    ladders: tuple[Ladder, ...]
    bonuses: tuple[Bonus, ...]
    limits: tuple[Limit, ...]
    reversal: Reversal
    payout: Payout
    packages: tuple[Package, ...] = ()
    matrix: Matrix | None = None
    _hash: str = ""

    @property
    def content_hash(self) -> str:
        """Identifies the document byte for byte (canonical JSON)."""
        return self._hash

    def ladder(self, code: str) -> Ladder:
        return next(ladder for ladder in self.ladders if ladder.code == code)

    def metric(self, code: str) -> Metric:
        return next(metric for metric in self.metrics if metric.code == code)

    def bonus(self, code: str) -> Bonus:
        """The bonus of that code; KeyError when the plan has none."""
        for bonus in self.bonuses:
            if bonus.code == code:
                return bonus
        raise KeyError(code)

    @property
    def programmes(self) -> tuple[Bonus | Limit, ...]:
        """What ledger lines name by place: the bonuses, then the limits."""
        return (*self.bonuses, *self.limits)

    def triggered_by(self, trigger: str) -> tuple[Bonus, ...]:
        return tuple(bonus for bonus in self.bonuses if bonus.trigger == trigger)


def parts(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every record of a plan with its path, outer ones first."""
    if is_dataclass(value):
        yield path, value
        for item in fields(value):
            yield from parts(getattr(value, item.name), f"{path}.{item.name.rstrip('_')}")
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from parts(item, f"{path}[{place}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from parts(item, f"{path}.{key}")
