"""Django's PostgreSQL backend with a health check that asks the operating system instead of the server."""
