"""Discounts: how what was granted is shown and expanded; they have no address of their own."""

from sandbox.protocol.resource import Resource, register

DISCOUNT = register(
    Resource(
        "discount",
        references={"customer": "customer", "promotion_code": "promotion_code", "source.coupon": "coupon"},
    )
)
