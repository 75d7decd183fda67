"""Each app names its own paths in full; nothing is prefixed here."""

from importlib.util import find_spec

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from mlmcrm import web

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", web.healthz, name="healthz"),
    path("readyz", web.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
]
for app in ("accounts", "genealogy", "commerce", "commissions", "compliance"):
    if find_spec(f"{app}.urls"):
        urlpatterns.append(path("", include(f"{app}.urls")))

handler500 = "mlmcrm.web.server_error"
