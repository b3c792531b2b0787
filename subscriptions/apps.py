from datetime import timedelta

from jobs.schedule import PeriodicWork
from payments.domains import DomainConfig, MenuPage


class SubscriptionsConfig(DomainConfig):
    name = "subscriptions"
    handler = "subscriptions.handler.SubscriptionHandler"
    student_page = MenuPage("My subscription", "subscriptions:mine")
    periodic_work = (PeriodicWork(task="subscriptions.end_what_is_over", every=timedelta(minutes=15)),)
    books = "subscriptions.rebuilding.drafts_of_subscriptions"

    def ready(self) -> None:
        super().ready()
        from django.urls import reverse

        from notifications.advice import Advice, register_advice
        from payments.webhook.routing import register_routes
        from subscriptions.event_handlers import ROUTES

        register_routes(ROUTES)
        advice = Advice(
            "Read the error and look at the subscription at Stripe. Once its cause is solved, retry its follow-up.",
            lambda subscription: reverse("admin:subscriptions_subscription_change", args=[subscription]),
        )
        register_advice({"subscription-parked": advice})
        part_advice = Advice(
            "Read the error. The site tries again every quarter of an hour; until then teachers wait for this share.",
            lambda _part: reverse("admin:subscriptions_accessslice_changelist"),
        )
        register_advice({"subscription-part": part_advice})
