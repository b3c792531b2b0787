"""Each app declares its full paths, so that the pages under /my/ and /teach/ belong to the apps that own their data."""

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.api_documentation import DocumentView, show_documentation
from config.media import serve_upload
from payments.domains import domain_configs

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("catalogue.urls")),
    path("", include("pages.urls")),
    path("", include("integrations.urls")),
    path("", include("webhooks.urls")),
    path("", include("webhooks.api.urls")),
    path("", include("payments.urls")),
    path("", include("payments.api.urls")),
    path("", include("catalogue.api.urls")),
    path("api/docs/", show_documentation, name="api_documentation"),
    path("api/schema/", DocumentView.as_view(), name="api_schema"),
    *(path("", include(f"{domain.name}.urls")) for domain in domain_configs()),
    *(path("", include(f"{domain.name}.api.urls")) for domain in domain_configs() if find_spec(f"{domain.name}.api")),
]
if settings.IS_DEVELOPMENT:
    urlpatterns += [
        path("demo/", include("demo.urls")),
        path("media/<path:path>", serve_upload),
    ]

handler400 = "config.failures.answer_bad_request"
handler403 = "config.failures.answer_forbidden"
handler404 = "config.failures.answer_not_found"
handler500 = "config.failures.answer_failure"
