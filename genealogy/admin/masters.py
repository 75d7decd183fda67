from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import BaseAdmin, ReadOnlyAdmin, WatchedAdmin
from genealogy.admin.enrolments import EnrolmentDesk
from genealogy.admin.moves import PeopleDesk
from genealogy.admin.territories import TerritoryFilter
from genealogy.forms.moves import PlacementRuleForm
from genealogy.models import (
    Distributor,
    DistributorPosition,
    PlacementPreference,
    PlacementRule,
    Rank,
    Waiting,
)
from genealogy.models.node import Tree
from genealogy.services.referral_codes import issue_codes
from genealogy.services.tree_index import rebuild_tree


@admin.register(Rank)
class RankAdmin(BaseAdmin):
    list_display = ["name", "level", "min_personal_pv", "min_group_pv", "min_legs", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code", "name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Rank | None = None) -> list[str]:
        return ["code"] if obj else []  # plans name a rank by its code


@admin.register(Distributor)
class DistributorAdmin(WatchedAdmin, PeopleDesk, EnrolmentDesk, BaseAdmin):
    list_display = ["number", "display_name", "country", "rank", "status", "joined_on", "sponsor"]
    list_filter = ["status", "rank", TerritoryFilter]
    list_select_related = ["rank", "sponsor"]
    search_fields = ["=number", "^display_name", "=external_reference", "=user__email"]
    autocomplete_fields = ["next_rank_target"]
    raw_id_fields = ["user"]
    date_hierarchy = "joined_on"
    readonly_fields = [
        "number",
        "status",
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

    def save_model(self, request: Any, obj: Distributor, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        issue_codes([obj.pk], request.user)  # an account given here shows the distributor's code


@admin.register(DistributorPosition)
class DistributorPositionAdmin(ReadOnlyAdmin):
    list_display = [
        "distributor", "tree", "parent", "leg", "valid_from", "valid_to", "recorded_at",
        "superseded_at",
    ]  # fmt: skip
    list_filter = ["tree"]
    list_select_related = ["distributor", "parent"]
    search_fields = ["=distributor__number", "=parent__number"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_ends()

    @admin.display(empty_value="-")
    def valid_to(self, row: Any) -> Any:
        return row.valid_to


@admin.register(PlacementRule)
class PlacementRuleAdmin(BaseAdmin):
    """One row: the shape of the placement tree. Saving it finds the free places anew."""

    list_display = ["width", "strategy", "fixed_leg", "waiting_days", "updated_at"]
    form = PlacementRuleForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not PlacementRule.objects.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        rebuild_tree(Tree.PLACEMENT)


@admin.register(PlacementPreference)
class PlacementPreferenceAdmin(ReadOnlyAdmin):
    list_display = ["chosen_at", "distributor", "strategy", "leg", "actor"]
    list_filter = ["strategy"]
    list_select_related = ["distributor", "actor"]
    search_fields = ["=distributor__number"]


@admin.register(Waiting)
class WaitingAdmin(ReadOnlyAdmin):
    list_display = ["distributor", "since", "until", "settled_at", "settled_by"]
    list_filter = [("settled_at", admin.EmptyFieldListFilter)]
    list_select_related = ["distributor", "settled_by"]
    search_fields = ["=distributor__number"]
