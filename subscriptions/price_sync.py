"""Keep Stripe's products and prices in step with our plans. A repeat changes nothing."""

from __future__ import annotations

from subscriptions import catalogue_gateway
from subscriptions.models import Plan, PlanPrice


def sync_plan(plan: Plan) -> str:
    """Create or update the product of a plan; returns its id. Raises StripeUnreachable or StripeRefused."""
    known = plan.stripe_product_id
    product_id = catalogue_gateway.put_product(
        known or f"lectern_plan_{plan.pk}", name=plan.name, description=plan.summary, metadata={"plan": str(plan.pk)}
    )
    if product_id != known:
        Plan.objects.filter(pk=plan.pk).update(stripe_product_id=product_id)
        plan.stripe_product_id = product_id
    return product_id


def sync_price(price: PlanPrice) -> str:
    """Create the price at Stripe unless it exists; returns its id. Raises StripeUnreachable or StripeRefused."""
    if price.stripe_price_id:
        return price.stripe_price_id
    product_id = price.plan.stripe_product_id or sync_plan(price.plan)
    price_id = catalogue_gateway.find_or_create_price(
        product_id, amount=price.amount, interval=price.interval, key=f"plan-price-{price.pk}"
    )
    PlanPrice.objects.filter(pk=price.pk, stripe_price_id=None).update(stripe_price_id=price_id)
    price.stripe_price_id = price_id
    return price_id


def sync_all_plans() -> list[str]:
    """Bring all plans and prices to Stripe; returns a line for each price. Raises StripeUnreachable or StripeRefused."""
    done = []
    for plan in Plan.objects.order_by("pk"):
        sync_plan(plan)
        for price in plan.prices.select_related("plan").order_by("pk"):
            if not price.is_active and not price.stripe_price_id:
                continue
            price_id = sync_price(price)
            catalogue_gateway.set_price_active(price_id, is_active=price.is_active)
            done.append(f"{price}: {price_id}{'' if price.is_active else ', archived'}")
    return done
