"""A text of one line has no breaks and nothing that hides."""

import pytest
from django.core.exceptions import ValidationError

from accounts.one_line import clean_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Watercolour\nfor\r\n beginners", "Watercolour for beginners"),
        ("  Piano \t basics ", "Piano basics"),
        ("Line\u2028separated", "Line separated"),
        ("Zoe\u0308’s choir", "Zoë’s choir"),
        ("Klavier\u00adunterricht\ufeff", "Klavierunterricht"),
        ("à 18\u00a0h", "à 18\u00a0h"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Family 👩\u200d👧 yoga 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("", ""),
    ],
)
def test_a_line_keeps_what_can_be_seen(typed, kept):
    assert clean_line(typed) == (typed if kept is None else kept)


@pytest.mark.parametrize(
    "typed",
    [
        "Piano \u202ereversed", "a\x00b", "bell\x07", "\ue000", "\u200b\u200d", "\x1b[31mred", "\u3164", "\u115f\u1160",
        "\u2800 \u2800", "\ufe0f", "\u0301", "Piano\uffff", "Piano\ufdd0",
    ],
)  # fmt: skip
def test_what_hides_is_refused(typed):
    with pytest.raises(ValidationError, match="This contains"):
        clean_line(typed)


def test_a_title_does_not_cover_the_lines_around_it():
    assert clean_line("Pia\u0337" + "no") == "Pia\u0337no"
    with pytest.raises(ValidationError, match="too many accents"):
        clean_line("Piano" + "\u0337" * 30)
