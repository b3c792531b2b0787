"""Nothing is lost by many concurrent payments or by a crash."""

import pytest

from sandbox.tests.crowds import Work, kill_while_writing, pay_at_once, what_is_wrong_after_a_crash
from sandbox.tests.sandbox_process import SandboxProcess


@pytest.mark.slow
def test_two_hundred_concurrent_checkouts_lose_nothing(sandbox, receiver):
    rush = pay_at_once(sandbox, receiver, 200)
    assert not rush.problems
    assert len(rush.latencies) == 200


@pytest.fixture
def process(tmp_path):
    process = SandboxProcess(tmp_path)
    yield process
    process.close()


@pytest.mark.slow
def test_a_crash_while_writing_loses_no_acknowledged_payment(process):
    everything = Work()
    for _ in range(3):
        work = kill_while_writing(process, seconds=0.7)
        assert len(work.acknowledged) > 10
        everything.requested |= work.requested
        everything.acknowledged |= work.acknowledged
        assert not what_is_wrong_after_a_crash(process, everything)


def test_steps_due_during_downtime_run_after_the_start(process):
    session = process.session()
    process.pay(session)
    process.switch("clock", advance=-1)
    process.kill()
    process.start()
    process.advance(10)
    charge = process.client.v1.charges.list().data[0]
    assert charge.balance_transaction
    assert process.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
