"""The admin of operations; each file is about one noun."""

from operations.admin.changes import ChangeAdmin
from operations.admin.emergency_access import EmergencyAccessAdmin

__all__ = ["ChangeAdmin", "EmergencyAccessAdmin"]
