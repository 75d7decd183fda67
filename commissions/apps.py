from django.apps import AppConfig

CLAIM = "commissions.tasks.claim_volume"


class CommissionsConfig(AppConfig):
    name = "commissions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.events import react  # the events need the loaded models

        react("order.paid", CLAIM)
        react("order.refunded", CLAIM)
