import csv
import io
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from commerce.services.orders import RefundLine, refund_order
from commissions import earnings
from commissions.explain import explain
from commissions.models import CommissionPeriod, LedgerEntry
from commissions.services.claims import claim_volume
from tests.cast import Cast, at
from tests.portal.conftest import close, queries_of, text_of

pytestmark = pytest.mark.django_db


def line_of(cast: Cast, name: str, bonus: str, source: str = "") -> LedgerEntry:
    lines = LedgerEntry.objects.filter(distributor=getattr(cast, name), bonus__code=bonus)
    if source:
        lines = lines.filter(source_distributor=getattr(cast, source))
    return earnings.line_by_key(lines.order_by("pk").first().pk)


def why_url(line: LedgerEntry) -> str:
    return reverse("commissions:why", args=[line.period.code, earnings.reference(line)])


def test_every_line_is_recomputed_from_the_stored_facts(company: Cast) -> None:
    lines = [earnings.line_by_key(line.pk) for line in LedgerEntry.objects.all()]

    wrong = [str(line.pk) for line in lines if not explain(line, for_staff=True).agrees]

    assert len(lines) > 10
    assert wrong == []


def test_periods_are_listed_with_their_two_parts(company: Cast, sign_in) -> None:
    page = text_of(sign_in(company, "ben").get("/earnings/"))

    # October at payment: 2 % of Chloe's 120.00; at close: unilevel 6.00 on Chloe, 8.00 on
    # Dmitri, 2.00 on Rosa's order, and 10.00 for becoming Bronze.
    assert "October 2026 Final £2.40 £26.00 £28.40" in page
    assert "November 2026 Open £0.00 comes at the close £0.00 so far" in page


def test_the_total_of_a_period_falls_into_bonuses_and_lines(company: Cast) -> None:
    october = CommissionPeriod.objects.get(code="2026-10")
    lines = earnings.PeriodLines(company.ben, october)

    by_bonus = {row.code: (row.total, row.lines) for row in lines.by_bonus()}
    page, older = lines.page()

    assert by_bonus == {
        "partner": (Decimal("2.40"), 1),
        "unilevel": (Decimal("16.00"), 3),
        "rank": (Decimal("10.00"), 1),
    }
    assert sum(line.amount for line in page) == Decimal("28.40")
    assert older == ""


def test_the_lines_of_one_bonus_are_shown_alone(company: Cast, sign_in) -> None:
    client = sign_in(company, "ben")

    page = text_of(client.get("/earnings/2026-10/?bonus=rank"))

    assert "Lines: Rank bonus" in page
    assert "Your rank" in page
    assert "Dmitri Orlov" not in page


def test_lines_go_on_page_by_page(company: Cast, monkeypatch) -> None:
    monkeypatch.setattr(earnings, "PAGE", 2)
    lines = earnings.PeriodLines(company.ben, CommissionPeriod.objects.get(code="2026-10"))

    seen, after = [], ""
    while True:
        page, after = lines.page(after=after)
        seen += [line.pk for line in page]
        if not after:
            break

    assert seen == sorted(lines.entries.values_list("pk", flat=True), reverse=True)
    assert len(seen) == 5


def test_why_tells_the_walk_from_the_seller_up(company: Cast, sign_in) -> None:
    line = line_of(company, "ben", "unilevel", "dmitri")

    page = text_of(sign_in(company, "ben").get(why_url(line)))

    assert "Breakfast tea" in page
    assert "10 × £20.00 = £200.00" in page
    assert "200.00 PV, 200.00 CV" in page
    assert "Chloe Martin Step 1, paid as Bronze." in page
    assert "You £8.00 Step 2, paid as Bronze: 4% of £200.00." in page
    assert "give exactly this amount" in page


def test_why_says_what_others_were_skipped_for(company: Cast, sign_in) -> None:
    company.buys("ben", 5, at("2026-11-04"))
    company.buys("dmitri", 2, at("2026-11-04"))
    company.buys("chloe", 3, at("2026-11-04"))
    claim_volume()
    close(company, "2026-11")
    november = LedgerEntry.objects.get(
        distributor=company.ben,
        bonus__code="unilevel",
        run__period__code="2026-11",
        base="60.00",
        source_distributor=company.dmitri,
    )

    page = text_of(sign_in(company, "ben").get(why_url(earnings.line_by_key(november.pk))))

    assert "Chloe Martin Skipped: no rank this period, 40.00 PV short of Bronze." in page
    assert "You £3.00 Step 1, paid as Bronze: 5% of £60.00." in page


def test_the_amounts_of_others_and_the_names_above_stay_private(company: Cast, sign_in) -> None:
    line = line_of(company, "chloe", "unilevel", "dmitri")

    page = text_of(sign_in(company, "chloe").get(why_url(line)))
    ben = text_of(
        sign_in(company, "ben").get(why_url(line_of(company, "ben", "unilevel", "dmitri")))
    )

    assert "A distributor above you One more step of this line is paid further up." in page
    assert "Ben" not in page
    assert "Asha" not in page
    assert "£10.00" not in ben


def test_staff_read_the_whole_walk_with_names_and_amounts(company: Cast, sign_in) -> None:
    line = line_of(company, "chloe", "unilevel", "dmitri")

    page = text_of(sign_in(company, "otto").get(why_url(line)))

    assert "Chloe Martin £10.00 Step 1" in page
    assert "Ben Cole £8.00 Step 2" in page
    assert "Asha Rao Skipped: not active this period, 0.00 PV of the 50.00 needed." in page


def test_why_explains_a_line_at_payment(company: Cast, sign_in) -> None:
    line = line_of(company, "chloe", "partner", "dmitri")

    page = text_of(sign_in(company, "chloe").get(why_url(line)))

    assert "You £4.00 The one step: 2% of £200.00." in page
    assert "The same for all ranks" in page


def test_why_explains_a_rank_bonus(company: Cast, sign_in) -> None:
    line = line_of(company, "ben", "rank")

    page = text_of(sign_in(company, "ben").get(why_url(line)))

    assert "Amount the plan pays for Bronze £10.00" in page
    assert "100.00 of 100.00 PV" in page
    assert "give exactly this amount" in page


def test_a_refund_in_the_same_period_lowers_the_base(company: Cast) -> None:
    order = company.buys("dmitri", 10, at("2026-11-05"))
    item = order.items.get()
    claim_volume()
    refund_order(
        order=order,
        lines=[RefundLine(item=item, quantity=3)],
        actor=None,
        reason="Broken",
        refunded_at=at("2026-11-06"),
    )
    company.buys("chloe", 6, at("2026-11-07"))
    claim_volume()
    close(company, "2026-11")
    line = LedgerEntry.objects.get(
        distributor=company.chloe, bonus__code="unilevel", volume_entry__order_item=item
    )

    why = explain(earnings.line_by_key(line.pk), for_staff=False)

    assert (why.counted, why.refunded_in_period) == (Decimal("140.00"), Decimal("60.00"))
    assert why.agrees


@pytest.mark.parametrize("pieces", [[10], [3, 3, 4]])
def test_a_refund_of_an_earlier_period_is_told_line_by_line(
    company: Cast, sign_in, pieces: list[int]
) -> None:
    item = line_of(company, "chloe", "unilevel", "dmitri").volume_entry.order_item
    for day, quantity in enumerate(pieces, 10):
        refund_order(
            order=item.order,
            lines=[RefundLine(item=item, quantity=quantity)],
            actor=None,
            reason="Sent back",
            refunded_at=at(f"2026-11-{day}"),
        )
        item.order.refresh_from_db()
        claim_volume()
    close(company, "2026-11")
    taken_back = LedgerEntry.objects.filter(reverses_id__isnull=False)
    lines = [earnings.line_by_key(line.pk) for line in taken_back]

    assert len(lines) == 3 * len(pieces)
    assert [line.pk for line in lines if not explain(line, for_staff=True).agrees] == []
    mine = next(line for line in lines if line.distributor == company.chloe)
    page = text_of(sign_in(company, "chloe").get(why_url(mine)))
    assert "Taken back after a refund" in page
    assert "It was paid on 10 pieces." in page


def test_a_stranger_gets_404(company: Cast, sign_in) -> None:
    line = line_of(company, "ben", "unilevel", "dmitri")
    client = sign_in(company, "stella")

    assert client.get(why_url(line)).status_code == 404
    for url in ("/earnings/", "/earnings/2026-10/", "/earnings/2026-10/lines.csv"):
        assert client.get(url, {"distributor": company.ben.number}).status_code == 404


@pytest.mark.parametrize("name", ["1-999", "9-1", "x", "0-", "-1", "1-1-1"])
def test_a_line_that_does_not_exist_is_404(company: Cast, sign_in, name: str) -> None:
    assert sign_in(company, "ben").get(f"/earnings/2026-10/{name}/").status_code == 404


def test_staff_choose_whose_earnings_to_read(company: Cast, sign_in) -> None:
    client = sign_in(company, "otto")

    assert "Choose whose earnings" in text_of(client.get("/earnings/"))
    assert "£28.40" in text_of(client.get("/earnings/", {"distributor": company.ben.number}))


def test_support_does_not_see_earnings(company: Cast, sign_in) -> None:
    client = sign_in(company, "sam")

    assert client.get("/earnings/", {"distributor": company.ben.number}).status_code == 404


def test_the_export_has_every_line_and_no_formula(company: Cast, sign_in) -> None:
    company.dmitri.display_name = "=HYPERLINK(1)"
    company.dmitri.save()

    response = sign_in(company, "ben").get("/earnings/2026-10/lines.csv")
    content = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))

    assert response["Content-Disposition"].endswith(f'earnings-{company.ben.number}-2026-10.csv"')
    assert len(rows) == 5
    assert sum(Decimal(row["Amount"]) for row in rows) == Decimal("28.40")
    assert {row["Source name"] for row in rows} == {"", "Chloe Martin", "'=HYPERLINK(1)"}


@pytest.mark.parametrize(
    ("text", "safe"),
    [("=1", "'=1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\t", "'\t"), ("Ann", "Ann")],
)
def test_texts_cannot_start_a_formula(text: str, safe: str) -> None:
    assert earnings.as_text(text) == safe


def test_pages_ask_as_often_for_one_line_as_for_many(
    company: Cast, sign_in, client: Client
) -> None:
    sign_in(company, "asha")
    one = queries_of(client, "/earnings/2026-10/")
    sign_in(company, "ben")

    assert queries_of(client, "/earnings/2026-10/") <= one + 1
    assert queries_of(client, "/earnings/") <= 12
