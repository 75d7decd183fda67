"""What a random plan pays: bonuses composed of everything that can go together, and limits."""

from typing import Any

from hypothesis import strategies as st

from tests.engine.documents import Document
from tests.engine.plan_parts import RANKS, TREES, WHICH, Measures, decimals


class Parts(Measures):
    def row(self, steps: int = 4, *, amounts: bool = False) -> list[str]:
        cell = decimals(1, 5_000) if amounts else decimals(1, 300_000, 6)
        return list(self.draw(st.lists(cell, min_size=1, max_size=steps)))

    def rates(
        self, steps: int, *, line: bool, earner: bool = True, amounts: bool = False
    ) -> Document:
        row = lambda: self.row(steps, amounts=amounts)  # noqa: E731
        kinds = ["step"] + ["kind", "figure"] * line + ["rank", "rank", "package", "band"] * earner
        kind = self.pick(*kinds)
        if kind == "step":
            return {"by": "step", "table": row()}
        if kind == "kind":
            return {"by": "kind", "table": {kind: row() for kind in self.some(self.kinds)}}
        if kind == "figure":
            bands = [{"at": at, "rates": row()} for at in ("0", "150", "350")[self.pick(0, 1) :]]
            return {"by": "figure", "volume": self.pick(*self.figures), "bands": bands}
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
        makers = [self.walk, self.walk, self.source, self.pairs, self.pool, self.rise]
        makers += [self.company, self.match, self.before]
        bonuses = []
        for place in range(size):
            code = f"bonus{place}"
            bonus = self.draw(st.sampled_from([*makers, self.reward] if place else makers))(code)
            bonuses.append(
                {"code": code, "name": code.title(), "ledger_type": "unilevel",
                 "trigger": "period_close"} | bonus
            )  # fmt: skip
            if "reward" in bonus:
                continue
            self.codes.append(code)
            if bonuses[-1]["trigger"] == "period_close":
                self.bonus_codes.append(code)
        return bonuses

    def base(self) -> tuple[Document, bool]:
        """A base for shares, and whether it comes by order lines."""
        paid = self.bonus_codes and not self.fine
        kind = self.pick("order", "order", "metric", *(["commissions"] if paid else []))
        if kind == "order":
            volume, smaller = self.pick(*self.figures), self.seldom()
            base = {"of": "order", "volume": volume, "smaller_package": smaller}
            return base | self.most(), True
        if kind == "metric":
            return {"of": "metric", "metric": self.metric_code()} | self.most(), False
        bonuses = self.some(self.bonus_codes)
        per = self.pick("line", "member") if self.line_by_line else "member"
        late = self.limits_before(bonuses) and self.pick(True, False)
        return {"of": "commissions", "bonuses": bonuses, "per": per, "after_limits": late}, False

    def most(self) -> Document:
        above = {"above": self.pick("20", "75.50")} if self.seldom() else {}
        most = {"at_most": self.pick("80", "110.25", "300")} if self.seldom() else {}
        return above | most

    def limits_before(self, bonuses: list[str]) -> bool:
        """Whether the limits on these are on no others, and complete by now."""
        most = self.limited[-1] if self.limited else 0
        return most <= len(self.codes) and set(self.codes[:most]) <= set(bonuses)

    def extras(self, line: bool, *, flat: bool = False) -> Document:
        extras: Document = {}
        if self.seldom():
            extras["sources"] = self.condition()
        if line and self.seldom():
            extras["orders"] = self.orders()
        if line and self.line_by_line and self.bonus_codes and self.seldom():
            scope = self.pick("line", "line_and_earner")
            extras["exclusion"] = {"scope": scope, "bonuses": self.some(self.bonus_codes)}
        if not flat and self.seldom():
            extras["factor"] = self.draw(decimals(1, 2_000_000, 6))
        return extras

    def walk(self, code: str) -> Document:
        flat = self.seldom()
        base, line = ({"of": "flat", "per": "order"}, True) if flat else self.base()
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
            "rates": self.rates(steps, line=line, earner=unfilled == "nobody", amounts=flat),
            "eligibility": self.eligibility("lost", "compress", "block", "company", "held"),
            "unit": "amount" if flat else "share", "instalments": self.parts(),
        }  # fmt: skip
        if self.seldom():
            bonus["occurrence"] = self.in_a_row()
        if self.seldom():
            bonus["pays"]["further_steps"] = "as_last"
        if self.seldom():
            bonus["pays"]["stop"] = {"at": self.condition(), "pays_him": self.pick(True, False)}
        if unfilled == "nobody" and self.seldom():
            than = self.pick("paid_below", "source")
            bonus["less"] = {"than": than, "minimum": self.pick("0", "0", "0.01")}
            if than == "source":
                bonus["less"]["source_minimum"] = self.pick("0", "0.02")
        return bonus | self.extras(line, flat=flat)

    def match(self, code: str) -> Document:
        """A match that is matched again, or a walk where there is nothing to match."""
        if not self.bonus_codes or not self.line_by_line or self.fine:
            return self.walk(code)
        bonuses = [*self.some(self.bonus_codes), code]
        base = {"of": "commissions", "bonuses": bonuses, "after_limits": False}
        steps = self.pick(1, 2)
        return {
            "base": base | {"per": self.pick("line", "member")},
            "pays": {
                "who": "upline", "tree": self.pick(*TREES), "start": "upline",
                "steps": self.counts(), "max_steps": steps, "max_distance": None,
                "unfilled": "nobody",
            },
            "rates": self.rates(steps, line=False),
            "eligibility": self.eligibility("lost", "compress", "block", "company"),
        }  # fmt: skip

    def before(self, code: str) -> Document:
        """Paid with the order already; the close only counts it into limits and balances."""
        return self.company(code) | {
            "trigger": "payment", "pays": {"who": "source"},
            "rates": {"by": "step", "table": ["0.1"]},
        }  # fmt: skip

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

    def source(self, code: str) -> Document:
        line, flat = self.pick(True, False), self.pick(True, False)
        counted = [m["code"] for m in self.metrics if m["what"] in ("members", "orders", "buyers")]
        if flat and not line and counted and self.seldom():
            base: Document = {"of": "metric", "metric": self.pick(*counted)}
            base |= {"each": self.pick("2", "3")} if self.seldom() else {}
        elif flat:
            base = {"of": "flat", "per": "order" if line else "member"}
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
                bonus["occurrence"] = self.in_a_row()
            if often == "once":
                bonus["occurrence"] = {"times": "once"}
            bonus["instalments"] = self.parts()
            return bonus | self.extras(line, flat=True)
        return bonus | self.extras(line)

    def in_a_row(self) -> Document:
        often = {"times": "always", "after_periods": self.pick(1, 2, 2)}
        missed = {"may_miss": self.pick(1, 2)} if often["after_periods"] > 1 else {}
        rest = {"rest_periods": self.pick(1, 2)} if self.pick(True, False) else {}
        most = {"most_times": self.pick(1, 2)} if self.seldom() else {}
        return often | self.pick({}, missed) | rest | most

    def reward(self, code: str) -> Document:
        """Something that is no money: as a bonus of the same kind would be paid."""
        bonus = self.draw(st.sampled_from([self.walk, self.source, self.rise, self.pairs]))(code)
        bonus["instalments"] = 1
        bonus["reward"] = {"name": "Trip", "value": self.pick(None, "100")}
        bonus["eligibility"] |= {"otherwise": "lost"}
        if bonus["pays"]["who"] == "upline":
            bonus["pays"] |= {"unfilled": "nobody"}
        return bonus

    def parts(self) -> int:
        return int(self.pick(1, 1, 3)) if self.line_by_line else 1

    def rise(self, code: str) -> Document:
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

    def pairs(self, code: str) -> Document:
        cycle = self.pick(None, None, "50")
        after = self.pick("carry", "net_off", "flush")
        uneven = cycle is not None and after != "carry"
        cap = self.pick(
            None, {"amount": "100"}, {"times": "2", "periods": 3}, {"amount": "150", "times": "1.5"}
        )
        bonus: Document = {
            "base": {"of": "flat", "per": "member"},
            "pays": {
                "who": "pairs", "tree": "placement", "volume": self.pick(*self.figures),
                "cycle": cycle, "after_payout": after,
                "stronger": self.pick(None, "80", "125") if uneven else None,
                "if_ineligible": self.pick("keep_both", "weaker_to_zero", "flush"),
                "carry_cap": cap, "most_volume": self.pick(None, None, "120"), "gate": self.gate(),
                "most_by_rank": self.most_by_rank(),
            },
            "rates": self.rates(1, line=False, amounts=cycle is not None),
            "eligibility": self.eligibility("lost", "lost", "company", "held"),
            "unit": "share" if cycle is None else "amount", "instalments": self.parts(),
        }  # fmt: skip
        if self.seldom():
            bonus["occurrence"] = {"times": "once"}
        if self.seldom():
            bonus["orders"] = self.orders()
        most = (bonus["pays"]["most_volume"], bonus["pays"]["most_by_rank"])
        if most != (None, None) and self.seldom():
            bonus["pays"]["over_most"] = "flush"
        return bonus | ({"sources": self.condition()} if self.seldom() else {})

    def most_by_rank(self) -> Document | None:
        table = {code: self.pick("60", "150") for code in self.some(["none", *RANKS])}
        by_rank = {"ladder": "rank", "which": self.pick("paid_as", "title"), "table": table}
        return self.pick(None, None, by_rank)

    def gate(self) -> Document | None:
        gate = {"more": self.pick(1, 2), "fewer": 1, "window": self.pick("period", "lifetime")}
        return self.pick(None, None, gate)

    def pool(self, code: str) -> Document:
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

    def company(self, code: str) -> Document:
        less: list[str] = []
        if self.bonus_codes and self.line_by_line and not self.fine and self.pick(True, False):
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
            cuts = ("pro_rata", "lower_ranks_first")
            enforcement = self.pick(*cuts, "refuse") if scope == "company" else self.pick(*cuts)
            overflow = "lost" if enforcement == "refuse" else self.pick("lost", "lost", "held")
            limits.append({
                "code": f"limit{place}", "name": f"Limit {place}", "scope": scope,
                "bonuses": self.codes[: self.limited[place]],
                "amount": None if by_share else self.figure(10_000),
                "share": self.draw(decimals(0, 500_000, 6)) if by_share else None,
                "metric": metric if by_share else None,
                "enforcement": enforcement,
                "overflow": overflow,
            })  # fmt: skip
            if scope == "member" and self.seldom():
                limits[-1]["when"] = self.condition()
        return limits


class Told(Parts):
    """Bonuses that are paid line by line and go by one another: two on orders, the first of which
    may pay once or in parts, and two that match them, with or without what limits cut."""

    def bonuses(self) -> list[Document]:
        self.limited = sorted(self.pick(1, 2) for _ in range(self.pick(1, 2, 0)))
        makers = [self.first, self.walk, self.matching, self.pick(self.matching, self.match)]
        bonuses = []
        for place, make in enumerate(makers):
            code = f"bonus{place}"
            named = {"code": code, "name": code.title(), "ledger_type": "unilevel"}
            bonuses.append(named | {"trigger": "period_close"} | make(code))
            self.codes.append(code)
            self.bonus_codes.append(code)
        return bonuses

    def base(self) -> tuple[Document, bool]:
        return {"of": "order", "volume": "cv"}, True

    def first(self, code: str) -> Document:
        bonus = self.pick(self.walk, self.source)(code)
        often = [{"times": "once"}, {"times": "always", "after_periods": 2}, {"times": "always"}]
        return bonus | {"occurrence": self.pick(*often), "instalments": self.pick(1, 1, 2)}

    def matching(self, code: str) -> Document:
        """Some of what was paid before, line by line, up any tree."""
        bonuses = self.some(self.bonus_codes)
        if self.limited and self.pick(True, True, False):
            bonuses = self.bonus_codes[: self.limited[-1]]
        late = self.limits_before(bonuses)
        return self.match(code) | {
            "base": {"of": "commissions", "bonuses": bonuses, "per": "line", "after_limits": late}
        }

    def condition(self, depth: int = 1, *, active: bool = True) -> Document:
        if self.ranked and self.pick(True, False, False):
            return self.legs_of_a_rank()
        return super().condition(depth, active=active)

    def asked_of(self, place: int) -> Document:
        return self.legs_of_a_rank() if place and self.pick(True, False) else self.reach()
