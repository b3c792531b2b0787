"""What schemathesis checks in addition: an error is one of those that the document names for its status."""

import schemathesis

KIND = "urn:lectern:problem:"


@schemathesis.check
def names_its_problem(ctx, response, case):
    """The `type` of problem details is in the description of the status."""
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
