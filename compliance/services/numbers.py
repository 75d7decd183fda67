"""The numbers on identity papers: how each is written and which are impossible."""

import re

from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.in_ import aadhaar, pan

from compliance.models import KYCDocument
from mlmcrm.encryption import blind_index

Type = KYCDocument.DocumentType
PASSPORT = re.compile(r"(?=.*\d)[A-Z0-9]{6,9}")
DRIVING_LICENCE = re.compile(r"(?=.*\d)[A-Z0-9]{5,20}")


class NumberRefused(Exception):
    """This cannot be the number of such a paper; the message says how it looks."""


def clean_number(document_type: str, text: str) -> str:
    """The number without spaces and dashes, in capitals. Raises NumberRefused."""
    number = re.sub(r"[\s\-/]", "", text).upper()
    if document_type == Type.AADHAAR:
        _check(aadhaar, number, "An Aadhaar number has 12 digits and a check digit that fits.")
    elif document_type == Type.PAN:
        _check(pan, number, "A PAN looks like ABCPE1234F: five letters, four digits, a letter.")
    elif document_type == Type.PASSPORT and not PASSPORT.fullmatch(number):
        raise NumberRefused("A passport number has 6 to 9 letters and digits.")
    elif document_type == Type.DRIVING_LICENCE and not DRIVING_LICENCE.fullmatch(number):
        raise NumberRefused("A driving licence number has 5 to 20 letters and digits.")
    return number


def _check(rule: object, number: str, message: str) -> None:
    try:
        rule.validate(number)  # type: ignore[attr-defined]
    except WrongNumber as error:
        raise NumberRefused(message) from error


def number_index(document_type: str, number: str) -> str:
    """The same paper gives the same index, and nobody can read the number back from it."""
    return blind_index(number, purpose=f"kyc.{document_type}")
