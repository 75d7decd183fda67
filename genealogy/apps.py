from django.apps import AppConfig


class GenealogyConfig(AppConfig):
    name = "genealogy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.imports.kinds import register
        from genealogy.services.import_distributors import DISTRIBUTORS

        register(DISTRIBUTORS)
