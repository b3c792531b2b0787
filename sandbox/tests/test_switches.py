import pytest
import requests


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ("deliveries", {"mode": "sulk"}),
        ("deliveries", {"mode": "hold", "types": "charge.updated"}),
        ("deliveries", {"mode": "delay", "seconds": -1}),
        ("deliveries", {"mode": "delay", "count": "many"}),
        ("deliveries", {"rotate_secret": "we_none"}),
        ("faults", {"kind": "fire"}),
        ("faults", {"kind": "hang", "seconds": 1e9}),
        ("faults", {"kind": "hang", "count": [1]}),
        ("clock", {"advance": 1e12}),
        ("clock", {"advance": "soon"}),
        ("clock", {}),
        ("drain", {"timeout": "never"}),
    ],
)
def test_a_switch_that_makes_no_sense_is_answered_400_with_a_sentence(sandbox, switch, body):
    answer = sandbox.http.post(f"{sandbox.url}/_sandbox/{switch}", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert sandbox.http.post(f"{sandbox.url}/_sandbox/{switch}", data="[1", timeout=10).status_code == 400
    assert sandbox.http.post(f"{sandbox.url}/_sandbox/{switch}", json=[1], timeout=10).status_code == 400
    assert requests.post(f"{sandbox.url}/_sandbox/{switch}", json=body, timeout=10).status_code == 401
