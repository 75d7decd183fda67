from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "commerce"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commerce.services.customers import open_self_accounts
        from genealogy.services.enrolment import also_on_enrolment

        also_on_enrolment(open_self_accounts)
