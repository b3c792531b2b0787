"""The URLs of the sandbox: the API, the buyer's pages, the dashboard, the switches."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.static import serve

from sandbox import resources
from sandbox.connect import pages as connect_pages
from sandbox.hosted import (
    authentication_page,
    checkout_page,
    invoice_page,
    microdeposits_page,
    portal_page,
    uploaded_files,
)
from sandbox.protocol.gateway import api
from sandbox.settings import BASE_DIR
from sandbox.switches import views as switches

assert resources, "importing the resources registers their routes"  # noqa: S101


def health(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("v1/files/<str:file_id>/contents", uploaded_files.contents),
    path("links/<str:token>", uploaded_files.linked),
    re_path(r"^v1/", api),
    path("c/pay/<str:session_id>", checkout_page.page, name="checkout"),
    path("c/recover/<str:session_id>", checkout_page.recover),
    path("3ds/<str:intent_id>", authentication_page.page),
    path("i/<str:invoice_id>", invoice_page.page, name="invoice"),
    path("i/<str:invoice_id>/pdf", invoice_page.pdf),
    path("p/session/<str:token>", portal_page.page, name="portal"),
    path("microdeposits/<str:intent_id>", microdeposits_page.page),
    path("setup/e/<str:account_id>/<str:token>", connect_pages.enter),
    path("setup/s/<str:account_id>/<str:form>", connect_pages.fill_in),
    path("express/<str:account_id>/<str:token>", connect_pages.dashboard),
    path("static/<path:path>", serve, {"document_root": BASE_DIR / "static"}),
    path("_sandbox/health", health),
    path("_sandbox/clock", switches.clock_switch),
    path("_sandbox/faults", switches.faults_switch),
    path("_sandbox/deliveries", switches.deliveries_switch),
    path("_sandbox/methods", switches.methods_switch),
    path("_sandbox/drain", switches.drain_switch),
    path("_sandbox/events/<str:event_id>/resend", switches.resend_switch),
    path("_sandbox/reset", switches.reset_switch),
    path("", include("sandbox.dashboard.urls")),
]
handler404 = "sandbox.dashboard.access.missing"
