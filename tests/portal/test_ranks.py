"""The page of ranks: what is missing, who could close it, by when, and how the rank came."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from commissions.models import CommissionPeriod
from commissions.services.claims import claim_volume
from commissions.services.projections import current_period
from commissions.shortfalls import shortfalls
from commissions.standing import live_standing, plan_of
from genealogy.models import Distributor
from genealogy.services.attributes import Attribute, set_attribute
from genealogy.services.enrolment import enrol_distributor
from tests.cast import Cast, at, make_user
from tests.commissions.plans import demo, pay_by
from tests.commissions.test_refunds_of_sums import PAIRS, SOLD, put
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db


def enrol(cast: Cast, name: str, under: str) -> None:
    cast.distributors[name] = enrol_distributor(
        sponsor=getattr(cast, under),
        display_name=name.capitalize(),
        joined_on=date(2026, 1, 5),
        actor=None,
    )


def asking(cast: Cast, when: dict[str, object], **parts: object) -> None:
    """The demo plan whose Bronze asks for something else."""
    document = demo()
    document["metrics"] += parts.get("metrics", [])
    document["ladders"][0]["ranks"][0]["when"] = when
    pay_by(cast, document)


def rows(cast: Cast, name: str, level: int = 1):
    person = Distributor.objects.get(pk=getattr(cast, name).pk)
    period = current_period()
    assert period is not None
    assert period.plan_version is not None
    plan = plan_of(period.plan_version)
    goal = live_standing(person, period, plan).goal(level)
    assert goal is not None
    return shortfalls(person, period, plan, goal)


def sell(cast: Cast, **pieces: int) -> None:
    """Pieces of tea of 20 PV each, in November."""
    for name, count in pieces.items():
        cast.buys(name, count, at("2026-11-05"))
    claim_volume()


# Who could close it


def test_group_volume_is_closed_by_the_strongest_legs(cast: Cast) -> None:
    assert cast.plan
    enrol(cast, "eva", "ben")
    sell(cast, ben=10, chloe=2, dmitri=5, eva=3)

    pv, gv = rows(cast, "ben", level=2)

    assert (pv.need.missing, pv.closers) == (0, [])
    assert gv.need.missing == Decimal("600.00")
    assert [(each.name, each.text) for each in gv.closers] == [
        ("Chloe Martin", "140.00 GV"),
        ("Eva", "60.00 GV"),
    ]


ACTIVE_FRONTLINE = {
    "code": "active_directs",
    "name": "Active directs",
    "what": "members",
    "where": {"is": "active"},
    "scope": {"scope": "levels", "tree": "sponsor", "first": 1, "last": 1},
}


def test_an_active_frontline_is_closed_by_those_who_lack_least(cast: Cast) -> None:
    for name in ("eva", "finn", "gus"):
        enrol(cast, name, "ben")
    asking(
        cast,
        {"is": "at_least", "metric": "active_directs", "figure": "3"},
        metrics=[ACTIVE_FRONTLINE],
    )
    sell(cast, chloe=3, eva=1, finn=2, dmitri=1)

    (row,) = rows(cast, "ben")

    assert row.need.text == "1 of 3"
    assert row.need.text_missing == "2 to go"
    assert [(each.name, each.text) for each in row.closers] == [
        ("Finn", "lacks 10.00 PV"),
        ("Eva", "lacks 30.00 PV"),
        ("Gus", "lacks 50.00 PV"),
    ]


def test_leg_volume_is_closed_by_the_fullest_legs_that_are_short_of_it(cast: Cast) -> None:
    for name in ("eva", "finn"):
        enrol(cast, name, "ben")
    asking(
        cast,
        {
            "is": "legs_with_volume",
            "legs": 2,
            "tree": "sponsor",
            "volume": "pv",
            "figure": "100.00",
        },
    )
    sell(cast, chloe=1, dmitri=5, eva=2, finn=4)

    (row,) = rows(cast, "ben")

    assert row.need.text == "1 of 2 legs"
    assert [(each.name, each.text) for each in row.closers] == [
        ("Finn", "80.00 of 100.00 PV, 20.00 PV to go"),
        ("Eva", "40.00 of 100.00 PV, 60.00 PV to go"),
    ]


def test_a_leg_with_a_rank_is_closed_by_the_nearest_person_in_it(cast: Cast) -> None:
    enrol(cast, "eva", "ben")
    document = demo()
    document["ladders"][0]["ranks"][1]["when"] = {
        "is": "legs_with_members",
        "legs": 2,
        "tree": "sponsor",
        "members": 1,
        "ladder": "rank",
        "rank": "bronze",
    }
    pay_by(cast, document)
    sell(cast, ben=6, chloe=1, dmitri=4, eva=5)

    (row,) = rows(cast, "ben", level=2)

    # Eva's leg has its Bronze; in Chloe's, Dmitri with 80.00 PV is nearer than Chloe.
    assert row.need.text == "1 of 2 legs"
    assert [(each.name, each.text) for each in row.closers] == [
        ("Dmitri Orlov", "for Bronze: lacks 20.00 PV")
    ]


def test_a_capped_group_is_closed_by_legs_with_room(cast: Cast) -> None:
    enrol(cast, "eva", "ben")
    asking(
        cast,
        {
            "is": "at_least",
            "metric": "gv",
            "figure": "200.00",
            "leg_cap": {"share": "0.50", "of": "requirement", "own_too": False},
        },
    )
    sell(cast, dmitri=10, eva=2)

    (row,) = rows(cast, "ben")

    assert row.need.missing == Decimal("60.00")
    assert [(each.name, each.text) for each in row.closers] == [
        ("Eva", "40.00 of at most 100.00 GV")
    ]


def test_own_volume_is_closed_by_oneself(cast: Cast) -> None:
    assert cast.plan
    sell(cast, ben=2)

    (row,) = rows(cast, "ben")

    assert row.need.missing == Decimal("60.00")
    assert row.closers == []
    assert row.hint == "Own orders and those of own customers count."


def test_of_a_large_line_the_directs_are_named(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr("commissions.services.own_line.LARGEST_LINE", 0)
    assert cast.plan
    sell(cast, ben=10, dmitri=5)

    _, gv = rows(cast, "ben", level=2)

    assert [(each.name, each.text) for each in gv.closers] == [("Chloe Martin", "100.00 GV")]


def test_of_a_large_line_whom_the_directs_marks_leave_open_is_named(
    cast: Cast, monkeypatch
) -> None:
    monkeypatch.setattr("commissions.services.own_line.LARGEST_LINE", 0)
    approved = {
        "code": "approved_directs",
        "name": "Approved directs",
        "what": "members",
        "where": {"is": "flag", "flag": "approved"},
        "scope": {"scope": "levels", "tree": "sponsor", "first": 1, "last": 1},
    }
    asking(
        cast,
        {
            "is": "all",
            "of": [
                {"is": "at_least", "metric": "pv", "figure": "100.00"},
                {"is": "at_least", "metric": "approved_directs", "figure": "2"},
            ],
        },
        metrics=[approved],
    )
    set_attribute(
        distributor=cast.ben,
        attribute=Attribute("mark", "approved"),
        valid_from=date(2026, 9, 1),
        actor=cast.user("mona"),
        reason="Papers are in order",
    )
    sell(cast, ben=5)

    _, row = rows(cast, "asha")

    assert "Stella Stone" in [each.name for each in row.closers]
    assert "Ben Cole" not in [each.name for each in row.closers]


def test_of_a_large_line_nothing_is_made_up(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr("commissions.services.own_line.LARGEST_LINE", 0)
    asking(
        cast,
        {
            "is": "legs_with_volume",
            "legs": 2,
            "tree": "sponsor",
            "volume": "pv",
            "figure": "100.00",
        },
    )
    sell(cast, chloe=5)

    (row,) = rows(cast, "ben")

    assert row.closers == []
    assert row.hint == "The line is too large to look through for a page."
    person = Distributor.objects.get(pk=cast.ben.pk)
    period = current_period()
    assert live_standing(person, period, plan_of(period.plan_version)).rests_on_many


def test_a_plan_that_pays_by_places_still_tells_what_the_ranks_ask(cast: Cast) -> None:
    put(cast, "asha", {"ben": 1})
    document = demo()
    document["volumes"].append({"code": "sold", "of": "cv", "kinds": list(SOLD)})
    document["bonuses"].append(PAIRS)
    document["ladders"][0]["ranks"][0]["when"] = {
        "is": "legs_with_volume",
        "legs": 2,
        "tree": "sponsor",
        "volume": "pv",
        "figure": "100.00",
    }
    pay_by(cast, document)
    sell(cast, chloe=5)

    (row,) = rows(cast, "ben")

    assert row.need.text == "1 of 2 legs"


# The page


def test_the_page_says_what_is_missing_by_when_and_who(company: Cast, sign_in) -> None:
    page = text_of(sign_in(company, "ben").get("/ranks/?aim=2"))

    assert "On the way to Silver" in page
    assert "To be reached by 30 Nov 2026 , when November 2026 ends" in page
    assert "200.00 PV to go. Own orders and those of own customers count." in page
    assert "940.00 GV to go. Anything sold in the line counts. The strongest legs:" in page
    assert "Chloe Martin 60.00 GV" in page


def test_the_history_tells_each_change_with_its_figures(company: Cast, sign_in) -> None:
    page = text_of(sign_in(company, "dmitri").get("/ranks/"))

    assert "No rank to Bronze October 2026" in page
    assert "200.00 PV, 200.00 GV, 0 legs with volume, active. The highest rank so far." in page
    assert "By Demo plan version 1." in page


def test_a_change_opens_what_it_asked(company: Cast, sign_in) -> None:
    client = sign_in(company, "dmitri")

    page = text_of(client.get("/ranks/?change=2026-10"))

    assert "Bronze Met Personal volume 200.00 of 100.00 PV" in page
    assert client.get("/ranks/?change=2026-09").status_code == 404


def test_staff_read_the_ranks_of_whom_they_ask_for(company: Cast, sign_in) -> None:
    client = sign_in(company, "sam")

    chosen = text_of(client.get(f"/ranks/?distributor={company.dmitri.number}"))
    card = client.get(f"/genealogy/{company.dmitri.number}/").content.decode()
    steps = text_of(client.get(f"/ranks/steps/?distributor={company.dmitri.number}"))

    assert "Dmitri Orlov" in chosen
    assert f"/ranks/steps/?distributor={company.dmitri.number}" in card
    assert "No rank to Bronze October 2026" in steps
    assert "Choose whose ranks" in text_of(client.get("/ranks/"))


def test_nobody_reads_the_ranks_of_others(company: Cast, sign_in) -> None:
    client = sign_in(company, "chloe")

    for number in (company.ben.number, company.dmitri.number, "D-999999"):
        assert client.get(f"/ranks/?distributor={number}").status_code == 404
        assert client.get(f"/ranks/steps/?distributor={number}").status_code == 404


def test_without_a_period_the_page_says_so(cast: Cast, sign_in) -> None:
    assert not CommissionPeriod.objects.exists()

    page = text_of(sign_in(cast, "ben").get("/ranks/"))

    assert "No period is open that a plan is in force for" in page
    assert "No final period has changed the rank yet." in page


def test_somebody_without_a_distributor_has_no_ranks(company: Cast, client: Client) -> None:
    client.force_login(make_user("Nina Nobody"))

    assert client.get("/ranks/").status_code == 404


def test_an_order_asks_the_progress_again(company: Cast, sign_in) -> None:
    client = sign_in(company, "dmitri")
    page = client.get("/ranks/").content.decode()
    assert "live:order.paid from:body" in page

    company.buys("dmitri", 1, at("2026-11-09"))
    claim_volume()
    part = text_of(client.get("/ranks/", headers={"HX-Request": "true"}))

    assert "80.00 of 100.00 PV" in part
    assert "How it came" not in part


def test_the_page_asks_a_fixed_number_of_questions(company: Cast, sign_in) -> None:
    client = sign_in(company, "ben")
    few = queries_of(client, "/ranks/?aim=3")

    for number, name in enumerate(("eva", "finn", "gus", "hal", "ida", "jon", "kim")):
        enrol(company, name, "ben")
        company.buys(name, number + 1, at("2026-11-10"))
    claim_volume()

    assert queries_of(client, "/ranks/?aim=3") == few
    assert few <= 26
