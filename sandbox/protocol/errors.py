"""Errors in Stripe's format; messages that clients show are Stripe's own (docs: "Errors", "Error codes")."""

from typing import Any

from sandbox.store import Body

DOC_URL = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """A response other than 200.

    `keeps_changes`: commit what the call wrote before it failed, such as a declined charge.
    `is_executed`: the call started to execute, so this response is stored under its Idempotency-Key.
    """

    def __init__(  # noqa: PLR0913 -- the fields of Stripe's error object
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps_changes: bool = False,
        is_executed: bool = False,
        details: Body | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.keeps_changes = keeps_changes
        self.is_executed = is_executed or keeps_changes
        self.details = details or {}

    def fields(self) -> Body:
        """The inner error object, without keys for an absent code or parameter."""
        fields: Body = {"message": self.message, "type": self.kind} | self.details
        if self.code:
            fields["code"] = self.code
            fields["doc_url"] = DOC_URL + self.code.replace("_", "-")
        if self.param:
            fields["param"] = self.param
        return dict(sorted(fields.items()))


def unknown_parameter(param: str) -> ApiError:
    return ApiError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing_parameter(param: str) -> ApiError:
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def empty_parameter(param: str) -> ApiError:
    return ApiError(
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{param}' cannot be unset. You should remove '{param}' from your request or supply a "
        "non-empty value.",
        code="parameter_invalid_empty",
        param=param,
    )


def invalid_choice(param: str, choices: tuple[str, ...]) -> ApiError:
    listed = choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])}, or {choices[-1]}"
    return ApiError(f"Invalid {param}: must be one of {listed}", param=param)


def not_in_sandbox_yet(param: str) -> ApiError:
    """Refuse a parameter that Stripe accepts and the sandbox does not implement, instead of ignoring it."""
    return ApiError(
        f"The sandbox does not act on '{param}' yet; see its README.", code="sandbox_not_supported", param=param
    )


def no_such(label: str, object_id: str, *, param: str = "id", in_url: bool = False) -> ApiError:
    """404 for an id in the URL, 400 for an id in the parameters."""
    quoted = object_id if label == "checkout.session" else f"'{object_id}'"
    return ApiError(f"No such {label}: {quoted}", status=404 if in_url else 400, code="resource_missing", param=param)


def unexpected_state(message: str, *, code: str, details: dict[str, Any] | None = None) -> ApiError:
    """The error for a step that the object's current state does not allow."""
    return ApiError(message, code=code, details=details, is_executed=True)
