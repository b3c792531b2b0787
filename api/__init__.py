"""The shared parts of all apps' APIs: authentication, errors and the schema."""
