import pytest

from sandbox.tests.triggers import TRIGGERS, pull


@pytest.mark.parametrize("wanted", TRIGGERS)
def test_the_calls_of_a_trigger_emit_its_event(sandbox, receiver, wanted):
    pull(sandbox, wanted)
    assert wanted in receiver.types()
