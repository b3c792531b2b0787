"""Gifts: a line of an order that one person buys and another redeems by a code.

`wishes` reads what a buyer says about a gift, `codes` derives and finds codes, `giving` writes gifts with an order and
opens them when it is paid, `redeeming` hands one over, `mails` tells both, `managing` is what staff and givers may do.
What is delivered to whom is the domain's: `DomainHandler.keep_gift` and `hand_over`. See docs/decisions/gifts.md.
"""
