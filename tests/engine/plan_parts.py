"""The parts of a random plan, each drawn so that what it names is already there.

What is measured first asks nobody anything; activity asks for what is measured; further metrics ask
who is active; ranks ask for all of that; the last metrics ask for ranks, and bonuses for anything.
"""

from typing import Any

from hypothesis import strategies as st

from tests.engine.documents import Document

TREES = ("sponsor", "enroller", "placement")
RANKS = ("bronze", "silver", "gold")
WHICH = ("paid_as", "title", "highest")


def decimals(low: int, high: int, places: int = 2) -> st.SearchStrategy[str]:
    """Decimal strings from low to high, in steps of the last place."""
    return st.integers(low, high).map(lambda n: f"{n // 10**places}.{n % 10**places:0{places}d}")


class Parts:
    def __init__(self, draw: st.DrawFn, *, line_by_line: bool = True) -> None:
        """`line_by_line`: whether anything may depend on the amount of a single ledger line."""
        self.draw, self.line_by_line = draw, line_by_line
        self.kinds = ["retail", "self_consumption", "enrolment_kit"]
        self.figures = ["pv", "cv", "margin"]
        self.packages = [
            {"code": code, "name": code.title(), "value": value}
            for code, value in (("small", "50"), ("large", "200"))
        ]
        self.metrics: list[Document] = []
        self.ranked: list[Document] = []
        self.bonus_codes: list[str] = []
        self.tree = self.pick("sponsor", "sponsor", "enroller", "placement")

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def seldom(self) -> bool:
        return bool(self.pick(False, False, False, True))

    def some(self, options: Any) -> list[Any]:
        chosen = self.draw(st.sets(st.sampled_from(list(options)), min_size=1))
        return [option for option in options if option in chosen]

    def figure(self, high: int = 40_000) -> str:
        return str(self.draw(decimals(0, high)))

    # What is measured

    def volumes(self) -> list[Document]:
        volumes: list[Document] = [{"code": code} for code in self.figures]
        if self.seldom():
            volumes += [
                {"code": "net", "of": "cv", "rate": self.draw(decimals(0, 999_999, 6))},
                {"code": "rest", "of": "cv", "less": self.some(["net"])},
            ]
        if self.seldom():
            volumes.append({"code": "kits", "of": "pv", "kinds": self.some(self.kinds)})
        if self.seldom():
            amounts = {kind: self.figure(10_000) for kind in self.some(self.kinds)}
            volumes.append({"code": "fixed", "amounts": amounts})
        self.figures = [volume["code"] for volume in volumes]
        return volumes

    def scope(self, until: Document | None = None) -> Document:
        kind = self.pick("own", "group", "group", "levels", "company")
        if kind == "group":
            scope = {
                "scope": "group",
                "tree": self.pick(*TREES),
                "include_self": self.pick(True, False),
            }
            return scope | ({"until": until} if until and self.pick(True, False) else {})
        if kind == "levels":
            first = self.pick(1, 1, 2)
            tree, last = self.pick(*TREES), first + self.pick(0, 1, 2)
            return {"scope": "levels", "tree": tree, "first": first, "last": last}
        return {"scope": kind}

    def metric(self, code: str, where: Document | None = None, **parts: Any) -> Document:
        what = self.pick("volume", "volume", "members", "orders")
        metric: Document = {"code": code, "name": code.upper(), "what": what, "scope": self.scope()}
        if what == "volume":
            metric["volume"] = self.pick(*self.figures)
        if what != "members" and self.seldom():
            metric["kinds"] = self.some(self.kinds)
        if where is not None:
            metric["where"] = where
        metric |= parts
        if self.seldom():
            windows = ["periods", "lifetime"]
            metric["window"] = self.pick(*windows, *(["first_days"] if what != "members" else []))
            if metric["window"] != "lifetime":
                metric["length"] = self.pick(2, 3) if metric["window"] == "periods" else 30
        return metric

    def first_metrics(self) -> list[Document]:
        own, everybody = {"scope": "own"}, {"scope": "company"}
        tree = self.pick("sponsor", "placement")
        group = {"scope": "group", "tree": tree, "include_self": self.pick(True, False)}
        fixed: Document = {"what": "volume", "volume": "pv"}
        added = [
            {"code": "own", "name": "Own", "scope": own} | fixed,
            {"code": "team", "name": "Team", "scope": group} | fixed,
            {"code": "all", "name": "All", "scope": everybody} | fixed,
        ]
        added += [
            self.metric(f"first{k}", where=self.fact() if self.seldom() else None)
            for k in range(self.pick(1, 2))
        ]
        self.metrics += added
        return added

    def metrics_of_the_active(self) -> list[Document]:
        """And the group without leaders, whom the ladder may ask for it: settled bottom up."""
        added = [self.metric("active_ones", where={"is": "active"})] if self.seldom() else []
        if self.seldom():
            leader = {"is": "rank", "ladder": "rank", "rank": "gold", "which": "paid_as"}
            scope = {"scope": "group", "tree": self.tree, "include_self": True, "until": leader}
            added.append({
                "code": "own_group", "name": "Own group", "what": "volume", "volume": "pv",
                "scope": scope,
            })  # fmt: skip
        self.metrics += added
        return added

    def metrics_of_ranks(self) -> list[Document]:
        added = []
        if self.seldom():
            added.append(self.metric("leaders", where=self.rank()))
        if self.pick(True, False):
            scope = {"scope": "group", "tree": self.pick(*TREES), "include_self": True}
            until = {"until": self.rank()}
            added.append({
                "code": "circle", "name": "Circle", "what": "volume", "volume": "cv",
                "scope": scope | until,
            })  # fmt: skip
        self.metrics += added
        return added

    def metric_code(self, *, window: bool = True) -> str:
        return str(self.pick(*[m["code"] for m in self.metrics if window or "window" not in m]))

    # What is asked

    def fact(self) -> Document:
        """Something known without any calculation."""
        return self.pick(
            {"is": "flag", "flag": "approved"},
            {"is": "package", "packages": self.some(["small", "large"])},
            {"is": "joined_within", "days": self.pick(10, 30, 60)},
            {"is": "joined_in_period"},
            {"is": "recruit", "first": 1, "last": self.pick(1, 2), "by": "joined"},
            {"is": "recruit", "first": self.pick(1, 2), "last": 3, "by": "first_order"},
        )

    def rank(self) -> Document:
        ladder = self.pick(*self.ranked)
        code = self.pick(*[rank["code"] for rank in ladder["ranks"]])
        which = self.pick(*WHICH)
        return {"is": "rank", "ladder": ladder["code"], "rank": code, "which": which}

    def reach(self) -> Document:
        metric = self.pick(*self.metrics)
        high = 40_000 if metric["what"] == "volume" else 500
        asked: Document = {"is": "at_least", "metric": metric["code"], "figure": self.figure(high)}
        capable = metric["scope"]["scope"] == "group" and metric["what"] == "volume"
        if capable and "window" not in metric and self.pick(True, False):
            share = self.draw(decimals(200_000, 900_000, 6))
            of = self.pick("requirement", "total")
            asked["leg_cap"] = {"share": share, "of": of, "own_too": self.pick(True, False)}
        elif self.seldom():
            asked["below"] = f"{float(asked['figure']) + 200:.2f}"
        return asked

    def condition(self, depth: int = 1, *, active: bool = True) -> Document:
        """Anything that the parts drawn so far can answer."""
        if depth and self.seldom():
            parts = [self.condition(depth - 1, active=active) for _ in range(2)]
            return self.pick(
                {"is": "all", "of": parts},
                {"is": "any", "count": 1, "of": parts},
                {"is": "not", "of": parts[0]},
            )
        kinds = (
            ["reach", "reach", "fact", "legs"] + ["active"] * active + ["rank"] * bool(self.ranked)
        )
        kind = self.pick(*kinds)
        if kind == "reach":
            return self.reach()
        if kind == "legs":
            return {
                "is": "legs_with_volume", "legs": self.pick(1, 1, 2), "tree": self.pick(*TREES),
                "volume": self.pick(*self.figures), "figure": self.figure(20_000),
            }  # fmt: skip
        return {"fact": self.fact, "active": lambda: {"is": "active"}, "rank": self.rank}[kind]()

    def activity(self) -> Document | None:
        return None if self.seldom() else self.condition(active=False)

    # Ladders

    def ladders(self) -> list[Document]:
        ranks = [{"code": code, "name": code.title()} for code in RANKS]
        grade: Document = {
            "code": "grade", "source": "given", "climb": "each_rank",
            "when_not_met": {"policy": "falls_at_once"}, "ranks": ranks,
        }  # fmt: skip
        climbed = [rank | {"when": self.asked_of(place)} for place, rank in enumerate(ranks)]
        rank: Document = {
            "code": "rank", "source": "computed", "climb": self.pick("each_rank", "highest_met"),
            "when_not_met": self.pick(
                {"policy": "falls_at_once"}, {"policy": "never_falls"},
                {"policy": "grace", "periods": 2},
            ),
            "ranks": climbed,
        }  # fmt: skip
        if self.seldom():
            rank["lock"] = {"joined_within_days": 30, "periods": 2}
        self.ranked = [rank, rank, grade]
        return [rank, grade] if self.pick(True, False) else [grade, rank]

    def asked_of(self, place: int) -> Document:
        if place and self.seldom():
            which, rank = self.pick("title", "highest"), self.pick(*RANKS)
            return {"is": "rank", "ladder": "rank", "rank": rank, "which": which}
        if not self.seldom():
            return self.condition()
        return {
            "is": "legs_with_members", "legs": self.pick(1, 1, 2), "tree": self.tree,
            "members": self.pick(1, 1, 2), "ladder": "rank", "rank": self.pick(*RANKS),
        }  # fmt: skip

    # Bonuses

    def row(self, steps: int = 4, *, amounts: bool = False) -> list[str]:
        cell = decimals(1, 5_000) if amounts else decimals(1, 300_000, 6)
        return list(self.draw(st.lists(cell, min_size=1, max_size=steps)))

    def rates(
        self, steps: int, *, line: bool, earner: bool = True, amounts: bool = False
    ) -> Document:
        row = lambda: self.row(steps, amounts=amounts)  # noqa: E731
        kinds = ["step"] + ["kind"] * line + ["rank", "rank", "package", "band"] * earner
        kind = self.pick(*kinds)
        if kind == "step":
            return {"by": "step", "table": row()}
        if kind == "kind":
            return {"by": "kind", "table": {kind: row() for kind in self.some(self.kinds)}}
        if kind == "rank":
            table = {code: row() for code in self.some(["none", *RANKS])}
            ladder = self.pick("rank", "rank", "grade")
            return {"by": "rank", "ladder": ladder, "which": self.pick(*WHICH), "table": table}
        if kind == "package":
            table = {code: row() for code in self.some(["small", "large"])}
            return {"by": "package", "whose": self.pick("earner", "smaller"), "table": table}
        bands = [{"at": at, "rates": row()} for at in ("0", "100", "300")[self.pick(0, 1) :]]
        return {"by": "band", "metric": self.metric_code(), "bands": bands}

    def eligibility(self, *otherwise: str) -> Document:
        asked = None if self.pick(True, False) else self.condition()
        return {"when": asked, "otherwise": self.pick(*otherwise)}

    def bonuses(self) -> list[Document]:
        size = self.pick(2, 3, 4)
        self.limited = sorted(self.pick(1, size, size) for _ in range(self.pick(0, 0, 1, 2)))
        makers = [self.walk, self.walk, self.source, self.pairs, self.pool, self.rise, self.company]
        bonuses = []
        for place in range(size):
            code = f"bonus{place}"
            bonus = self.draw(st.sampled_from(makers))()
            bonuses.append(
                {"code": code, "name": code.title(), "ledger_type": "unilevel",
                 "trigger": "period_close"} | bonus
            )  # fmt: skip
            self.bonus_codes.append(code)
        return bonuses

    def base(self) -> tuple[Document, bool]:
        """A base for shares, and whether it comes by order lines."""
        kind = self.pick("order", "order", "metric", *(["commissions"] if self.bonus_codes else []))
        if kind == "order":
            volume, smaller = self.pick(*self.figures), self.seldom()
            return {"of": "order", "volume": volume, "smaller_package": smaller}, True
        if kind == "metric":
            return {"of": "metric", "metric": self.metric_code()}, False
        bonuses = self.some(self.bonus_codes)
        per = self.pick("line", "member") if self.line_by_line else "member"
        return {"of": "commissions", "bonuses": bonuses, "per": per, "after_limits": False}, False

    def extras(self, line: bool) -> Document:
        extras: Document = {}
        if self.seldom():
            extras["sources"] = self.condition()
        if line and self.line_by_line and self.bonus_codes and self.seldom():
            scope = self.pick("line", "line_and_earner")
            extras["exclusion"] = {"scope": scope, "bonuses": self.some(self.bonus_codes)}
        if self.seldom():
            extras["factor"] = self.draw(decimals(1, 2_000_000, 6))
        return extras

    def walk(self) -> Document:
        base, line = self.base()
        steps = self.pick(1, 2, 3, 4, 4)
        unfilled = self.pick("nobody", "nobody", "company")
        counts = self.counts()
        bonus: Document = {
            "base": base,
            "pays": {
                "who": "upline", "tree": self.pick(*TREES), "start": self.start(line),
                "steps": counts, "max_steps": steps, "max_distance": self.pick(None, None, 2, 4),
                "unfilled": unfilled,
            },
            "rates": self.rates(steps, line=line, earner=unfilled == "nobody"),
            "eligibility": self.eligibility("lost", "compress", "block", "company", "held"),
        }  # fmt: skip
        if self.seldom():
            bonus["pays"]["stop"] = {"at": self.condition(), "pays_him": self.pick(True, False)}
        if unfilled == "nobody" and self.seldom():
            than = self.pick("paid_below", "source")
            bonus["less"] = {"than": than, "minimum": self.pick("0", "0", "0.01")}
            if than == "source":
                bonus["less"]["source_minimum"] = self.pick("0", "0.02")
        return bonus | self.extras(line)

    def start(self, line: bool) -> Any:
        if not line or self.pick(True, False):
            return self.pick("source", "upline")
        return {kind: self.pick("source", "upline") for kind in self.some(self.kinds)}

    def counts(self) -> Document:
        kind = self.pick("physical", "compressed", "generations")
        if kind == "physical":
            return {"count": kind}
        if kind == "compressed":
            return {"count": kind, "counts": self.condition()}
        return {
            "count": kind, "boundary": self.rank(),
            "boundary_belongs_to": self.pick("generation_he_closes", "next_generation"),
            "pays": self.pick("boundary", "everyone"),
        }  # fmt: skip

    def source(self) -> Document:
        line, flat = self.pick(True, False), self.pick(True, False)
        if flat:
            base: Document = {"of": "flat", "per": "order" if line else "member"}
        else:
            base, line = self.base()
        bonus: Document = {
            "base": base, "pays": {"who": "source"},
            "rates": self.rates(1, line=line, amounts=flat),
            "eligibility": self.eligibility("lost", "company", "held"),
        }  # fmt: skip
        if flat:
            bonus["unit"] = "amount"
            often = self.pick("always", "run", "once") if not line else "always"
            if often == "run":
                bonus["occurrence"] = {"times": "always", "after_periods": 2}
            if often == "once":
                bonus["occurrence"] = {"times": "once"}
            bonus["instalments"] = self.parts()
            return bonus | {k: v for k, v in self.extras(line).items() if k != "factor"}
        return bonus | self.extras(line)

    def parts(self) -> int:
        return int(self.pick(1, 1, 3)) if self.line_by_line else 1

    def rise(self) -> Document:
        table = {code: self.row(1, amounts=True) for code in self.some(RANKS)}
        often: Document = {
            "times": "once_per_rank", "skipped_ranks": self.pick("pay_all", "reached_only")
        }  # fmt: skip
        if self.pick(True, False):
            often["speed"] = [
                {"within_days": 60, "times": "1.5"},
                {"within_days": 30, "times": "2"},
            ]
        return {
            "base": {"of": "flat", "per": "member"}, "pays": {"who": "source"}, "unit": "amount",
            "rates": {"by": "rank", "ladder": "rank", "which": "paid_as", "table": table},
            "eligibility": self.eligibility("lost"), "occurrence": often,
            "instalments": self.parts(),
        }  # fmt: skip

    def pairs(self) -> Document:
        cycle = self.pick(None, None, "50")
        cap = self.pick(
            None, {"amount": "100"}, {"times": "2", "periods": 3}, {"amount": "150", "times": "1.5"}
        )
        bonus: Document = {
            "base": {"of": "flat", "per": "member"},
            "pays": {
                "who": "pairs", "tree": "placement", "volume": self.pick(*self.figures),
                "cycle": cycle, "after_payout": self.pick("carry", "net_off", "flush"),
                "if_ineligible": self.pick("keep_both", "weaker_to_zero", "flush"),
                "carry_cap": cap, "most_volume": self.pick(None, None, "120"), "gate": self.gate(),
            },
            "rates": self.rates(1, line=False, amounts=cycle is not None),
            "eligibility": self.eligibility("lost", "lost", "company", "held"),
            "unit": "share" if cycle is None else "amount",
        }  # fmt: skip
        return bonus | ({"sources": self.condition()} if self.seldom() else {})

    def gate(self) -> Document | None:
        gate = {"more": self.pick(1, 2), "fewer": 1, "window": self.pick("period", "lifetime")}
        return self.pick(None, None, gate)

    def pool(self) -> Document:
        company = [m["code"] for m in self.metrics if m["scope"]["scope"] == "company"]
        shares = self.pick(
            {"by": "equal"},
            {"by": "metric", "metric": self.metric_code()},
            {"by": "rank", "ladder": "rank", "shares": {"none": 1, "bronze": 2, "gold": 5}},
        )
        return {
            "base": {"of": "metric", "metric": self.pick(*company)},
            "pays": {
                "who": "pool", "shares": shares, "if_nobody": self.pick("company", "carry"),
                "remainder": self.pick("company", "largest_remainder"),
            },
            "rates": {"by": "step", "table": self.row(1)},
            "eligibility": self.eligibility("lost"),
        }  # fmt: skip

    def company(self) -> Document:
        less: list[str] = []
        if self.bonus_codes and self.line_by_line and self.pick(True, False):
            less = self.some(self.bonus_codes)
        return {
            "base": {"of": "order", "volume": self.pick(*self.figures)},
            "pays": {"who": "company", "less": less},
            "rates": {"by": "step", "table": self.row(1)},
            "eligibility": {"when": None, "otherwise": "lost"},
        }

    # Limits

    def limits(self) -> list[Document]:
        """Each on all the bonuses of the one before and more, so that all is cut in turn."""
        limits = []
        for place in range(len(self.limited)):
            scope = self.pick("member", "person", "company")
            by_share = self.pick(True, False)
            metric = "all" if scope == "company" else "own"
            limits.append({
                "code": f"limit{place}", "name": f"Limit {place}", "scope": scope,
                "bonuses": self.bonus_codes[: self.limited[place]],
                "amount": None if by_share else self.figure(10_000),
                "share": self.draw(decimals(0, 500_000, 6)) if by_share else None,
                "metric": metric if by_share else None,
                "enforcement": self.pick("pro_rata", "lower_ranks_first")
                if scope == "company" else "pro_rata",
                "overflow": self.pick("lost", "lost", "held"),
            })  # fmt: skip
        return limits
