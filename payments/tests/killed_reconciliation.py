"""`manage.py reconcile --fix` that ends with SIGKILL at a named point: `python -m payments.tests.killed_reconciliation POINT`.

It reads and compares two items at a time, so that every point lies in the middle.
"""

import sys

import django

from payments.tests.crashing_process import and_die, die


def main(point: str) -> None:
    django.setup()
    from django.core.management import call_command

    from payments import registry
    from payments.reconciliation import comparing, gateway, repairs, runs, statement_reading
    from payments.tests.sample_domain import SAMPLE

    places = {
        "reading: page stored, progress not": (statement_reading, "store_movements", and_die),
        "reading: page stored with its progress": (statement_reading, "save_progress", and_die),
        "comparing: differences written, not committed": (comparing, "store_findings", and_die),
        "comparing: differences stored with their progress": (comparing, "_store", and_die),
        "repairing: payment settled, its costs not booked": (repairs, "_look_up_charge_of", lambda _original: die),
        "repairing: made, not recorded": (repairs, "_check_gone", lambda _original: die),
        "repairing: recorded, progress not": (repairs, "repair_difference", and_die),
        "adding up: totals stored, progress not": (runs, "store_totals", and_die),
    }
    module, name, replacement = places[point]
    setattr(module, name, replacement(getattr(module, name)))
    gateway._PER_PAGE = comparing._KEYS_AT_ONCE = 2
    registry._handlers[SAMPLE.domain] = SAMPLE
    call_command("reconcile", "--fix")


if __name__ == "__main__":
    main(sys.argv[1])
