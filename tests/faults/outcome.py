"""What a close left behind, so that two of them can be compared to the cent.

python -m tests.faults.outcome        closes the loaded period undisturbed and prints it
"""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")

PERIOD = "2026-10"

QUERIES = {
    "close_lines": "select count(*) from commissions_ledgerentry l "
    "join commissions_commissionrun r on r.id = l.run_id and r.kind = 'close'",
    "close_total": "select coalesce(sum(l.amount), 0)::bigint from commissions_ledgerentry l "
    "join commissions_commissionrun r on r.id = l.run_id and r.kind = 'close'",
    "lines": "select md5(string_agg(line, ';' order by line)) from (select concat_ws(',', "
    "b.code, l.distributor_id, l.source_distributor_id, l.volume_entry_id, l.level, l.rank_level, "
    "l.base, l.rate, l.amount) as line from commissions_ledgerentry l "
    "join commissions_bonus b on b.id = l.bonus_id) lines",
    "standings": "select md5(string_agg(concat_ws(',', distributor_id, sponsor_id, pv, cv, gv, "
    "legs, active, rank_level, highest_level, title_level), ';' order by distributor_id)) "
    "from commissions_standing",
    "carried": "select md5(string_agg(concat_ws(',', s.key, md5(s.members), md5(s.figures)), ';' "
    "order by s.key)) from commissions_carriedstate s "
    "join commissions_commissionrun r on r.id = s.run_id and r.status = 'done'",
    "wallets": "select md5(string_agg(concat_ws(',', kind, distributor_id, balance), ';' "
    "order by kind, distributor_id)) from commissions_ledgeraccount",
    "claims": "select count(*) from commissions_volumeclaim",
    "postings": "select count(*) from commissions_posting",
    "finalized": "select count(*) from commissions_journalentry where key like 'finalize:%%'",
    "ranks": "select md5(string_agg(concat_ws(',', id, rank_id, paid_as_rank_id, "
    "total_commission_earned), ';' order by id)) from genealogy_distributor",
    "certificate": "select certificate->>'result_hash' from commissions_commissionperiod "
    f"where code = '{PERIOD}'",
    "told": "select count(*) from accounts_event where name = 'period.finalized'",
}


def outcome() -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        found = {}
        for name, query in QUERIES.items():
            cursor.execute(query)
            found[name] = cursor.fetchone()[0]
    return found


def main() -> None:
    import django

    django.setup()
    from commissions.models import CommissionPeriod
    from commissions.services.finalize import approve_period, finalize_period
    from commissions.services.periods import close_period
    from commissions.services.runs import calculate, start_run
    from tests.benchmarks.loading import checkers

    closer, approver = checkers()
    period = CommissionPeriod.objects.get(code=PERIOD)
    close_period(period=period, actor=closer)
    calculate(start_run(period=period, actor=closer).pk)
    approve_period(period=period, actor=approver)
    finalize_period(period=period, actor=approver)
    print(json.dumps(outcome()))


if __name__ == "__main__":
    main()
