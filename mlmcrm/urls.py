"""Each app names its own paths in full; nothing is prefixed here."""

from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import import_string

from mlmcrm import web

urlpatterns = [
    path("healthz", web.healthz, name="healthz"),
    path("readyz", web.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
]
urlpatterns += [
    path("", include(f"{app}.urls"))
    for app in ("accounts", "genealogy", "commerce", "commissions", "compliance")
]

# The front page shows something of every app, so the one that may read them all has it.
urlpatterns.append(path("", import_string("commissions.views.dashboard.home"), name="home"))

handler500 = "mlmcrm.web.server_error"
