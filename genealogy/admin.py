from django.contrib import admin

from accounts.admin_base import BaseAdmin, ReadOnlyAdmin
from genealogy.models import Distributor, DistributorPosition, GenealogyNode, Rank


@admin.register(Rank)
class RankAdmin(BaseAdmin):
    list_display = ["name", "level", "min_personal_pv", "min_group_pv", "min_legs", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code", "name"]


@admin.register(Distributor)
class DistributorAdmin(BaseAdmin):
    list_display = ["number", "display_name", "country", "rank", "status", "joined_on", "sponsor"]
    list_filter = ["status", "rank"]
    list_select_related = ["rank", "sponsor"]
    search_fields = ["=number", "^display_name", "=external_reference", "=user__email"]
    autocomplete_fields = ["next_rank_target"]
    raw_id_fields = ["user"]
    date_hierarchy = "joined_on"
    readonly_fields = [
        "number",
        "external_reference",
        "sponsor",
        "enroller",
        "placement_parent",
        "leg",
        "rank",
        "paid_as_rank",
        "highest_rank",
        "personal_pv",
        "group_pv",
        "current_month_pv",
        "current_month_gv",
        "lifetime_pv",
        "direct_referral_count",
        "total_commission_earned",
        "total_payout_requested",
    ]

    def has_add_permission(self, request: object) -> bool:
        return False  # a distributor is enrolled, so that tree, position and account go with it


@admin.register(GenealogyNode)
class GenealogyNodeAdmin(ReadOnlyAdmin):
    list_display = ["distributor", "tree", "depth", "size", "lft", "rgt"]
    list_filter = ["tree"]
    list_select_related = ["distributor"]
    search_fields = ["=distributor__number"]


@admin.register(DistributorPosition)
class DistributorPositionAdmin(ReadOnlyAdmin):
    list_display = ["distributor", "tree", "parent", "leg", "valid_from", "valid_to", "recorded_at"]
    list_filter = ["tree"]
    list_select_related = ["distributor", "parent"]
    search_fields = ["=distributor__number", "=parent__number"]
