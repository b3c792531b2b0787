from payments.tests.conftest import all_invariants_hold, sandbox_process, stripe_sandbox

__all__ = ["all_invariants_hold", "sandbox_process", "stripe_sandbox"]
