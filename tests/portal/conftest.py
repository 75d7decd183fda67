import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commissions.models import CommissionPeriod
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.periods import close_period
from commissions.services.runs import calculate, start_run
from genealogy.models import Distributor
from tests.cast import Cast, at, gather
from tests.genealogy.moving import asked
from tests.portal.days import CAME, MOVED
from tests.portal.lines import enrol_under, place_the_company
from tests.remembered import remembered


def close(cast: Cast, code: str) -> CommissionPeriod:
    period = CommissionPeriod.objects.get(code=code)
    close_period(period=period, actor=cast.user("fiona"))
    run = start_run(period=period, actor=cast.user("fiona"))
    calculate(run.pk)
    approve_period(period=period, actor=cast.user("felix"))
    return finalize_period(period=period, actor=cast.user("felix"))


@pytest.fixture
def company(db: None) -> Cast:
    return remembered(two_months)


def two_months() -> Cast:
    """October is final; November is open and Dmitri has bought in it.

    October: Ben 100 PV, Chloe 120 PV and two retail pieces to Rosa, Dmitri 200 PV. Asha nothing.
    """
    cast = gather()
    assert cast.plan
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("dmitri", 10, at("2026-10-07"))
    cast.buys(cast.rosa, 2, at("2026-10-08"))
    claim_volume()
    close(cast, "2026-10")
    cast.buys("dmitri", 3, at("2026-11-03"))
    claim_volume()
    return cast


@pytest.fixture
def moved(db: None) -> Cast:
    return remembered(moved_and_joined)


def moved_and_joined() -> Cast:
    """Chloe was moved from Ben to Stella on 20 November, with Dmitri below her; Nia came on the
    24th."""
    cast = gather()
    place_the_company(cast)
    (nia,) = enrol_under(cast, "stella", 1, CAME)
    Distributor.objects.filter(pk=nia.pk).update(display_name="Nia Evans")
    cast.distributors["nia"] = Distributor.objects.get(pk=nia.pk)
    asked(cast, "chloe", "stella", effective_on=MOVED)
    return cast


@pytest.fixture
def sign_in(client: Client):
    def sign_in(cast: Cast, name: str) -> Client:
        client.force_login(cast.user(name))
        return client

    return sign_in


def rows_of(page: str) -> list[tuple[int, str]]:
    """Level and number of each row of the list."""
    rows = re.findall(r'<tr role="row"\s+data-number="(D-\d+)"\s+aria-level="(\d+)"', page)
    return [(int(level), number) for number, level in rows]


def text_of(response) -> str:
    """The page's words with white space folded."""
    words = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", words)).split())


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
