"""The same scenarios against the naive control, which shows that they detect the faults they tell of."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from tests.money_bugs import test_plain_sales
from tests.money_bugs.naive import NaiveWorld
from tests.money_bugs.world import Refused

LEAST = 40


def scenarios():
    """The scenarios that need nothing but a world, by name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.money_bugs.{path.stem}")
        functions = inspect.getmembers(module, inspect.isfunction)
        found |= {name: each for name, each in functions if re.match(r"test_[a-z]{2}_\d\d_", name) and needs(each)}
    return found


def needs(function):
    return list(inspect.signature(function).parameters) == ["world"]


def fault_of(scenario):
    """What the scenario finds wrong with the control: a figure, or what it refuses or accepts; None if nothing."""
    try:
        scenario(NaiveWorld())
    except (AssertionError, Refused, pytest.fail.Exception) as fault:
        return str(fault).partition("\n")[0] or type(fault).__name__
    return None


def test_the_scenarios_detect_the_faults_of_the_control():
    faults = {name: fault_of(scenario) for name, scenario in scenarios().items()}
    found = {name: fault for name, fault in faults.items() if fault is not None}
    for name, fault in faults.items():
        print(f"{name}: {fault or 'passes'}")  # noqa: T201  # the list that people read with -s
    rows = {"-".join(name.split("_")[1:3]).upper() for name in found}
    print(f"The control fails {len(rows)} rows of {len(faults)} scenarios.")  # noqa: T201
    assert len(rows) >= LEAST


@pytest.mark.parametrize("scenario", test_plain_sales.SCENARIOS)
def test_the_control_gets_simple_cases_right(scenario):
    scenario(NaiveWorld())
