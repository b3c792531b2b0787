"""JSON from strangers is refused where storing, counting or showing it would fail later."""

import json

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.strict_json import NotPlainJson, read_json

REFUSED = [
    "", "{", "nonsense", "NaN", '{"a": NaN}', "[Infinity]", "[-Infinity]", "1e999", '{"a": -1e5000}', "9" * 5000,
    str(2**53 + 1), r'"\u0000"', r'{"\u0000": 1}', r'"\ud800"', r'{"a": ["\udfff"]}', r'{"\ud800x": 1}',
    "[" * 21 + "]" * 21, "[" * 905 + "]" * 905, "[" * 100_000, '{"a":' * 30 + "1" + "}" * 30,
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_what_would_stumble_later_is_refused(text):
    with pytest.raises(NotPlainJson):
        read_json(text)


@pytest.mark.parametrize(
    "text", ["{}", "[" * 20 + "]" * 20, r'"\ud83d\ude00"', "0.1", str(2**53), '{"name": "Zoë"}', "null"]
)
def test_what_people_send_is_read(text):
    assert read_json(text) == json.loads(text)


@pytest.mark.django_db
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(codec=None)),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
    )
)
def test_whatever_is_read_can_be_stored(value):
    try:
        read = read_json(json.dumps(value))
    except NotPlainJson:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(read)])
