from payments.domains import DomainConfig, MenuPage


class SubscriptionsConfig(DomainConfig):
    name = "subscriptions"
    handler = "subscriptions.handler.SubscriptionHandler"
    student_page = MenuPage("My subscription", "subscriptions:mine")
