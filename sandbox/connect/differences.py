"""The changes of an object in the form of `previous_attributes` (docs: "Event object")."""

from sandbox.store import Body


def difference(before: Body, after: Body) -> Body:
    """Old values of what changed: whole for fields and lists, partial for hashes.

    Metadata stays whole too: `emit` reduces it to the changed keys.
    """
    found: Body = {}
    for key, value in after.items():
        old = before.get(key)
        if old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict) and key != "metadata":
            found[key] = difference(old, value) | {gone: old[gone] for gone in old.keys() - value.keys()}
        else:
            found[key] = old
    return found


def merged(current: Body, change: Body) -> Body:
    """A nested hash with the given parts replaced."""
    result = dict(current)
    for key, value in change.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result
