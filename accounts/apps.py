from allauth.account.signals import password_changed, password_reset
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.permissions import sync_role_groups
        from accounts.services import sessions

        post_migrate.connect(sync_role_groups, dispatch_uid="accounts.sync_role_groups")
        user_logged_in.connect(sessions.record_sign_in, dispatch_uid="accounts.sign_in")
        user_logged_out.connect(sessions.record_sign_out, dispatch_uid="accounts.sign_out")
        password_changed.connect(sessions.record_password_change, dispatch_uid="accounts.changed")
        password_reset.connect(sessions.record_password_change, dispatch_uid="accounts.reset")
        post_delete.connect(
            sessions.end_connections, sender="sessions.Session", dispatch_uid="accounts.end"
        )
