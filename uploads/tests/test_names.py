"""Names of uploaded files as they are offered to others: every script intact, no tricks."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.names import LONGEST_STEM, safe_file_name


@pytest.mark.parametrize(
    "name",
    [
        "Übungen für Anfänger.pdf",
        "संगीत की शिक्षा.pdf",
        "การบ้าน ครั้งที่ ๑.pdf",
        "النوتة الموسيقية.pdf",
        "می‌خواهم.pdf",
        "ශ්‍රී ලංකා.pdf",
        "音楽の授業（一）.pdf".replace("（", "(").replace("）", ")"),
        "שָׁלוֹם.pdf",
        "Việt Nam.pdf",
    ],
)
def test_letters_and_marks_of_all_scripts_stay(name):
    assert safe_file_name(name) == unicodedata.normalize("NFC", name)
    assert safe_file_name(unicodedata.normalize("NFD", name)) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\x.pdf", "x.pdf"),
        ("a/b.pdf", "b.pdf"),
        ("\x00.pdf", "file.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a-Set-Cookie- x.pdf"),
        ('a"; filename="b.pdf', "a- filename-b.pdf"),
        ("scales\u202efdp.pdf", "scales-fdp.pdf"),
        ("-rf.pdf", "rf.pdf"),
        ("\u200d\u200c.pdf", "file.pdf"),
        ("\ud800.pdf", "file.pdf"),
        ("notes.PDF", "notes.pdf"),
    ],
)
def test_what_could_do_harm_is_left_out(name, wanted):
    assert safe_file_name(name) == wanted


@pytest.mark.parametrize("letter", ["x", "é", "音", "𠮷", "की", "🎵"])
def test_long_names_are_cut_between_letters(letter):
    stem = safe_file_name(letter * 300 + ".pdf").removesuffix(".pdf")
    assert len(f"{stem}.pdf".encode()) <= 255
    assert len(stem) <= LONGEST_STEM
    assert stem == (letter * (len(stem) // len(letter)) if letter != "🎵" else "file")


@given(st.text(min_size=1, max_size=400).filter(lambda name: not set(name) & set("./\\")))
def test_any_name_is_one_that_can_be_kept(name):
    safe = safe_file_name(name + ".pdf")
    assert safe.endswith(".pdf")
    assert 4 < len(safe) <= 120
    assert len(safe.encode()) <= 255
    assert PurePosixPath(safe).name == safe
    assert safe[0] not in ".- "
    assert not set(safe) & set("\\/\x00\r\n\t\"';:<>|?*\u202e\u2066")
    assert safe_file_name(safe) == safe
