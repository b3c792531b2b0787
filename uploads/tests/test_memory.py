"""However many pictures come in at once, in however many processes, only a few are decoded at the same time."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection, connections, transaction

from uploads import slots
from uploads.pictures import COVER, read_picture
from uploads.tests.pictures import picture, png_of_zeros

# The memory that decoding one picture may take, as .env.example says.
MEGABYTES_A_PICTURE = 300


def start(path, threads, *, shape="COVER"):
    names = ("USER", "PASSWORD", "HOST", "PORT", "NAME")
    user, password, host, port, database = (connection.settings_dict[name] for name in names)
    return subprocess.Popen(
        [sys.executable, "-m", "uploads.tests.decoding_process", str(path), str(threads), shape],
        env={**os.environ, "DATABASE_URL": f"postgres://{user}:{password}@{host}:{port}/{database}"},
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
    )


def outcome(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(output)


def most_at_once(times):
    moments = sorted([(began, 1) for began, _ in times] + [(ended, -1) for _, ended in times])
    return max(sum(change for _, change in moments[:number]) for number in range(1, len(moments) + 1))


@pytest.mark.django_db(transaction=True)
def test_eight_pictures_of_59_megapixels_at_once_take_next_to_nothing(tmp_path):
    file = tmp_path / "bomb.png"
    file.write_bytes(png_of_zeros((7700, 7700)))
    assert file.stat().st_size < 300_000
    result = outcome(start(file, 8))
    assert result["outcomes"] == ["too_many_pixels"] * 8
    assert result["grown"] < 30


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("colour_type", [6, 3], ids=["colour with alpha", "palette"])
def test_eight_of_the_largest_pictures_at_once_take_no_more_than_two(tmp_path, colour_type):
    file = tmp_path / "large.png"
    file.write_bytes(png_of_zeros((6300, 6300), colour_type=colour_type))
    result = outcome(start(file, 8))
    assert result["outcomes"] == ["read"] * 8
    assert result["grown"] < settings.PICTURES_AT_ONCE * MEGABYTES_A_PICTURE


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "side", "options"),
    [
        ("JPEG", 7200, {}),
        ("JPEG", 4990, {"progressive": True, "subsampling": 0}),
        ("JPEG", 4990, {"progressive": True, "mode": "CMYK"}),
        ("WEBP", 4000, {"lossless": True}),
        ("WEBP", 4000, {"mode": "RGBA"}),
    ],
    ids=["jpeg", "progressive jpeg", "jpeg for print", "webp", "webp with alpha"],
)
def test_the_largest_picture_of_each_kind_stays_below_its_bound(tmp_path, kind, side, options):
    file = tmp_path / "large"
    file.write_bytes(picture(kind, (side, side), colour=0, **options))
    result = outcome(start(file, 1))
    assert result["outcomes"] == ["read"]
    assert result["grown"] < MEGABYTES_A_PICTURE


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [(65_500, 790), (790, 65_500)])
def test_a_portrait_cut_from_a_long_picture_stays_below_the_bound(tmp_path, size):
    file = tmp_path / "long"
    file.write_bytes(picture("JPEG", size, colour=0))
    result = outcome(start(file, 1, shape="PORTRAIT"))
    assert result["outcomes"] == ["read"]
    assert result["grown"] < MEGABYTES_A_PICTURE


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_three_processes_share_the_slots(tmp_path):
    file = tmp_path / "large.png"
    file.write_bytes(png_of_zeros((4000, 4000)))
    processes = [start(file, 4) for _ in range(3)]
    results = [outcome(process) for process in processes]
    assert [result["outcomes"] for result in results] == [["read"] * 4] * 3
    # Each process is busy long enough to overlap with the others.
    assert most_at_once([moment for result in results for moment in result["times"]]) == settings.PICTURES_AT_ONCE


@pytest.fixture
def all_slots_taken(settings):
    """Other connections hold all slots."""
    settings.PICTURES_AT_ONCE = 2
    others = [connections.create_connection("default") for _ in range(2)]
    for slot, other in enumerate(others):
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('uploads.decoding_slot'), %s)", [slot])
    yield others
    for other in others:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_if_none_is_free_the_person_reads_so(all_slots_taken, monkeypatch):
    monkeypatch.setattr(slots, "WAIT_SECONDS", 0.2)
    with pytest.raises(ValidationError, match="again in a minute") as refusal:
        read_picture(ContentFile(picture()), shape=COVER)
    assert refusal.value.code == "busy"
    # A slot becomes free when its process ends, however it ends.
    all_slots_taken[1].close()
    assert read_picture(ContentFile(picture()), shape=COVER).size


@pytest.mark.django_db(transaction=True)
def test_a_slot_is_given_back_within_the_callers_transaction_which_goes_on():
    with transaction.atomic():
        for _ in range(3):
            read_picture(ContentFile(picture()), shape=COVER)
            with pytest.raises(ValidationError):
                read_picture(ContentFile(b"rubbish"), shape=COVER)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            assert cursor.fetchone() == (0,)
