from django.urls import path

from commissions.views import dashboard, earnings, payouts, plan, ranks, rewards

app_name = "commissions"

urlpatterns = [
    # Dashboard
    path("dashboard/figures/", dashboard.figures, name="dashboard_figures"),
    path("dashboard/rank/", dashboard.rank_card, name="dashboard_rank"),
    path("dashboard/news/", dashboard.news, name="dashboard_news"),
    path("dashboard/work/", dashboard.work, name="dashboard_work"),
    # Earnings
    path("earnings/", earnings.earnings_list, name="earnings"),
    path("earnings/<str:code>/", earnings.earnings_period, name="earnings_period"),
    path("earnings/<str:code>/lines.csv", earnings.earnings_export, name="earnings_export"),
    path("earnings/<str:code>/estimate/", earnings.estimate, name="estimate"),
    path("earnings/<str:code>/<str:name>/", earnings.why, name="why"),
    # Rewards
    path("rewards/", rewards.reward_list, name="rewards"),
    path("rewards/<str:code>/<str:name>/", rewards.reward_detail, name="reward"),
    path("rewards/<str:code>/<str:name>/claim/", rewards.reward_claim, name="reward_claim"),
    # Ranks
    path("ranks/", ranks.ranks, name="ranks"),
    path("ranks/steps/", ranks.rank_steps, name="rank_steps"),
    # Plan
    path("plan/", plan.plan_page, name="plan"),
    # Payouts
    path("payouts/", payouts.payout_list, name="payouts"),
    path("payouts/new/", payouts.payout_new, name="payout_new"),
    path("payouts/methods/", payouts.payout_methods, name="payout_methods"),
    path("payouts/methods/new/", payouts.payout_method_new, name="payout_method_new"),
    path("payouts/<str:number>/", payouts.payout_detail, name="payout_detail"),
    path("payouts/<str:number>/cancel/", payouts.payout_cancel, name="payout_cancel"),
]
