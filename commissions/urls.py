from django.urls import path

from commissions.views import payouts

app_name = "commissions"

urlpatterns = [
    # Payouts
    path("payouts/", payouts.payout_list, name="payouts"),
    path("payouts/new/", payouts.payout_new, name="payout_new"),
    path("payouts/methods/", payouts.payout_methods, name="payout_methods"),
    path("payouts/methods/new/", payouts.payout_method_new, name="payout_method_new"),
    path("payouts/<str:number>/", payouts.payout_detail, name="payout_detail"),
    path("payouts/<str:number>/cancel/", payouts.payout_cancel, name="payout_cancel"),
]
