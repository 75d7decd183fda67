from django.urls import path

from commerce import views

app_name = "commerce"

urlpatterns = [
    path("orders/", views.order_list, name="orders"),
    path("orders/<str:number>/", views.order_detail, name="order"),
]
