"""What one month hands to the next: what a limit held back, titles, other ladders' ranks."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from commissions.models import CarriedState, LedgerEntry, Standing
from commissions.services import facts
from commissions.services.calculation import work_out_closed
from commissions.services.claims import claim_volume
from commissions.services.periods import close_period
from commissions.services.plan_reading import loaded
from commissions.services.replay import replay
from commissions.services.runs import calculate, start_run
from commissions.services.verification import find_breaks
from tests.cast import at
from tests.commissions.plans import bonus, cap, demo, pay_by
from tests.commissions.steps import balance, calculated, closed, the_period

pytestmark = pytest.mark.django_db


def sell_in_october(cast):
    """Ben 100 PV, Chloe 120 PV, Dmitri 200 PV: at payment Ben 2.40 and Chloe 4.00; at the close
    Ben 14.00 and Chloe 10.00 of unilevel, and 10.00 for each of three new Bronzes."""
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()


def carried(run) -> dict[str, dict[int, int]]:
    return {
        key: dict(
            zip(
                memoryview(members).cast("q").tolist(),
                memoryview(figures).cast("q").tolist(),
                strict=True,
            )
        )
        for key, members, figures in run.state.values_list("key", "members", "figures")
    }


def test_what_a_cap_holds_back_is_paid_when_there_is_room(cast):
    pay_by(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})
    sell_in_october(cast)

    october = closed(cast, "2026-10")
    cast.buys("ben", 5, at("2026-11-05"))
    claim_volume()
    november = closed(cast, "2026-11")

    cuts = LedgerEntry.objects.filter(run__period=october, bonus__code="cap")
    assert {(line.distributor_id, line.amount) for line in cuts} == {
        (cast.ben.pk, Decimal("-6.40")),
        (cast.chloe.pk, Decimal("-4.00")),
    }
    paid = LedgerEntry.objects.filter(run__period=november, bonus__code="cap")
    assert {(line.distributor_id, line.amount) for line in paid} == {
        (cast.ben.pk, Decimal("6.40")),
        (cast.chloe.pk, Decimal("4.00")),
    }
    assert balance(cast, "ben") == Decimal("2.40") + 14 + 10
    assert balance(cast, "chloe") == Decimal("4.00") + 10 + 10
    assert list(find_breaks(strict=True)) == []
    for period in (october, november):
        assert [proof.name for proof in replay(period) if not proof.is_same] == []


def test_carried_figures_are_stored_by_member_and_without_zeros(cast):
    pay_by(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})
    sell_in_october(cast)

    run = calculated(cast, "2026-10")

    assert carried(run)["limit.cap"] == {cast.ben.pk: 640, cast.chloe.pk: 400}
    assert "wallet" not in carried(run)
    assert not [key for key in carried(run) if key.startswith("paid.")]


def test_what_waits_and_what_the_company_keeps_is_on_the_page(cast, client):
    document = demo() | {"limits": [cap("5.00", "partner")]}
    bonus(document, "unilevel")["eligibility"] = {
        "when": {"is": "rank", "ladder": "rank", "rank": "silver", "which": "paid_as"},
        "otherwise": "company",
    }
    bonus(document, "partner")["rates"]["table"] = ["0.05"]
    pay_by(cast, document)
    sell_in_october(cast)

    run = calculated(cast, "2026-10")

    assert [(row["code"], row["amount"]) for row in run.totals["kept"]] == [("unilevel", "24.00")]
    assert [(row["code"], row["amount"]) for row in run.totals["waiting"]] == [("cap", "6.00")]
    client.force_login(cast.user("fiona"))
    url = f"/admin/commissions/commissionperiod/{run.period_id}/control-room/"
    page = client.get(url).content.decode()
    assert "Kept by the company" in page
    assert "until the limit has room" in page
    assert "Nobody gets more than £5.00 of Partner commission in a period." in page


def test_a_month_without_either_shows_neither(cast, client):
    assert cast.plan
    sell_in_october(cast)

    run = calculated(cast, "2026-10")

    client.force_login(cast.user("fiona"))
    url = f"/admin/commissions/commissionperiod/{run.period_id}/control-room/"
    page = client.get(url).content.decode()
    assert "Kept by the company" not in page
    assert "Waiting" not in page


def test_a_title_is_held_as_long_as_the_plan_says(cast):
    document = demo()
    document["ladders"][0]["when_not_met"] = {"policy": "grace", "periods": 2}
    pay_by(cast, document)
    sell_in_october(cast)
    closed(cast, "2026-10")

    closed(cast, "2026-11")
    closed(cast, "2026-12")

    ben = Standing.objects.filter(distributor=cast.ben).order_by("run__period__starts_on")
    assert [(row.rank_level, row.title_level, row.highest_level) for row in ben] == [
        (1, 1, 1),
        (0, 1, 1),
        (0, 0, 1),
    ]


def test_ranks_of_another_ladder_are_carried(cast):
    document = demo()
    club = {"code": "club", "source": "computed", "climb": "each_rank"}
    when = {"is": "at_least", "metric": "pv", "figure": "120.00"}
    document["ladders"].append(
        club
        | {
            "when_not_met": {"policy": "never_falls"},
            "ranks": [{"code": "member", "name": "Member", "when": when}],
        }
    )
    version = pay_by(cast, document)
    sell_in_october(cast)
    closed(cast, "2026-10")
    cast.buys("ben", 1, at("2026-11-05"))
    claim_volume()
    calculated(cast, "2026-11")

    snapshot = facts.read_snapshot(facts.cut_of(the_period("2026-11")), loaded(version))

    places = {int(pk): place for place, pk in enumerate(snapshot.members.id)}
    held = [cast.chloe.pk, cast.dmitri.pk]
    assert [pk for pk, place in places.items() if snapshot.members.title["club"][place]] == held
    assert not [key for key in snapshot.state if key.startswith("ladder.")]
    standings = work_out_closed(the_period("2026-11"), snapshot).standings
    assert standings.ranks["club"].title[places[cast.chloe.pk]] == 1
    assert standings.ranks["club"].paid_as[places[cast.chloe.pk]] == 0


def test_state_is_part_of_what_is_frozen(cast):
    pay_by(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})
    sell_in_october(cast)
    closed(cast, "2026-10")
    cast.buys("ben", 5, at("2026-11-05"))
    claim_volume()
    calculated(cast, "2026-11")
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("delete from commissions_carriedstate where key = 'limit.cap'")
        cursor.execute("set local session_replication_role = origin")

    run = start_run(period=the_period("2026-11"), actor=cast.user("fiona"))
    calculate(run.pk)

    run.refresh_from_db()
    assert run.status == "failed"
    assert "was frozen when the period was closed" in run.error


def test_state_that_was_changed_is_found(cast):
    pay_by(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})
    sell_in_october(cast)
    closed(cast, "2026-10")
    assert list(find_breaks(strict=True)) == []
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update commissions_carriedstate set figures = members")
        cursor.execute("set local session_replication_role = origin")

    (found,) = find_breaks(strict=True)

    assert found.startswith("certificate: 2026-10 says state_hash ")


def test_a_superseded_run_leaves_no_state(cast):
    pay_by(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})
    sell_in_october(cast)
    first = calculated(cast, "2026-10")

    second = start_run(period=the_period("2026-10"), actor=cast.user("fiona"))
    calculate(second.pk)

    second.refresh_from_db()
    assert second.result_hash == first.result_hash
    assert set(CarriedState.objects.values_list("run", flat=True)) == {second.pk}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("update commissions_carriedstate set figures = members", "carried state is final"),
        ("delete from commissions_carriedstate", "carried state is final"),
        (
            "set constraints all immediate; truncate commissions_carriedstate",
            "carried state is final",
        ),
        (
            "insert into commissions_carriedstate (run_id, key, members, figures) "
            "select run_id, 'other', members, figures from commissions_carriedstate limit 1",
            "while its run is under way",
        ),
    ],
)
def test_carried_state_of_a_done_run_does_not_change(cast, statement, words):
    pay_by(cast, demo() | {"limits": [cap("10.00", "partner", "unilevel")]})
    sell_in_october(cast)
    calculated(cast, "2026-10")

    with (
        pytest.raises(DatabaseError, match=words),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("figures", [b"12345678" * 2, b""])
def test_there_is_a_figure_for_each_member(cast, figures):
    assert cast.plan
    sell_in_october(cast)
    period = the_period("2026-10")
    run = period.runs.create(number=1, kind="close", started_by=None)

    with pytest.raises(IntegrityError, match="as_many"), transaction.atomic():
        CarriedState.objects.create(run=run, key="x", members=b"12345678", figures=figures)


def test_a_limit_that_refuses_names_the_difference(cast):
    limit = cap("20.00", "partner", "unilevel", scope="company", enforcement="refuse")
    version = pay_by(cast, demo() | {"limits": [limit | {"overflow": "lost"}]})
    sell_in_october(cast)
    period = the_period("2026-10")
    assert not version.bonuses.filter(code="cap").exists()

    close_period(period=period, actor=cast.user("fiona"))
    run = start_run(period=the_period("2026-10"), actor=cast.user("fiona"))
    calculate(run.pk)

    run.refresh_from_db()
    # At payment 8.40, at the close 24.00.
    assert run.error == "The plan allows 20.00; 32.40 would be paid, 12.40 too much."
    assert run.status == "failed"
