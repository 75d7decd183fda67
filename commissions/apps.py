from django.apps import AppConfig

CLAIM = "commissions.tasks.claim_volume"
MEASURE = "commissions.tasks.measure_teams"
TEAM_EVENTS = ("team.created", "team.updated", "team.member_added", "team.member_removed")


class CommissionsConfig(AppConfig):
    name = "commissions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.events import react  # the events need the loaded models
        from commissions.past_ranks import RANKS
        from commissions.services.arrays import give_large_back
        from commissions.services.move_orders import SOURCE
        from commissions.services.opening import first_open_day
        from genealogy.services.effects import register_effects
        from genealogy.services.moves import also_bounds_moves
        from genealogy.services.past_ranks import register_ranks

        give_large_back()
        also_bounds_moves(first_open_day)
        react("order.paid", CLAIM)
        react("order.refunded", CLAIM)
        register_effects(SOURCE)
        register_ranks(RANKS)
        for name in TEAM_EVENTS:
            react(name, MEASURE)
