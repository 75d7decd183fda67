"""The parts of a random plan, each drawn so that what it names is already there.

What is measured first asks nobody anything; activity asks for what is measured; further metrics ask
who is active; ranks ask for all of that; the last metrics ask for ranks, and bonuses for anything
(`plan_bonuses`).
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


class Measures:
    def __init__(self, draw: st.DrawFn, *, line_by_line: bool, fine: bool) -> None:
        """`line_by_line`: whether anything may depend on the amount of a single ledger line.
        `fine`: money of more than two places, which nothing can be paid on."""
        self.draw, self.line_by_line, self.fine = draw, line_by_line, fine
        self.kinds = ["retail", "self_consumption", "enrolment_kit"]
        self.figures = ["pv", "cv", "margin"]
        self.packages = [
            {"code": code, "name": code.title(), "value": value}
            for code, value in (("small", "50"), ("large", "200"))
        ]
        self.metrics: list[Document] = []
        self.ranked: list[Document] = []
        self.bonus_codes: list[str] = []
        self.codes: list[str] = []
        self.limited: list[int] = []
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
        kind = self.pick("own", "group", "group", "levels", "company", "legs")
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
        if kind == "legs":
            first, more = self.pick(1, 1, 2), self.pick(None, 0, 1)
            last = None if more is None else first + more
            return {"scope": kind, "tree": self.pick(*TREES), "first": first, "last": last}
        return {"scope": kind}

    def metric(self, code: str, where: Document | None = None, **parts: Any) -> Document:
        what = self.pick("volume", "volume", "members", "orders", "buyers")
        metric: Document = {"code": code, "name": code.upper(), "what": what, "scope": self.scope()}
        if what in ("volume", "buyers"):
            metric["volume"] = self.pick(*self.figures)
        if what == "buyers" and self.pick(True, False):
            metric["least"] = self.pick("1", "150", "300.50")
        if what != "members" and self.seldom():
            metric["kinds"] = self.some(self.kinds)
        if what != "members" and self.seldom():
            metric["orders"] = self.orders()
        if where is not None:
            metric["where"] = where
        metric |= parts
        if what != "buyers" and self.seldom():
            windows = ["periods", "lifetime"]
            metric["window"] = self.pick(*windows, *(["first_days"] if what != "members" else []))
            if metric["window"] == "first_days":
                whose = ["seller", "buyer"]
                whose += ["member", "member"] if metric["scope"]["scope"] != "legs" else []
                metric["since"] = self.pick(*whose)
            if metric["window"] != "lifetime":
                metric["length"] = self.pick(2, 3) if metric["window"] == "periods" else 30
        return metric

    def orders(self) -> Document:
        return self.pick(
            {"last": 1}, {"first": 2}, {"first": 2, "last": 2}, {"within_days": 30},
            {"last": 2, "within_days": 20},
        )  # fmt: skip

    def points(self) -> Document:
        """Other metrics of a member added up."""
        parts = {code: self.draw(decimals(1, 3_000_000, 6)) for code in
                 self.some([m["code"] for m in self.metrics if m["what"] != "sum"])}  # fmt: skip
        scope = {"scope": "own"}
        return {"code": "points", "name": "Points", "what": "sum", "scope": scope, "parts": parts}

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
        if self.seldom():
            self.metrics.append(self.points())
            added.append(self.metrics[-1])
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
        if kind == "legs" and self.seldom():
            fact = {"where": self.fact()} if self.seldom() else {}
            return {
                "is": "legs_with_recruits", "legs": self.pick(1, 1, 2), "tree": self.pick(*TREES),
                "recruits": self.pick(1, 1, 2), "by": self.pick("enroller", "sponsor"),
            } | fact  # fmt: skip
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
        return self.legs_of_a_rank() if self.seldom() else self.condition()

    def legs_of_a_rank(self) -> Document:
        return {
            "is": "legs_with_members", "legs": self.pick(1, 1, 2), "tree": self.tree,
            "members": self.pick(1, 1, 2), "ladder": "rank", "rank": self.pick(*RANKS),
        }  # fmt: skip
