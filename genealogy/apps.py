from django.apps import AppConfig


class GenealogyConfig(AppConfig):
    name = "genealogy"
    default_auto_field = "django.db.models.BigAutoField"
