"""Removing a picture file's metadata without touching its pixels."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from uploads.metadata import NotReadable, without_metadata
from uploads.tests.pictures import jpeg_of_many_scans, noise, picture, png_chunk, swapped_profile, with_notes


def opened(content):
    image = Image.open(BytesIO(content))
    image.load()
    return image


def turned(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CanaryCamera"
    exif.get_ifd(0x8825)[1] = "N"
    return picture(kind, exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_a_file_tells_is_removed_and_its_pixels_stay(kind):
    content = with_notes(noise(kind), kind)
    clean = without_metadata(content)
    assert b"canary" in content.lower()
    assert b"canary" not in clean.lower()
    assert not opened(clean).getexif()
    assert opened(clean).tobytes() == opened(content).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_is_still_turned_as_it_was(kind, orientation):
    clean = without_metadata(turned(kind, orientation))
    assert dict(opened(clean).getexif()) == {0x0112: orientation}
    assert b"Canary" not in clean


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colours_stay(kind):
    content = picture(kind, icc_profile=swapped_profile())
    assert opened(without_metadata(content)).info["icc_profile"] == swapped_profile()


def test_pictures_without_metadata_stay_as_they_are():
    for content in (picture("PNG"), picture("PNG", mode="P"), picture("JPEG"), jpeg_of_many_scans(5)):
        assert without_metadata(content) == content


def test_a_preview_behind_the_first_picture_is_removed():
    first, second = noise("JPEG"), picture("JPEG", size=(8, 8))
    assert without_metadata(first + second) == first


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_that_is_cut_off_is_refused(kind):
    content = with_notes(noise(kind), kind).partition(b"<html>")[0]
    for length in (9, 30, len(content) // 2, len(content) - 1):
        with pytest.raises(NotReadable):
            without_metadata(content[:length])


@pytest.mark.parametrize(("kind", "empty"), [("JPEG", b"\xff\xfe\0\2"), ("PNG", png_chunk(b"tEXt", b""))])
def test_a_file_of_endless_empty_parts_is_refused(kind, empty):
    content = picture(kind)
    start = 2 if kind == "JPEG" else 8
    with pytest.raises(NotReadable):
        without_metadata(content[:start] + empty * 100_001 + content[start:])


def test_other_files_are_not_touched():
    assert without_metadata(b"%PDF-1.7 CanaryAuthor") == b"%PDF-1.7 CanaryAuthor"


@given(st.sampled_from(["JPEG", "PNG"]), st.data())
def test_broken_files_are_refused_or_cleaned_and_never_an_error(kind, data):
    content = bytearray(with_notes(picture(kind), kind))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        clean = without_metadata(bytes(content))
    except NotReadable:
        return
    assert without_metadata(clean) == clean
