"""What each kind of payout method asks for, and what it refuses without repeating it."""

import pytest

from commissions.method_forms import country_code, method_form_class

GOOD = [
    ("bank_transfer", "DE", {"iban": "DE89 3704 0044 0532 0130 00"}, "3000"),
    ("bank_transfer", "GB", {"sort_code": "20-00-00", "account_number": "5577 9911"}, "9911"),
    ("bank_transfer", "IN", {"account_number": "001234567890", "ifsc": "hdfc0000123"}, "7890"),
    ("bank_transfer", "US", {"routing_number": "111000025", "account_number": "00123456"}, "3456"),
    ("bank_transfer", "NZ", {"account_number": "02-0500-0123456-00", "bic": "BKNZNZ22"}, "5600"),
    ("upi", "IN", {"vpa": "Asha.Rao@okbank"}, "arao"),
    ("paypal", "GB", {"email": "Asha.Rao@example.com"}, "aRao"),
    ("check", "GB", {"line1": "1 Quay", "city": "Leith", "postcode": "eh6 6jj"}, "66JJ"),
    (
        "cryptocurrency",
        "GB",
        {"network": "ethereum", "wallet_address": "0x" + "ab12" * 10},
        "ab12",
    ),
    ("e_wallet", "IN", {"provider": "Paytm", "account_id": "asha-1234"}, "1234"),
    ("stripe", "GB", {"account_id": "acct_1032D82eZvKYlo2C"}, "lo2C"),
    ("lemon_squeezy", "GB", {"email": "shop@example.com"}, "shop"),
]
BAD = [
    ("bank_transfer", "DE", {"iban": "DE89370400440532013001"}, "iban"),
    ("bank_transfer", "DE", {"iban": "GB82WEST12345698765432"}, "iban"),
    ("bank_transfer", "GB", {"sort_code": "20000", "account_number": "55779911"}, "sort_code"),
    (
        "bank_transfer",
        "GB",
        {"sort_code": "200000", "account_number": "5577991"},
        "account_number",
    ),
    (
        "bank_transfer",
        "GB",
        {"sort_code": "200000", "account_number": "٣٤٥٦٧٨٩٠"},
        "account_number",
    ),
    ("bank_transfer", "IN", {"account_number": "001234567890", "ifsc": "HDFC1000123"}, "ifsc"),
    (
        "bank_transfer",
        "US",
        {"routing_number": "111000026", "account_number": "00123456"},
        "routing_number",
    ),
    ("bank_transfer", "NZ", {"account_number": "020500", "bic": "BKNZGB22"}, "bic"),
    ("upi", "IN", {"vpa": "asha rao"}, "vpa"),
    ("paypal", "GB", {"email": "asha"}, "email"),
    (
        "cryptocurrency",
        "GB",
        {"network": "bitcoin", "wallet_address": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"},
        "wallet_address",
    ),
    ("stripe", "GB", {"account_id": "1032D82eZvKYlo2C"}, "account_id"),
]


def filled(kind, country, data):
    form_class = method_form_class(kind, country)
    return form_class({"holder_name": "Asha Rao", **data}, country=country)


@pytest.mark.parametrize(("kind", "country", "data", "last4"), GOOD)
def test_good_details_are_taken(kind, country, data, last4):
    form = filled(kind, country, data)

    assert form.is_valid(), form.errors
    details = form.method_details()
    assert details.kind == kind
    assert details.last4.lower() == last4.lower()
    assert details.details["country"] == country
    assert "holder_name" not in details.details


@pytest.mark.parametrize(("kind", "country", "data", "field"), BAD)
def test_bad_details_are_refused_without_repeating_them(kind, country, data, field):
    form = filled(kind, country, data)

    assert list(form.errors) == [field]
    assert data[field] not in str(form.errors[field])


def test_differently_written_numbers_are_the_same_method():
    one = filled("bank_transfer", "DE", {"iban": "DE89 3704 0044 0532 0130 00"})
    two = filled("bank_transfer", "DE", {"iban": "de89370400440532013000"})

    assert one.is_valid()
    assert two.is_valid()
    assert one.method_details().index == two.method_details().index


@pytest.mark.parametrize(
    ("text", "code"), [("GB", "GB"), ("United Kingdom", "GB"), ("india", "IN"), ("", "GB")]
)
def test_country_is_found_by_code_or_name(text, code):
    assert country_code(text) == code
