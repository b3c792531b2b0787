"""Every address of the sandbox: the API, the pages of the buyer, the dashboard, the switches."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.static import serve

from sandbox import resources
from sandbox.dashboard import views as dashboard
from sandbox.hosted import authentication_page, checkout_page
from sandbox.protocol.gateway import api
from sandbox.settings import BASE_DIR
from sandbox.switches import views as switches

assert resources, "importing the resources registers their routes"  # noqa: S101


def health(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    re_path(r"^v1/.*$", api),
    path("c/pay/<str:session_id>", checkout_page.page, name="checkout"),
    path("3ds/<str:intent_id>", authentication_page.page),
    path("receipts/<str:charge_id>", dashboard.receipt),
    path("static/<path:path>", serve, {"document_root": BASE_DIR / "static"}),
    path("_sandbox/health", health),
    path("_sandbox/clock", switches.clock_switch),
    path("_sandbox/faults", switches.faults_switch),
    path("_sandbox/deliveries", switches.deliveries_switch),
    path("_sandbox/drain", switches.drain_switch),
    path("_sandbox/events/<str:event_id>/resend", switches.resend_switch),
    path("_sandbox/reset", switches.reset_switch),
    path("", dashboard.home, name="home"),
    path("objects/<str:object_id>", dashboard.stored_object, name="object"),
]
