"""What happens with prices over time: invoices, subscriptions, discounts, taxes."""
