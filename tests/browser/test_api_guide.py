"""docs/api.md as an integrator follows it: each block is run as it is printed, and the payment is made in a browser."""

import json
import re
import subprocess

from demo.stack import CHECKOUT
from tests.browser.shopper import PASSWORD, Shopper

GUIDE = (CHECKOUT / "docs" / "api.md").read_text()


def blocks_of(text):
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(block, folder, **environment):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (block, done.stdout, done.stderr)


def make_token(page):
    page.goto("/my/profile/")
    page.get_by_role("link", name="API tokens").click()
    page.get_by_role("link", name="Make a token").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_label("Name").fill("Guide")
    page.get_by_label("See the cart, orders, payments and receipts").check()
    page.get_by_label("Change the cart, pay, cancel and get refunds").check()
    page.get_by_role("button", name="Make the token").click()
    return page.locator("#secret").input_value()


def test_the_guide_leads_from_a_token_to_a_paid_order_and_back(site, new_student, tmp_path):
    student = new_student()
    access = {"SITE": site.base_url, "TOKEN": make_token(student.page)}
    before, after = GUIDE.split("\n## 5. Pay\n")
    settings, *shopping = blocks_of(before)
    assert "export TOKEN" in settings
    for block in shopping:
        run(block, tmp_path, **access)
    checkout = json.loads((tmp_path / "checkout.json").read_text())
    student.page.goto(checkout["url"])
    Shopper(site, student.page).pays_by_card()
    student.sees_paid()
    for block in blocks_of(after):
        run(block, tmp_path, **access)
    read = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("status", "order", "cancelled")}
    assert read["status"]["status"] == "succeeded"
    assert (read["order"]["state"], read["order"]["number"]) == ("completed", checkout["order"])
    assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF-")
    assert read["cancelled"]["amount"] == read["order"]["total"]
    assert (
        len(
            site.query(
                "SELECT r.id FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id"
                " JOIN payments_order o ON o.id = p.order_id WHERE o.number = %s",
                checkout["order"],
            )
        )
        == 1
    )
