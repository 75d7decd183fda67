"""Who may see whom of another day: those of his lines, and of them no more than today."""

import re

import pytest

from genealogy.services.moves import Place
from tests.cast import Cast
from tests.genealogy.moving import asked
from tests.portal.conftest import rows_of, text_of
from tests.portal.days import THEN, row_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_who_left_the_line_is_shown_by_name_and_number_alone(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "ben")
    chloe, dmitri = moved.chloe.number, moved.dmitri.number
    columns = "columns=directs&columns=downline&columns=joined"

    page = client.get(f"/genealogy/?{THEN}&open={chloe}&{columns}").content.decode()
    drawn = client.get(f"/genealogy/drawn/?{THEN}&depth=3").content.decode()

    assert [number for _, number in rows_of(page)] == [moved.ben.number, chloe, dmitri]
    assert row_of(page, chloe) == (
        f"CM Chloe Martin {chloe} Not in your line any more – – – Open here"
    )
    assert row_of(page, dmitri) == f"DO Dmitri Orlov {dmitri} 0 0 5 Jan 2026", "still placed below"
    assert f'href="/genealogy/{chloe}/?' not in page
    assert f"Chloe Martin, {chloe}, not in your line any more" in drawn
    assert f'href="/genealogy/{chloe}/' not in drawn


def test_who_stands_elsewhere_in_the_own_lines_is_shown_whole(moved: Cast, sign_in) -> None:
    """Chloe was moved out of Ben's sponsor line, and stands below him in the other tree."""
    client = sign_in(moved, "ben")
    asked(moved, "chloe", None, tree="placement", to=Place(moved.ben, 1))

    page = client.get(f"/genealogy/?{THEN}&open={moved.chloe.number}").content.decode()

    assert "Not in your line any more" not in row_of(page, moved.chloe.number)
    assert f'href="/genealogy/{moved.chloe.number}/?{THEN}"' in page


def test_of_who_left_the_line_no_card_and_no_figures_are_given(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "ben")
    number = moved.chloe.number

    assert client.get(f"/genealogy/{number}/?{THEN}").status_code == 404
    assert client.get(f"/genealogy/{number}/?{THEN}", headers=HTMX).status_code == 404
    assert client.get(f"/genealogy/figures/?root={number}&{THEN}").status_code == 404
    assert client.get(f"/genealogy/?root={number}").status_code == 404
    opened = client.get(f"/genealogy/?root={number}&{THEN}")
    assert "Joined" not in row_of(opened.content.decode(), number)


def test_who_came_into_the_line_later_is_not_seen_before(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "stella")
    number = moved.chloe.number

    assert rows_of(client.get(f"/genealogy/?{THEN}").content.decode()) == []
    assert "Nobody below on this day" in text_of(client.get(f"/genealogy/?{THEN}"))
    for address in (f"?root={number}&", f"drawn/?root={number}&", f"{number}/?"):
        response = client.get(f"/genealogy/{address}{THEN}")
        assert "had no place here on the day" in text_of(response)
        assert "Ben" not in text_of(response)


def test_strangers_of_both_days_are_not_found(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "ben")

    for name in ("asha", "stella", "nia"):
        number = getattr(moved, name).number
        for address in (
            f"?root={number}&",
            f"?at={number}&",
            f"?open={number}&",
            f"drawn/?root={number}&",
            f"drawn/?root={number}&tree=placement&",
            f"figures/?root={number}&",
            f"{number}/?",
            f"{number}/children/?",
        ):
            assert client.get(f"/genealogy/{address}{THEN}").status_code == 404, address


def test_the_former_sponsor_of_the_reader_is_not_named(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "chloe")

    then = text_of(client.get(f"/genealogy/{moved.chloe.number}/?{THEN}"))
    now = text_of(client.get(f"/genealogy/{moved.chloe.number}/"))

    assert "Ben" not in then
    assert "Stella" not in then
    assert "Sponsor Stella Stone" in now


def test_a_search_finds_who_stood_in_the_line(moved: Cast, sign_in) -> None:
    ben = sign_in(moved, "ben")
    found = ben.get(f"/genealogy/search/?q=dmitri&{THEN}")
    assert found["Location"] == f"/genealogy/?at={moved.dmitri.number}&{THEN}"
    assert "Nobody found" in text_of(ben.get("/genealogy/search/?q=dmitri"))
    assert "Nobody found" in text_of(ben.get(f"/genealogy/search/?q=stella&{THEN}"))

    asha = sign_in(moved, "asha")
    assert "Nobody found" in text_of(asha.get(f"/genealogy/search/?q=nia&{THEN}"))
    by_number = asha.get(f"/genealogy/search/?q={moved.chloe.number}&{THEN}")
    assert by_number["Location"] == f"/genealogy/?at={moved.chloe.number}&{THEN}"


def test_the_way_to_another_day_leads_to_nobody_out_of_sight(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "ben")
    chloe = moved.chloe.number

    for address in (f"?open={chloe}", f"?root={chloe}", f"drawn/?root={chloe}&depth=1"):
        page = client.get(f"/genealogy/{address}&{THEN}").content.decode()
        back = re.search(r'<a href="([^"]+)">Back to today</a>', page).group(1)
        assert client.get(back.replace("&amp;", "&")).status_code == 200, back


def test_a_line_opened_today_may_be_missing_on_another_day(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "stella")

    page = client.get(f"/genealogy/?open={moved.chloe.number}&open={moved.dmitri.number}&{THEN}")

    assert "Nobody below on this day" in text_of(page)
    assert client.get(f"/genealogy/?open={moved.ben.number}&{THEN}").status_code == 404
