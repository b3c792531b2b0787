"""A request ends in time and takes no harm, whatever the other server does."""

import time

import pytest

from webhooks.targets import read_target
from webhooks.tests.receiver import Receiver, make_certificate, raw_server
from webhooks.transport import NoAnswer, post

SOON = 1.5


def ask(url, **options):
    return post(read_target(url), headers={"X-Test": "1"}, body=b'{"a":1}', **options)


def test_the_message_arrives_as_it_was_given_and_the_answer_comes_back(receiver):
    receiver.status, receiver.headers, receiver.body = 202, {"Retry-After": "7"}, "schön".encode()
    answer = ask(receiver.url)
    assert (answer.status, answer.beginning, answer.retry_after) == (202, "schön", "7")
    [message] = receiver.messages
    assert (message.path, message.body, message.headers["host"]) == (
        "/hooks?for=lectern",
        b'{"a":1}',
        f"127.0.0.1:{receiver.port}",
    )


def test_only_the_beginning_of_a_long_answer_is_read(receiver):
    receiver.body = b"x" * 5_000_000
    assert len(ask(receiver.url).beginning) <= 500


def test_what_is_no_text_can_be_stored(receiver):
    receiver.body = b"\x00\xff\xfe ok"
    assert ask(receiver.url).beginning == "\ufffd\ufffd\ufffd ok"


def test_redirects_are_not_followed(receiver):
    other = Receiver()
    receiver.status, receiver.headers = 307, {"Location": other.url}
    assert ask(receiver.url).status == 307
    assert other.messages == []
    other.close()


def test_a_proxy_of_the_environment_is_not_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(receiver.url).status == 200


def drips(first, each):
    def talk(connection, ended):
        connection.sendall(first)
        while not ended.is_set():
            connection.sendall(each)
            time.sleep(0.05)

    return talk


def silence(_connection, ended):
    ended.wait(20)


@pytest.mark.parametrize(
    "talk",
    [
        silence,
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "status line", "endless header", "endless headers", "endless 100 Continue"],
)
def test_a_server_that_never_comes_to_an_end_is_left(talk):
    began = time.monotonic()
    with raw_server(talk) as port, pytest.raises(NoAnswer):
        ask(f"http://127.0.0.1:{port}/", seconds=SOON)
    assert time.monotonic() - began < SOON + 2


@pytest.mark.parametrize("headers", [b"Content-Length: 1000000\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_a_body_that_never_ends_changes_nothing_about_the_answer(headers):
    began = time.monotonic()
    with raw_server(drips(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n", b"1\r\na\r\n")) as port:
        assert ask(f"http://127.0.0.1:{port}/").status == 200
    assert time.monotonic() - began < 5


def test_a_body_that_never_begins_changes_nothing_either():
    def talk(connection, ended):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        ended.wait(20)

    with raw_server(talk) as port:
        answer = ask(f"http://127.0.0.1:{port}/")
    assert (answer.status, answer.beginning) == (200, "")


def says(text):
    return lambda connection, _ended: connection.sendall(text)


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (says(b""), "The server closed the connection without an answer."),
        (says(b"SSH-2.0-OpenSSH_9.9\r\n"), "The answer is no HTTP."),
        (says(b"HTTP/1.1 banana OK\r\n\r\n"), "The answer is no HTTP."),
        (says(b"HTTP/1.1 200 OK\r\nX-Huge: " + b"a" * 200_000 + b"\r\n\r\n"), "The answer is no HTTP."),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 500 + b"\r\n"), "The answer is no HTTP."),
    ],
    ids=["nothing", "ssh", "no status", "huge header", "many headers"],
)
def test_what_is_no_answer_is_explained(talk, why):
    with raw_server(talk) as port, pytest.raises(NoAnswer, match=why):
        ask(f"http://127.0.0.1:{port}/")


def test_a_port_where_nothing_listens_is_explained():
    with raw_server(silence) as port:
        pass
    with pytest.raises(NoAnswer, match="refuses connections"):
        ask(f"http://127.0.0.1:{port}/")


@pytest.fixture
def secured(tmp_path):
    receivers = []

    def start(**options):
        certificate = make_certificate(tmp_path, **options)
        receivers.append(Receiver(certificate=certificate))
        return receivers[-1], certificate

    yield start
    for receiver in receivers:
        receiver.close()


def test_a_certificate_of_a_trusted_authority_is_accepted(secured, monkeypatch):
    receiver, certificate = secured()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ask(receiver.url).status == 200


def test_nothing_is_sent_to_a_server_whose_certificate_is_wrong(secured, monkeypatch):
    receiver, _ = secured()
    with pytest.raises(NoAnswer, match="certificate is not valid"):
        ask(receiver.url)
    for options in ({"address": "127.0.0.2"}, {"is_expired": True}):
        receiver, certificate = secured(**options)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(NoAnswer, match="certificate is not valid"):
            ask(receiver.url)
        assert receiver.messages == []


def test_a_server_without_encryption_is_explained(receiver):
    with pytest.raises(NoAnswer, match="No encrypted connection"):
        ask(receiver.url.replace("http:", "https:"))


def test_a_handshake_that_never_ends_is_left():
    began = time.monotonic()
    with raw_server(silence) as port, pytest.raises(NoAnswer, match="No answer within"):
        ask(f"https://127.0.0.1:{port}/", seconds=SOON)
    assert time.monotonic() - began < SOON + 2
