"""R4 and R6: a disk that fails, and one that is full. Nothing is acknowledged that is not kept."""

import contextlib
import ctypes
import ctypes.util
import errno
import os
import subprocess
import threading
import time

import pytest

from house import House
from messages import accrual, fresh, message
from wire import Closed

pytestmark = [pytest.mark.about_sqlite, pytest.mark.against_the_clock]

FULL_MIB = 128
BACK_SECONDS = 5
GONE = (Closed, OSError)


@pytest.fixture(scope="module")
def failing_disk(tmp_path_factory):
    """The library that fails in the house's place."""
    library = tmp_path_factory.mktemp("faults") / "disk_faults.so"
    source = os.path.join(os.path.dirname(__file__), "disk_faults.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"], check=True)
    return library


class FailingDisk:
    """The environment of a house whose n-th write or sync fails, counted from `arm` on."""

    def __init__(self, library, folder, data, number, code, forever):
        self.armed = folder / "armed"
        self.count = folder / "count"
        self.environment = {
            "LD_PRELOAD": str(library), "FAULTS_UNDER": f"{data}/", "FAULTS_ARMED": str(self.armed),
            "FAULTS_COUNT": str(self.count), "FAULTS_AT": str(number), "FAULTS_ERRNO": str(code),
            "FAULTS_FOREVER": str(int(forever))}

    def arm(self):
        self.armed.touch()

    def calls(self):
        return int.from_bytes(self.count.read_bytes(), "little") if self.count.exists() else 0


def test_verify_on_a_full_disk_calls_nothing_unsound(make_house, failing_disk, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("m", 1)).status == 201
    house.stop()
    told = set()
    for number in range(1, 12):
        disk = FailingDisk(failing_disk, tmp_path, house.data, number, errno.ENOSPC, forever=True)
        disk.count.unlink(missing_ok=True)
        disk.arm()
        done = subprocess.run([house.binary, "verify", "--data", str(house.data)], capture_output=True, text=True,
                              env=os.environ | disk.environment, timeout=60, check=False)
        assert "NOT SOUND" not in done.stdout and done.returncode in (0, 1, 3), (number, done)
        assert done.returncode != 1 or "No space left" in done.stderr, (number, done)  # the lock's file
        told.add(done.returncode)
    assert 3 in told
    assert house.verify()["ok"]


def script(name):
    """A short life with every kind of write: a new member, spending, undoing, and a new month."""
    def step(route, **fields):
        return route, message(**fields) | {"message_id": fresh(name)}

    earned = step("accruals", member=name, points=100)
    spent = step("redemptions", member=name, points=30)
    return [earned, spent, step("reversals", reverses=spent[1]["message_id"], points=10),
            step("holds", member=name, points=20, expires_in_seconds=600),
            step("accruals", member=name, points=1, occurred_at="2026-07-01T00:00:00Z")]


def send_all(house, steps, answers, may_refuse=True):
    """Sends every message, again where it was answered, until the house goes away; notes the answers."""
    for route, body in steps:
        try:
            with house.connect("GRO") as gro:
                answer = gro.post(f"/v1/{route}", body)
        except GONE:
            return
        assert answer.status in (201, 404, 503) if may_refuse else answer.status == 201, answer
        if answer.status != 201:
            continue
        known = answers.get(body["message_id"])
        if known is not None:
            assert answer.body == known, answer
        answers[body["message_id"]] = answer.body


def test_every_write_that_fails(make_house, failing_disk, tmp_path, nightly):
    """The n-th write or sync fails, once or from then on, with each error; n = 1 … until none is left."""
    house = make_house().make("GRO").start()
    number, lives, reached = 0, 0, True
    while reached:
        number += 1
        reached = False
        kinds = [(code, forever) for code in (errno.EIO, errno.ENOSPC) for forever in (False, True)]
        for code, forever in kinds if nightly else [kinds[number % 4]]:
            house.stop()
            folder = tmp_path / f"{number}-{code}-{forever}"
            folder.mkdir()
            disk = FailingDisk(failing_disk, folder, house.data, number, code, forever)
            house.environment = disk.environment
            house.start()
            disk.arm()
            steps, answers = script(fresh("disk")), {}
            send_all(house, steps, answers)
            if not forever and house.process.poll() is None:
                # A disk that failed once: the house finds back by itself.
                end = time.monotonic() + BACK_SECONDS
                while len(answers) < len(steps) and time.monotonic() < end and house.process.poll() is None:
                    send_all(house, steps, answers)
            lives += 1
            reached = reached or disk.calls() >= number
            house.kill()
            house.environment = {}
            house.start()
            send_all(house, steps, answers, may_refuse=False)
            assert len(answers) == len(steps), (number, code, forever, answers)
    print(f"{lives} lives; a short script writes or syncs {number - 1} times")
    assert number > 20, "nothing was counted: the library was not in the way"
    assert house.verify("--from-scratch")["ok"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few MiB of its own, in memory."""
    folder = tmp_path / "small"
    folder.mkdir()
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={FULL_MIB}m".encode()) != 0:
        pytest.fail(f"R6 needs a small disk, and mounting one is refused here: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(os.fsencode(folder), 2)  # detached, once the house is gone


def fill(folder):
    """Takes all that is free, though others write meanwhile; returns the file that holds it."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(16 * 1024))
    return filler


class Steady(threading.Thread):
    """Accruals one after the other, whatever comes; `answers` are those that were booked."""

    def __init__(self, house, member):
        super().__init__(daemon=True)
        self.house, self.member = house, member
        self.sent, self.answers, self.refused = [], {}, 0
        self.last_booked = time.monotonic()
        self.stopping = threading.Event()
        self.fault = None

    def run(self):
        try:
            with self.house.connect("GRO") as gro:
                while not self.stopping.is_set():
                    body = accrual(self.member, 3, reason="x" * 60)
                    self.sent.append(body)
                    answer = gro.post("/v1/accruals", body)
                    assert answer.status in (201, 503), answer
                    if answer.status == 503:
                        self.refused += 1
                        time.sleep(0.005)
                        continue
                    self.answers[body["message_id"]] = answer.body
                    self.last_booked = time.monotonic()
        except BaseException as error:  # pylint: disable=broad-except
            self.fault = error


def test_a_full_disk_refuses_and_goes_on_when_there_is_room(binary, small_disk, nightly):
    house = House(binary, small_disk)
    house.log = small_disk.parent / "house.log"
    house.make("GRO").start()
    slowest, rounds = 0, 0
    senders = [Steady(house, fresh("full")) for _ in range(4)]
    try:
        for sender in senders:
            sender.start()
        end = time.monotonic() + (60 if nightly else 20)
        while time.monotonic() < end:
            before = sum(sender.refused for sender in senders)
            filler = fill(small_disk)
            full = time.monotonic()
            while sum(sender.refused for sender in senders) < before + 20:
                assert time.monotonic() - full < 20, "the disk never was full"
                assert not any(sender.fault for sender in senders), [sender.fault for sender in senders]
                time.sleep(0.02)
            with house.connect("GRO") as gro:  # reads are served meanwhile
                for sender in senders:
                    shown = gro.get(f"/v1/members/{sender.member}")
                    assert shown.status in (200, 404), shown
            status, reason = house.admin("/readyz")
            assert status == 503 and b"the ledger cannot commit" in reason, reason
            filler.unlink()
            room = time.monotonic()
            while min(sender.last_booked for sender in senders) < room:
                assert time.monotonic() - room < BACK_SECONDS, house.log_tail()
                time.sleep(0.01)
            slowest = max(slowest, time.monotonic() - room)
            assert house.admin("/readyz")[0] == 200
            rounds += 1
        for sender in senders:
            sender.stopping.set()
            sender.join(timeout=30)
            assert sender.fault is None, sender.fault
        print(f"full {rounds} times, {sum(sender.refused for sender in senders)} refused, "
              f"{sum(len(sender.answers) for sender in senders)} booked, back within {slowest:.2f} s")
        with house.connect("GRO") as gro:
            for sender in senders:
                for body in sender.sent:
                    answer = gro.post("/v1/accruals", body)
                    assert answer.status == 201, answer
                    assert sender.answers.setdefault(body["message_id"], answer.body) == answer.body
                balance = gro.get(f"/v1/members/{sender.member}").json["balance"]
                assert balance["available"] == 3 * len(sender.sent)
        assert house.verify("--from-scratch")["ok"]
    finally:
        for sender in senders:
            sender.stopping.set()
        house.kill()
