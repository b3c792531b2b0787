"""Discount codes: what they take off a cart, how often they may be used, and who bears the discount.

`rules` computes effects, free of Django. `standing` says whether a code may be used now, `effects` puts both on a
cart's lines. `holds` takes uses with an order, and confirms or releases them. `cart_codes` changes the codes of a cart.
Nothing here knows prices or domains: lines come priced, and a scope compares texts.
"""
