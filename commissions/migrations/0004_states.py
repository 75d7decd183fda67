from django.db import migrations

from commissions.models.batch import BATCH_EDGES
from commissions.models.payout import PAYOUT_EDGES
from commissions.models.period import PERIOD_EDGES, RUN_EDGES
from commissions.models.plan import PLAN_VERSION_EDGES
from mlmcrm.triggers import append_only, frozen_when, status_edges


class Migration(migrations.Migration):
    """States move along their edges only; what was approved or closed does not change."""

    dependencies = [("commissions", "0003_double_entry")]

    operations = [
        status_edges("commissions_commissionperiod", PERIOD_EDGES),
        status_edges("commissions_commissionrun", RUN_EDGES),
        status_edges("commissions_planversion", PLAN_VERSION_EDGES),
        status_edges("commissions_payout", PAYOUT_EDGES),
        status_edges("commissions_payoutbatch", BATCH_EDGES),
        frozen_when(
            "commissions_planversion",
            "old.status <> 'draft'",
            ["plan_id", "number", "definition", "definition_hash", "effective_from"],
            "active_plan",
        ),
        frozen_when(
            "commissions_commissionperiod",
            "old.status <> 'open'",
            ["code", "starts_on", "ends_on", "plan_version_id", "cutoff_at", "input_hash"]
            + ["currency", "closed_by_id"],
            "closed_period",
        ),
        frozen_when(
            "commissions_commissionperiod",
            "old.status = 'finalized'",
            ["certificate", "total_pv", "total_commissions", "approved_by_id", "finalized_at"],
            "finalized_period",
        ),
        frozen_when(
            "commissions_payout",
            "true",
            ["distributor_id", "method_id", "amount", "net_amount", "fee_amount", "tax_amount"]
            + ["currency", "request_key", "requested_by_id"],
            "requested_payout",
        ),
        frozen_when(
            "commissions_payoutbatch",
            "old.status not in ('draft', 'submitted')",
            ["item_count", "control_sum", "content_hash", "currency", "created_by_id"],
            "approved_batch",
        ),
        frozen_when(
            "commissions_payoutmethod",
            "true",
            ["distributor_id", "kind", "token", "details_sealed", "holder_name", "last4"],
            "payout_method",
        ),
        append_only("commissions_payoutfile"),
        append_only("commissions_statusfile"),
    ]
