"""The look of the admin. Its menu is built from the installed apps and the permissions, in `config.admin_menu`."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static


def unfold_settings(site_name: str) -> dict[str, Any]:
    """Return django-unfold's settings."""
    return {
        "SITE_TITLE": site_name,
        "SITE_HEADER": site_name,
        "SITE_SUBHEADER": "Staff",
        "SITE_SYMBOL": "school",
        # The site's green, from light to dark.
        "COLORS": {
            "primary": {
                "50": "oklch(97% .02 165)",
                "100": "oklch(94% .04 165)",
                "200": "oklch(89% .07 165)",
                "300": "oklch(82% .10 165)",
                "400": "oklch(72% .12 165)",
                "500": "oklch(58% .11 165)",
                "600": "oklch(46% .09 165)",
                "700": "oklch(40% .08 165)",
                "800": "oklch(34% .06 165)",
                "900": "oklch(29% .05 165)",
                "950": "oklch(22% .04 165)",
            }
        },
        "STYLES": [lambda _request: static("css/admin.css")],
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": True,
        "ENVIRONMENT": "config.admin_menu.environment",
        "DASHBOARD_CALLBACK": "config.admin_needs.fill_first_page",
        "TABS": "config.admin_menu.tabs",
        "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "config.admin_menu.navigation"},
    }
