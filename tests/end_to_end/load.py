"""Load from outside, with a log of every message and of every acknowledged answer: the oracle of what
must survive (I2, I3)."""

import json
import ssl
import threading
import time

from messages import fresh
from wire import Closed

PIPELINED = 16


class Sender(threading.Thread):
    """One connection of one partner that sends random messages in pipelines until it is stopped or the
    house goes away. `sent` has every message; `answers` those that were acknowledged, by message id."""

    def __init__(self, house, partner, members, chance, occurred_at):
        super().__init__(daemon=True)
        self.house = house
        self.partner = partner
        self.members = members
        self.chance = chance
        self.occurred_at = occurred_at  # called for each message
        self.sent = {}
        self.answers = {}
        self.fault = None
        self.bears_unavailability = False  # 503 is no fault: the message is sent again later
        self.stopping = threading.Event()
        self.earned = []  # message ids that may be reversed

    def next_message(self):
        """(route, body): mostly accruals and redemptions, some reversals and clawbacks."""
        body = {"message_id": fresh(self.partner), "occurred_at": self.occurred_at()}
        kind = self.chance.random()
        if kind < 0.05 and self.earned:
            original = self.earned.pop(self.chance.randrange(len(self.earned)))
            return "reversals", body | {"reverses": original}
        body |= {"member": self.chance.choice(self.members), "points": self.chance.randint(1, 500)}
        if kind < 0.35:
            return "redemptions", body
        if kind < 0.4:
            return "clawbacks", body | {"reason": "return"}
        return "accruals", body

    def run(self):
        try:
            with self.house.connect(self.partner) as connection:
                while not self.stopping.is_set():
                    self.exchange(connection, [self.next_message() for _ in range(PIPELINED)])
        except (Closed, ConnectionError, ssl.SSLError, TimeoutError):
            pass  # the house was killed
        except BaseException as error:  # pylint: disable=broad-except
            self.fault = error

    def exchange(self, connection, messages):
        for route, body in messages:
            self.sent[body["message_id"]] = (route, body)
        connection.send(b"".join(
            connection.request_bytes("POST", f"/v1/{route}", json.dumps(body).encode())
            for route, body in messages))
        for route, body in messages:
            answer = connection.read_answer()
            if answer.status == 503 and self.bears_unavailability:
                time.sleep(0.01)
                continue
            assert answer.status in (201, 422, 404), answer
            known = self.answers.get(body["message_id"])
            if answer.status == 404:
                continue  # leaves no trace: an accrual may enrol the member meanwhile
            if known is not None:
                assert (answer.status, answer.body) == (known.status, known.body), (answer, known)
                assert answer.replayed
            self.answers[body["message_id"]] = answer
            if route == "accruals" and answer.status == 201:
                self.earned.append(body["message_id"])

    def resend(self, names):
        """Sends messages again, on a connection of its own, and keeps the answers."""
        messages = [self.sent[name] for name in names]
        with self.house.connect(self.partner) as connection:
            for start in range(0, len(messages), PIPELINED):
                self.exchange(connection, messages[start:start + PIPELINED])

    def stop(self):
        self.stopping.set()
        self.join(timeout=60)
        assert not self.is_alive()
        if self.fault:
            raise self.fault


def booked(senders):
    """[(partner, route, answer as JSON)] of all that was acknowledged and booked."""
    return [(sender.partner, *_booked(sender, name)) for sender in senders
            for name, answer in sender.answers.items() if answer.status == 201]


def _booked(sender, name):
    return sender.sent[name][0], sender.answers[name].json
