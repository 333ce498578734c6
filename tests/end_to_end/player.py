"""Plays messages to a real house as its partners do: a connection each, holds known by their message."""

import contextlib
import json
import time

IDLE_SECONDS_MAX = 30  # the house closes a connection that was idle for a minute


def by_issuer(rows, own):
    """{issuer: points} as a partner sees it: its own, and all others together."""
    seen = {}
    for issuer, points in rows:
        name = issuer if issuer == own or own is None else "others"
        seen[name] = seen.get(name, 0) + points
    return seen


class Player(contextlib.ExitStack):
    """`send` takes the oracle's paths: `holds/<message id of the hold>/capture`."""

    def __init__(self, house):
        super().__init__()
        self.house = house
        self.connections = {}  # partner → (connection, when it was last used)
        self.holds = {}  # (partner, message id) → hold id

    def connection(self, name):
        connection, used = self.connections.get(name, (None, 0))
        if connection is None or time.monotonic() - used > IDLE_SECONDS_MAX:
            connection = self.enter_context(self.house.connect(name))
        self.connections[name] = connection, time.monotonic()
        return connection

    def target(self, partner, path):
        room, *rest = path.split("/")
        if room == "holds" and rest:
            rest[0] = self.holds.get((partner, rest[0]), rest[0])
        return "/".join(["/v1", room, *rest])

    def send(self, partner, path, body):
        answer = self.connection(partner).post(self.target(partner, path), body)
        if path == "holds" and answer.status == 201:
            self.holds[partner, body["message_id"]] = answer.json["hold_id"]
        return answer

    def post_only(self, partner, path, body):
        """Sends a message and does not wait for its answer."""
        connection = self.connection(partner)
        connection.send(connection.request_bytes("POST", self.target(partner, path), json.dumps(body).encode()))

    def connect_anew(self):
        self.close()
        self.connections.clear()

    def approve(self, waiting, operator, path, body):
        """A second operator approves what waits; then the same message has its outcome."""
        assert waiting.json["state"] == "waiting", waiting
        self.house.run("approve", waiting.json["proposal"], "--as-both", status=None)
        answer = self.send(operator, path, body)
        assert answer.replayed, answer
        del answer.headers["idempotent-replayed"]
        return answer

    def advance(self, moment):
        self.house.run("clock", "advance", moment)

    def member(self, name):
        answer = self.connection("operator:anna").get(f"/v1/members/{name}")
        assert answer.status == 200, answer
        return answer.json
