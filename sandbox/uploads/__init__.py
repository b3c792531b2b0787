"""Uploaded files, and public links to them."""
