"""Emergency access: a person with the permission takes a role for a short time. See docs/decisions/audit.md."""
