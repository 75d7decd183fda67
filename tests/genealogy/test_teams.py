"""Teams: who is in one, who may change it, what is measured, and what the database refuses."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import Event
from commissions.services import team_figures
from commissions.services.claims import claim_volume
from commissions.services.opening import period_for
from genealogy.models import Distributor, Team, TeamMembership
from genealogy.queries.teams import growth, score
from genealogy.services.teams import (
    TeamRefused,
    add_member,
    close_team,
    create_team,
    mark_stale,
    reinstate_team,
    remove_member,
    suspend_team,
    update_team,
    verify_team,
)
from genealogy.team_score import Score, TeamFacts, score_of
from mlmcrm.transitions import TransitionRefused
from tests.cast import at


def told(name):
    return list(Event.objects.filter(name=name).order_by("pk").values_list("stream_id", flat=True))


def stream(cast, name):
    return f"user:{cast.user(name).pk}"


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def team(cast):
    """The Harbour team: Ben leads, Chloe is in it, both since October."""
    team = create_team(
        name="Harbour",
        lead=cast.ben,
        actor=cast.user("ben"),
        monthly_target=Decimal("4.00"),
        founded_at=at("2026-10-01", "00:30"),
    )
    add_member(
        team=team, distributor=cast.chloe, actor=cast.user("ben"), joined_at=at("2026-10-02")
    )
    return team


# The score


@pytest.mark.parametrize(
    ("facts", "score", "tier"),
    [
        (TeamFacts(4, 3, 1, 5000, 10000), Score(20, 30, 4), "silver"),
        (TeamFacts(0, 0, 0, 0, 0), Score(0, 0, 0), "bronze"),
        (TeamFacts(3, 2, 0, 999, 1000), Score(39, 26, 0), "gold"),
        (TeamFacts(5, 5, 9, 9000, 100), Score(40, 40, 20), "platinum"),
        (TeamFacts(5, 5, 0, 9000, 0), Score(0, 40, 0), "silver"),
        (TeamFacts(5, 1, 0, -300, 100), Score(0, 8, 0), "bronze"),
    ],
)
def test_the_score_follows_from_the_published_formula(facts, score, tier):
    assert score_of(facts) == score
    assert score_of(facts).tier == tier


# Members


def test_a_team_begins_with_its_lead(cast):
    team = create_team(name=" Harbour ", lead=cast.ben, actor=cast.user("ben"))

    assert team.number.startswith("T-")
    assert team.name == "Harbour"
    assert [row.distributor for row in team.memberships.all()] == [cast.ben]
    assert told("team.created") == [stream(cast, "ben"), "staff"]


def test_everybody_is_in_one_team_at_a_time(cast, team):
    other = create_team(name="Hill", lead=cast.stella, actor=cast.user("stella"))

    with pytest.raises(TeamRefused, match=r"D-\d+ is in the team Harbour"):
        add_member(team=other, distributor=cast.chloe, actor=cast.user("mona"))
    with pytest.raises(TeamRefused, match="is in the team Harbour"):
        create_team(name="Quay", lead=cast.chloe, actor=cast.user("chloe"))

    assert not Team.objects.filter(name="Quay").exists()


def test_adding_and_removing_twice_happens_once(cast, team):
    for _ in range(2):
        add_member(team=team, distributor=cast.dmitri, actor=cast.user("ben"))
    for _ in range(2):
        remove_member(
            team=team, distributor=cast.dmitri, actor=cast.user("ben"), reason="Moved away"
        )

    membership = TeamMembership.objects.get(distributor=cast.dmitri)
    assert (membership.left_reason, membership.removed_by) == ("Moved away", cast.user("ben"))
    assert told("team.member_added")[-3:] == [
        stream(cast, "dmitri"),
        stream(cast, "ben"),
        "staff",
    ]
    assert told("team.member_removed") == [stream(cast, "dmitri"), stream(cast, "ben"), "staff"]
    assert Team.objects.get().members_count == 2


def test_who_left_may_come_back_and_both_times_are_kept(cast, team):
    remove_member(team=team, distributor=cast.chloe, actor=cast.user("ben"), reason="Rest")

    add_member(team=team, distributor=cast.chloe, actor=cast.user("ben"))

    times = TeamMembership.objects.filter(distributor=cast.chloe).order_by("pk")
    assert [row.left_at is None for row in times] == [False, True]


def test_the_lead_stays_until_the_team_is_handed_over(cast, team):
    with pytest.raises(TeamRefused, match="The lead stays"):
        remove_member(team=team, distributor=cast.ben, actor=cast.user("ben"), reason="Rest")
    with pytest.raises(TeamRefused, match="is not in the team"):
        update_team(team=team, actor=cast.user("mona"), reason="New lead", lead=cast.stella)

    update_team(team=team, actor=cast.user("mona"), reason="New lead", lead=cast.chloe)
    remove_member(team=team, distributor=cast.ben, actor=cast.user("mona"), reason="Rest")

    team.refresh_from_db()
    assert team.lead == cast.chloe
    assert [row.history_change_reason for row in team.history.order_by("history_id")] == [
        "Founded",
        "New lead",
    ]


def test_who_left_the_company_joins_no_team(cast, team):
    Distributor.objects.filter(pk=cast.dmitri.pk).update(status="terminated")
    cast.dmitri.refresh_from_db()

    with pytest.raises(TeamRefused, match="is terminated and joins no team"):
        add_member(team=team, distributor=cast.dmitri, actor=cast.user("ben"))


def test_names_are_taken_once(cast, team):
    with pytest.raises(TeamRefused, match="There is a team of this name") as refused:
        create_team(name="Harbour", lead=cast.stella, actor=cast.user("stella"))

    assert refused.value.field == "name"


# Staff


def test_a_suspended_team_takes_nobody_in_and_its_members_read_why(cast, team):
    suspend_team(team=team, actor=cast.user("mona"), reason="Claims under review.")

    with pytest.raises(TeamRefused, match="suspended; nobody joins"):
        add_member(team=team, distributor=cast.dmitri, actor=cast.user("ben"))
    facts = Event.objects.filter(name="team.updated", stream_id=stream(cast, "chloe")).get().facts
    assert facts["what"] == "It is suspended. Claims under review."

    reinstate_team(team=team, actor=cast.user("mona"), reason="Cleared.")
    add_member(team=team, distributor=cast.dmitri, actor=cast.user("ben"))
    with pytest.raises(TransitionRefused):
        reinstate_team(team=team, actor=cast.user("mona"), reason="Again.")


def test_a_team_is_verified_once(cast, team):
    for name in ("mona", "ada"):
        verify_team(team=team, actor=cast.user(name), reason="Met in person")

    team.refresh_from_db()
    assert team.verified_by == cast.user("mona")
    assert len(told("team.updated")) == 3


def test_a_closed_team_sets_its_members_free(cast, team):
    close_team(team=team, actor=cast.user("mona"), reason="Split in two.")

    again = create_team(name="Quay", lead=cast.chloe, actor=cast.user("chloe"))

    assert again.lead == cast.chloe
    assert not TeamMembership.objects.filter(team=team, left_at=None).exists()
    with pytest.raises(TransitionRefused):
        reinstate_team(team=team, actor=cast.user("mona"), reason="No.")


# What is measured


@pytest.fixture
def november(time_machine):
    time_machine.move_to(at("2026-11-20"))
    period_for(date(2026, 11, 20))


def figures(team):
    team.refresh_from_db()
    return (
        team.members_count,
        team.active_members,
        team.new_members,
        team.total_earnings,
        team.current_month_earnings,
        team.score,
        team.tier,
    )


def test_sales_of_the_members_are_measured_after_their_claim(cast, november, team):
    assert cast.plan
    cast.buys(cast.rosa, 8, at("2026-11-05"))
    cast.buys("dmitri", 5, at("2026-11-06"))
    claim_volume()

    assert team_figures.measure() == 1

    # Two per cent: 3.20 of Rosa's 160 CV for Ben, 2.00 of Dmitri's 100 CV for Chloe.
    earned = Decimal("5.20")
    assert figures(team) == (2, 1, 0, earned, earned, 60, "gold")
    assert team.target_achieved
    assert team_figures.measure() == 0
    assert team_figures.differences() == []


def test_who_leaves_takes_this_periods_earnings_along(cast, november, team):
    assert cast.plan
    cast.buys("dmitri", 5, at("2026-11-06"))
    claim_volume()
    team_figures.measure()
    assert figures(team)[3:5] == (Decimal("2.00"), Decimal("2.00"))

    remove_member(team=team, distributor=cast.chloe, actor=cast.user("ben"), reason="Rest")
    team_figures.measure()

    assert figures(team)[:5] == (1, 0, 0, Decimal("0.00"), Decimal("0.00"))


def test_earnings_of_a_period_stay_with_the_team_of_its_end(cast, team, time_machine):
    time_machine.move_to(at("2026-11-20"))
    assert cast.plan
    cast.buys("dmitri", 5, at("2026-10-06"))
    claim_volume()
    cast.close("2026-10")
    october = team_figures.figures_of([team.pk])[0].total
    remove_member(team=team, distributor=cast.chloe, actor=cast.user("ben"), reason="Rest")
    other = create_team(name="Quay", lead=cast.chloe, actor=cast.user("chloe"))

    team_figures.measure()

    assert october > 0
    assert figures(team)[3] == Decimal(october) / 100
    assert figures(other)[3] == Decimal("0.00")
    assert team_figures.differences() == []


def test_a_newcomer_of_this_period_counts_for_growth(cast, november, team):
    add_member(team=team, distributor=cast.dmitri, actor=cast.user("ben"))

    team_figures.measure()

    assert figures(team)[:3] == (3, 0, 1)
    assert (team.score, score(team)) == (4, Score(0, 0, 4))


def test_a_raised_target_is_no_longer_achieved_at_once(cast, november, team):
    assert cast.plan
    cast.buys(cast.rosa, 50, at("2026-11-05"))
    claim_volume()
    team_figures.measure()
    team.refresh_from_db()
    assert team.target_achieved

    update_team(team=team, actor=cast.user("ben"), reason="More", monthly_target=Decimal("900.00"))

    team.refresh_from_db()
    assert not team.target_achieved


def test_the_check_finds_a_figure_that_was_changed_and_puts_it_right(cast, team, capsys):
    call_command("check_projections")
    run("update genealogy_team set total_earnings = 123456")

    with pytest.raises(CommandError, match="1 figures differ"):
        call_command("check_projections")
    call_command("check_projections", "--fix")
    call_command("check_projections")

    shown = capsys.readouterr().out
    assert f"{team.number} total_earnings: stored 123456, true 0" in shown
    assert shown.count("All projections agree with the facts.") == 2


def test_a_team_somebody_is_changing_is_measured_later(cast, team):
    with transaction.atomic():
        mark_stale([cast.ben.pk])
        team.refresh_from_db()

    assert team.stale_since is not None
    assert team_figures.measure() == 1
    mark_stale([cast.stella.pk])
    assert team_figures.measure() == 0


def test_growth_is_told_from_the_memberships(cast, team, time_machine):
    time_machine.move_to(at("2026-11-10"))
    remove_member(team=team, distributor=cast.chloe, actor=cast.user("ben"), reason="Rest")
    time_machine.move_to(at("2026-12-05"))

    months = dict(growth(team))

    assert len(months) == 12
    assert list(months)[-1] == "Dec"
    assert (months["Sep"], months["Oct"], months["Nov"]) == (0, 2, 1)


# What the database refuses


def test_the_database_keeps_one_team_a_person_and_the_past_as_it_was(cast, team):
    other = create_team(name="Hill", lead=cast.stella, actor=cast.user("stella"))
    insert = (
        "insert into genealogy_teammembership (team_id, distributor_id, joined_at, left_at,"
        " left_reason) values (%s, %s, %s, %s, '')"
    )

    with pytest.raises(IntegrityError, match="one_team"):
        run(insert, other.pk, cast.chloe.pk, at("2026-11-01"), None)
    with pytest.raises(IntegrityError, match="one_at_a_time"):
        run(insert, other.pk, cast.chloe.pk, at("2026-10-03"), at("2026-10-05"))
    remove_member(team=team, distributor=cast.chloe, actor=cast.user("ben"), reason="Rest")
    with pytest.raises(DatabaseError, match="past member is final"):
        run("update genealogy_teammembership set left_at = null")
    with pytest.raises(DatabaseError, match="joined member is final"):
        run("update genealogy_teammembership set team_id = %s", other.pk)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("score = 40", "tier_by_score"),
        ("score = 101, tier = 'platinum'", "tier_by_score"),
        ("status = 'suspended'", "reason_given"),
        ("target_achieved = true", "target_really_achieved"),
        ("monthly_target = -1", "target_not_negative"),
        ("verified_at = now()", "verified_by_somebody"),
    ],
)
def test_the_database_refuses_what_a_team_cannot_be(team, change, rule):
    with pytest.raises(IntegrityError, match=rule):
        run(f"update genealogy_team set {change}")


def test_a_closed_team_stays_closed(cast, team):
    close_team(team=team, actor=cast.user("mona"), reason="Split in two.")

    with pytest.raises(DatabaseError, match="status is not allowed"):
        run("update genealogy_team set status = 'active'")
