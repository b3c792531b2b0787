"""With SANDBOX_SETTLE_DELAY=0, the consequences of a request have happened before it is answered.

Otherwise there is no middleware at all (see settings): it has to be fast.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sandbox import schedule


def settle_at_once(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Run what a changing request made due before answering it."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method not in ("GET", "HEAD"):
            schedule.run_due_steps()
        return response

    return answer
