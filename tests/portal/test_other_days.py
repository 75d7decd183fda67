"""The genealogies as of another day: who stood where, and what is left out."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from genealogy.models import Distributor
from tests.cast import Cast, make_user
from tests.portal.conftest import rows_of, text_of
from tests.portal.days import MOVED, THEN, row_of

pytestmark = pytest.mark.django_db


def test_the_list_is_that_of_the_day(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "asha")
    opened = f"open={moved.chloe.number}&open={moved.stella.number}"

    then = client.get(f"/genealogy/?{THEN}&{opened}").content.decode()
    now = client.get(f"/genealogy/?{opened}").content.decode()

    numbers = {name: getattr(moved, name).number for name in moved.distributors}
    assert rows_of(then) == [
        (1, numbers["asha"]),
        (2, numbers["ben"]),
        (3, numbers["chloe"]),
        (4, numbers["dmitri"]),
        (2, numbers["stella"]),
    ]
    assert rows_of(now) == [
        (1, numbers["asha"]),
        (2, numbers["ben"]),
        (2, numbers["stella"]),
        (3, numbers["chloe"]),
        (4, numbers["dmitri"]),
        (3, numbers["nia"]),
    ]


def test_a_day_begins_with_what_takes_effect_on_it(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "asha")

    on_it = client.get(f"/genealogy/?on={MOVED}&at={moved.dmitri.number}").content.decode()

    assert rows_of(on_it)[-2:] == [(3, moved.chloe.number), (4, moved.dmitri.number)]
    assert rows_of(on_it)[2] == (2, moved.stella.number)


def test_the_columns_are_those_known_of_the_day(moved: Cast, sign_in) -> None:
    Distributor.objects.update(current_month_gv=77700, current_month_pv=88800)
    client = sign_in(moved, "asha")

    response = client.get(f"/genealogy/?{THEN}&open={moved.ben.number}&columns=directs&columns=pv")
    usual = client.get(f"/genealogy/?{THEN}&columns=downline&columns=directs")
    page = usual.content.decode()

    assert "777.00" not in response.content.decode()
    assert "888.00" not in response.content.decode()
    assert "GV this period" not in text_of(response)
    assert f"{moved.ben.number} 1 2 Open here" in row_of(page, moved.ben.number)
    assert f"{moved.asha.number} 2 4" in row_of(page, moved.asha.number)
    assert "Volumes and statuses are not kept by day" in text_of(usual)


def test_a_bar_says_the_day_and_leads_back(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "asha")

    for address in ("", "drawn/", "figures/", f"{moved.ben.number}/", "search/"):
        then = client.get(f"/genealogy/{address}?{THEN}&root={moved.ben.number}")
        today = client.get(f"/genealogy/{address}?root={moved.ben.number}")
        assert "As of 19 Nov 2026 Who stood where at the end of that day" in text_of(then), address
        back = f'<a href="/genealogy/{address}?root={moved.ben.number}">Back to today</a>'
        assert back in then.content.decode()
        assert "Back to today" not in text_of(today)
        assert 'name="on"' in today.content.decode()


def test_every_link_of_a_past_day_keeps_it(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "ada")
    leads_away = re.compile(r"Back to today|Today|End of the last")

    for address in (
        f"?{THEN}&root={moved.ben.number}&at={moved.dmitri.number}",
        f"drawn/?{THEN}&root={moved.ben.number}&tree=placement",
        f"drawn/?{THEN}&root={moved.ben.number}",
        f"{moved.ben.number}/?{THEN}",
        f"figures/?{THEN}&root={moved.ben.number}",
        f"?{THEN}",
    ):
        page = client.get(f"/genealogy/{address}").content.decode()
        content = page[page.index('<main id="content"') :]
        for link, words in re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', content, re.S):
            is_ours = link.startswith("?") or (
                link.startswith("/genealogy/") and "/admin/" not in link
            )
            if is_ours and not leads_away.search(words):
                assert THEN in link, (address, link)


def test_somebody_asked_for_on_a_day_before_he_came_is_said_so(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "asha")

    for address in (f"?root={moved.nia.number}&", f"{moved.nia.number}/?"):
        response = client.get(f"/genealogy/{address}{THEN}")
        assert "had no place here on the day you look at" in text_of(response)
        assert f"Nia Evans, {moved.nia.number}" in text_of(response)


def test_a_reader_before_he_joined_is_asked_for_a_later_day(moved: Cast, sign_in) -> None:
    nia = make_user("Nia Evans")
    Distributor.objects.filter(pk=moved.nia.pk).update(user=nia)
    moved.users["nia"] = nia

    response = sign_in(moved, "nia").get(f"/genealogy/?{THEN}")

    assert "You joined on 24 Nov 2026. Give that day or a later one." in text_of(response)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("on=2999-01-01", "This day has not come yet."),
        ("on=2026-01-04", "The first distributor joined on 5 Jan 2026."),
        ("on=yesterday", "Give a day as in 2026-11-21."),
        ("on=2026-02-30", "Give a day as in 2026-11-21."),
        (f"{THEN}&known=soon", "Give a day, or a day and a time as in 2026-11-21T14:05."),
        (f"{THEN}&known=2999-01-01", "This moment has not come yet."),
    ],
)
def test_a_day_that_cannot_be_is_told_at_its_field(
    moved: Cast, sign_in, query: str, words: str
) -> None:
    client = sign_in(moved, "ada")

    for address in ("", "drawn/", "figures/", "search/", f"{moved.ben.number}/"):
        response = client.get(f"/genealogy/{address}?{query}&root={moved.ben.number}")
        page = response.content.decode()
        assert words in text_of(response), address
        assert re.search(r'aria-invalid="true"', page)
        assert rows_of(page) == []


def test_today_is_no_other_day(moved: Cast, sign_in) -> None:
    page = text_of(sign_in(moved, "asha").get(f"/genealogy/?on={timezone.localdate()}"))

    assert "Back to today" not in page
    assert "GV this period" in page


def test_staff_see_what_was_known_at_a_moment(moved: Cast, sign_in) -> None:
    """The move of the 20th is written today: until then Chloe was believed under Ben."""
    moment = timezone.localtime() - timedelta(days=2)
    with connection.cursor() as cursor:  # round the trigger that keeps what was written
        cursor.execute("set session_replication_role = replica")
        cursor.execute(
            "update genealogy_distributorposition set recorded_at = %s where valid_from < %s",
            [moment - timedelta(days=1), MOVED],
        )
        cursor.execute("set session_replication_role = origin")
    client = sign_in(moved, "ada")
    address = f"/genealogy/?root={moved.ben.number}&on={MOVED}"

    known_now = client.get(address)
    known_then = client.get(f"{address}&known={moment:%Y-%m-%dT%H:%M}")

    assert "Nobody below on this day" in text_of(known_now)
    assert rows_of(known_then.content.decode()) == [(1, moved.ben.number), (2, moved.chloe.number)]
    assert f"as it was known on {moment:%-d %b %Y, %H:%M %Z}" in text_of(known_then)


def test_what_was_known_is_for_staff(moved: Cast, sign_in) -> None:
    client = sign_in(moved, "asha")

    assert client.get(f"/genealogy/?{THEN}&known=2026-11-25").status_code == 403
    assert "As it was known on" not in text_of(client.get("/genealogy/"))
