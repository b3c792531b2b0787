"""The tests use a real sandbox process over HTTP; they never import its models."""
