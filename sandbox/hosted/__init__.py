"""The pages for buyers: Checkout, 3-D Secure, invoices and the portal. No JavaScript, no external assets."""
