import pytest

from compliance.services.numbers import NumberRefused, clean_number, number_index
from tests.kyc.papers import AADHAAR, PAN


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        ("aadhaar", "2341 2341 2346", AADHAAR),
        ("pan", "abcpe1234f", PAN),
        ("passport", "A-123 4567", "A1234567"),
        ("driving_licence", "MH12 2010/0012345", "MH1220100012345"),
    ],
)
def test_number_is_kept_in_one_way_of_writing(kind: str, text: str, number: str) -> None:
    assert clean_number(kind, text) == number


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("aadhaar", "234123412347"),  # the check digit is wrong
        ("aadhaar", "1234"),
        ("pan", "ABCXE1234F"),  # there is no such kind of holder
        ("pan", "ABCPE12345"),
        ("passport", "ABCDEFG"),
        ("passport", "A1"),
        ("driving_licence", "ÄÖ12345"),
        ("driving_licence", "1234"),
    ],
)
def test_impossible_number_is_refused(kind: str, text: str) -> None:
    with pytest.raises(NumberRefused):
        clean_number(kind, text)


def test_index_tells_kinds_apart_and_hides_the_number() -> None:
    index = number_index("pan", PAN)

    assert index == number_index("pan", PAN)
    assert index != number_index("passport", PAN)
    assert PAN not in index
