"""Teams in the admin: to be found and read; what is done with one is done on its own page."""

from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin

from accounts.admin_base import ReadOnlyAdmin
from genealogy.models import Team, TeamMembership


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin, SimpleHistoryAdmin):
    list_display = ["number", "name", "lead", "status", "tier", "score", "members_count"]
    list_filter = ["status", "tier", ("verified_at", admin.EmptyFieldListFilter)]
    list_select_related = ["lead"]
    search_fields = ["=number", "^name", "=lead__number"]
    change_form_template = "admin/genealogy/team/change_form.html"


@admin.register(TeamMembership)
class TeamMembershipAdmin(ReadOnlyAdmin):
    list_display = ["distributor", "team", "joined_at", "left_at", "left_reason"]
    list_filter = [("left_at", admin.EmptyFieldListFilter)]
    list_select_related = ["distributor", "team"]
    search_fields = ["=distributor__number", "=team__number"]
