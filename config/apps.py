"""Install the admin with our own site, on which all apps' models are registered."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class LecternAdminConfig(AdminConfig):
    """Django's admin on our site. In a file of its own, because it is imported before models can be."""

    default_site = "config.admin_site.LecternAdminSite"
