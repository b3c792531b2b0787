"""Disputes: retrieve, answer, accept (docs: "The Dispute object"). Cardholders open them, never the API."""

from sandbox.disputes.deciding import answer_dispute, lose_dispute
from sandbox.disputes.evidence import FILE_FIELDS, LONGEST_TEXT, TEXT_FIELDS
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Hash, Spec, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

DISPUTE = register(
    Resource(
        "dispute",
        references={
            "charge": "charge",
            "payment_intent": "payment_intent",
            **{f"evidence.{field}": "file" for field in FILE_FIELDS},
        },
        filters={"charge": "charge", "payment_intent": "payment_intent"},
    )
)


def _evidence() -> Spec:
    """The published evidence parameters; an empty value clears a field until the evidence is submitted."""
    spec = published("DisputeModifyParams", "evidence")["evidence"]
    assert isinstance(spec, Hash)  # noqa: S101 -- for mypy
    longest = Text(max_length=LONGEST_TEXT, clearable=True)
    return Hash({**spec.fields, **dict.fromkeys((*FILE_FIELDS, *TEXT_FIELDS), longest)})


@route(
    "GET",
    "/v1/disputes",
    published("DisputeListParams", "charge", "created", "ending_before", "limit", "payment_intent", "starting_after"),
)
def list_all(call: Call) -> Body:
    return page(DISPUTE, call, url="/v1/disputes")


def _named(call: Call) -> Body:
    return fetch_from_url(DISPUTE, call.ids["dispute"], param="dispute")


@route("GET", "/v1/disputes/:dispute")
def retrieve(call: Call) -> Body:
    return _named(call)


@route("POST", "/v1/disputes/:dispute", published("DisputeModifyParams", "metadata", "submit", evidence=_evidence()))
def update(call: Call) -> Body:
    dispute, evidence = _named(call), call.get("evidence") or {}
    is_submitted = call.get("submit", bool(evidence))
    metadata = merge_metadata(dispute["metadata"], call["metadata"]) if "metadata" in call.params else None
    return answer_dispute(dispute, evidence, is_submitted=is_submitted, metadata=metadata)


@route("POST", "/v1/disputes/:dispute/close")
def close(call: Call) -> Body:
    return lose_dispute(_named(call), is_automatic=False)
