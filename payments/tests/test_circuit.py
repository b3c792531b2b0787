"""Few threads wait for a provider at once, none for long, and none while it is down; calls resume once it is back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from payments import circuit as circuits
from payments.circuit import CallNotMade, Circuit, NoAnswer, spending_time, time_limit


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(circuits, "time", clock)
    return clock


def fail(circuit):
    with pytest.raises(NoAnswer), circuit.call():
        raise NoAnswer


def succeed(circuit):
    with circuit.call():
        pass


def is_refused(circuit):
    try:
        succeed(circuit)
    except CallNotMade:
        return True
    return False


def open_up(circuit):
    for _ in range(3):
        fail(circuit)


def test_after_three_failures_in_a_row_no_call_is_made(clock):
    circuit = Circuit(slots=2)
    open_up(circuit)
    assert circuit.is_open
    with pytest.raises(CallNotMade) as refused:
        succeed(circuit)
    assert refused.value.retry_after == 5


def test_an_answer_in_between_resets_the_count(clock):
    circuit = Circuit(slots=2)
    fail(circuit)
    fail(circuit)
    succeed(circuit)
    fail(circuit)
    fail(circuit)
    assert not circuit.is_open


def test_after_the_pause_one_call_probes_and_the_others_wait_for_its_result(clock):
    circuit = Circuit(slots=4)
    open_up(circuit)
    clock.now += 5
    assert not circuit.is_open
    with circuit.call():
        assert circuit.is_open
        assert is_refused(circuit)
    assert not circuit.is_open
    assert not is_refused(circuit)


def test_most_callers_do_not_probe(clock):
    circuit = Circuit(slots=4)
    open_up(circuit)
    assert circuit.seconds_until_probe == 5
    clock.now += 6
    assert circuit.seconds_until_probe == 0
    with pytest.raises(CallNotMade), circuit.call(may_probe=False):
        pass
    succeed(circuit)
    assert circuit.seconds_until_probe is None
    with circuit.call(may_probe=False):
        pass


def test_pauses_double_up_to_half_a_minute_and_start_over_after_an_answer(clock):
    circuit = Circuit(slots=2)
    open_up(circuit)
    pauses = []
    for _ in range(5):
        began_at = clock.now
        while circuit.is_open:
            clock.now += 1
        pauses.append(clock.now - began_at)
        fail(circuit)
    assert pauses == [5, 10, 20, 30, 30]
    clock.now += 30
    succeed(circuit)
    open_up(circuit)
    clock.now += 5
    assert not circuit.is_open


def test_a_probe_that_ends_in_an_error_of_ours_lets_another_try(clock):
    circuit = Circuit(slots=2)
    open_up(circuit)
    clock.now += 5
    with pytest.raises(ZeroDivisionError), circuit.call():
        raise ZeroDivisionError
    assert not is_refused(circuit)


def test_calls_that_began_before_and_fail_later_do_not_lengthen_the_pause(clock):
    circuit = Circuit(slots=9)
    calls = [circuit.call() for _ in range(5)]
    for call in calls:
        call.__enter__()
    for call in calls:
        assert not call.__exit__(NoAnswer, NoAnswer(), None)
    clock.now += 5
    assert not circuit.is_open


def test_hanging_calls_take_no_more_than_the_slots(monkeypatch):
    monkeypatch.setattr(circuits, "_PATIENCE_SECONDS", 0.2)
    circuit, is_over = Circuit(slots=2), threading.Event()

    def hang():
        with circuit.call():
            is_over.wait(10)

    with ThreadPoolExecutor(2) as pool:
        hanging = [pool.submit(hang) for _ in range(2)]
        time.sleep(0.3)
        began_at = time.monotonic()
        assert is_refused(circuit)
        assert time.monotonic() - began_at < 0.1
        is_over.set()
        for call in hanging:
            call.result()
    assert not is_refused(circuit)


def test_a_crowd_takes_turns_while_calls_are_answered():
    circuit, most, now, lock = Circuit(slots=2), [0], [0], threading.Lock()

    def call():
        with circuit.call():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.05)
            with lock:
                now[0] -= 1

    with ThreadPoolExecutor(20) as pool:
        for done in [pool.submit(call) for _ in range(20)]:
            done.result()
    assert most == [2]


def test_all_calls_of_a_request_share_its_time(clock):
    with time_limit(6):
        with spending_time(at_most=12) as done_by:
            assert done_by == clock.now + 6
            clock.now += 4
        with spending_time(at_most=12) as done_by:
            assert done_by == clock.now + 2
            clock.now += 3
        with pytest.raises(CallNotMade), spending_time(at_most=12):
            pass
    with spending_time(at_most=12) as done_by:
        assert done_by == clock.now + 12
