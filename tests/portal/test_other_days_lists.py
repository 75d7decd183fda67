"""How the lists of another day go on, and how often a past day asks."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from genealogy.services.moves import Place
from tests.cast import Cast
from tests.genealogy.moving import asked
from tests.portal.conftest import queries_of, rows_of
from tests.portal.days import MOVED, THEN
from tests.portal.lines import enrol_under, place_the_company

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_children_of_a_day_come_fifty_at_a_time_and_none_twice(moved: Cast, sign_in) -> None:
    people = enrol_under(moved, "dmitri", 120)
    away = people.pop(7)
    asked(moved, "dmitri", None, distributor=away, to=Place(moved.stella), effective_on=MOVED)
    client = sign_in(moved, "asha")
    url = f"/genealogy/{moved.dmitri.number}/children/?level=4&on={MOVED}"

    seen = []
    for _ in range(3):
        page = client.get(url, headers=HTMX).content.decode()
        seen += [number for _, number in rows_of(page)]
        more = re.search(r'hx-get="([^"]*after[^"]*)"', page)
        url = more.group(1).replace("&amp;", "&") if more else ""

    assert seen == [person.number for person in people]
    assert url == ""


def test_the_list_of_a_day_goes_on_without_script(moved: Cast, sign_in) -> None:
    people = enrol_under(moved, "dmitri", 60)
    client = sign_in(moved, "asha")

    page = client.get(f"/genealogy/?root={moved.dmitri.number}&{THEN}").content.decode()
    link = re.search(r'<a href="(/genealogy/\?root[^"]*after[^"]*)"', page).group(1)
    following = rows_of(client.get(link.replace("&amp;", "&")).content.decode())

    assert [number for _, number in following[1:]] == [person.number for person in people[50:]]


def test_somebody_very_deep_is_shown_from_nearby(moved: Cast, sign_in) -> None:
    last = moved.dmitri
    for _ in range(30):
        (last,) = enrol_under(moved, last, 1)
    client = sign_in(moved, "asha")

    response = client.get(f"/genealogy/?at={last.number}&{THEN}", follow=True)

    rows = rows_of(response.content.decode())
    assert len(response.redirect_chain) == 1
    assert rows[-1][1] == last.number
    assert len(rows) <= 10


@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("?open={dmitri}", 24),
        ("?at={dmitri}", 26),
        ("{dmitri}/children/?level=4", 15),
        ("drawn/?depth=4", 27),
        ("drawn/?depth=4&tree=placement", 30),
        ("figures/", 30),
        ("{dmitri}/", 25),
    ],
)
def test_a_past_day_asks_as_often_for_one_person_as_for_many(
    moved: Cast, sign_in, address: str, queries: int
) -> None:
    client = sign_in(moved, "asha")
    address = address.format(dmitri=moved.dmitri.number)
    yesterday = timezone.localdate() - timedelta(days=1)
    url = f"/genealogy/{address}{'&' if '?' in address else '?'}on={yesterday}"
    counts, leg = [], 3

    for more in (1, 2, 57):
        people = enrol_under(moved, "dmitri", more)
        place_the_company(moved, *((one, "dmitri", leg + i) for i, one in enumerate(people)))
        leg += more
        asked(moved, "dmitri", "ben", distributor=people[0])
        counts.append(queries_of(client, url))

    assert counts == [queries] * 3
