"""The URLs of the dashboard."""

from django.urls import path, register_converter

from sandbox.dashboard import api_requests, controls, deliveries, lists, objects, overview


class Anything:
    """Any text, because users choose some ids: a coupon's may contain slashes."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Anything, "any")
urlpatterns = [
    path("", overview.home, name="home"),
    path("dashboard/find", lists.find, name="find"),
    path("dashboard/everything", overview.everything, name="everything"),
    path("dashboard/controls", controls.controls, name="controls"),
    path("dashboard/deliveries", deliveries.deliveries, name="deliveries"),
    path("dashboard/deliveries/send", deliveries.send_all, name="send_all"),
    path("dashboard/deliveries/<int:number>", deliveries.delivery, name="delivery"),
    path("dashboard/deliveries/<int:number>/send", deliveries.send, name="send"),
    path("dashboard/requests", api_requests.requests, name="requests"),
    path("dashboard/requests/<any:request_id>", api_requests.one_request, name="request"),
    path("dashboard/<any:slug>", lists.section_list, name="section"),
    path("objects/<any:object_id>", objects.stored_object, name="object"),
    path("receipts/<str:charge_id>", overview.receipt),
]
