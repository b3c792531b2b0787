"""A small SMTP server that stores the messages it receives, can refuse them, and can be down at first."""

import email
import email.policy
import socketserver
import threading


class _Talk(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA":
                self.say("354 go on")
                self.take_message()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say(self.server.answers.get(verb, "250 fine"))

    def take_message(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        answer = self.server.answers.get("BODY", "250 taken")
        if answer.startswith("250"):
            self.server.taken.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        self.say(answer)

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())


class SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        """Reserve a port, which refuses connections until `start`, so that no other test's server can use it."""
        super().__init__(("127.0.0.1", 0), _Talk, bind_and_activate=False)
        self.server_bind()
        self.port = self.server_address[1]
        # Verb → answer, if it is not "fine"; BODY for the answer to the message itself.
        self.answers = {}
        self.taken = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self):
        self.server_activate()
        self._thread.start()

    def stop(self):
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join(5)
        self.server_close()
