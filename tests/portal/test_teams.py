"""Teams in the portal: the own page, what a lead may do within the own downline, and staff."""

import pytest

from genealogy.models import Team, TeamMembership
from genealogy.queries import teams as team_queries
from genealogy.services.teams import add_member, create_team, suspend_team
from tests.cast import Cast, at
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(cast: Cast) -> Team:
    team = create_team(
        name="Harbour", lead=cast.ben, actor=cast.user("ben"), founded_at=at("2026-10-01")
    )
    add_member(team=team, distributor=cast.chloe, actor=cast.user("ben"))
    return team


def members_of(team: Team) -> list[str]:
    rows = TeamMembership.objects.filter(team=team, left_at=None).order_by("pk")
    return list(rows.values_list("distributor__display_name", flat=True))


def test_a_distributor_founds_a_team_and_leads_it(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "chloe")
    assert "You are in no team" in text_of(client.get("/teams/"))

    refused = client.post("/teams/new/", {"name": "", "monthly_target": "-1"})
    done = client.post("/teams/new/", {"name": "Quay", "monthly_target": "250.00"}, follow=True)

    assert refused.status_code == 422
    team = Team.objects.get()
    assert (team.lead, team.created_by) == (cast.chloe, cast.user("chloe"))
    assert done.redirect_chain[-1][0] == f"/teams/{team.number}/"
    assert client.get("/teams/").headers["Location"] == f"/teams/{team.number}/"


def test_the_page_prints_the_formula_with_its_figures(cast: Cast, sign_in, team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(active_members=1, new_members=2, score=28)

    page = text_of(sign_in(cast, "chloe").get(f"/teams/{team.number}/"))

    assert "40 × earned this period ÷ target, at most 40 0" in page
    assert "40 × 1 with PV this period ÷ 2 members 20" in page
    assert "4 × 2 who joined this period, at most 20 8" in page
    assert "Score 28" in page
    assert "From 80 points a team is platinum" in page
    assert "Members by month" in page


def test_a_lead_takes_in_people_of_the_own_downline_only(cast: Cast, sign_in, team: Team) -> None:
    client = sign_in(cast, "ben")
    url = f"/teams/{team.number}/members/add/"

    beside = client.post(url, {"number": cast.stella.number})
    above = client.post(url, {"number": cast.asha.number})
    below = client.post(url, {"number": cast.dmitri.number.lower()})

    assert (beside.status_code, above.status_code, below.status_code) == (422, 422, 302)
    number = cast.stella.number
    assert f"There is no person of your downline with the number {number}" in text_of(beside)
    assert members_of(team) == ["Ben Cole", "Chloe Martin", "Dmitri Orlov"]


def test_staff_take_in_anybody_who_is_in_no_other_team(cast: Cast, sign_in, team: Team) -> None:
    create_team(name="Hill", lead=cast.stella, actor=cast.user("stella"))
    client = sign_in(cast, "mona")
    url = f"/teams/{team.number}/members/add/"

    taken = client.post(url, {"number": cast.stella.number})
    free = client.post(url, {"number": cast.asha.number})

    assert "is in the team Hill" in text_of(taken)
    assert free.status_code == 302
    assert members_of(team) == ["Ben Cole", "Chloe Martin", "Asha Rao"]


def test_a_member_leaves_and_removes_nobody_else(cast: Cast, sign_in, team: Team) -> None:
    add_member(team=team, distributor=cast.dmitri, actor=cast.user("ben"))
    client = sign_in(cast, "chloe")
    base = f"/teams/{team.number}/members"

    other = client.post(f"{base}/{cast.dmitri.number}/remove/", {"reason": "No"})
    own = client.post(f"{base}/{cast.chloe.number}/remove/", {"reason": "Too far away"})

    assert (other.status_code, own.status_code) == (403, 302)
    assert own.headers["Location"] == "/teams/"
    assert members_of(team) == ["Ben Cole", "Dmitri Orlov"]
    assert client.get(f"/teams/{team.number}/").status_code == 404


def test_a_lead_removes_nobody_from_beyond_his_downline(cast: Cast, sign_in, team: Team) -> None:
    add_member(team=team, distributor=cast.stella, actor=cast.user("mona"))

    client = sign_in(cast, "ben")
    page = client.get(f"/teams/{team.number}/").content.decode()
    response = client.post(
        f"/teams/{team.number}/members/{cast.stella.number}/remove/", {"reason": "No"}
    )

    assert f"{cast.chloe.number}/remove/" in page
    assert f"{cast.stella.number}/remove/" not in page
    assert response.status_code == 403
    assert "Stella Stone" in members_of(team)


def test_a_team_is_handed_over_on_its_form(cast: Cast, sign_in, team: Team) -> None:
    client = sign_in(cast, "ben")
    answer = {"name": "Harbour", "monthly_target": "0", "reason": "Moving on"}
    url = f"/teams/{team.number}/edit/"

    outside = client.post(url, {**answer, "lead": cast.dmitri.number})
    member = client.post(url, {**answer, "lead": cast.chloe.number})

    assert "is not in the team" in text_of(outside)
    assert member.status_code == 302
    team.refresh_from_db()
    assert team.lead == cast.chloe
    assert client.get(url).status_code == 403


def test_a_lead_of_a_suspended_team_reads_why_and_changes_nothing(
    cast: Cast, sign_in, team: Team
) -> None:
    suspend_team(team=team, actor=cast.user("mona"), reason="Claims under review.")
    client = sign_in(cast, "ben")

    assert "Claims under review." in text_of(client.get(f"/teams/{team.number}/"))
    assert client.get(f"/teams/{team.number}/edit/").status_code == 403


def test_staff_take_each_step_with_a_reason(cast: Cast, sign_in, team: Team) -> None:
    client = sign_in(cast, "mona")

    for verb, wanted in (
        ("suspend", "suspended"),
        ("suspend", "suspended"),
        ("reinstate", "active"),
        ("close", "closed"),
    ):
        assert client.post(f"/teams/{team.number}/{verb}/", {"reason": ""}).status_code == 422
        client.post(f"/teams/{team.number}/{verb}/", {"reason": "Because"})
        team.refresh_from_db()
        assert team.status == wanted

    assert client.get(f"/teams/{team.number}/praise/").status_code == 404
    assert members_of(team) == []


def test_members_go_on_where_the_page_ended(cast: Cast, sign_in, team: Team, monkeypatch) -> None:
    monkeypatch.setattr(team_queries, "PAGE", 1)
    client = sign_in(cast, "ben")

    first = client.get(f"/teams/{team.number}/?after=", headers={"HX-Request": "true"})
    rest = client.get(
        f"/teams/{team.number}/?after={cast.ben.number}", headers={"HX-Request": "true"}
    )

    assert "Chloe Martin" not in text_of(first)
    assert "Chloe Martin" in text_of(rest)
    assert "Ben Cole" not in text_of(rest)


def test_the_page_asks_as_often_for_two_members_as_for_four(
    cast: Cast, sign_in, team: Team
) -> None:
    client = sign_in(cast, "ben")
    few = queries_of(client, f"/teams/{team.number}/")

    for person in (cast.dmitri, cast.stella):
        add_member(team=team, distributor=person, actor=None)

    assert queries_of(client, f"/teams/{team.number}/") == few
