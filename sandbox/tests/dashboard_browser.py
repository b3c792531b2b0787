"""A minimal browser for tests of the dashboard: pages, links, forms, and the cookie."""

from html.parser import HTMLParser
from typing import Any

import requests


class Form:
    """A form of a page: its action, fields and buttons."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self._form: Form | None = None
        self._select: str | None = None
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        self.scripts += tag == "script" or any(name.startswith("on") for name in got)
        if "id" in got:
            self.ids.append(got["id"])
        if tag == "a":
            self.links.append(got["href"])
        elif tag == "form":
            self._form = Form(got.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._fill(self._form, tag, got)

    def _fill(self, form: Form, tag: str, got: dict[str, str]) -> None:
        if tag == "input" and got.get("name"):
            form.fields[got["name"]] = got.get("value", "")
        elif tag == "select":
            self._select = got["name"]
        elif tag == "option" and self._select and (self._select not in form.fields or "selected" in got):
            form.fields[self._select] = got.get("value", "")
        elif tag == "button":
            self._in_button = True
            if got.get("name"):
                form.fields.setdefault(got["name"], got.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._in_button and self._form is not None and data.strip():
            self._form.buttons.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._in_button = False
        elif tag == "select":
            self._select = None


class Page:
    """A loaded page."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.text = answer.text
        self._reader = _Reader()
        self._reader.feed(answer.text)
        self.links = self._reader.links
        self.scripts = self._reader.scripts
        self.ids = self._reader.ids
        self.buttons = [word for form in self._reader.forms for word in form.buttons]

    def form(self, button: str) -> Form:
        return next(form for form in self._reader.forms if button in form.buttons)


class Browser:
    """A browser session on the dashboard."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()

    def open(self, path: str) -> Page:
        page = Page(self.http.get(self.url + path, timeout=30))
        assert page.status == 200, (page.status, path)
        return page

    def press(self, path: str, button: str, /, **filled: Any) -> Page:
        """Open a page, fill in its form and press the button."""
        form = self.open(path).form(button)
        return Page(self.http.post(self.url + (form.action or path), data=form.fields | filled, timeout=30))
