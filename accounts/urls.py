from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.read_all, name="notifications_read"),
    path("notifications/<int:seq>/open/", views.open_notification, name="notification_open"),
    path("notifications/bell/", views.bell, name="bell"),
    path("events/", views.events, name="events"),
]
