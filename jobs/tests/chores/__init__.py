"""A kind of durable work for tests only: installed by jobs/tests/worker_settings.py, never by the site."""
