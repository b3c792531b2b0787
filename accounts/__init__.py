"""Users, teachers and roles. Knows nothing of what is taught or sold."""
