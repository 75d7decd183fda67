from django.urls import path

from compliance import views

app_name = "compliance"

urlpatterns = [
    path("identity/", views.identity, name="identity"),
    path("identity/pictures/<uuid:token>/", views.picture, name="picture"),
]
