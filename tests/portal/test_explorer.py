"""The list of a downline: what its address opens, shows and narrows it to."""

import html
import re
from datetime import date

import pytest
from django.db import connection

from genealogy import queries
from genealogy.models import Distributor, Rank
from genealogy.queries import Filters
from tests.cast import Cast
from tests.portal.conftest import queries_of, rows_of, text_of
from tests.portal.lines import enrol_under, node_of

pytestmark = pytest.mark.django_db


def headings_of(page: str) -> list[str]:
    head = re.search(r"<thead>(.*?)</thead>", page, re.S).group(1)
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<th.*?</th>", head, re.S)]


def found_in(page: str) -> list[str]:
    body = re.search(r'id="found".*?<tbody>(.*?)</tbody>', page, re.S)
    return re.findall(r"<small>(D-\d+)</small>", body.group(1)) if body else []


def toggle_of(page: str, number: str) -> str:
    row = re.search(rf'data-number="{number}".*?class="tree-toggle"\s+href="([^"]+)"', page, re.S)
    return html.unescape(row.group(1))


def test_the_address_keeps_several_lines_open(cast: Cast, sign_in) -> None:
    (below,) = enrol_under(cast, "stella", 1)

    page = sign_in(cast, "asha").get(
        f"/genealogy/?open={cast.chloe.number}&open={cast.stella.number}"
    )

    assert rows_of(page.content.decode()) == [
        (1, cast.asha.number),
        (2, cast.ben.number),
        (3, cast.chloe.number),
        (4, cast.dmitri.number),
        (2, cast.stella.number),
        (3, below.number),
    ]


def test_links_open_and_close_a_line_and_leave_the_others(cast: Cast, sign_in) -> None:
    (below,) = enrol_under(cast, "stella", 1)
    client = sign_in(cast, "asha")
    page = client.get(f"/genealogy/?open={cast.stella.number}").content.decode()

    opened = client.get(toggle_of(page, cast.ben.number)).content.decode()
    deeper = client.get(toggle_of(opened, cast.chloe.number)).content.decode()
    closed = client.get(toggle_of(deeper, cast.ben.number)).content.decode()

    assert [number for _, number in rows_of(deeper)] == [
        person.number
        for person in (cast.asha, cast.ben, cast.chloe, cast.dmitri, cast.stella, below)
    ]
    assert rows_of(closed) == rows_of(page)


def test_closing_a_line_on_the_way_to_somebody_closes_it(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "asha")
    page = client.get(f"/genealogy/?at={cast.dmitri.number}").content.decode()

    closed = client.get(toggle_of(page, cast.chloe.number)).content.decode()

    assert [number for _, number in rows_of(closed)] == [
        cast.asha.number,
        cast.ben.number,
        cast.chloe.number,
        cast.stella.number,
    ]


def test_somebody_very_deep_is_shown_from_nearby(cast: Cast, sign_in) -> None:
    last = cast.dmitri
    for _ in range(30):
        (last,) = enrol_under(cast, last, 1)
    client = sign_in(cast, "asha")

    response = client.get(f"/genealogy/?at={last.number}", follow=True)

    rows = rows_of(response.content.decode())
    assert len(response.redirect_chain) == 1
    assert rows[-1][1] == last.number
    assert len(rows) <= 10


def test_columns_come_from_the_address_and_are_remembered(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "asha")
    usual = headings_of(client.get("/genealogy/").content.decode())

    chosen = headings_of(client.get("/genealogy/?columns=joined&columns=pv").content.decode())
    later = headings_of(client.get("/genealogy/").content.decode())

    assert usual[1:-1] == [
        "Paid as",
        "Status",
        "Directs",
        "Downline",
        "PV this period",
        "GV this period",
    ]
    assert chosen[1:-1] == later[1:-1] == ["PV this period", "Joined"]


def test_a_column_that_does_not_exist_is_named(cast: Cast, sign_in) -> None:
    page = text_of(sign_in(cast, "asha").get("/genealogy/?columns=salary"))

    assert "There is no column “salary”." in page


def test_rows_show_counts_and_volumes(cast: Cast, sign_in) -> None:
    Distributor.objects.filter(pk=cast.ben.pk).update(current_month_pv=120, current_month_gv=1340)

    page = text_of(sign_in(cast, "asha").get("/genealogy/"))

    assert f"{cast.ben.number} No rank Active 1 2 120.00 1,340.00" in page


@pytest.fixture
def filtered(cast: Cast) -> Cast:
    """Chloe is Silver, Stella on hold; Ben and Dmitri have PV; Dmitri joined later."""
    silver = Rank.objects.get(code="silver")
    people = Distributor.objects
    people.filter(pk=cast.chloe.pk).update(paid_as_rank=silver)
    people.filter(pk=cast.stella.pk).update(status="on_hold")
    people.filter(pk__in=[cast.ben.pk, cast.dmitri.pk]).update(current_month_pv=50)
    people.filter(pk=cast.dmitri.pk).update(joined_on=date(2026, 3, 10))
    return cast


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("rank=silver", ["chloe"]),
        ("status=on_hold", ["stella"]),
        ("activity=active", ["ben", "dmitri"]),
        ("activity=inactive", ["chloe", "stella"]),
        ("level=1", ["ben", "stella"]),
        ("level=3", ["dmitri"]),
        ("joined_from=2026-03-10", ["dmitri"]),
        ("joined_to=2026-03-09", ["ben", "chloe", "stella"]),
        ("activity=active&level=1", ["ben"]),
        ("rank=gold", []),
    ],
)
def test_filters_give_a_flat_list_of_whom_they_apply_to(
    filtered: Cast, sign_in, query: str, names: list[str]
) -> None:
    page = sign_in(filtered, "asha").get(f"/genealogy/?{query}").content.decode()

    assert found_in(page) == [getattr(filtered, name).number for name in names]


def test_a_hit_tells_the_way_to_it_and_its_level(filtered: Cast, sign_in) -> None:
    page = text_of(sign_in(filtered, "asha").get("/genealogy/?level=3"))

    assert f"{filtered.dmitri.number} Ben Cole Chloe Martin 3" in page


def test_a_long_way_is_counted_not_listed(cast: Cast) -> None:
    last = cast.dmitri
    for _ in range(4):
        (last,) = enrol_under(cast, last, 1)

    (hit,) = queries.filtered_page(node_of(cast.asha), Filters(level=7)).hits

    assert hit.node.distributor_id == last.pk
    assert [person.display_name for person in hit.way] == ["Person 0"] * 3
    assert hit.hidden == 3


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("rank=emperor", "There is no such rank."),
        ("status=gone", "There is no such status."),
        ("level=0", "Ensure this value is greater than or equal to 1."),
        ("level=two", "Enter a whole number."),
        ("joined_from=yesterday", "Give a day as in 2026-11-21."),
        ("joined_from=2026-03-02&joined_to=2026-03-01", "This day lies before the first one."),
    ],
)
def test_a_filter_that_cannot_be_is_told_at_its_field(
    cast: Cast, sign_in, query: str, words: str
) -> None:
    response = sign_in(cast, "asha").get(f"/genealogy/?{query}")

    assert words in text_of(response)
    assert rows_of(response.content.decode()) == []
    assert found_in(response.content.decode()) == []


def test_filters_stay_within_the_own_line(filtered: Cast, sign_in) -> None:
    page = sign_in(filtered, "ben").get("/genealogy/?joined_from=2020-01-01").content.decode()

    assert found_in(page) == [filtered.chloe.number, filtered.dmitri.number]


def test_staff_filter_the_whole_company(filtered: Cast, sign_in) -> None:
    page = sign_in(filtered, "otto").get("/genealogy/?joined_to=2026-03-09").content.decode()

    assert found_in(page) == [
        person.number for person in (filtered.asha, filtered.ben, filtered.chloe, filtered.stella)
    ]


def test_a_filtered_list_goes_on_without_gap_or_repeat(cast: Cast, sign_in) -> None:
    people = enrol_under(cast, "dmitri", 120)
    client = sign_in(cast, "asha")
    url, seen, pages = "/genealogy/?level=4", [], 0

    while url:
        page = client.get(url).content.decode()
        seen += found_in(page)
        pages += 1
        more = re.search(r'<a class="button button-small" href="([^"]+)" rel="next"', page)
        url = html.unescape(more.group(1)) if more else ""

    assert seen == [person.number for person in people]
    assert pages == 3
    assert "120 people" in text_of(client.get("/genealogy/?level=4"))


@pytest.mark.parametrize(
    "query", ["", "?level=4", "?at={dmitri}", "?open={chloe}&open={dmitri}", "?activity=inactive"]
)
def test_lists_ask_as_often_for_one_person_as_for_many(cast: Cast, sign_in, query: str) -> None:
    client = sign_in(cast, "asha")
    url = "/genealogy/" + query.format(dmitri=cast.dmitri.number, chloe=cast.chloe.number)
    counts = []

    for more in (1, 2, 57):
        enrol_under(cast, "dmitri", more)
        counts.append(queries_of(client, url))

    assert len(set(counts)) == 1
    assert counts[0] <= 18


def test_children_ask_as_often_for_one_as_for_fifty(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "asha")
    url = f"/genealogy/{cast.dmitri.number}/children/?level=4"
    counts = []

    for more in (1, 2, 57):
        enrol_under(cast, "dmitri", more)
        counts.append(queries_of(client, url))

    assert counts == [counts[0]] * 3


def test_a_level_is_read_by_its_index(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select indexdef from pg_indexes where indexname = 'genealogy_node_level'")
        ((definition,),) = cursor.fetchall()

    assert definition.endswith("(tree, depth, lft)")
