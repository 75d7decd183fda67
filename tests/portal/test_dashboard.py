import pytest
from django.test import Client

from accounts.models import User
from accounts.services.consents import give
from commissions.models import LedgerEntry
from commissions.services.claims import claim_volume
from tests.accounts.consenting import text_of as consent_text
from tests.cast import Cast, at, make_user
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db


def test_a_distributor_sees_what_is_earned_and_what_is_still_to_come(
    company: Cast, sign_in
) -> None:
    page = text_of(sign_in(company, "chloe").get("/"))

    # Chloe's partner commission on Dmitri's 60.00 in November, and on her own retail sale.
    assert "Earned so far in November 2026 £1.20 Final, earned at payment." in page
    assert "Earned in October 2026" in page
    assert LedgerEntry.objects.filter(distributor=company.chloe).exists()


def test_the_rank_card_names_the_exact_shortfall(company: Cast, sign_in) -> None:
    page = text_of(sign_in(company, "dmitri").get("/dashboard/rank/"))

    assert "On the way to Bronze" in page
    assert "60.00 of 100.00 PV" in page
    assert "40.00 PV to go" in page
    assert "Paid as, last period Bronze" in page


def test_one_can_aim_at_another_rank(company: Cast, sign_in) -> None:
    page = text_of(sign_in(company, "dmitri").get("/dashboard/rank/?aim=3"))

    assert "On the way to Gold" in page
    assert "240.00 PV to go" in page
    assert "2,440.00 GV to go" in page


def test_figures_move_with_a_paid_order(company: Cast, sign_in) -> None:
    client = sign_in(company, "chloe")

    company.buys("dmitri", 5, at("2026-11-09"))
    claim_volume()

    assert "£3.20" in text_of(client.get("/dashboard/figures/"))
    assert "160.00 GV" in text_of(client.get("/dashboard/rank/"))


def test_the_team_is_counted(company: Cast, sign_in) -> None:
    page = text_of(sign_in(company, "ben").get("/"))

    assert "Directs 1 Downline 2 Active in your downline 1" in page


def test_staff_see_the_work_of_their_role(company: Cast, sign_in) -> None:
    User.objects.filter(pk=company.user("ben").pk).update(kyc_status="pending")

    sam = text_of(sign_in(company, "sam").get("/"))
    fiona = text_of(sign_in(company, "fiona").get("/"))

    assert "Identities to review 1" in sam
    assert "Payouts to approve" not in sam
    assert "Payouts to approve 0" in fiona
    assert "Identities to review" not in fiona
    assert "November 2026" in fiona


def test_somebody_without_a_distributor_is_told_what_to_do(company: Cast, client: Client) -> None:
    client.force_login(make_user("Nina Nobody"))

    assert "not linked to a distributor yet" in text_of(client.get("/"))
    assert client.get("/dashboard/figures/").status_code == 404


def test_staff_have_no_distributor_fragments_and_distributors_no_work(
    company: Cast, sign_in
) -> None:
    assert sign_in(company, "otto").get("/dashboard/rank/").status_code == 404
    assert sign_in(company, "ben").get("/dashboard/work/").status_code == 403


def test_the_dashboard_asks_a_fixed_number_of_questions(company: Cast, sign_in) -> None:
    client = sign_in(company, "chloe")
    few = queries_of(client, "/")

    for day in range(10, 14):
        company.buys("dmitri", 1, at(f"2026-11-{day}"))
        company.buys(company.rosa, 1, at(f"2026-11-{day}"))
    claim_volume()

    assert queries_of(client, "/") == few
    assert few <= 30


def test_pages_carry_no_inline_style_or_script(company: Cast, sign_in) -> None:
    client = sign_in(company, "ben")

    for url in ("/", "/genealogy/", "/genealogy/drawn/", "/earnings/", "/earnings/2026-10/"):
        page = client.get(url).content.decode()
        assert " style=" not in page, url
        assert "<style" not in page, url
        assert "javascript:" not in page, url
        assert "onclick" not in page, url


def test_a_text_that_changed_is_told_on_the_front_page(cast, sign_in) -> None:
    client, ben = sign_in(cast, "ben"), cast.user("ben")
    give(user=ben, text=consent_text("marketing", "1", -3), actor=ben, channel="portal")
    consent_text("contact_upline", "1")
    assert "You are asked again" not in text_of(client.get("/"))

    consent_text("marketing", "2")

    assert "no longer counts: News and offers" in text_of(client.get("/"))
