"""Every row of the collection is a scenario, or is listed in README.md with the reason why it is none yet."""

import ast
import re
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
ROWS_OF_CATEGORY = {
    "RF": 18,  # refunds
    "PR": 10,  # partial refunds and rounding
    "DI": 9,  # disputes
    "PO": 8,  # payouts and transfers
    "LB": 11,  # ledger and balances
    "RC": 7,  # reconciliation
    "DV": 8,  # discounts and vouchers
    "SI": 10,  # subscriptions and invoices
    "CU": 9,  # currencies
    "CW": 10,  # checkout, and the order of webhooks
    "TR": 6,  # tax and receipts
    "CC": 8,  # concurrency
}
ROWS = {f"{category}-{number:02}" for category, count in ROWS_OF_CATEGORY.items() for number in range(1, count + 1)}


def scenarios():
    """The functions that are scenarios, by name."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        found += [each for each in functions if re.match(r"test_[a-z]{2}_\d\d_", each.name)]
    return found


def row_of(scenario):
    return "-".join(scenario.name.split("_")[1:3]).upper()


def listed():
    return re.findall(r"^\| ([A-Z]{2}-\d\d) \| \S.*\|$", (HERE / "README.md").read_text(), flags=re.MULTILINE)


def test_every_row_is_a_scenario_or_is_listed_with_its_reason():
    assert len(ROWS) == 114
    run, later = {row_of(each) for each in scenarios()}, Counter(listed())
    assert run | set(later) == ROWS
    assert run & set(later) == set()
    assert set(later.values()) == {1}


def test_every_row_has_one_scenario_or_one_for_each_of_its_ends():
    """A second scenario of a row says that it tells the other end of the same thread."""
    for row, count in Counter(map(row_of, scenarios())).items():
        others = [each for each in scenarios() if row_of(each) == row and "same thread" in ast.get_docstring(each)]
        assert len(others) == count - 1, row


def test_every_scenario_names_its_thread():
    for scenario in scenarios():
        assert re.search(r"\w+/[\w.-]+#\d+|same thread", ast.get_docstring(scenario) or ""), scenario.name
