"""Files that are not what they should be: each is refused in words that help."""

import gzip
from decimal import Decimal

import pytest

from accounts.imports.errors import FileRefused, ImportRefused, MappingRefused
from accounts.imports.kinds import KINDS
from accounts.imports.mapping import read_mapping
from accounts.imports.running import Import, run_import
from commerce.models import Customer, Order, Product

PRICES = "sku,name,price\nTEA,Tea,25.00\n"


def refusal(files, data, name="prices.csv", kind="products"):
    path = files.folder / name
    path.write_bytes(data)
    with pytest.raises(ImportRefused) as refused:
        files.book(kind, path)
    assert not Product.objects.exists()
    return str(refused.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "prices.csv: the file is empty; a header line is needed"),
        (b"\n\n", "prices.csv: the file is empty; a header line is needed"),
        (b"PK\x03\x04rest", "prices.csv: this is a spreadsheet or a zip archive; save it as CSV"),
        ("sku,name\n".encode("utf-16"), "prices.csv: this is UTF-16 text; save it as UTF-8"),
        (
            b"sku;name;price\nTEA;Tea;25\n",
            "prices.csv, line 1: the columns are separated by a semicolon; "
            "the mapping says a comma",
        ),
        (b"sku,name,sku\n", "prices.csv, line 1: the header names sku twice"),
        (
            b"sku,label\nTEA,Tea\n",
            "prices.csv, line 1: the mapping standard wants the columns name, price; "
            "the file has sku, label",
        ),
        (
            PRICES.encode() + b"MU\0G,Mug,1\n",
            "prices.csv, line 3: there is a NUL byte in the line",
        ),
        (
            PRICES.encode() + b'MUG,"Mug,1\n',
            "prices.csv, line 3: not well-formed CSV (unexpected end of data)",
        ),
        (
            b"sku,name,price\r" * 80_000,
            "prices.csv, line 1: the line is too long; line ends may be missing",
        ),
    ],
    ids=[
        "empty",
        "blank",
        "spreadsheet",
        "utf-16",
        "semicolons",
        "column twice",
        "columns missing",
        "nul byte",
        "open quote",
        "no line ends",
    ],
)
def test_file_is_refused_with_the_reason(files, data, words):
    assert refusal(files, data) == words


def test_cut_off_gzip_is_refused(files):
    body = "".join(f"SKU{n},Name {n},{n}.00\n" for n in range(50_000))
    packed = gzip.compress(("sku,name,price\n" + body).encode())

    words = refusal(files, packed[: len(packed) // 2], "prices.csv.gz")

    assert words.startswith("prices.csv.gz, line ")
    assert words.endswith(": the gzip file ends too early; it was cut off on its way")


def test_damaged_gzip_is_refused(files):
    packed = bytearray(gzip.compress(PRICES.encode() * 1000))
    packed[40] ^= 0xFF

    assert "the gzip file is damaged" in refusal(files, bytes(packed), "prices.csv.gz")


def test_missing_file_is_refused(files):
    with pytest.raises(FileRefused, match=r"nothing\.csv: cannot be opened"):
        files.book("products", files.folder / "nothing.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings_of_a_mapping_are_found(files, encoding):
    path = files.write("sku,name,price\nTEA,Thé,25.00\n", encoding=encoding)

    files.book("products", path)

    assert Product.objects.get().name == "Thé"


def test_wrong_encoding_names_the_line(files):
    kind = KINDS["products"]
    mapping = read_mapping(
        kind,
        "strict",
        {
            "fields": {
                "sku": {"column": "sku"},
                "name": {"column": "name"},
                "price": {"column": "price"},
            }
        },
    )
    path = files.write("sku,name,price\nTEA,Thé,25.00\n", encoding="latin-1")

    with pytest.raises(FileRefused) as refused:
        run_import(Import(kind=kind, mapping=mapping, path=path))

    assert str(refused.value) == (
        "file.csv, line 2: byte 0xe9 is not UTF-8; save the file as UTF-8 or name its encoding"
    )


def test_other_ways_of_writing_are_a_matter_of_the_mapping(files):
    kind = KINDS["products"]
    mapping = read_mapping(
        kind,
        "german",
        {
            "delimiter": ";",
            "number": {"decimal": ",", "thousands": "."},
            "fields": {
                "sku": {"column": "Artikel", "transform": ["upper"]},
                "name": {"column": "Bezeichnung"},
                "price": {"column": "Preis"},
                "is_commissionable": {"column": "Art", "values": {"Ware": "yes", "Dienst": "no"}},
            },
        },
    )
    path = files.write("Artikel;Bezeichnung;Preis;Art\ntee;Tee;1.234,50;Ware\nbox;Box;5;Dienst\n")

    run_import(Import(kind=kind, mapping=mapping, path=path))

    tea, box = Product.objects.order_by("-sku")
    assert (tea.sku, tea.price, tea.pv) == ("TEE", Decimal("1234.50"), Decimal("1234.5000"))
    assert (box.is_commissionable, box.pv) == (False, 0)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"fields": {"sku": {}}, "filds": {}}, "does not know filds"),
        ({"fields": {"sku": {"colum": "x"}}}, "does not say name, price"),
        (
            {"fields": {"sku": {"colum": "x"}, "name": {}, "price": {}}},
            "field sku, does not know colum",
        ),
        (
            {"fields": {"sku": {"pattern": "("}, "name": {}, "price": {}}},
            "( is no pattern",
        ),
        (
            {
                "fields": {"sku": {}, "name": {}, "price": {}},
                "reject": [{"field": "colour", "pattern": "x", "reason": "y"}],
            },
            "rejects by an unknown field colour",
        ),
    ],
)
def test_mapping_that_means_nothing_is_refused(section, words):
    with pytest.raises(MappingRefused) as refused:
        read_mapping(KINDS["products"], "mine", section)

    assert words in str(refused.value)


def test_quoted_line_breaks_keep_the_line_numbers(files):
    files.book("products", 'sku,name,price\nTEA,"Tea\nloose",25.00\nMUG,Mug,dear\n')

    assert files.reasons() == [(4, "price", "price is not a number: dear")]
    assert Product.objects.get().name == "Tea loose"


def test_formula_in_a_cell_stays_text(files):
    files.book("products", 'sku,name,price\nTEA,"=HYPERLINK(""x"")",25.00\n')

    assert Product.objects.get().name == '=HYPERLINK("x")'


def test_products_that_cannot_be_are_rejected(files):
    files.book(
        "products",
        "sku,name,price,distributor_price,is_commissionable\n"
        "A,A,-1,,\nB,B,1.005,,\nC,C,1.00,2.00,\nD,D,1.00,,perhaps\nE,E,1.00,,no\nE,E,1.00,,no\n",
    )

    assert files.reasons() == [
        (2, "price", "Negative or too large: -1"),
        (3, "price", "Not a whole number of hundredths"),
        (4, "distributor_price", "Distributor price above the retail price"),
        (5, "is_commissionable", "is_commissionable is neither yes nor no: perhaps"),
        (7, "sku", "SKU named twice in the file: E"),
    ]
    assert Product.objects.get().sku == "E"


def test_customers_need_a_distributor_and_never_consent(shop):
    text = (
        "customer_id,distributor_number,kind,first_name,email,date_of_birth\n"
        "77,d-000002,,Rosa,Rosa@Example.com,1980-02-29\n"
        "78,D-999999,,Tom,,\n"
        "79,D-000002,vip,Tim,,\n"
        "80,D-000002,,Tam,nowhere,\n"
        "81,D-000002,,Tum,,1981-02-29\n"
    )
    shop.book("customers", text)

    assert shop.reasons() == [
        (3, "distributor_number", "Unknown distributor: D-999999"),
        (4, "kind", "Not a kind of customer: vip"),
        (5, "email", "Not an e-mail address: nowhere"),
        (6, "date_of_birth", "date_of_birth is not a date in the expected form: 1981-02-29"),
    ]
    rosa = Customer.objects.get(external_reference="77")
    assert (rosa.kind, rosa.email, rosa.marketing_opt_in) == ("retail", "rosa@example.com", False)

    again = shop.book("customers", text)

    assert (again.by_state["booked"].lines, again.by_state["unchanged"].lines) == (0, 1)
    assert Customer.objects.filter(external_reference="77").count() == 1


def test_header_alone_books_nothing(files):
    report = files.book("products", "sku,name,price\n")

    assert report.accounted.lines == 0
    assert not Order.objects.exists()
