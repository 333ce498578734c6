"""An operator's act, its answer and its message id are one commit. Whatever write fails, whatever answer of the
database is lost, and whenever the house is killed after it: the act is done whole or not at all, and sent again it is
done exactly once."""

import contextlib
import csv
import errno
import io
import itertools
import json
import socket
import threading
import time

import pytest

from messages import fresh
from test_disk import FailingDisk, failing_disk  # noqa: F401
from test_operator_routes import OPERATOR, TOML, bring
from wire import Closed

GONE = (Closed, OSError)
BACK_SECONDS = 10
PROMOTION = '[[promotion]]\nid = "{id}"\nfrom = "2026-08-01"\nto = "2026-08-31"\nfunders = {{ GRO = 1, TNK = 1 }}\n'


def listed(connection, path):
    answer = connection.get(OPERATOR + path)
    assert answer.status in (200, 500, 503), answer
    if answer.status != 200:
        raise ConnectionError("it cannot say now")
    return answer.json


def house_of_two(house):
    house.make("GRO", "TNK", operators=("anna", "bob"))
    return house


class MovesCollateral:
    """An act that moves money: seven cents more each time."""
    path = "settle/collateral"
    who = "anna"

    def prepare(self, house):
        self.body = {"message_id": fresh("act"), "partner": "GRO", "amount_minor": 7, "evidence": "slip"}

    @staticmethod
    def done(connection):
        return sum(row["held_minor"] for row in listed(connection, "settle/collateral")) // 7

    @staticmethod
    def check(house, times):
        exported = csv.DictReader(io.StringIO(house.run("export", "journal", "--format", "csv").stdout))
        moved = [(row["debit"], row["credit"]) for row in exported if row["account"] == "collateral:GRO"]
        assert moved == [("", "0.070000")] * times


class Approves:
    """An act of the second person: what the first one prepared is in force once."""
    path = "approve"
    who = "bob"

    def prepare(self, house):
        with house.connect("operator:anna") as anna:
            waiting = bring(anna, "promotion/add", PROMOTION.format(id=fresh("p")).encode(), TOML)
        assert waiting.status == 202, waiting
        self.body = {"message_id": fresh("act"), "proposal": waiting.json["proposal"]}

    @staticmethod
    def done(connection):
        return len(listed(connection, "promotion/list"))

    @staticmethod
    def check(house, times):
        assert len(house.json("promotion", "list")) == times


ACTS = pytest.mark.parametrize("kind", [MovesCollateral, Approves])


class Life:
    """One act that meets a fault."""

    def __init__(self, house, act, before):
        self.house, self.act, self.before = house, act, before
        self.body = None  # of the answer, once there is one
        self.was_there = None  # what the fault left

    def send(self):
        """The answer; None: the house is gone, or could not."""
        try:
            with self.house.connect(f"operator:{self.act.who}") as who:
                answer = who.post(OPERATOR + self.act.path, self.act.body)
        except GONE:
            return None
        assert answer.status in (200, 500, 503), answer
        if answer.status != 200:
            return None
        assert self.body in (None, answer.body), "the first answer, for ever"
        self.body = answer.body
        return answer

    def look(self):
        """Whether it is done; once it was answered it is."""
        with self.house.connect(f"operator:{self.act.who}") as who:
            times = self.act.done(who) - self.before
        assert times in (0, 1) and times >= (self.body is not None), times
        return times == 1

    def send_until_answered(self):
        end = time.monotonic() + BACK_SECONDS
        while True:
            # Nothing is half done: who finds it done gets its answer, who does not does it.
            with contextlib.suppress(*GONE):
                self.was_there = self.look()
            answer = self.send()
            if answer is not None:
                assert self.was_there is None or answer.replayed == self.was_there, answer
                return
            assert time.monotonic() < end, self.house.log_tail()
            time.sleep(0.02)

    def restart(self):
        self.house.kill()
        self.house.environment = {}
        self.house.start()

    def check(self):
        assert self.look()
        assert self.send().replayed
        assert self.look()


@pytest.mark.about_sqlite
@ACTS
def test_every_write_that_fails(make_house, failing_disk, tmp_path, kind):  # noqa: F811
    """The n-th write or sync from the request on fails, once or from then on; n = 1 … until none is left."""
    house, lives, left = house_of_two(make_house()).start(), 0, []
    for number in itertools.count(1):
        reached = False
        for code, forever in ((errno.EIO, False), (errno.ENOSPC, True)):
            house.stop()
            folder = tmp_path / f"{number}-{code}"
            folder.mkdir()
            disk = FailingDisk(failing_disk, folder, house.data, number, code, forever)
            house.environment = disk.environment
            house.start()
            act = kind()
            act.prepare(house)
            life = Life(house, act, lives)
            disk.arm()
            was_answered = life.send() is not None
            if not forever and number % 2 and house.process.poll() is None:
                life.send_until_answered()
            reached = reached or disk.calls() >= number
            life.restart()
            left.append((was_answered, life.look()))
            life.send_until_answered()
            life.check()
            lives += 1
        if not reached:
            break
    print(f"{lives} lives; an act writes or syncs {number - 1} times; not answered and not done "
          f"{left.count((False, False))}, not answered and done {left.count((False, True))}")
    assert number > 3 and (False, False) in left
    kind.check(house, lives)
    house.stop()
    assert house.verify("--from-scratch")["ok"]


class CuttingProxy:
    """Carries a house to its PostgreSQL server. Armed, it cuts the connection on which `marker` is sent: after so many
    more bytes of one side. What was held back never arrives."""

    def __init__(self, port):
        self.server_port = port
        self.lock = threading.Lock()
        self.disarm()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, marker, side, limit):
        with self.lock:
            self.marker, self.side, self.limit, self.marked, self.was_cut = marker, side, limit, None, False

    def disarm(self):
        self.marker = self.marked = None
        self.was_cut = False

    def close(self):
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.server_port))
                pair = (client, server)
                for each in pair:
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for side, (source, sink) in (("client", pair), ("server", pair[::-1])):
                    threading.Thread(target=self.carry, args=(pair, side, source, sink), daemon=True).start()

    def carry(self, pair, side, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                passed = self.passed(pair, side, data)
                if passed:
                    sink.sendall(data[:passed])
                if passed < len(data):
                    break
        for each in pair:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def passed(self, pair, side, data):
        """How much of it goes on."""
        with self.lock:
            if self.marker is None or self.was_cut:
                return len(data)
            if self.marked is None and side == "client" and self.marker in data:
                self.marked = pair
            if self.marked is not pair or side != self.side:
                return len(data)
            passed = min(len(data), self.limit)
            self.limit -= passed
            self.was_cut = passed < len(data)
            return passed


@pytest.mark.about_postgres
@ACTS
def test_every_cut_between_the_house_and_its_database(make_house, postgres, kind):
    """Of what the house sends, and of what the server answers, from the act's first statement on."""
    house, lives, left = house_of_two(make_house()), 0, []
    with contextlib.closing(CuttingProxy(postgres.port)) as proxy:
        config = house.data / "pointhouse.toml"
        config.write_text(config.read_text().replace(f":{postgres.port}/", f":{proxy.port}/"))
        house.start()
        for side, step in (("client", 61), ("server", 13)):
            for limit in itertools.count(0, step):
                act = kind()
                act.prepare(house)
                life = Life(house, act, lives)
                proxy.arm(act.body["message_id"].encode(), side, limit)
                was_answered = life.send() is not None
                was_cut = proxy.was_cut
                proxy.disarm()
                if lives % 4 == 3:
                    life.restart()
                life.send_until_answered()
                life.check()
                lives += 1
                left.append((was_answered, life.was_there))
                if not was_cut:
                    break
            assert limit >= 4 * step, "nothing was cut"
        print(f"{lives} lives; not answered and not done {left.count((False, False))}, "
              f"not answered and done {left.count((False, True))}")
        assert (False, False) in left, "no write failed"
        assert (False, True) in left, "no answer was lost"
        kind.check(house, lives)
        house.stop()
        assert house.verify("--from-scratch")["ok"]
