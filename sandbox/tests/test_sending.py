"""The connections over which deliveries are sent, as an endpoint's server sees them."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.webhooks import sending
from sandbox.webhooks.sending import post


class Server:
    """Answers every POST, records the connection it came over, and can close it afterwards without announcing that."""

    def __init__(self):
        self.requests, self.hangs_up = [], False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append((self.client_address[1], self.path, self.headers["Host"], body))
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"4\r\nfine\r\n0\r\n\r\n")
                self.close_connection = server.hangs_up

            def log_message(self, *_): ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()
    for kept in sending._kept.values():
        while kept:
            kept.pop().close()


def test_a_connection_is_used_for_several_requests(server):
    for number in range(3):
        assert post(f"http://{server.address}/hooks?shop=7", f"{number}".encode(), {}) == (200, b"fine")
    assert {request[1:3] for request in server.requests} == {("/hooks?shop=7", server.address)}
    assert [request[3] for request in server.requests] == [b"0", b"1", b"2"]
    assert len({request[0] for request in server.requests}) == 1


def test_a_connection_closed_by_the_server_is_replaced(server):
    server.hangs_up = True
    for _ in range(3):
        assert post(f"http://{server.address}/", b"{}", {}) == (200, b"fine")
        time.sleep(0.1)
    assert len({request[0] for request in server.requests}) == 3


def test_a_request_is_not_repeated_if_the_server_hangs_up_without_answering():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received = []

        def hang_up():
            connection, _ = listener.accept()
            received.append(connection.recv(1000))
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ConnectionError):
            post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
        thread.join()
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert len(received) == 1


def test_events_are_sent_as_indented_json_like_stripes(sandbox, receiver, client):
    client.v1.customers.create(
        {"name": 'Łucja "\\" \u2028', "metadata": {"a": "\n", "{": "}"}, "preferred_locales": ["pl"]}
    )
    client.v1.customers.create({})
    sandbox.drain()
    assert receiver.types() == ["customer.created"] * 2
    for event, body, _ in receiver.received:
        assert body == json.dumps(event, indent=2).encode()
