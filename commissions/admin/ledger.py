from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from commissions.models import Bonus, EstimateDifference, LedgerEntry


@admin.register(Bonus)
class BonusAdmin(ReadOnlyAdmin):
    list_display = ["name", "code", "version", "ledger_type", "trigger"]
    list_filter = ["ledger_type", "trigger"]
    list_select_related = ["version__plan"]
    search_fields = ["=code", "^name"]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "period",
        "bonus",
        "distributor",
        "source_distributor",
        "level",
        "base",
        "rate",
        "amount",
    ]
    list_filter = ["run__period"]
    list_select_related = ["run__period", "bonus", "distributor", "source_distributor"]
    search_fields = ["=distributor__number", "=source_distributor__number", "=id"]


@admin.register(EstimateDifference)
class EstimateDifferenceAdmin(ReadOnlyAdmin):
    list_display = ["run", "distributor", "bonus", "cause", "amount"]
    list_filter = ["cause", "run__period"]
    list_select_related = ["run__period", "distributor", "bonus"]
    search_fields = ["=distributor__number"]
