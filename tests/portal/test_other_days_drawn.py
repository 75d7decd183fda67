"""The drawing, the figures and the page of a person as of another day."""

import re

import pytest

from accounts.models import AuditEvent
from genealogy.services.moves import Place
from tests.cast import Cast
from tests.genealogy.moving import asked
from tests.portal.conftest import text_of
from tests.portal.days import MOVED, THEN, labels_of

pytestmark = pytest.mark.django_db


def test_the_drawing_is_that_of_the_day(moved: Cast, sign_in) -> None:
    page = sign_in(moved, "asha").get(f"/genealogy/drawn/?{THEN}&depth=3").content.decode()

    assert sorted(labels_of(page)) == [
        f"Asha Rao, {moved.asha.number}, 4 below",
        f"Ben Cole, {moved.ben.number}, 2 below",
        f"Chloe Martin, {moved.chloe.number}, 1 below",
        f"Dmitri Orlov, {moved.dmitri.number}, 0 below",
        f"Stella Stone, {moved.stella.number}, 0 below",
    ]
    assert "GV" not in page[page.index("<svg viewBox") : page.index("tree-tools")]


def test_the_placement_tree_of_a_day_has_its_legs_and_empty_places(moved: Cast, sign_in) -> None:
    asked(moved, "dmitri", "stella", tree="placement", to=Place(moved.stella, 1))
    client = sign_in(moved, "asha")

    then = client.get(f"/genealogy/drawn/?{THEN}&tree=placement&depth=2").content.decode()
    now = client.get("/genealogy/drawn/?tree=placement&depth=2").content.decode()

    dmitri = f"Dmitri Orlov, {moved.dmitri.number}"
    assert f"Right: {dmitri}, 0 below, spillover" in labels_of(then)
    assert any(label.startswith(f"Left: {dmitri}") for label in labels_of(now))
    assert labels_of(then).count("Left: empty place") == 2


def test_the_figures_count_who_stood_there(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "asha")

    then = text_of(client.get(f"/genealogy/figures/?{THEN}"))

    assert "People below 4" in then
    assert re.search(r"Level 1 2 Level 2 1 Level 3 1", then)
    assert re.search(r"Ben Cole 3 Stella Stone 1", then)
    assert "Left: Ben Cole 2" in then
    assert "With PV" not in then


def test_the_page_of_a_person_tells_the_day_and_is_kept_by_the_audit(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "otto")

    page = text_of(client.get(f"/genealogy/{moved.chloe.number}/?{THEN}"))

    assert "As of 19 Nov 2026" in page
    assert "Sponsor Ben Cole" in page
    assert "Level 2 of the tree" in page
    assert "PV" not in page.replace("PV this period", "")
    assert "Open in the admin" not in page
    assert AuditEvent.objects.filter(action="distributor.viewed").count() == 1


def test_staff_begin_with_the_tops_of_the_day(moved: Cast, sign_in) -> None:
    asked(moved, "ben", None)
    client = sign_in(moved, "ada")

    def tops(query: str) -> list[str]:
        page = client.get(f"/genealogy/?{query}").content.decode()
        return re.findall(r"<small>(D-\d+)</small>", page)

    assert tops(THEN) == [moved.asha.number]
    assert tops("") == [moved.asha.number, moved.ben.number]
    assert "GV last period" not in text_of(client.get(f"/genealogy/?{THEN}"))


def test_actions_of_today_are_absent_on_another_day(moved: Cast, sign_in) -> None:
    page = text_of(sign_in(moved, "asha").get(f"/genealogy/?{THEN}"))

    assert "Export" not in page
    assert "Filter" not in page


def test_whoever_was_taken_out_of_the_placement_tree_has_no_place_in_it(
    moved: Cast, sign_in
) -> None:
    asked(moved, "dmitri", None, tree="placement", to=Place(None), effective_on=MOVED)
    client = sign_in(moved, "asha")

    then = client.get(f"/genealogy/drawn/?{THEN}&tree=placement&root={moved.dmitri.number}")
    out = client.get(f"/genealogy/drawn/?on={MOVED}&tree=placement&root={moved.dmitri.number}")

    assert f"Dmitri Orlov, {moved.dmitri.number}, 0 below, spillover" in labels_of(
        then.content.decode()
    )
    assert out.status_code == 404
