"""The drawing: both trees, empty places, what is cut, and who may be seen in which."""

import re
from itertools import combinations

import pytest

from genealogy import queries
from genealogy.models import Distributor, GenealogyNode, PlacementRule
from genealogy.services.tree_index import rebuild_tree
from genealogy.treeview import lay_out, shortened
from tests.cast import Cast
from tests.portal.conftest import queries_of, text_of
from tests.portal.lines import enrol_under, node_of, place_the_company

pytestmark = pytest.mark.django_db
PLACEMENT = "/genealogy/drawn/?tree=placement"


def labels_of(page: str) -> list[str]:
    return re.findall(r'class="node[^"]*"[^>]*?aria-label="([^"]+)"', page, re.S)


def shape_of(root: GenealogyNode, depth: int) -> dict[str, list[str]]:
    """Name of each drawn person with what is drawn below, leg by leg."""
    found, waiting = {}, [queries.drawn(root, depth)]
    while waiting:
        person = waiting.pop()
        if person.children:
            found[person.distributor.display_name] = [
                f"{child.leg_name}: {child.distributor.display_name if child.node else 'empty'}"
                for child in person.children
            ]
        waiting += [child for child in person.children if child.node]
    return found


def test_the_placement_tree_shows_legs_and_empty_places(cast: Cast) -> None:
    place_the_company(cast)

    shape = shape_of(node_of(cast.asha, "placement"), 3)

    assert shape == {
        "Asha Rao": ["Left: Ben Cole", "Right: Stella Stone"],
        "Ben Cole": ["Left: empty", "Right: Dmitri Orlov"],
        "Stella Stone": ["Left: empty", "Right: empty"],
        "Dmitri Orlov": ["Left: empty", "Right: empty"],
    }


def test_a_matrix_shows_as_many_legs_as_it_has(cast: Cast) -> None:
    place_the_company(cast, (cast.chloe, "asha", 4))

    shape = shape_of(node_of(cast.asha, "placement"), 1)

    assert shape["Asha Rao"] == [
        "Leg 1: Ben Cole",
        "Leg 2: Stella Stone",
        "Leg 3: empty",
        "Leg 4: Chloe Martin",
    ]


def test_a_wide_matrix_is_cut_and_the_rest_counted(cast: Cast) -> None:
    wide = [(person, "asha", 3 + i) for i, person in enumerate(enrol_under(cast, "asha", 10))]
    place_the_company(cast, *wide)

    root = queries.drawn(node_of(cast.asha, "placement"), 1)

    assert [child.leg for child in root.children] == list(range(1, 9))
    assert root.hidden == 4


def test_legs_stand_from_left_to_right_and_nothing_overlaps(cast: Cast) -> None:
    place_the_company(cast)

    for depth in (1, 2, 3, 4):
        drawing = lay_out(queries.drawn(node_of(cast.asha, "placement"), depth), "placement")
        boxes = drawing.boxes
        by_name = {box.distributor.display_name: box for box in boxes if not box.is_empty}
        assert by_name["Ben Cole"].x < by_name["Stella Stone"].x
        assert by_name["Ben Cole"].y == by_name["Stella Stone"].y
        for one, other in combinations(boxes, 2):
            upper, lower = sorted((one, other), key=lambda box: box.y)
            assert abs(one.x - other.x) >= one.width or upper.y + upper.height <= lower.y
        for box in boxes:
            assert drawing.left <= box.x
            assert box.x + box.width <= drawing.left + drawing.width
            assert box.y + box.height <= drawing.height - 24


def test_the_page_names_empty_places_and_statuses(cast: Cast, sign_in) -> None:
    place_the_company(cast)

    page = sign_in(cast, "asha").get(PLACEMENT).content.decode()

    assert "Left: empty place" in labels_of(page)
    assert (
        f"Right: Stella Stone, {cast.stella.number}, no rank, Active, GV 0.00, 0 below"
        in labels_of(page)
    )
    assert page.count('class="node-mark"') == 2 * 4, "each near and far"


def test_the_drawing_is_as_large_as_what_it_shows_so_that_it_is_legible(
    cast: Cast, sign_in
) -> None:
    page = sign_in(cast, "asha").get("/genealogy/drawn/").content.decode()

    view, width, height = re.search(
        r'<svg viewBox="([^"]+)"\s+width="([^"]+)"\s+height="([^"]+)"', page
    ).groups()

    assert [float(size) for size in view.split()[2:]] == [float(width), float(height)]


def test_whoever_waits_for_a_place_is_told(cast: Cast, sign_in) -> None:
    place_the_company(cast)

    page = text_of(sign_in(cast, "chloe").get(PLACEMENT))

    assert "You have no place in the placement tree yet" in page


def test_people_placed_below_are_seen_without_their_sponsor(cast: Cast, sign_in) -> None:
    place_the_company(cast, (cast.chloe, "stella", 1))
    client = sign_in(cast, "stella")

    drawn = client.get(PLACEMENT)
    card = text_of(client.get(f"/genealogy/{cast.chloe.number}/"))

    assert f"Left: Chloe Martin, {cast.chloe.number}" in drawn.content.decode()
    assert "Level 1 below you in the placement tree" in card
    assert "Ben" not in card
    assert client.get(f"/genealogy/?root={cast.chloe.number}").status_code == 404
    assert client.get(f"/genealogy/{cast.dmitri.number}/").status_code == 404


def test_above_and_beside_in_the_placement_tree_is_out_of_sight(cast: Cast, sign_in) -> None:
    place_the_company(cast)
    client = sign_in(cast, "ben")

    for name in ("asha", "stella"):
        number = getattr(cast, name).number
        assert client.get(f"{PLACEMENT}&root={number}").status_code == 404
    page = text_of(client.get(PLACEMENT))
    assert page.count("Asha Rao") == page.count("Sponsor Asha Rao") == 1
    assert cast.asha.number not in page
    assert "Stella" not in page


def test_staff_begin_at_the_top_of_either_tree(cast: Cast, sign_in) -> None:
    client = sign_in(cast, "otto")
    assert "Nobody is placed yet" in text_of(client.get(PLACEMENT))
    place_the_company(cast)

    page = client.get(PLACEMENT).content.decode()

    assert f"/genealogy/drawn/?root={cast.asha.number}&amp;tree=placement" in page
    assert client.get(f"{PLACEMENT}&root={cast.ben.number}").status_code == 200


@pytest.mark.parametrize("tree", ["sponsor", "placement"])
def test_a_drawing_asks_as_often_for_one_box_as_for_many(cast: Cast, sign_in, tree: str) -> None:
    client = sign_in(cast, "ben")
    url = f"/genealogy/drawn/?tree={tree}&depth=4"
    counts = []

    for more in (1, 2, 9):
        people = enrol_under(cast, "ben", more)
        offset = 3 + sum((1, 2, 9)[: len(counts)])
        place_the_company(cast, *((one, "ben", offset + i) for i, one in enumerate(people)))
        counts.append(queries_of(client, url))

    assert counts == [counts[0]] * 3
    assert counts[0] <= 20


def test_a_search_from_the_drawing_centres_it(cast: Cast, sign_in) -> None:
    response = sign_in(cast, "asha").get("/genealogy/search/?view=drawn&q=dmitri")

    assert response["Location"] == f"/genealogy/drawn/?root={cast.dmitri.number}"


def test_every_leg_of_a_wide_matrix_is_reached(cast: Cast, sign_in) -> None:
    PlacementRule.objects.create(width=50, waiting_days=None)
    people = enrol_under(cast, "asha", 12)
    place_the_company(cast, *((one, "asha", 3 + i) for i, one in enumerate(people)))
    client = sign_in(cast, "asha")

    first = client.get(f"{PLACEMENT}&depth=1").content.decode()
    link = re.search(r'class="node node-more"\s+href="([^"]+)"', first).group(1)
    second = client.get(f"/genealogy/drawn/{link.replace('&amp;', '&')}").content.decode()
    last = client.get(f"{PLACEMENT}&depth=1&leg=49").content.decode()

    assert "6 more below Asha Rao" in labels_of(first)
    assert [label[: len("Leg 99")] for label in labels_of(second)[1:]] == [
        "Leg 9:", "Leg 10", "Leg 11", "Leg 12", "Leg 13", "Leg 14", "Leg 15", "Leg 16",
    ]  # fmt: skip
    assert labels_of(second)[-2:] == ["Leg 15: empty place", "Leg 16: empty place"]
    assert labels_of(last)[1:] == ["Leg 49: empty place", "Leg 50: empty place"]
    assert "Legs 1 to 8 9 to 16" in text_of(client.get(f"{PLACEMENT}&depth=1"))


def test_all_that_is_empty_below_somebody_in_a_wide_matrix_is_one_box(cast: Cast, sign_in) -> None:
    PlacementRule.objects.create(width=50, waiting_days=None)
    place_the_company(cast)

    labels = labels_of(sign_in(cast, "asha").get(f"{PLACEMENT}&depth=2").content.decode())

    assert labels.count("50 empty places") == 1
    assert "Leg 2: empty place" not in labels[:2]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ben Cole", "Ben Cole"),
        ("Bartholomäus von Hohenlohe", "Bartholomäus von Hoh…"),
        ("WWWWWWWWWWWWWWWWWWWWWW", "WWWWWWWWWWW…"),
        ("株式会社グローバルトレーディング", "株式会社グローバルト…"),
        ("محمد", "\u2068محمد\u2069"),
    ],
)
def test_a_name_is_shortened_by_the_width_of_its_letters(name: str, shown: str) -> None:
    assert shortened(name, 22) == shown


def test_spillover_is_marked_and_the_card_says_whose(cast: Cast, sign_in) -> None:
    """Dmitri, sponsored by Chloe, stands right below Ben; Chloe, sponsored by Ben, below Stella."""
    place_the_company(cast, (cast.chloe, "stella", 1))

    def seen_by(reader: str, who: str) -> tuple[str, str]:
        client = sign_in(cast, reader)
        labels = labels_of(client.get(f"{PLACEMENT}&depth=3").content.decode())
        number = getattr(cast, who).number
        (label,) = (label for label in labels if number in label)
        return label, text_of(client.get(f"/genealogy/{number}/"))

    label, card = seen_by("ben", "dmitri")
    assert label.endswith(", 0 below, spillover")
    assert "Placement Spillover of Chloe Martin" in card
    label, card = seen_by("stella", "chloe")
    assert label.endswith("spillover")
    assert "Spillover of somebody outside your lines" in card
    assert "Ben" not in card
    label, card = seen_by("asha", "ben")
    assert "spillover" not in label
    assert "Spillover" not in card
    client = sign_in(cast, "otto")
    assert "Spillover of Ben Cole" in text_of(client.get(f"/genealogy/{cast.chloe.number}/"))
    assert "Spillover" not in text_of(client.get("/genealogy/drawn/"))


def test_spillover_of_the_readers_own_sponsor_is_named(cast: Cast, sign_in) -> None:
    """Asha, who sponsors Ben and Stella, had Stella placed below Ben."""
    place_the_company(cast)
    Distributor.objects.filter(pk=cast.stella.pk).update(placement_parent=cast.ben, leg=1)
    rebuild_tree("placement")

    card = text_of(sign_in(cast, "ben").get(f"/genealogy/{cast.stella.number}/"))

    assert "Spillover of Asha Rao" in card
