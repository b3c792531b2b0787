"""With SANDBOX_SETTLE_DELAY=0, run the steps that a request made due before responding to it.

Otherwise there is no middleware at all (see settings), so that every request is fast.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sandbox import schedule


def settle_at_once(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Run all due steps before the response to a request that may change something."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method not in ("GET", "HEAD"):
            schedule.run_due_steps()
        return response

    return answer
