"""Messages go to public addresses over HTTPS, whatever name leads elsewhere and whenever."""

import ipaddress
import socket

import pytest

from webhooks.targets import Target, TargetRefused, look_up, read_target, refuse_address
from webhooks.transport import post


@pytest.fixture(autouse=True)
def in_production(settings):
    settings.WEBHOOKS_MAY_STAY_HERE = False


@pytest.mark.parametrize(
    "url",
    [
        "",
        "school.example/hooks",
        "//school.example/hooks",
        "http://school.example/hooks",
        "ftp://school.example/",
        "file:///etc/passwd",
        "gopher://school.example/",
        "javascript:alert(1)",
        "https://",
        "https:///hooks",
        "https://user@school.example/",
        "https://user:password@school.example/",
        "https://school.example/#part",
        "https://school.example:22/",
        "https://school.example:25/",
        "https://school.example:0x1bb/",
        "https://school.example:99999/",
        "https://[::1/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://127.0.0.1:8443/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[ff02::1]/",
        "https://school.example/\r\nX-Evil: 1",
        "https://school.example/ /",
        "https://school.example\\@127.0.0.1/",
        "https://schöol.example/",
        "https://school.example/\x00",
        "https://school.example/" + "a" * 500,
        "https://" + "a" * 260 + ".example/",
    ],
)
def test_these_addresses_are_refused(url):
    with pytest.raises(TargetRefused):
        read_target(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://school.example", Target(True, "school.example", 443, "/")),
        ("https://School.Example:8443/a/b?c=d&e", Target(True, "school.example", 8443, "/a/b?c=d&e")),
        ("https://xn--schol-jua.example/%C3%B6", Target(True, "xn--schol-jua.example", 443, "/%C3%B6")),
        ("https://93.184.216.34/", Target(True, "93.184.216.34", 443, "/")),
        ("https://[2606:2800:220:1::1]:9000/", Target(True, "2606:2800:220:1::1", 9000, "/")),
    ],
)
def test_these_are_taken_apart(url, target):
    assert read_target(url) == target


def test_development_may_stay_on_this_machine_but_reaches_no_other(settings):
    settings.WEBHOOKS_MAY_STAY_HERE = True
    assert read_target("http://localhost:3000/hooks") == Target(False, "localhost", 3000, "/hooks")
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "https://192.168.1.1/"):
        with pytest.raises(TargetRefused):
            read_target(url)


def names_lead_to(monkeypatch, *answers):
    """Each look-up of a name gives the next of these lists of addresses."""
    left = list(answers)

    def getaddrinfo(_host, port, *_args, **_options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return left


def test_a_name_that_leads_inside_is_refused_when_the_connection_is_made(monkeypatch, receiver):
    """The receiver listens there: nothing arrives, whatever the name had led to when it was entered."""
    target = read_target(f"https://rebinding.example:{receiver.port}/")
    left = names_lead_to(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    assert [address for _, (address, _) in look_up(target)] == ["93.184.216.34"]
    with pytest.raises(TargetRefused):
        post(target, headers={}, body=b"{}")
    assert (left, receiver.messages) == ([], [])


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    names_lead_to(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(TargetRefused):
        look_up(read_target("https://mixed.example/"))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1"])
def test_other_ways_to_write_this_machine_are_refused_too(host):
    with pytest.raises(TargetRefused):
        read_target(f"https://{host}/")


@pytest.mark.parametrize(
    "network", ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::ffff:10.0.0.0/104"]
)
def test_the_ends_of_private_networks_are_refused(network):
    network = ipaddress.ip_network(network)
    for address in (network[0], network[1], network[-1]):
        with pytest.raises(TargetRefused):
            refuse_address(address)
