"""Forms as a browser sends them: what a page put into the fields, before anything is typed."""

import re
from html.parser import HTMLParser

from django.test import Client


class FilledForm:
    """A form of a page: its address, the values of its fields, and its buttons."""

    def __init__(self, action):
        self.action = action
        self.fields = {}
        self.buttons = {}


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []
        self._form = self._select = self._text_area = None

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = FilledForm(given.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._fill(tag, given, given.get("name", ""))

    def _fill(self, tag, given, name):
        fields = self._form.fields
        if tag == "textarea":
            self._text_area = name
            fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and (self._select not in fields or "selected" in given):
            fields[self._select] = given.get("value", "")
        elif tag == "button" and name:
            self._form.buttons[name] = given.get("value", "")
        elif tag == "input" and name:
            is_box = given.get("type") in ("checkbox", "radio")
            if is_box and "checked" not in given:
                fields.setdefault(name, None)
            else:
                fields[name] = given.get("value", "on" if is_box else "")

    def handle_data(self, data):
        if self._text_area:
            self._form.fields[self._text_area] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            # Browsers leave out the line break with which pages begin a text area.
            self._form.fields[self._text_area] = re.sub(r"^\r?\n", "", self._form.fields[self._text_area])
            self._text_area = None


def forms_of(page):
    """The forms of a page, in order."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


class Visitor(Client):
    """Fills in forms as a browser does: with what the page put into the fields, changed by what is typed."""

    def fill_in(self, url, having, **typed):
        """Send the form of the page that has the field `having`."""
        [form] = [form for form in forms_of(self.get(url).content.decode()) if having in form.fields]
        unknown = {name for name, value in typed.items() if name not in form.fields and name not in form.buttons}
        assert not unknown, unknown
        sent = {name: value for name, value in (form.fields | typed).items() if value is not None}
        return self.post(form.action or url, sent)
