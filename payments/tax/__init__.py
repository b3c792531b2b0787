"""Tax on what is sold: at which rate, in or on top of the price, and who owes it.

rates      the rate of each domain on a day, by setting
amounts    the tax of a line, and how its amount is divided between teacher, platform and tax office
words      what pages say about it

See docs/decisions/tax.md.
"""
