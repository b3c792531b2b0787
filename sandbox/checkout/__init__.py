"""Checkout Sessions: their amounts, their life from open to complete or expired."""
