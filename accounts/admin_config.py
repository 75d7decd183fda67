from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    """Django's admin, with our site instead of the stock one."""

    default_site = "accounts.admin_site.PortalAdminSite"
