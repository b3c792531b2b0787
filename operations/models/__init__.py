"""Rows of the app; each file is about one noun."""

from operations.models.change import Change
from operations.models.emergency_access import EmergencyAccess

__all__ = ["Change", "EmergencyAccess"]
