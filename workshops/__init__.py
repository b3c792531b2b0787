"""Workshops: sessions with limited places and named participants."""
