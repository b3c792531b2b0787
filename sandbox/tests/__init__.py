"""The tests talk to a real sandbox process over HTTP; they never import its models."""
