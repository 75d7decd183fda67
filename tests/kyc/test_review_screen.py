"""The reviewers' queue and the screen on which they decide."""

from datetime import date

import pytest
from django.test import Client

from accounts.models import User
from compliance.models import KYCDocument
from compliance.services import kyc
from tests.accounts.test_users import signed_in
from tests.kyc.papers import PAN, submitted

pytestmark = pytest.mark.django_db
QUEUE = "/admin/compliance/kycdocument/"
QUERIES_OF_THE_QUEUE = 7


def review(document: KYCDocument) -> str:
    return f"{QUEUE}{document.number}/review/"


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(QUEUE + query)
    return [document.number for document in answer.context["cl"].result_list]


def test_queue_shows_what_waits_oldest_first(cast) -> None:
    papers = [submitted(cast.user(name)) for name in ("chloe", "dmitri", "ben")]
    kyc.verify_document(document=papers[1], actor=cast.user("ada"))
    client = signed_in(cast.user("sam"))

    assert listed(client) == [papers[0].number, papers[2].number]
    assert listed(client, "?status=verified") == [papers[1].number]
    assert listed(client, "?status=all") == [paper.number for paper in papers]


@pytest.mark.parametrize("query", ["chloe@example.com", "Chloe", "number"])
def test_queue_is_searched_by_number_name_and_mail(cast, query: str) -> None:
    paper = submitted(cast.user("chloe"))
    submitted(cast.user("dmitri"), full_name="Dmitri Orlov")
    query = paper.number if query == "number" else query

    assert listed(signed_in(cast.user("sam")), f"?q={query}") == [paper.number]


@pytest.mark.parametrize("count", [1, 3])
def test_queue_asks_the_same_number_of_queries(cast, count: int, django_assert_num_queries) -> None:
    for name in ("chloe", "dmitri", "ben")[:count]:
        submitted(cast.user(name))
    client = signed_in(cast.user("sam"))
    client.get(QUEUE)

    with django_assert_num_queries(QUERIES_OF_THE_QUEUE):
        client.get(QUEUE)


def test_screen_shows_picture_declaration_and_what_differs(cast) -> None:
    paper = submitted(cast.user("chloe"), full_name="Chloe Martins")

    page = text(signed_in(cast.user("sam")), review(paper))

    assert f'src="/identity/pictures/{paper.images.get().token}/"' in page
    assert "Chloe Martins" in page
    assert PAN in page
    assert "Differs" in page


def test_auditor_sees_the_paper_but_neither_number_nor_decision(cast) -> None:
    paper = submitted(cast.user("chloe"))
    client = signed_in(cast.user("otto"))

    page = text(client, review(paper))

    assert "ends in 234F" in page
    assert PAN not in page
    assert 'value="verify"' not in page
    assert client.post(review(paper), {"decision": "verify"}).status_code == 403


def test_duplicates_are_named(cast) -> None:
    twin = submitted(cast.user("dmitri"))
    paper = submitted(cast.user("chloe"))

    page = text(signed_in(cast.user("sam")), review(paper))

    assert "Same document number" in page
    assert "Same name and date of birth" in page
    assert twin.number in page


def test_same_birthday_alone_is_no_duplicate(cast) -> None:
    submitted(cast.user("dmitri"), number="ABCPE9999F", full_name="Dmitri Orlov")
    paper = submitted(cast.user("chloe"))

    assert "belongs to anybody else" in text(signed_in(cast.user("sam")), review(paper))


def test_verification_leads_to_the_next_in_the_queue(cast) -> None:
    first, second = submitted(cast.user("chloe")), submitted(cast.user("dmitri"))
    client = signed_in(cast.user("sam"))
    assert "Verify this identity" in text(client, review(first))

    answer = client.post(review(first), {"decision": "verify"})

    assert answer.url == review(second)
    first.refresh_from_db()
    assert (first.status, first.reviewed_by) == ("verified", cast.user("sam"))
    assert client.post(review(second), {"decision": "verify"}).url == QUEUE


def test_rejection_needs_its_reason(cast) -> None:
    paper = submitted(cast.user("chloe"))
    client = signed_in(cast.user("sam"))

    answer = client.post(review(paper), {"decision": "reject", "reason": ""})
    assert answer.status_code == 200
    assert "One thing to put right" in answer.content.decode()
    paper.refresh_from_db()
    assert paper.status == "pending"

    client.post(
        review(paper), {"decision": "reject", "reason": "name_mismatch", "note": "It says Martin."}
    )
    paper.refresh_from_db()
    assert (paper.status, paper.rejection_code, paper.rejection_note) == (
        "rejected",
        "name_mismatch",
        "It says Martin.",
    )


def test_screen_of_a_resubmission_shows_the_earlier_version(cast) -> None:
    chloe = cast.user("chloe")
    first = submitted(chloe)
    kyc.reject_document(document=first, actor=cast.user("ada"), reason="incomplete", note="Back?")

    page = text(signed_in(cast.user("sam")), review(submitted(chloe)))

    assert f"PAN card {first.number}" in page
    assert "A side of the document is missing. Back?" in page


def test_reviewer_who_comes_second_is_told(cast) -> None:
    paper = submitted(cast.user("chloe"))
    client = signed_in(cast.user("sam"))
    kyc.verify_document(document=paper, actor=cast.user("ada"))

    answer = client.post(review(paper), {"decision": "reject", "reason": "unreadable"}, follow=True)

    assert "it cannot become rejected" in answer.content.decode()
    paper.refresh_from_db()
    assert paper.reviewed_by == cast.user("ada")


def test_own_paper_offers_no_decision(cast) -> None:
    paper = submitted(cast.user("sam"))
    client = signed_in(cast.user("sam"))

    page = text(client, review(paper))

    assert "This is your own document" in page
    assert 'value="verify"' not in page
    client.post(review(paper), {"decision": "verify"})
    paper.refresh_from_db()
    assert paper.status == "pending"


@pytest.mark.parametrize(
    ("name", "status"), [("mona", 403), ("fiona", 403), ("chloe", 404), ("ben", 404)]
)
def test_queue_and_screen_are_for_reviewers(cast, name: str, status: int) -> None:
    paper = submitted(cast.user("chloe"))
    client = signed_in(cast.user(name))

    assert client.get(QUEUE).status_code == status
    assert client.get(review(paper)).status_code == status
    assert client.post(review(paper), {"decision": "verify"}).status_code == status
    assert User.objects.get(email="chloe@example.com").kyc_status == "pending"


def test_record_page_of_the_admin_leads_to_the_screen(cast) -> None:
    paper = submitted(cast.user("chloe"), date_of_birth=date(1980, 1, 1))

    answer = signed_in(cast.user("ada")).get(f"{QUEUE}{paper.pk}/change/")

    assert answer.url == review(paper)
