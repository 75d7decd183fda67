from django.apps import AppConfig


class GenealogyConfig(AppConfig):
    name = "genealogy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.imports.kinds import register
        from genealogy.services.effects import register_keeper
        from genealogy.services.enrolment import also_on_enrolment
        from genealogy.services.import_distributors import DISTRIBUTORS
        from genealogy.services.move_previews import KEEPER
        from genealogy.services.referral_codes import issue_codes

        register(DISTRIBUTORS)
        register_keeper(KEEPER)
        also_on_enrolment(issue_codes)
