from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.read_all, name="notifications_read"),
    path("notifications/<int:seq>/open/", views.open_notification, name="notification_open"),
    path("notifications/bell/", views.bell, name="bell"),
    path("events/", views.events, name="events"),
    path("privacy/", views.privacy, name="privacy"),
    path("privacy/<slug:purpose>/withdraw/", views.consent_withdraw, name="consent_withdraw"),
    path("privacy/<slug:purpose>/<str:version>/", views.consent_text, name="consent_text"),
    path("privacy/<slug:purpose>/<str:version>/agree/", views.consent_give, name="consent_give"),
]
