from django.urls import path

from genealogy import views, views_referrals, views_teams

app_name = "genealogy"

urlpatterns = [
    path("genealogy/", views.tree_list, name="list"),
    path("genealogy/drawn/", views.tree_drawn, name="drawn"),
    path("genealogy/search/", views.search, name="search"),
    path("genealogy/<str:number>/", views.distributor_card, name="distributor"),
    path("genealogy/<str:number>/children/", views.children, name="children"),
    path("r/", views_referrals.invitation_search, name="invitation_search"),
    path("r/<str:code>", views_referrals.invitation, name="invitation"),
    path("invitation/forget/", views_referrals.invitation_forget, name="invitation_forget"),
    path("referrals/", views_referrals.referral_list, name="referrals"),
    path("referrals/qr.svg", views_referrals.referral_qr, name="referral_qr"),
    path("referrals/renew/", views_referrals.referral_renew, name="referral_renew"),
    path("teams/", views_teams.own_team, name="teams"),
    path("teams/new/", views_teams.team_new, name="team_new"),
    path("teams/<str:number>/", views_teams.team_detail, name="team"),
    path("teams/<str:number>/edit/", views_teams.team_edit, name="team_edit"),
    path("teams/<str:number>/members/add/", views_teams.team_member_add, name="team_member_add"),
    path(
        "teams/<str:number>/members/<str:member>/remove/",
        views_teams.team_member_remove,
        name="team_member_remove",
    ),
    path("teams/<str:number>/<slug:verb>/", views_teams.team_step, name="team_step"),
]
