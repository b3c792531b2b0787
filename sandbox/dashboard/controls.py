"""The switches as forms: time, faults and delivery modes."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from sandbox import clock
from sandbox.dashboard.access import page
from sandbox.dashboard.billing_buttons import SPANS, date_input, moment_typed
from sandbox.dashboard.cells import Column, moment, object_of, text
from sandbox.dashboard.deliveries import SEE_OTHER
from sandbox.dashboard.frame import framed
from sandbox.dashboard.tables import Table, tabled
from sandbox.models import ScheduledStep
from sandbox.protocol import origin
from sandbox.switches import faults, time_travel
from sandbox.webhooks import modes, queue

NEXT_STEPS = 15
FAULTS = (
    (faults.RATE_LIMIT, "respond with 429, too many requests"),
    (faults.SERVER_ERROR, "respond with 500"),
    (faults.HANG, "wait before responding"),
    (faults.DROP_REPLY, "execute the call and drop the response"),
)
MODES = (
    (modes.NORMAL, "normally"),
    (modes.DELAY, "late, by the given seconds"),
    (modes.DUPLICATE, "twice"),
    (modes.SHUFFLE, "in random order, within the given seconds"),
    (modes.HOLD, "held until released"),
    (modes.DROP, "dropped; a release sends them"),
    (modes.WRONG_SIGNATURE, "signed with a wrong secret"),
    (modes.OLD_TIMESTAMP, "signed an hour ago"),
)


@page
def controls(request: HttpRequest) -> HttpResponse:
    """Show the switches, or set one."""
    problem = ""
    if request.method == "POST":
        switch = SWITCHES.get(request.POST.get("switch", ""))
        if switch is None:
            raise Http404
        try:
            origin.begin()
            switch(request.POST)
            return HttpResponseRedirect(reverse("controls"), status=SEE_OTHER)
        except (ArithmeticError, ValueError) as error:
            problem = str(error)
    mode = modes.current()
    context: dict[str, Any] = {
        "problem": problem,
        "spans": tuple(SPANS),
        "date": date_input(clock.now()),
        "steps": _steps(),
        "faults": faults.waiting(),
        "kinds_of_fault": FAULTS,
        "mode": mode,
        "modes": MODES,
        "types": ", ".join(mode.types),
    }
    frame = framed(request, "Time and faults", "controls")
    return render(request, "sandbox/dashboard_controls.html", frame | context, status=400 if problem else 200)


def _steps() -> Table:
    """The next scheduled steps."""
    waiting = ScheduledStep.objects.filter(test_clock="").order_by("due_at", "pk")[:NEXT_STEPS]
    columns = (
        text("Step", "what"),
        Column(
            "Object", lambda one: object_of(one["object"]) if "_" in one["object"] else text("", "object").read(one)
        ),
        moment("Due", "when"),
    )
    steps = [{"what": step.name.replace("_", " "), "object": step.object_id, "when": step.due_at} for step in waiting]
    return tabled("Next scheduled steps", columns, steps, nothing="No steps are scheduled.")


def _move(form: QueryDict) -> None:
    if form.get("span") == "reset":
        time_travel.reset()
    else:
        time_travel.move_to(moment_typed(form, clock.wall()))


def _fault(form: QueryDict) -> None:
    faults.add(faults.read_fault(_filled(form)))


def _clear_faults(_form: QueryDict) -> None:
    faults.clear()


def _set_mode(form: QueryDict) -> None:
    given = _filled(form)
    types = [name.strip() for name in str(given.pop("types", "")).split(",") if name.strip()]
    modes.choose(modes.read_mode(given | {"types": types}))


def _release(_form: QueryDict) -> None:
    modes.choose(modes.Mode())
    queue.release_held()


def _filled(form: QueryDict) -> dict[str, Any]:
    """The fields that were filled in."""
    return {name: value for name, value in form.items() if value}


SWITCHES: Mapping[str, Callable[[QueryDict], None]] = {
    "clock": _move,
    "fault": _fault,
    "clear-faults": _clear_faults,
    "mode": _set_mode,
    "release": _release,
}
