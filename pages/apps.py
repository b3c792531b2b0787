from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "pages"
    # Support explains the texts, but only superusers and groups with the permission of their own change them.
    role_permissions = {"support": ("pages.view_*",)}
