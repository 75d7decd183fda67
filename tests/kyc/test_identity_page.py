"""The page on which a person sends a paper in, and who may look at its pictures."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import serializers
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Event
from commissions.services.eligibility import payout_checklist
from compliance.models import KYCDocument
from compliance.services import kyc
from tests.accounts.test_users import signed_in
from tests.kyc.papers import AADHAAR, PAN, form_data, picture_bytes, submitted, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def chloe(cast) -> Iterator[Client]:
    return signed_in(cast.user("chloe"))


def page(client: Client) -> str:
    return client.get("/identity/").content.decode()


def test_person_without_a_paper_is_told_what_to_do(chloe) -> None:
    text = page(chloe)

    assert "Not submitted yet" in text
    assert "Send for review" in text
    assert 'value="Chloe Martin"' in text


def test_paper_is_sent_in_and_the_page_says_so(cast, chloe) -> None:
    answer = chloe.post("/identity/", form_data(), follow=True)

    document = KYCDocument.objects.get()
    text = answer.content.decode()
    assert f"PAN card received as {document.number}." in text
    assert "Your document is in review" in text
    assert "Send for review" not in text
    assert document.user == cast.user("chloe")


@pytest.mark.parametrize(
    ("field", "changes", "message"),
    [
        ("document_number", {"document_number": "ABC"}, "A PAN looks like"),
        ("document_number", {"document_number": ""}, "required"),
        ("date_of_birth", {"date_of_birth": "2015-01-01"}, "18 or older"),
        ("date_of_birth", {"date_of_birth": "1790-01-01"}, "cannot be a date of birth"),
        (
            "expires_on",
            {"document_type": "passport", "document_number": "A1234567"},
            "until when",
        ),
        (
            "expires_on",
            {
                "document_type": "passport",
                "document_number": "A1234567",
                "expires_on": "2020-01-01",
            },
            "has expired",
        ),
        ("back", {"document_type": "aadhaar", "document_number": AADHAAR}, "picture of its back"),
        ("front", {"front": ""}, "required"),
        ("document_type", {"document_type": "library_card"}, "valid choice"),
    ],
)
def test_error_stands_at_its_field(chloe, field: str, changes: dict, message: str) -> None:
    answer = chloe.post("/identity/", form_data(**changes))

    assert message in str(answer.context["form"].errors[field])
    assert list(answer.context["form"].errors) == [field]
    assert not KYCDocument.objects.exists()


def test_bad_picture_is_an_error_at_its_field(chloe) -> None:
    answer = chloe.post("/identity/", form_data(front=upload(b"<svg/>", "front.svg")))

    assert "Only JPEG and PNG" in str(answer.context["form"].errors["front"])
    assert not KYCDocument.objects.exists()


def test_rejection_is_shown_with_its_reason_and_the_form_again(cast, chloe) -> None:
    document = submitted(cast.user("chloe"))
    kyc.reject_document(
        document=document, actor=cast.user("ada"), reason="unreadable", note="Use daylight."
    )

    text = page(chloe)

    assert "The picture cannot be read." in text
    assert "Use daylight." in text
    assert f"This replaces PAN card {document.number}" in text
    assert "Send for review" in text


def test_second_paper_in_review_is_refused_in_words(cast, chloe) -> None:
    submitted(cast.user("chloe"))

    answer = chloe.post("/identity/", form_data(), follow=True)

    assert "Your document is in review" in answer.content.decode()
    assert KYCDocument.objects.count() == 1


def test_paper_that_runs_out_soon_can_be_renewed(cast, chloe) -> None:
    document = submitted(
        cast.user("chloe"),
        number="A1234567",
        document_type="passport",
        expires_on=timezone.localdate() + timedelta(days=20),
    )
    kyc.verify_document(document=document, actor=cast.user("ada"))

    assert "Send the next one below" in page(chloe)


def test_payout_checklist_follows_the_verdict(cast) -> None:
    def is_met() -> bool:
        return payout_checklist(cast.chloe).requirements[0].is_met

    assert not is_met()
    document = submitted(cast.user("chloe"))
    assert not is_met()

    kyc.verify_document(document=document, actor=cast.user("ada"))

    assert is_met()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("chloe", 200),
        ("ada", 200),
        ("sam", 200),
        ("otto", 200),
        ("mona", 404),
        ("fiona", 404),
        ("ben", 404),
        ("dmitri", 404),
        ("stella", 404),
    ],
)
def test_picture_is_for_its_owner_and_the_reviewers(cast, name: str, status: int) -> None:
    image = submitted(cast.user("chloe")).images.get()
    client = signed_in(cast.user(name))

    assert client.get(f"/identity/pictures/{image.token}/").status_code == status

    looks = AuditEvent.objects.filter(action="kyc.picture_viewed")
    assert looks.count() == (status == 200)
    if status == 200:
        look = looks.get()
        assert (look.actor, look.entity_id, look.after) == (
            cast.user(name),
            image.document.number,
            {"side": "front"},
        )


def test_picture_is_not_for_whoever_is_not_signed_in(cast) -> None:
    image = submitted(cast.user("chloe")).images.get()

    answer = Client().get(f"/identity/pictures/{image.token}/")

    assert answer.status_code == 302
    assert "/accounts/login/" in answer.url


def test_picture_is_neither_kept_nor_run_nor_embedded_elsewhere(cast, chloe) -> None:
    image = submitted(cast.user("chloe")).images.get()
    address = f"/identity/pictures/{image.token}/"

    answer = chloe.get(address)

    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == (
        "default-src 'none'; sandbox; frame-ancestors 'none'"
    )
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert chloe.get(address, headers={"sec-fetch-site": "cross-site"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_look_is_recorded_before_the_first_byte(cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from compliance.models import KYCImage

    image = submitted(cast.user("chloe")).images.get()
    looks: list[int] = []

    def content(self: KYCImage) -> bytes:
        looks.append(AuditEvent.objects.filter(action="kyc.picture_viewed").count())
        return b"\xff\xd8\xff"

    monkeypatch.setattr(KYCImage, "content", property(content))

    signed_in(cast.user("chloe")).get(f"/identity/pictures/{image.token}/")

    assert looks == [1]


@pytest.mark.parametrize(
    ("kind", "number"), [("pan", PAN), ("aadhaar", AADHAAR), ("passport", "Z7654321")]
)
def test_identity_number_is_nowhere_in_the_clear(
    cast, chloe, caplog: pytest.LogCaptureFixture, kind: str, number: str
) -> None:
    caplog.set_level(logging.DEBUG)
    expires_on = "2040-01-01" if kind == "passport" else ""

    chloe.post(
        "/identity/",
        form_data(
            document_type=kind,
            document_number=number,
            expires_on=expires_on,
            back=upload(picture_bytes(), "back.jpg"),
        ),
    )
    document = KYCDocument.objects.get()
    kyc.verify_document(document=document, actor=cast.user("ada"))

    rows = [
        *KYCDocument.objects.all(),
        *KYCDocument.history.all(),
        *AuditEvent.objects.all(),
        *Event.objects.all(),
        document.user,
        *document.user.history.all(),
    ]
    assert number not in serializers.serialize("json", rows)
    assert number not in caplog.text
    assert number not in page(chloe)


def test_refused_form_does_not_log_the_number(chloe, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    chloe.post("/identity/", form_data(document_number="ABCXE1234F", front=""))

    assert "ABCXE1234F" not in caplog.text
