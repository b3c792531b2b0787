"""What schemathesis checks in addition, and what it does not try: addresses that the web server itself refuses."""

from urllib.parse import urlencode

import schemathesis

KIND = "urn:lectern:problem:"
# Longer request lines are answered by gunicorn (414), before the API sees them.
LONGEST_QUERY = 3_500


@schemathesis.hook
def filter_query(ctx, query):
    """Whether the query fits into an address."""
    return query is None or len(urlencode(query, doseq=True)) <= LONGEST_QUERY


@schemathesis.check
def names_its_problem(ctx, response, case):
    """The `type` of problem details is one of those that the document names for the status."""
    if response.status_code < 400:
        return
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    # Methods that an address does not have are not in the document; a check of schemathesis is about their status.
    if documented is None:
        return
    kind = response.json()["type"]
    assert kind.startswith(KIND), kind
    name = kind.removeprefix(KIND)
    assert f"`{name}`" in documented["description"], f"The document does not name {name} for {response.status_code}."
