"""The figures of a line, and who looked at whom."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import AuditEvent
from genealogy import queries
from genealogy.models import Distributor
from tests.cast import Cast
from tests.portal.conftest import queries_of, text_of
from tests.portal.lines import enrol_under, node_of, place_the_company

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2026, 11, 25)


@pytest.fixture
def grown(cast: Cast) -> Cast:
    """Three more below Stella: on Monday, on the Sunday before, and on the Sunday before that."""
    for day in (date(2026, 11, 23), date(2026, 11, 22), date(2026, 11, 15)):
        enrol_under(cast, "stella", 1, day)
    people = Distributor.objects
    people.filter(pk=cast.ben.pk).update(current_month_pv=100, current_month_gv=400)
    people.filter(pk=cast.dmitri.pk).update(current_month_pv=300)
    people.filter(pk=cast.stella.pk).update(current_month_gv=50)
    return cast


def test_weeks_begin_on_monday(grown: Cast) -> None:
    figures = queries.figures_of(node_of(grown.asha), None, WEDNESDAY)

    assert figures.week_starts_on == date(2026, 11, 23)
    assert (figures.new_this_week, figures.new_last_week) == (1, 1)


def test_the_active_are_counted_on_each_level(grown: Cast) -> None:
    levels = queries.generations(node_of(grown.asha))

    assert [(row.level, row.people, row.active) for row in levels] == [
        (1, 2, 1),
        (2, 4, 0),
        (3, 1, 1),
    ]


def test_levels_too_deep_to_draw_are_taken_together(cast: Cast) -> None:
    levels = queries.generations(node_of(cast.asha), deepest=2)

    assert [(row.label, row.people) for row in levels] == [
        ("Level 1", 2),
        ("Level 2 and deeper", 2),
    ]


def test_legs_are_compared_by_their_volume(grown: Cast) -> None:
    legs = queries.figures_of(node_of(grown.asha), None, WEDNESDAY).sponsor_legs

    assert [(leg.name, leg.people, leg.volume) for leg in legs] == [
        ("Ben Cole", 3, Decimal("400.00")),
        ("Stella Stone", 4, Decimal("50.00")),
    ]


def test_many_legs_end_in_one_for_the_rest(cast: Cast) -> None:
    enrol_under(cast, "dmitri", 13)
    Distributor.objects.filter(sponsor=cast.dmitri).update(current_month_gv=7)

    legs = queries.figures_of(node_of(cast.dmitri), None, WEDNESDAY).sponsor_legs

    assert len(legs) == 11
    assert (legs[-1].name, legs[-1].people, legs[-1].volume) == ("3 more", 3, Decimal("21.00"))


def test_placement_legs_add_up_what_stands_in_them(grown: Cast) -> None:
    place_the_company(grown)

    legs = queries.figures_of(
        node_of(grown.asha), node_of(grown.asha, "placement"), WEDNESDAY
    ).placement_legs

    assert [(leg.place, leg.name, leg.people, leg.volume) for leg in legs] == [
        ("Left", "Ben Cole", 2, Decimal("400.00")),
        ("Right", "Stella Stone", 1, Decimal("0.00")),
    ]


def test_growth_counts_people_at_the_end_of_each_month(grown: Cast) -> None:
    growth = queries.figures_of(node_of(grown.asha), None, WEDNESDAY).growth

    months = [(month.first_day.month, month.people) for month in growth]
    assert months == [(month, 4) for month in range(1, 11)] + [(11, 7)]


def test_growth_goes_back_two_years_and_keeps_who_came_before(cast: Cast) -> None:
    Distributor.objects.filter(pk=cast.ben.pk).update(joined_on=date(2020, 1, 1))

    growth = queries.figures_of(node_of(cast.asha), None, WEDNESDAY).growth

    assert len(growth) == 24
    assert (growth[0].first_day, growth[0].people) == (date(2024, 12, 1), 1)
    assert growth[-1].people == 4


def test_each_chart_has_its_table(grown: Cast, sign_in) -> None:
    place_the_company(grown)

    page = sign_in(grown, "asha").get("/genealogy/figures/").content.decode()

    assert page.count('class="chart-svg"') == page.count("Figures as a table") == 4


def test_figures_ask_as_often_for_one_person_as_for_many(cast: Cast, sign_in) -> None:
    place_the_company(cast)
    client = sign_in(cast, "dmitri")
    counts = []

    for more in (1, 2, 57):
        enrol_under(cast, "dmitri", more)
        counts.append(queries_of(client, "/genealogy/figures/"))

    assert counts == [counts[0]] * 3


def test_figures_of_others_are_out_of_sight(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")

    assert client.get(f"/genealogy/figures/?root={cast.stella.number}").status_code == 404
    assert client.get(f"/genealogy/figures/?root={cast.chloe.number}").status_code == 200


def test_nobody_below_gives_an_empty_page_not_an_empty_chart(cast: Cast, sign_in) -> None:
    page = sign_in(cast, "stella").get("/genealogy/figures/")

    assert "They begin with the first person below." in text_of(page)
    assert "chart-svg" not in page.content.decode()


def looks() -> list[tuple[str, str]]:
    seen = AuditEvent.objects.filter(action="distributor.viewed").order_by("pk")
    return [(event.actor.email, event.entity_id) for event in seen]


def test_each_look_of_staff_at_a_person_is_recorded_once(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "sam")
    url = f"/genealogy/{cast.chloe.number}/"

    client.get(url)
    client.get(url, headers={"HX-Request": "true"})
    client.get("/genealogy/drawn/", {"root": cast.chloe.number})
    client.head(url)

    assert looks() == [("sam@example.com", cast.chloe.number)]


def test_a_distributor_s_look_at_the_own_line_is_not_recorded(cast: Cast, sign_in) -> None:
    sign_in(cast, "ben").get(f"/genealogy/{cast.chloe.number}/")

    assert looks() == []


def test_a_card_shows_no_way_to_reach_somebody(cast: Cast, sign_in) -> None:
    user = cast.user("chloe")
    user.phone = "+44 20 7946 0018"
    user.save()

    card = text_of(sign_in(cast, "ben").get(f"/genealogy/{cast.chloe.number}/"))

    assert user.email not in card
    assert user.phone not in card
