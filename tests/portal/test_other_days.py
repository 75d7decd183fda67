"""The genealogies as of another day: who stood where, what is left out, and who may see whom.

Chloe was moved from Ben to Stella on 20 November, with Dmitri below her; Nia came on the 24th.
"""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from genealogy.models import Distributor
from genealogy.services.moves import Place
from tests.cast import Cast, make_user
from tests.genealogy.moving import asked
from tests.portal.conftest import queries_of, text_of
from tests.portal.lines import enrol_under, place_the_company

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
BEFORE, MOVED, CAME = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 24)
THEN = f"on={BEFORE}"


@pytest.fixture
def moved(cast: Cast) -> Cast:
    place_the_company(cast)
    (nia,) = enrol_under(cast, "stella", 1, CAME)
    Distributor.objects.filter(pk=nia.pk).update(display_name="Nia Evans")
    cast.distributors["nia"] = Distributor.objects.get(pk=nia.pk)
    asked(cast, "chloe", "stella", effective_on=MOVED)
    return cast


def rows_of(page: str) -> list[tuple[int, str]]:
    found = re.findall(r'<tr role="row"\s+data-number="(D-\d+)"\s+aria-level="(\d+)"', page)
    return [(int(level), number) for number, level in found]


def row_of(page: str, number: str) -> str:
    """The words of a row."""
    found = re.search(rf'<tr role="row"\s+data-number="{number}".*?</tr>', page, re.S).group()
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


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


# Who may see whom


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


# The drawing, the figures, the person


def labels_of(page: str) -> list[str]:
    return re.findall(r'class="node[^"]*"[^>]*?aria-label="([^"]+)"', page, re.S)


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


# Going on, and how often the database is asked


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
        ("?open={dmitri}", 33),
        ("?at={dmitri}", 34),
        ("{dmitri}/children/?level=4", 27),
        ("drawn/?depth=4", 40),
        ("drawn/?depth=4&tree=placement", 41),
        ("figures/", 42),
        ("{dmitri}/", 46),
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
