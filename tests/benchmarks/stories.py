"""How long the page takes that tells why a line of a close is what it is.

The same lines each time: some of every bonus, some of whoever has most of them, and some that come
from whoever stands deepest. Each is opened by staff, who see the whole way up, and by its earner.
The page is asked for as a browser does, without the network: session, rights, queries, the engine,
the template. Pages opened before the first that counts warm the process, not the line. `cpu` is the
mean processor time of a page, in this process and its database session.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from time import perf_counter
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from commissions import earnings
from commissions.models import CommissionPeriod, CommissionRun
from genealogy.models import Distributor
from tests.benchmarks.close import processor_seconds
from tests.benchmarks.loading import checkers

EACH = 40
DIFFERS = "The calculation does not give this amount"

OF_BONUS = """
select l.id from {ledger} l join commissions_bonus b on b.id = l.bonus_id
where b.code = %(bonus)s order by hashint8extended(l.id, 7) limit %(each)s
"""
OF_BUSIEST = """
select id from {ledger} where distributor_id in (
  select distributor_id from {ledger} group by 1 order by count(*) desc, 1 limit 10)
order by hashint8extended(id, 7) limit %(each)s
"""
FROM_DEEPEST = """
select id from {ledger} where source_distributor_id in (
  select distributor_id from genealogy_genealogynode where tree = 'sponsor'
  order by depth desc, 1 limit 10)
order by hashint8extended(id, 7) limit %(each)s
"""


def time_stories(period: CommissionPeriod) -> dict[str, dict[str, float]]:
    """Milliseconds a page by kind of line and reader: median, 95th of a hundred, worst, cpu."""
    run = period.runs.get(kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE)
    staff = client_of(checkers()[0])
    taken: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for kind, pk in sample(run):
        line = earnings.line_by_key(pk)
        address = reverse("commissions:why", args=[period.code, earnings.reference(line)])
        readers = {"staff": staff, "earner": client_of(account_of(line.distributor))}
        if not taken:
            for client in readers.values():
                milliseconds(client, address)
        for reader, client in readers.items():
            taken[f"{kind}, {reader}"].append(milliseconds(client, address))
    every = [each for values in taken.values() for each in values]
    return {kind: figures(values) for kind, values in [*taken.items(), ("all", every)]}


def sample(run: CommissionRun) -> list[tuple[str, int]]:
    codes = run.period.plan_version.bonuses.filter(trigger="period_close").values_list("code")
    queries = {code: (OF_BONUS, code) for (code,) in codes.order_by("position")}
    queries |= {"busiest earners": (OF_BUSIEST, ""), "deepest sellers": (FROM_DEEPEST, "")}
    found = []
    with connection.cursor() as cursor:
        for kind, (query, code) in queries.items():
            query = query.format(ledger=run.ledger_table)
            cursor.execute(query, {"bonus": code, "each": EACH})
            found += [(kind, pk) for (pk,) in cursor.fetchall()]
    return found


def account_of(distributor: Distributor) -> User:
    """The distributor's own sign-in, opened when first needed."""
    if distributor.user is None:
        email = f"{distributor.number}@example.com"
        distributor.user = User.objects.create_user(email, email_verified=True)
        Distributor.objects.filter(pk=distributor.pk).update(user=distributor.user)
    return distributor.user


def client_of(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def milliseconds(client: Client, address: str) -> tuple[float, float]:
    """Of the clock and of the processor."""
    since, worked = perf_counter(), processor_seconds()
    response: Any = client.get(address)
    taken = 1000 * (perf_counter() - since), 1000 * (processor_seconds() - worked)
    if response.status_code != 200 or DIFFERS in response.content.decode():
        raise SystemExit(f"{address} answers {response.status_code}, or another amount.")
    return taken


def figures(taken: list[tuple[float, float]]) -> dict[str, float]:
    ranked = sorted(clock for clock, _ in taken)
    return {
        "pages": len(ranked),
        "median": statistics.median(ranked),
        "p95": ranked[math.ceil(0.95 * len(ranked)) - 1],
        "worst": ranked[-1],
        "cpu": statistics.fmean(cpu for _, cpu in taken),
    }
