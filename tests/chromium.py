"""Chromium for all tests that need a browser, and axe's accessibility checks of a page."""

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

# The headless shell first: the same engine, with a sixth less processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Only the names of this machine resolve.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def launch_chromium(playwright):
    """Start a browser. Without one the test fails, rather than being skipped unnoticed."""
    own = playwright.chromium.executable_path
    found = next((path for name in NAMES if (path := shutil.which(name))), own if Path(own).exists() else None)
    if found is None:
        pytest.fail(
            "The browser tests need Chromium: `apt install chromium-headless-shell`, or `.venv/bin/playwright install chromium`.",
            pytrace=False,
        )
    return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)


# Axe is half a megabyte, and its full answer is long: it is loaded once per page, and returns only violations.
LOOK = """
async ({exclude, impacts}) => {
    const found = await axe.run({exclude}, {resultTypes: ["violations"]});
    return found.violations
        .filter(violation => impacts === null || impacts.includes(violation.impact))
        .map(violation => `${violation.id} at ${violation.nodes.slice(0, 3).map(node => node.target.join(" "))}`);
}
"""


def barriers(page, *, impacts=("serious", "critical"), exclude=()):
    """The violations axe finds on the page now, of these impacts or (None) of all; `exclude` takes CSS selectors."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(LOOK, {"exclude": [[selector] for selector in exclude], "impacts": impacts})


def scrolls_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


# A button lays its parts out in a row: text beside another element falls into columns, unless one element holds both.
TORN = """
[...document.querySelectorAll(".button")].filter(button => {
  const parts = [...button.childNodes].filter(part => part.nodeType === Node.TEXT_NODE ? part.data.trim()
    : !(part instanceof SVGElement) && part.nodeType === Node.ELEMENT_NODE && !part.matches(".visually-hidden"));
  return parts.length > 1 && getComputedStyle(button).display.includes("flex");
}).map(button => button.textContent.trim())
"""


def torn_buttons(page):
    """The words of buttons whose text falls into columns."""
    return page.evaluate(TORN)
