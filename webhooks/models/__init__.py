from webhooks.models.deliveries import Delivery, Event
from webhooks.models.endpoints import Endpoint, EndpointSecret

__all__ = ["Delivery", "Endpoint", "EndpointSecret", "Event"]
