"""Running the site: the dashboard, alert rules, reports, the audit trail, going live, backups, retention and metrics.

It stands above the domains, which it may read; none of them knows it.
"""
