"""Pictures and declarations as people send them."""

import io
from datetime import date
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import User
from compliance.models import KYCDocument
from compliance.services.images import Picture, clean_picture
from compliance.services.kyc import submit_document

PAN = "ABCPE1234F"
AADHAAR = "234123412346"


def picture_bytes(kind: str = "JPEG", size: tuple[int, int] = (640, 400), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#7799bb").save(out, kind, **options)
    return out.getvalue()


def upload(content: bytes | None = None, name: str = "front.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture_bytes() if content is None else content)


def picture() -> Picture:
    return clean_picture(upload())


def declared(**changes: Any) -> dict[str, Any]:
    return {
        "document_type": "pan",
        "full_name": "Chloe Martin",
        "date_of_birth": date(1990, 5, 17),
        "address_line": "12 Quay Street",
        "city": "Bristol",
        "postal_code": "BS1 4DJ",
        "country": "United Kingdom",
        "expires_on": None,
        **changes,
    }


def submitted(user: User, *, number: str = PAN, **changes: Any) -> KYCDocument:
    return submit_document(
        user=user, declared=declared(**changes), number=number, front=picture(), back=None
    )


def form_data(**changes: Any) -> dict[str, Any]:
    return {
        **declared(date_of_birth="1990-05-17", expires_on=""),
        "document_number": PAN,
        "front": upload(),
        **changes,
    }
