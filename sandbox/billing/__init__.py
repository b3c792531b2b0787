"""Billing: prices, invoices, subscriptions, discounts and taxes."""
