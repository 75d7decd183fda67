"""Reads tests/access_table.txt and says who may open which model in the admin."""

from dataclasses import dataclass
from pathlib import Path

VIEWPOINTS = [
    "anon",
    "own",
    "up",
    "down",
    "other",
    "admin",
    "manager",
    "support",
    "finance",
    "auditor",
]
EVERYBODY = "admin manager support finance auditor"
MOST = "admin manager finance auditor"


@dataclass(frozen=True)
class Row:
    method: str
    route: str
    arguments: str
    expected: list[int]


def _read(path: Path) -> list[Row]:
    rows = []
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            method, route, arguments, *expected = line.split()
            rows.append(Row(method, route, arguments, [int(status) for status in expected]))
    return rows


ROUTES = _read(Path(__file__).with_suffix(".txt"))

# model: who of the staff may list and open it, and who may add to it.
ADMIN_MODELS: dict[str, tuple[str, str]] = {
    "accounts.auditevent": ("admin auditor", ""),
    "accounts.consent": (EVERYBODY, "admin support"),
    "accounts.consenttext": (EVERYBODY, "admin"),
    "accounts.event": ("admin auditor", ""),
    "accounts.importjob": (MOST, "admin manager"),
    "accounts.notification": (MOST, ""),
    "accounts.profile": (EVERYBODY, ""),
    "accounts.user": (EVERYBODY, "admin"),
    "commerce.customer": (EVERYBODY, "admin manager"),
    "commerce.order": (EVERYBODY, ""),
    "commerce.orderitem": (EVERYBODY, ""),
    "commerce.payment": (EVERYBODY, ""),
    "commerce.product": (EVERYBODY, "admin manager"),
    "commerce.productcategory": (MOST, "admin manager"),
    "commerce.refund": (EVERYBODY, ""),
    "commerce.volumeentry": (MOST, ""),
    "commissions.bonus": (MOST, ""),
    "commissions.commissionperiod": (MOST, "finance"),
    "commissions.commissionrun": (MOST, ""),
    "commissions.compensationplan": (MOST, "admin"),
    "commissions.estimatedifference": (MOST, ""),
    "commissions.journalentry": (MOST, ""),
    "commissions.ledgeraccount": (MOST, ""),
    "commissions.ledgerentry": (MOST, ""),
    "commissions.payout": (MOST, ""),
    "commissions.payoutbatch": (MOST, ""),
    "commissions.payoutfile": (MOST, ""),
    "commissions.payoutmethod": (MOST, ""),
    "commissions.plantrial": (MOST, "admin finance"),
    "commissions.planversion": (MOST, "admin"),
    "commissions.posting": (MOST, ""),
    "commissions.reward": (MOST, ""),
    "commissions.statusfile": (MOST, ""),
    "compliance.kycdocument": ("admin support auditor", ""),
    "genealogy.distributor": (EVERYBODY, "admin manager"),
    "genealogy.distributorattribute": (MOST, "admin manager"),
    "genealogy.distributorposition": (MOST, ""),
    "genealogy.enrolment": (EVERYBODY, ""),
    "genealogy.move": (MOST, ""),
    "genealogy.placementpreference": (MOST, ""),
    "genealogy.placementrule": (MOST, ""),  # there is one, and no second
    "genealogy.rank": (EVERYBODY, "admin"),
    "genealogy.waiting": (MOST, ""),
    "genealogy.referral": (EVERYBODY, ""),
    "genealogy.referralclick": (MOST, ""),
    "genealogy.referralcode": (EVERYBODY, ""),
    "genealogy.referralprogram": (MOST, ""),
    "genealogy.team": (EVERYBODY, ""),
    "genealogy.teammembership": (MOST, ""),
    "genealogy.territory": (EVERYBODY, "admin manager"),
    "genealogy.territoryassignment": (EVERYBODY, "admin manager"),
}

# Opening one of these leads on to its own work screen.
WITH_DESK = {
    "commissions.commissionperiod",
    "commissions.payout",
    "commissions.payoutbatch",
    "commissions.plantrial",
    "commissions.planversion",
    "commissions.reward",
    "compliance.kycdocument",
    "genealogy.move",
}
