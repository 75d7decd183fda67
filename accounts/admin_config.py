from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    """Django's admin, with our site instead of the stock one."""

    default_site = "accounts.admin_site.PortalAdminSite"

    def ready(self) -> None:
        super().ready()
        from allauth.account.models import EmailAddress  # models are loaded by now
        from django.contrib.auth.models import Group

        # Groups follow the table of permissions, addresses the users: neither is edited alone.
        admin.site.unregister([Group, EmailAddress])
