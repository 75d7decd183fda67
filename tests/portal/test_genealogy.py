import re
from itertools import combinations

import pytest
from django.test import Client

from commissions.standing import hundredths
from genealogy import queries
from genealogy.models import Distributor, GenealogyNode
from genealogy.services.enrolment import enrol_distributor
from genealogy.treeview import lay_out
from tests.cast import Cast
from tests.portal.conftest import queries_of, rows_of, text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def enrol_under(cast: Cast, sponsor: str, count: int) -> list[str]:
    people = [
        enrol_distributor(
            sponsor=getattr(cast, sponsor),
            display_name=f"Person {place}",
            joined_on=cast.asha.joined_on,
            actor=None,
        )
        for place in range(count)
    ]
    return [person.number for person in people]


def test_the_list_opens_one_generation_first(cast: Cast, sign_in) -> None:
    page = sign_in(cast, "asha").get("/genealogy/").content.decode()

    assert rows_of(page) == [
        (1, cast.asha.number),
        (2, cast.ben.number),
        (2, cast.stella.number),
    ]


def test_the_address_opens_the_line_down_to_somebody(cast: Cast, sign_in) -> None:
    page = sign_in(cast, "asha").get(f"/genealogy/?at={cast.dmitri.number}").content.decode()

    assert rows_of(page) == [
        (1, cast.asha.number),
        (2, cast.ben.number),
        (3, cast.chloe.number),
        (4, cast.dmitri.number),
        (2, cast.stella.number),
    ]
    assert 'class="is-current"' in page


def test_a_distributor_sees_only_below_himself(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")

    for name in ("asha", "stella"):
        number = getattr(cast, name).number
        for url in (
            f"/genealogy/?root={number}",
            f"/genealogy/?open={number}",
            f"/genealogy/?at={number}",
            f"/genealogy/drawn/?root={number}",
            f"/genealogy/{number}/",
            f"/genealogy/{number}/children/",
        ):
            assert client.get(url).status_code == 404, url


def test_above_himself_a_distributor_sees_the_name_of_the_sponsor_alone(
    cast: Cast, sign_in
) -> None:
    client = sign_in(cast, "ben")

    card = text_of(client.get(f"/genealogy/{cast.ben.number}/"))
    below = text_of(client.get(f"/genealogy/?at={cast.dmitri.number}"))

    assert "Sponsor Asha Rao" in card
    assert cast.asha.number not in card
    assert "Asha" not in below


def test_children_come_fifty_at_a_time_and_none_twice(cast: Cast, sign_in) -> None:
    numbers = enrol_under(cast, "dmitri", 120)
    client = sign_in(cast, "asha")
    url = f"/genealogy/{cast.dmitri.number}/children/?level=4"

    seen = []
    for _ in range(3):
        page = client.get(url, headers=HTMX).content.decode()
        seen += [number for _, number in rows_of(page)]
        more = re.search(r'hx-get="([^"]*after[^"]*)"', page)
        url = more.group(1).replace("&amp;", "&") if more else ""

    assert seen == numbers
    assert url == ""
    assert "100 of 120 shown" in text_of(
        client.get(f"/genealogy/{cast.dmitri.number}/children/?after={numbers[49]}&shown=50")
    )


def test_somebody_far_down_a_wide_line_is_opened_and_not_repeated(cast: Cast, sign_in) -> None:
    numbers = enrol_under(cast, "dmitri", 60)
    client = sign_in(cast, "asha")

    page = client.get(f"/genealogy/?at={numbers[55]}").content.decode()
    rest = re.search(r'hx-get="([^"]*after[^"]*)"', page).group(1).replace("&amp;", "&")
    more = rows_of(client.get(rest, headers=HTMX).content.decode())

    opened = [number for level, number in rows_of(page) if level == 5]
    assert opened == [*numbers[:50], numbers[55]]
    assert [number for _, number in more] == [*numbers[50:55], *numbers[56:]]


def test_the_list_goes_on_without_script(cast: Cast, sign_in) -> None:
    numbers = enrol_under(cast, "dmitri", 60)
    client = sign_in(cast, "dmitri")

    page = client.get("/genealogy/").content.decode()
    link = re.search(r'<a href="(/genealogy/\?root[^"]*after[^"]*)"', page).group(1)
    following = rows_of(client.get(link.replace("&amp;", "&")).content.decode())

    assert following == [(1, cast.dmitri.number), *((2, number) for number in numbers[50:])]


def test_search_stays_within_the_own_line(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")

    assert "Nobody found" in text_of(client.get("/genealogy/search/?q=stella"))
    assert "Nobody found" in text_of(client.get(f"/genealogy/search/?q={cast.asha.number}"))


@pytest.mark.parametrize("words", ["dmitri", "DMIT", "{number}", "{digits}"])
def test_a_single_hit_opens_at_once(cast: Cast, sign_in, words: str) -> None:
    number = cast.dmitri.number
    query = words.format(number=number, digits=int(number.removeprefix("D-")))

    response = sign_in(cast, "ben").get("/genealogy/search/", {"q": query})

    assert response["Location"] == f"/genealogy/?at={number}"


def test_a_digit_is_a_number_and_a_letter_is_too_little(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")
    assert "Nobody found" in text_of(client.get("/genealogy/search/?q=0"))
    Distributor.objects.filter(pk=cast.dmitri.pk).update(number="D-000000")

    assert client.get("/genealogy/search/?q=0")["Location"] == "/genealogy/?at=D-000000"
    assert "at least two letters" in text_of(client.get("/genealogy/search/?q=d"))


@pytest.mark.parametrize(
    "address",
    [
        "/genealogy/?root=a%00b",
        "/genealogy/?at=%00",
        "/genealogy/?open=D%00",
        "/genealogy/drawn/?root=a%00b",
        "/genealogy/figures/?root=a%00b",
        "/genealogy/search/?q=d%00",
        "/genealogy/D%00/",
        "/genealogy/D%00/children/",
    ],
)
def test_addresses_with_a_sign_that_no_text_holds_are_refused(
    cast: Cast, sign_in, address: str
) -> None:
    response = sign_in(cast, "ben").get(address)

    assert response.status_code == 400
    assert "That request made no sense" in text_of(response)


def test_staff_begin_at_the_top_and_go_anywhere(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "otto")

    assert cast.asha.number in text_of(client.get("/genealogy/"))
    assert client.get(f"/genealogy/?root={cast.stella.number}").status_code == 200
    assert client.get(f"/genealogy/drawn/?root={cast.ben.number}").status_code == 200


def test_a_stranger_without_a_distributor_is_refused(cast: Cast, client: Client) -> None:
    from tests.cast import make_user

    client.force_login(make_user("Nina Nobody"))

    assert client.get("/genealogy/").status_code == 403
    assert client.get("/genealogy/search/?q=asha").status_code == 403


def test_the_list_asks_as_often_for_one_row_as_for_fifty(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")
    few = queries_of(client, "/genealogy/")

    enrol_under(cast, "ben", 60)

    assert queries_of(client, "/genealogy/") == few
    assert few <= 16


def test_the_drawing_asks_as_often_for_one_box_as_for_many(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "ben")
    few = queries_of(client, "/genealogy/drawn/")

    enrol_under(cast, "ben", 12)

    assert queries_of(client, "/genealogy/drawn/") == few


def test_what_is_not_drawn_is_counted(cast: Cast, sign_in) -> None:
    enrol_under(cast, "ben", 12)

    page = sign_in(cast, "ben").get("/genealogy/drawn/").content.decode()

    assert "+5 more" in page
    assert page.count('class="node node-good') == 10


def test_parents_stand_over_the_middle_of_their_children(cast: Cast) -> None:
    enrol_under(cast, "stella", 2)
    root = GenealogyNode.objects.get(distributor=cast.asha, tree="sponsor")

    boxes = {box.distributor.pk: box for box in lay_out(queries.drawn(root, 2)).boxes}

    asha, ben, stella = (boxes[getattr(cast, name).pk] for name in ("asha", "ben", "stella"))
    assert asha.is_root
    assert asha.x == (ben.x + stella.x) / 2
    assert asha.y < ben.y == stella.y


def test_boxes_never_overlap(cast: Cast) -> None:
    for name in ("asha", "ben", "stella", "dmitri"):
        enrol_under(cast, name, 12)
    root = GenealogyNode.objects.get(distributor=cast.asha, tree="sponsor")

    boxes = lay_out(queries.drawn(root, 4)).boxes

    assert len(boxes) > 20
    for one, other in combinations(boxes, 2):
        apart_x = abs(one.x - other.x) >= one.width
        upper, lower = sorted((one, other), key=lambda box: box.y)
        assert apart_x or upper.y + upper.height <= lower.y


def test_drawing_stops_at_the_depth_asked_for(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "asha")

    one = client.get("/genealogy/drawn/?depth=1").content.decode()
    four = client.get("/genealogy/drawn/?depth=4").content.decode()

    assert one.count("node-box") == 3
    assert four.count("node-box") == 5
    assert "style=" not in four


def test_the_way_down_is_shortened_in_the_middle(cast: Cast) -> None:
    last = cast.dmitri
    for place in range(8):
        last = enrol_distributor(
            sponsor=last, display_name=f"Deep {place}", joined_on=last.joined_on, actor=None
        )
    node = GenealogyNode.objects.get(distributor=last, tree="sponsor")
    top = GenealogyNode.objects.get(distributor=cast.asha, tree="sponsor")

    trail = queries.crumbs(node, top)

    names = [
        crumb.distributor.display_name if crumb.distributor else crumb.hidden for crumb in trail
    ]
    assert names == ["Asha Rao", 5, "Deep 2", "Deep 3", "Deep 4", "Deep 5", "Deep 6"]


def test_people_are_counted_by_level(cast: Cast) -> None:
    root = GenealogyNode.objects.get(distributor=cast.asha, tree="sponsor")

    levels = [(row.level, row.people) for row in queries.generations(root)]

    assert levels == [(1, 2), (2, 1), (3, 1)]


def test_hundredths_keep_two_places() -> None:
    assert str(hundredths(1250)) == "12.50"
