"""Discounts: their references for expansion. They have no URL of their own."""

from sandbox.protocol.resource import Resource, register

DISCOUNT = register(
    Resource(
        "discount",
        references={"customer": "customer", "promotion_code": "promotion_code", "source.coupon": "coupon"},
    )
)
