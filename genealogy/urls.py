from django.urls import path

from genealogy import views
from genealogy.views import enrolments, joining, referrals, teams, waiting

app_name = "genealogy"

urlpatterns = [
    path("genealogy/", views.tree_list, name="list"),
    path("genealogy/drawn/", views.tree_drawn, name="drawn"),
    path("genealogy/figures/", views.figures, name="figures"),
    path("genealogy/search/", views.search, name="search"),
    path("genealogy/exports/", views.exports, name="exports"),
    path("genealogy/exports/new/", views.export_start, name="export_start"),
    path("genealogy/exports/<uuid:key>/cancel/", views.export_cancel, name="export_cancel"),
    path("genealogy/exports/<uuid:key>/file/", views.export_file, name="export_file"),
    path("genealogy/waiting/", waiting.waiting_list, name="waiting"),
    path(
        "genealogy/waiting/preference/", waiting.placement_preference, name="placement_preference"
    ),
    path("genealogy/waiting/<str:number>/", waiting.waiting_place, name="waiting_place"),
    path("genealogy/<str:number>/", views.distributor_card, name="distributor"),
    path("genealogy/<str:number>/children/", views.children, name="children"),
    path("r/", referrals.invitation_search, name="invitation_search"),
    path("r/<str:code>", referrals.invitation, name="invitation"),
    path("invitation/forget/", referrals.invitation_forget, name="invitation_forget"),
    path("join/", joining.join, name="join"),
    path("join/message/", joining.join_message, name="join_message"),
    path("join/stop/", joining.join_stop, name="join_stop"),
    path("join/link/<str:token>/", joining.join_link, name="join_link"),
    path("join/<str:step>/", joining.join_step, name="join_step"),
    path("enrolments/", enrolments.enrolment_list, name="enrolments"),
    path("enrolments/new/", enrolments.enrolment_new, name="enrolment_new"),
    path("enrolments/<str:number>/resend/", enrolments.enrolment_resend, name="enrolment_resend"),
    path("enrolments/<str:number>/cancel/", enrolments.enrolment_cancel, name="enrolment_cancel"),
    path("enrolments/<str:number>/<str:step>/", enrolments.enrolment_step, name="enrolment_step"),
    path("referrals/", referrals.referral_list, name="referrals"),
    path("referrals/qr.svg", referrals.referral_qr, name="referral_qr"),
    path("referrals/renew/", referrals.referral_renew, name="referral_renew"),
    path("teams/", teams.own_team, name="teams"),
    path("teams/new/", teams.team_new, name="team_new"),
    path("teams/<str:number>/", teams.team_detail, name="team"),
    path("teams/<str:number>/edit/", teams.team_edit, name="team_edit"),
    path("teams/<str:number>/members/add/", teams.team_member_add, name="team_member_add"),
    path(
        "teams/<str:number>/members/<str:member>/remove/",
        teams.team_member_remove,
        name="team_member_remove",
    ),
    path("teams/<str:number>/<slug:verb>/", teams.team_step, name="team_step"),
]
