"""Which texts the site has. The value of each is also its address: /terms/."""

from django.db import models


class PageKind(models.TextChoices):
    """A page of the site. The labels are its titles."""

    ABOUT = "about", "About us"
    HELP = "help", "Help with payments"
    REFUNDS = "refunds", "Refunds"
    TERMS = "terms", "Terms"
    PRIVACY = "privacy", "Privacy"
    CONTACT = "contact", "Contact"
