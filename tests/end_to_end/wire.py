"""A partner's end of the wire: HTTP/1.1 over mutual TLS, on a plain socket.

Written by hand so that a test can send what no HTTP library would, and so that every byte of an answer
is looked at."""

import json
import socket
import ssl

TIMEOUT_SECONDS = 20


class Closed(Exception):
    """The house closed the connection before an answer was complete."""


def strict_json(text):
    """Parses JSON as the contract writes it: integers only, no key twice."""

    def pairs(items):
        keys = [key for key, _ in items]
        assert len(keys) == len(set(keys)), f"a key twice in {keys}"
        return dict(items)

    def no_float(literal):
        raise AssertionError(f"a number that is no integer: {literal}")

    return json.loads(text, object_pairs_hook=pairs, parse_float=no_float, parse_constant=no_float)


class Answer:
    """One HTTP answer: status, headers (lower-case names) and body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return strict_json(self.body)

    @property
    def replayed(self):
        value = self.headers.get("idempotent-replayed")
        assert value in (None, "true"), value
        return value == "true"

    @property
    def code(self):
        """The code of a problem; asserts that it is a whole one."""
        problem = self.json
        assert self.headers["content-type"] == "application/problem+json", self.headers
        missing = {"type", "title", "status", "detail", "code", "retry"} - problem.keys()
        assert not missing, f"{missing} missing in {problem}"
        assert problem["status"] == self.status
        assert problem["retry"] in ("never", "same_id", "new_id"), problem
        return problem["code"]

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:600]!r}>"


def client_context(ca, certificate=None, key=None):
    """A TLS context that trusts the house's CA and shows the given certificate, if any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


class Connection:
    """One connection to the house. Not for two threads at once."""

    def __init__(self, port, context=None):
        self.host = f"127.0.0.1:{port}"
        raw = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = context.wrap_socket(raw, server_hostname="127.0.0.1") if context else raw
        except BaseException:
            raw.close()
            raise
        self.received = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def request_bytes(self, method, target, body=None, headers=()):
        """A well-formed request; `headers` may add to it or replace what it would say."""
        lines = {"Host": self.host}
        if body is not None:
            lines["Content-Type"] = "application/json"
            lines["Content-Length"] = str(len(body))
        lines.update(headers)
        head = f"{method} {target} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
        return head.encode("latin-1") + b"\r\n" + (body or b"")

    def request(self, method, target, body=None, headers=()):
        """`body` may be bytes, or anything that JSON can say."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send(self.request_bytes(method, target, body, headers))
        return self.read_answer(head_only=method == "HEAD")

    def get(self, target, headers=()):
        return self.request("GET", target, headers=headers)

    def post(self, target, body, headers=()):
        return self.request("POST", target, body, headers)

    def _receive(self):
        try:
            data = self.socket.recv(65536)
        except (ssl.SSLError, ConnectionError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self.received += data

    def read_answer(self, head_only=False):
        while b"\r\n\r\n" not in self.received:
            self._receive()
        head, _, rest = self.received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("ascii").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1", status_line
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            assert name.lower() not in headers, f"header twice: {line}"
            headers[name.lower()] = value.strip()
        length = 0 if head_only else int(headers["content-length"])
        self.received = rest
        while len(self.received) < length:
            self._receive()
        body, self.received = self.received[:length], self.received[length:]
        answer = Answer(int(status), headers, body)
        assert headers.get("request-id"), f"no Request-Id in {answer}"
        return answer

    def is_closed(self):
        """Waits for the end of the stream; False when the house sends anything more."""
        if self.received:
            return False
        try:
            self._receive()
        except Closed:
            return True
        except TimeoutError:
            return False
        return False
