from payments.models import OrderLine
from tests.retreats import DOMAIN
from tests.retreats.models import Stay


class PaidStaysAreConfirmed:
    name = "retreats.paid_stays_are_confirmed"
    promise = "Each delivered line has its stay."

    def breaking(self):
        confirmed = Stay.objects.filter(state=Stay.State.CONFIRMED).values("order_line_id")
        delivered = OrderLine.objects.filter(domain=DOMAIN, state=OrderLine.State.FULFILLED)
        return list(delivered.exclude(pk__in=confirmed).values_list("pk", flat=True))


INVARIANTS = (PaidStaysAreConfirmed(),)
