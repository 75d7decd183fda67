"""The story of a line under plans that go by more than the demo plan does."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from commissions import earnings
from commissions.engine import Step
from commissions.explain import Why, explain
from commissions.models import LedgerEntry
from commissions.services.claims import claim_volume
from commissions.standing import live_standing, plan_of
from commissions.steps import shown_of
from genealogy.services.positions import record_position
from tests.cast import Cast, at
from tests.commissions.plans import bonus, cap, demo, pay_by
from tests.commissions.steps import closed, the_period
from tests.portal.conftest import text_of

pytestmark = pytest.mark.django_db


def october(cast: Cast, document: dict) -> None:
    """Ben 100 PV, Chloe 120 PV, Dmitri 200 PV; paid by the document, final."""
    pay_by(cast, document)
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()
    closed(cast, "2026-10")


def stories(*, for_staff: bool = True) -> list[Why]:
    lines = LedgerEntry.objects.order_by("pk").values_list("pk", flat=True)
    return [explain(earnings.line_by_key(pk), for_staff=for_staff) for pk in lines]


def line_of(cast: Cast, name: str, code: str) -> LedgerEntry:
    lines = LedgerEntry.objects.filter(distributor=getattr(cast, name), bonus__code=code)
    return earnings.line_by_key(lines.order_by("pk").last().pk)


def stands(cast: Cast, name: str, parent: str | None, since: date) -> None:
    record_position(
        distributor=getattr(cast, name),
        tree="placement",
        parent=getattr(cast, parent) if parent else None,
        leg=1 if parent else None,
        valid_from=since,
        actor=None,
    )


def page_of(client, cast: Cast, line: LedgerEntry) -> str:
    client.force_login(line.distributor.user)
    return text_of(
        client.get(reverse("commissions:why", args=[line.period.code, earnings.reference(line)]))
    )


def matched(document: dict) -> dict:
    """Whoever enrolled somebody gets a tenth of his unilevel, line by line."""
    document["bonuses"].append(
        {
            "code": "match",
            "name": "Matching",
            "ledger_type": "matching",
            "trigger": "period_close",
            "base": {
                "of": "commissions",
                "bonuses": ["unilevel"],
                "per": "line",
                "after_limits": False,
            },
            "pays": {
                "who": "upline",
                "tree": "enroller",
                "start": "upline",
                "steps": {"count": "physical"},
                "max_steps": 1,
                "max_distance": None,
                "unfilled": "nobody",
            },
            "rates": {"by": "step", "table": ["0.10"]},
            "eligibility": {"when": None, "otherwise": "lost"},
        }
    )
    return document


def led(document: dict) -> dict:
    """A percent of the own group volume for a Bronze."""
    document["bonuses"].append(
        {
            "code": "leader",
            "name": "Leader bonus",
            "ledger_type": "leadership",
            "trigger": "period_close",
            "base": {"of": "metric", "metric": "gv"},
            "pays": {"who": "source"},
            "rates": {"by": "step", "table": ["0.01"]},
            "eligibility": {
                "when": {"is": "rank", "ladder": "rank", "rank": "bronze", "which": "paid_as"},
                "otherwise": "lost",
            },
        }
    )
    return document


ONE_LEG = {
    "is": "legs_with_volume",
    "legs": 1,
    "tree": "sponsor",
    "volume": "pv",
    "figure": "210.00",
}


def test_a_cut_is_told_by_the_limit(cast: Cast, client) -> None:
    october(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})

    page = page_of(client, cast, line_of(cast, "ben", "cap"))

    assert "Amount −£6.40 Nobody gets more" in page
    assert "Nobody gets more than £10.00 of Partner commission, Unilevel in a period." in page
    assert "does not give this amount" not in page


def test_a_bonus_on_a_figure_shows_the_figure(cast: Cast, client) -> None:
    october(cast, led(demo()))

    line = line_of(cast, "ben", "leader")
    page = page_of(client, cast, line)

    assert (line.base, line.amount, line.source_distributor) == (420, Decimal("4.20"), None)
    assert "Group volume £420.00 Rate 1% Amount £4.20" in page
    assert "Paid by the rules of Leader bonus on the figures of the whole period." in page


def test_what_standings_do_not_have_is_told_by_what_the_run_measured(cast: Cast) -> None:
    document = demo()
    eligibility = {"when": ONE_LEG, "otherwise": "compress"}
    bonus(document, "unilevel")["eligibility"] = eligibility
    october(cast, document)

    told = stories()

    assert [str(why.line.pk) for why in told if not (why.is_checked and why.agrees)] == []
    # Dmitri's order: Chloe's one leg has 200.00 PV, Ben's has 320.00.
    of_dmitri = next(
        why
        for why in told
        if why.line.bonus.code == "unilevel" and why.line.source_distributor == cast.dmitri
    )
    words = [(step.who, step.words) for step in of_dmitri.steps]
    assert ("Chloe Martin", "Skipped: 0 legs of the 1 needed.") in words


def test_a_match_is_told_from_whom_it_matches(cast: Cast, client) -> None:
    october(cast, matched(demo()))

    wrong = [str(why.line.pk) for why in stories() if not (why.is_checked and why.agrees)]
    line = line_of(cast, "ben", "match")
    page = page_of(client, cast, line)

    assert wrong == []
    # Chloe has 10.00 of Dmitri's order, Ben a tenth of it.
    assert (line.base, line.amount) == (Decimal("10.00"), Decimal("1.00"))
    assert line.source_distributor == cast.chloe
    assert "You £1.00 The one step, paid as Bronze: 10% of £10.00." in page


def test_several_trees_are_told_as_they_stood_at_the_close(cast: Cast) -> None:
    """Unilevel up the placement tree Asha - Ben - Dmitri - Chloe, matched by the enrollers."""
    document = matched(demo())
    bonus(document, "unilevel")["pays"]["tree"] = "placement"
    for name, parent in ({"asha": None, "ben": "asha", "dmitri": "ben", "chloe": "dmitri"}).items():
        stands(cast, name, parent, date(2026, 1, 1))
    october(cast, document)
    stands(cast, "chloe", "asha", date(2026, 10, 1))

    told = stories()

    assert [str(why.line.pk) for why in told if not (why.is_checked and why.agrees)] == []
    of_chloe = {
        why.line.bonus.code: [step.who for step in why.steps if step.amount]
        for why in told
        if why.sold and why.sold.distributor == cast.chloe
    }
    assert of_chloe["unilevel"] == [cast.dmitri.display_name, cast.ben.display_name]
    assert of_chloe["match"] == [cast.chloe.display_name]


def test_lines_that_share_a_rounded_sum_are_not_checked_one_by_one(cast: Cast, client) -> None:
    document = demo()
    document["money"]["granularity"] = "member"
    october(cast, document)

    page = page_of(client, cast, line_of(cast, "ben", "unilevel"))

    assert "rests on more than one order" in page
    assert "does not give this amount" not in page


def test_a_rank_that_asks_for_legs_is_measured_on_the_line(cast: Cast) -> None:
    document = demo()
    document["ladders"][0]["ranks"][0]["when"]["of"].append(ONE_LEG | {"figure": "100.00"})
    version = pay_by(cast, document)
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    claim_volume()

    def standing(name: str):
        person = getattr(cast, name)
        person.refresh_from_db()
        return live_standing(person, the_period("2026-10"), plan_of(version))

    ben, chloe = standing("ben"), standing("chloe")
    assert (ben.rank.name, ben.active_downline) == ("Bronze", 1)
    assert chloe.rank is None
    assert [need.text for need in chloe.goals[0].needs] == [
        "120.00 of 100.00 PV",
        "0 of 1 legs",
    ]


def asking_for_legs() -> dict:
    document = demo()
    for rank in document["ladders"][0]["ranks"]:
        rank["when"]["of"].append(ONE_LEG | {"figure": "100.00"})
    return document


def test_what_a_rank_asked_of_legs_is_told_on_the_page(cast: Cast, client) -> None:
    october(cast, asking_for_legs())

    assert "1 of 1 legs" in page_of(client, cast, line_of(cast, "ben", "unilevel"))


def test_of_many_passed_over_the_first_are_named_and_the_others_counted() -> None:
    def story(*outcomes: str) -> list[Step]:
        return [Step(n, n, outcome, "not_counted", 0) for n, outcome in enumerate(outcomes)]

    many = list(shown_of(story("paid", *["skipped"] * 30, "paid")))
    few = list(shown_of(story("paid", *["skipped"] * 21, "lost")))

    assert many == [*((n, 0) for n in range(20)), (20, 10), (31, 0)]
    assert few == [(n, 0) for n in range(23)]
