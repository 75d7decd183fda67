"""A plan that has every part of the language somewhere, to see that nothing overlooks one."""

from commissions.engine.plan import Plan
from tests.engine.documents import (
    COMPANY,
    METRICS,
    Document,
    all_of,
    any_of,
    at_least,
    bonus,
    by_rank,
    by_step,
    document,
    given_ladder,
    group,
    has_rank,
    ladder,
    levels,
    load,
    metric,
    upline,
)  # fmt: skip

ACTIVE: Document = {"is": "active"}
FLAT: Document = {"of": "flat", "per": "member"}
COMMISSIONS: Document = {
    "of": "commissions", "bonuses": ["unilevel"], "per": "line", "after_limits": False,
}  # fmt: skip


def everything() -> Plan:
    return load(
        document(
            volumes=volumes(), metrics=metrics(), packages=packages(), ladders=ladders(),
            activity=at_least("pv", "50"), bonuses=bonuses(), limits=limits(),
            matrix={"width": 2, "strategy": "weaker_leg"},
            payout={"minimum": "25", "when": {"is": "flag", "flag": "approved"}, "hold_days": 14},
        )
    )  # fmt: skip


def volumes() -> list[Document]:
    return [
        {"code": "pv"}, {"code": "cv"}, {"code": "margin"},
        {"code": "fee", "amounts": {"retail": "2.50", "autoship": "1"}},
        {"code": "pool", "of": "cv", "rate": "0.035", "kinds": ["retail"]},
        {"code": "rest", "of": "cv", "less": ["pool", "fee"]},
    ]  # fmt: skip


def metrics() -> list[Document]:
    return [
        *METRICS,
        metric("company_cv", volume="cv", scope=COMPANY, kinds=["retail", "autoship"]),
        metric("frontline", what="members", scope=levels(1, 1), where=ACTIVE),
        metric("orders", what="orders", scope=levels(1, 3), window="periods", length=3),
        metric("start", volume="pv", window="first_days", length=30),
        metric(
            "own_start",
            volume="pv",
            scope=group(),
            window="first_days",
            length=30,
            since="member",
            kinds=["retail"],
        ),
        metric("customers", what="buyers", volume="pv", least="100"),
        metric("new", what="orders", orders={"first": 1, "last": 2, "within_days": 60}),
        metric("points", what="sum", parts={"ever": "1", "frontline": "500"}),
        metric("ever", volume="pv", window="lifetime"),
        metric("others", volume="pv", scope={"scope": "legs", "tree": "sponsor", "first": 2}),
        metric("apart", volume="pv", scope=group(until=has_rank("gold", which="title"))),
    ]


def packages() -> list[Document]:
    return [
        {"code": "small", "name": "Small", "value": "50"},
        {"code": "large", "name": "Large", "value": "200"},
    ]


def ladders() -> list[Document]:
    capped = {"share": "0.5", "of": "requirement", "own_too": False}
    legs = {"is": "legs_with_volume", "legs": 2, "tree": "sponsor", "volume": "pv", "figure": "100"}
    led = {"is": "legs_with_members", "legs": 2, "tree": "sponsor", "members": 3,
           "ladder": "rank", "rank": "bronze"}  # fmt: skip
    sides = {"is": "legs_with_recruits", "legs": 2, "tree": "placement", "recruits": 1,
             "by": "enroller", "where": ACTIVE}  # fmt: skip
    ranks = {
        "bronze": at_least("pv", "100", below="5000"),
        "silver": all_of(at_least("gv", "1000", leg_cap=capped), legs),
        "gold": any_of(
            led, sides, at_least("others", "9000"), {"is": "not", "of": ACTIVE}, count=2
        ),
    }
    lock = {"joined_within_days": 60, "periods": 6}
    falls = {"policy": "grace", "periods": 3}
    return [ladder(ranks, when_not_met=falls, lock=lock), given_ladder("club", "member", "star")]


def bonuses() -> list[Document]:
    generations = {"count": "generations", "boundary": has_rank("gold"), "pays": "boundary",
                   "boundary_belongs_to": "next_generation"}  # fmt: skip
    once = {"times": "once_per_rank", "skipped_ranks": "pay_all",
            "speed": [{"within_days": 90, "times": "2"}]}  # fmt: skip
    bands = [{"at": "0", "rates": ["0.01"]}, {"at": "500", "rates": ["0.02"]}]
    return [
        bonus(pays=upline(start={"retail": "source", "autoship": "upline"}, max_distance=9),
              factor="0.8", eligibility={"when": ACTIVE, "otherwise": "compress"}),
        bonus("difference", rates=by_rank({"bronze": ["0.1"], "gold": ["0.2"]}),
              less={"than": "paid_below", "minimum": "0.01", "source_minimum": "0.02"}),
        bonus("packages", base={"of": "order", "volume": "cv", "smaller_package": True},
              rates={"by": "package", "whose": "smaller", "table": {"small": ["0.05"],
                                                                    "large": ["0.1"]}},
              sources={"is": "recruit", "first": 1, "last": 2, "by": "joined"},
              exclusion={"scope": "line", "bonuses": ["unilevel"]}),
        bonus("leaders", pays=upline(steps=generations, unfilled="company", stop={
              "at": {"is": "package", "packages": ["large"]}, "pays_him": True})),
        bonus("squeezed", pays=upline(steps={"count": "compressed", "counts": ACTIVE})),
        bonus("match", base=COMMISSIONS, rates=by_step("0.2"),
              eligibility={"when": {"is": "joined_within", "days": 90}, "otherwise": "lost"}),
        bonus("kinds", pays={"who": "source"},
              rates={"by": "kind", "table": {"retail": ["0.25"], "preferred": ["0.2"]}}),
        bonus("bands", base={"of": "metric", "metric": "pv"}, pays={"who": "source"},
              rates={"by": "band", "metric": "gv", "bands": bands}),
        bonus("rank", base=FLAT, pays={"who": "source"}, unit="amount", occurrence=once,
              rates=by_rank({"bronze": ["10"], "gold": ["50"]}), instalments=3),
        bonus("gift", base=FLAT, pays={"who": "source"}, unit="amount", rates=by_step("5"),
              occurrence={"times": "once"}, sources={"is": "joined_in_period"}),
        bonus("steady", base=FLAT, pays={"who": "source"}, unit="amount", rates=by_step("5"),
              occurrence={"times": "always", "after_periods": 3},
              eligibility={"when": at_least("frontline", "3"), "otherwise": "held"}),
        bonus("pairs", base=FLAT, rates=by_step("0.1"), pays={
              "who": "pairs", "tree": "placement", "volume": "cv", "cycle": None,
              "after_payout": "carry", "if_ineligible": "keep_both", "most_volume": "9000",
              "over_most": "flush",
              "carry_cap": {"amount": "5000", "times": "3", "periods": 4},
              "gate": {"more": 2, "fewer": 1, "window": "lifetime"}}),
        *(pool(code, shares) for code, shares in SHARES.items()),
        bonus("uneven", base=FLAT, unit="amount", rates=by_step("54"), pays={
              "who": "pairs", "tree": "placement", "volume": "cv", "cycle": "300",
              "stronger": "600", "after_payout": "net_off", "if_ineligible": "keep_both",
              "most_by_rank": {"ladder": "rank", "which": "title",
                               "table": {"none": "300", "bronze": "6000"}},
              "carry_cap": None}),
        bonus("first", pays=upline(max_steps=5, further_steps="as_last"), orders={"last": 1},
              rates={"by": "figure", "volume": "pv", "bands": bands},
              base={"of": "order", "volume": "cv", "at_most": "800", "above": "40"}),
        bonus("dozens", base={"of": "metric", "metric": "orders", "each": "12", "above": "6"},
              pays={"who": "source"}, unit="amount", rates=by_step("25")),
        bonus("car", base={"of": "metric", "metric": "points", "at_most": "90"},
              pays={"who": "source"}, rates=by_step("0.1"),
              occurrence={"times": "always", "after_periods": 3, "may_miss": 2, "rest_periods": 6,
                          "most_times": 24}),
        bonus("trip", base=FLAT, pays={"who": "source"}, unit="amount", rates=by_step("1"),
              occurrence={"times": "once"}, eligibility={"when": at_least("points", "26000"),
              "otherwise": "lost"}, reward={"name": "Trip to Lisbon", "value": "3500"}),
        bonus("keeps", pays={"who": "company", "less": ["unilevel"]}, rates=by_step("0.15")),
    ]  # fmt: skip


SHARES: dict[str, Document] = {
    "equal": {"by": "equal"},
    "weighed": {"by": "metric", "metric": "gv"},
    "ranked": {"by": "rank", "ladder": "rank", "shares": {"silver": 1, "gold": 3}},
}


def pool(code: str, shares: Document) -> Document:
    pays = {"who": "pool", "shares": shares, "remainder": "company", "if_nobody": "carry"}
    base = {"of": "metric", "metric": "company_cv"}
    return bonus(code, base=base, rates=by_step("0.01"), pays=pays)


def limits() -> list[Document]:
    most = {"code": "most", "name": "Most", "scope": "person", "bonuses": ["unilevel", "pairs"],
            "amount": "1000", "share": None, "metric": None, "enforcement": "pro_rata",
            "overflow": "lost"}  # fmt: skip
    share = {"amount": None, "share": "0.4", "metric": "company_cv", "scope": "company"}
    starters = {"scope": "member", "when": {"is": "package", "packages": ["small"]}}
    low = most | starters | {"code": "starters", "name": "Starters", "amount": "50"}
    return [low, most, most | share | {"code": "ceiling", "name": "Ceiling"}]
