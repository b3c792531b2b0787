"""Search, driven with stripe-python."""

import pytest
import stripe


@pytest.fixture
def people(client):
    """Three customers, by name."""
    return {
        name: client.v1.customers.create({"name": name, "email": f"{name}@example.com", "metadata": {"order": number}})
        for name, number in (("ada", "1"), ("bea", "2"), ("cy", "2"))
    }


def names(client, query, **options):
    return [found.name for found in client.v1.customers.search({"query": query, **options}).data]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('name:"ada"', ["ada"]),
        ('email~"EXAMPLE"', ["cy", "bea", "ada"]),
        ('metadata["order"]:"2"', ["cy", "bea"]),
        ("-metadata['order']:'2'", ["ada"]),
        ('metadata["order"]:"2" AND name:"bea"', ["bea"]),
        ('name:"ada" OR name:"cy"', ["cy", "ada"]),
        ("phone:null", ["cy", "bea", "ada"]),
        ("created>5", ["cy", "bea", "ada"]),
        ("created<5", []),
        ('name:"unknown"', []),
    ],
)
def test_a_query_finds_the_matching_customers(client, people, query, expected):
    assert names(client, query) == expected


def test_letters_of_any_alphabet_and_special_characters_are_found(client):
    client.v1.customers.create({"name": 'Łucja "100%" \\ Żak', "metadata": {"a_b": "x_1%", "size": "Ü"}})
    client.v1.customers.create({"name": "Zoe 1000", "metadata": {"a_b": "xy1z", "size": "U"}})
    for query in (
        'name~"łucja"',
        "name~'100%'",
        r'name~"\\ "',
        r'name~"\"100"',
        'metadata["a_b"]:"X_1%"',
        'metadata["size"]:"ü"',
    ):
        assert [name[:5] for name in names(client, query)] == ["Łucja"], query


@pytest.mark.parametrize(
    "query",
    ['name:"ada" AND name:"b" OR name:"c"', "password:'x'", "name", 'name:"', "created>'x'", "metadata:'x'", "'; DROP"],
)
def test_a_malformed_query_is_refused(client, people, query):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.search({"query": query})
    assert refused.value.param == "query"


def test_results_are_paged(client, people):
    first = client.v1.customers.search({"query": "created>0", "limit": 2})
    assert first.has_more
    assert [person.name for person in first.auto_paging_iter()] == ["cy", "bea", "ada"]
