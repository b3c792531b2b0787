"""The billing portal: what a customer may look at and change without the shop's help."""
