"""How to reach people: by their consent alone, at each reading; upwards only the sponsor."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, Event
from accounts.services.consents import give, withdraw
from genealogy.models import DownlineExport, PlacementRule
from genealogy.services import exports
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.moves import Place
from genealogy.services.placement import place_by_hand
from genealogy.services.teams import add_member, create_team
from tests.accounts.consenting import text_of as consent_text
from tests.cast import Cast, make_user
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PHONE = "+44 20 7946 0303"
COLUMNS = "columns=rank&columns=email&columns=phone"


@pytest.fixture
def texts(cast):
    chloe = cast.user("chloe")
    chloe.phone = PHONE
    chloe.save()
    return {name: consent_text(name) for name in ("contact_upline", "contact_downline")}


def agrees(cast, texts, name, purpose="contact_upline", **more):
    user = cast.user(name)
    give(user=user, text=texts[purpose], actor=user, channel="portal", **more)


def takes_back(cast, name, purpose="contact_upline"):
    user = cast.user(name)
    withdraw(user=user, purpose=purpose, actor=user, channel="portal")


def card(client: Client, number: str, **more) -> str:
    return client.get(reverse("genealogy:distributor", args=[number]), **more).content.decode()


@pytest.mark.parametrize("reader", ["ben", "asha"])
def test_those_above_see_a_contact_while_it_is_agreed_to(cast, texts, sign_in, reader):
    client, number = sign_in(cast, reader), cast.chloe.number
    for headers in ({}, HTMX):
        page = card(client, number, headers=headers)
        assert "chloe@example.com" not in page
        assert "once this distributor agrees" in page

    agrees(cast, texts, "chloe")
    for headers in ({}, HTMX):
        page = card(client, number, headers=headers)
        assert '<a href="mailto:chloe@example.com">chloe@example.com</a>' in page
        assert f'<a href="tel:+442079460303">{PHONE}</a>' in page
    drawn = client.get(f"/genealogy/drawn/?root={number}").content.decode()
    assert "mailto:chloe@example.com" in drawn

    takes_back(cast, "chloe")
    assert "chloe@example.com" not in card(client, number)
    assert PHONE not in client.get(f"/genealogy/drawn/?root={number}").content.decode()


def test_only_what_was_chosen_is_seen(cast, texts, sign_in):
    agrees(cast, texts, "chloe", shows=["phone"])

    page = card(sign_in(cast, "ben"), cast.chloe.number)

    assert PHONE in page
    assert "chloe@example.com" not in page


def test_a_consent_to_an_earlier_text_shows_nothing(cast, texts, sign_in):
    agrees(cast, texts, "chloe")
    consent_text("contact_upline", "2")

    assert "chloe@example.com" not in card(sign_in(cast, "ben"), cast.chloe.number)


@pytest.mark.parametrize("reader", ["stella", "dmitri"])
def test_those_beside_and_below_see_nobody(cast, texts, sign_in, reader):
    agrees(cast, texts, "chloe")
    agrees(cast, texts, "chloe", "contact_downline")

    answer = sign_in(cast, reader).get(reverse("genealogy:distributor", args=[cast.chloe.number]))

    assert answer.status_code == 404
    assert "chloe@example.com" not in answer.content.decode()


def test_the_sponsor_is_reached_as_far_as_he_publishes_it(cast, texts, sign_in):
    client, number = sign_in(cast, "dmitri"), cast.dmitri.number
    agrees(cast, texts, "chloe")
    page = card(client, number)
    assert "Chloe Martin" in page
    assert "chloe@example.com" not in page

    agrees(cast, texts, "chloe", "contact_downline", shows=["email"])
    agrees(cast, texts, "ben", "contact_downline")
    for url in (reverse("genealogy:distributor", args=[number]), "/genealogy/drawn/"):
        page = client.get(url).content.decode()
        assert "mailto:chloe@example.com" in page
        assert PHONE not in page
        assert "ben@example.com" not in page

    takes_back(cast, "chloe", "contact_downline")
    assert "chloe@example.com" not in card(client, number)


def test_a_sponsors_contact_is_for_his_own_people_alone(cast, texts, sign_in):
    agrees(cast, texts, "ben", "contact_downline")

    page = card(sign_in(cast, "asha"), cast.chloe.number)

    assert "Ben Cole" in page
    assert "ben@example.com" not in page


def placed(cast, person, above, leg):
    place_by_hand(distributor=person, to=Place(above, leg), actor=cast.user("ada"))


def test_in_the_placement_line_alone_nothing_is_seen(cast, texts, sign_in):
    PlacementRule.objects.create(width=2, waiting_days=None)
    agrees(cast, texts, "chloe")
    placed(cast, cast.stella, cast.asha, 1)
    placed(cast, cast.chloe, cast.stella, 1)

    page = card(sign_in(cast, "stella"), cast.chloe.number)

    assert "in the placement tree" in page
    assert "chloe@example.com" not in page
    assert "Ben Cole" not in page


def test_a_sponsor_is_not_told_the_name_of_somebody_above_him(cast):
    PlacementRule.objects.create(width=2, waiting_days=None)
    placed(cast, cast.ben, cast.asha, 1)
    placed(cast, cast.dmitri, cast.asha, 2)
    placed(cast, cast.chloe, cast.ben, 1)

    told = Event.objects.filter(name="distributor.placed").order_by("-pk")[:2]

    assert [event.facts["above"] for event in told] == ["Ben Cole", "somebody above you"]


def test_staff_see_all_and_each_look_is_kept(cast, texts, sign_in):
    client, number = sign_in(cast, "sam"), cast.chloe.number

    page = card(client, number)
    assert "mailto:chloe@example.com" in page
    fragment = card(client, number, headers=HTMX)
    assert "chloe@example.com" not in fragment
    assert "the page of this distributor" in fragment
    assert (
        "chloe@example.com" not in client.get("/genealogy/drawn/?root=" + number).content.decode()
    )

    seen = AuditEvent.objects.get(action="distributor.viewed")
    assert (seen.actor, seen.entity_id) == (cast.user("sam"), number)


def test_the_list_shows_contacts_where_they_are_asked_for(cast, texts, sign_in):
    agrees(cast, texts, "chloe")
    client = sign_in(cast, "ben")

    plain = client.get("/genealogy/?columns=rank").content.decode()
    assert "chloe@example.com" not in plain
    assert "those who agreed" not in plain
    for url in (
        f"/genealogy/?{COLUMNS}",
        f"/genealogy/?{COLUMNS}&level=1",
        f"/genealogy/{cast.ben.number}/children/?{COLUMNS}",
    ):
        page = client.get(url).content.decode()
        assert "mailto:chloe@example.com" in page
        assert "tel:+442079460303" in page
        assert "dmitri@example.com" not in page
    page = text_of(client.get(f"/genealogy/?{COLUMNS}"))
    assert page.count("E-mail and phone are shown of those who agreed to it.") == 1

    takes_back(cast, "chloe")
    assert "chloe@example.com" not in client.get(f"/genealogy/?{COLUMNS}").content.decode()
    assert not AuditEvent.objects.filter(action="distributor.contacts_listed").exists()


def test_staff_who_list_contacts_leave_a_trace(cast, texts, sign_in):
    client = sign_in(cast, "sam")

    page = client.get(f"/genealogy/?root={cast.ben.number}&{COLUMNS}").content.decode()

    assert "mailto:chloe@example.com" in page
    assert "those who agreed" not in page
    kept = AuditEvent.objects.get(action="distributor.contacts_listed")
    assert kept.after == {"people": [cast.ben.number, cast.chloe.number]}
    assert kept.actor == cast.user("sam")


def enrolled_consenting(cast, texts, count):
    for place in range(count):
        user = make_user(f"Person{place} Below")
        enrol_distributor(
            sponsor=cast.ben,
            display_name=f"Person {place}",
            joined_on=cast.asha.joined_on,
            actor=None,
            user=user,
        )
        give(user=user, text=texts["contact_upline"], actor=user, channel="portal")


@pytest.mark.parametrize("query", ["", "&level=1"])
def test_contacts_cost_two_statements_whatever_the_page(cast, texts, sign_in, query):
    agrees(cast, texts, "chloe")
    client = sign_in(cast, "ben")
    without = queries_of(client, f"/genealogy/?columns=rank{query}")

    assert queries_of(client, f"/genealogy/?{COLUMNS}{query}") == without + 2
    enrolled_consenting(cast, texts, 5)
    assert queries_of(client, f"/genealogy/?{COLUMNS}{query}") == without + 2


def exported(cast, name, root) -> list[list[str]]:
    export = exports.order_export(
        root=root, filters={}, columns=["email", "phone"], actor=cast.user(name)
    )
    exports.make_export(export.pk)
    export.refresh_from_db()
    assert export.status == DownlineExport.Status.DONE, export.error
    text = exports.file_of(export).read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_an_export_has_the_contacts_of_those_who_agree_when_it_is_written(cast, texts):
    agrees(cast, texts, "chloe")

    head, chloe, dmitri = exported(cast, "ben", cast.ben)
    assert head[4:] == [
        "E-mail (only of people who agreed to it)",
        "Phone (only of people who agreed to it)",
    ]
    assert chloe[4:] == ["chloe@example.com", f"'{PHONE}"]
    assert dmitri[4:] == ["", ""]

    takes_back(cast, "chloe")
    assert exported(cast, "ben", cast.ben)[1][4:] == ["", ""]


def test_an_export_of_staff_has_all_contacts(cast, texts):
    head, chloe, dmitri = exported(cast, "sam", cast.ben)

    assert head[4:] == ["E-mail", "Phone"]
    assert chloe[4] == "chloe@example.com"
    assert dmitri[4:] == ["dmitri@example.com", ""]


def test_contacts_of_an_export_are_read_part_by_part(cast, texts, monkeypatch):
    for name in ("chloe", "dmitri", "stella"):
        agrees(cast, texts, name)
    monkeypatch.setattr(exports, "PART", 2)

    rows = exported(cast, "asha", cast.asha)[1:]

    found = {row[1]: row[4] for row in rows}
    assert found == {
        "Ben Cole": "",
        "Chloe Martin": "chloe@example.com",
        "Dmitri Orlov": "dmitri@example.com",
        "Stella Stone": "stella@example.com",
    }


def test_a_search_and_a_way_down_name_nobody_above_and_no_contact(cast, texts, sign_in):
    for name in ("asha", "ben", "chloe", "dmitri"):
        agrees(cast, texts, name)
    client = sign_in(cast, "chloe")

    for url in (
        "/genealogy/search/?q=ben@example",
        "/genealogy/search/?q=Ben",
        "/genealogy/?at=" + cast.dmitri.number,
        "/genealogy/figures/",
        reverse("genealogy:distributor", args=[cast.dmitri.number]),
    ):
        page = client.get(url).content.decode()
        assert "Ben Cole" not in page
        assert "Asha Rao" not in page
        assert "ben@example.com" not in page
    found = client.get("/genealogy/search/?q=Dmitri", headers=HTMX).content.decode()
    assert "Dmitri Orlov" in found
    assert "dmitri@example.com" not in found


def test_in_a_team_the_rank_of_somebody_above_stays_private(cast: Cast, sign_in) -> None:
    team = create_team(name="Harbour", lead=cast.ben, actor=cast.user("ben"))
    for person in (cast.chloe, cast.dmitri):
        add_member(team=team, distributor=person, actor=cast.user("ben"))

    def ranks_seen(name):
        url = reverse("genealogy:team", args=[team.number])
        return text_of(sign_in(cast, name).get(url)).count("No rank")

    assert ranks_seen("ben") == 3
    assert ranks_seen("chloe") == 2
    assert ranks_seen("dmitri") == 1
