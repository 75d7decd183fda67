from django.urls import path

from genealogy import views

app_name = "genealogy"

urlpatterns = [
    path("genealogy/", views.tree_list, name="list"),
    path("genealogy/drawn/", views.tree_drawn, name="drawn"),
    path("genealogy/search/", views.search, name="search"),
    path("genealogy/<str:number>/", views.distributor_card, name="distributor"),
    path("genealogy/<str:number>/children/", views.children, name="children"),
]
