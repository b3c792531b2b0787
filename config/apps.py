"""How the admin is installed: with a site of our own, which every app's models are registered with."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class LecternAdminConfig(AdminConfig):
    """Django's admin on our site. It stands in a file of its own because it is read before any model may be."""

    default_site = "config.admin_site.LecternAdminSite"
