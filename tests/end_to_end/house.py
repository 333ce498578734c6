"""A house under test: the real executable with a data folder of its own, on free ports."""

import contextlib
import csv
import http.client
import io
import itertools
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

from wire import Connection, client_context

REPOSITORY = Path(__file__).resolve().parents[2]
READY_SECONDS = 30


def _ports_of_this_process():
    """Those below the kernel's own choice; as many again for each process of tests that run side by side."""
    each = 4_000
    first = 10_000 + each * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 5)
    begin = random.randrange(each)
    return itertools.cycle(first + (begin + step) % each for step in range(each))


_ports = _ports_of_this_process()


def free_port():
    """A port that nobody has now and that this process gave out long ago, if ever."""
    while True:
        port = next(_ports)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class House:
    """Makes, starts, asks, kills one house. `clock` is that of `pointhouse serve`; `store` that of `init`."""

    shards = 1  # of new houses

    def __init__(self, binary, folder, clock="messages", store="sqlite"):
        self.binary = str(binary)
        self.data = folder / "house"
        self.log = folder / "house.log"
        self.clock = clock
        self.store = store
        self.port = free_port()
        self.admin_port = free_port()
        self.process = None
        self.environment = {}  # of the serving process, beside the tests' own
        self.contexts = {}

    # Commands.

    def run(self, *arguments, status=0, timeout=600):
        """Runs `pointhouse ARGUMENTS --data …`, expects the exit status, returns what it printed."""
        done = subprocess.run(
            [self.binary, *map(str, arguments), "--data", str(self.data)],
            capture_output=True, text=True, errors="replace", timeout=timeout, check=False)
        if status is not None:
            assert done.returncode == status, (
                f"{arguments} exited {done.returncode}, not {status}:\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments, status=0, timeout=600):
        return json.loads(self.run(*arguments, "--json", status=status, timeout=timeout).stdout)

    def init(self, *arguments):
        if "--shards" not in arguments and self.shards > 1:
            arguments += ("--shards", self.shards)
        return self.run("init", "--store", self.store, *arguments)

    def make(self, *partners, currency="EUR", operators=("anna",)):
        """`init`, then partners on the standard tariff with a certificate each."""
        self.init("--currency", currency)
        for partner in partners:
            self.run("partner", "add", partner, "--standard")
            self.run("cert", "issue", partner)
        for name in operators:
            self.run("cert", "issue", f"operator:{name}")
        return self

    def restore(self, backup, status=0):
        """Into this house's own store."""
        elsewhere = () if self.store == "sqlite" else ("--store", self.store)
        return self.run("restore", "--from", backup, *elsewhere, status=status)

    def verify(self, *arguments, status=0):
        return self.json("verify", *arguments, status=status)

    def books(self, sql):
        """Rows of the books, as a finance person would ask for them."""
        if self.store == "sqlite":
            with contextlib.closing(
                    sqlite3.connect(f"file:{self.data}/books.db?mode=ro", uri=True)) as books:
                return books.execute(sql).fetchall()
        done = subprocess.run(
            ["/usr/lib/postgresql/15/bin/psql", "--no-psqlrc", "--quiet", "--csv", "--tuples-only", self.store,
             "--command", f"SET search_path = books; {sql}"],
            capture_output=True, text=True, timeout=60, check=True)
        return [tuple(int(cell) if re.fullmatch(r"-?\d+", cell) else cell for cell in row)
                for row in csv.reader(io.StringIO(done.stdout))]

    # The process.

    def start(self, wait=True):
        arguments = [
            self.binary, "serve", "--data", str(self.data), "--clock", self.clock,
            "--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT,
                                            env=os.environ | self.environment)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self):
        """Returns the seconds it took."""
        began = time.monotonic()
        while time.monotonic() - began < READY_SECONDS:
            assert self.process.poll() is None, f"the house ended: {self.log_tail()}"
            try:
                if self.admin("/readyz")[0] == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError(f"not ready in {READY_SECONDS} s: {self.log_tail()}")

    def stop(self):
        """SIGTERM; the house drains and ends well."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process = None
        assert status == 0, f"exit status {status}: {self.log_tail()}"
        return status

    def kill(self):
        """SIGKILL, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=30)
            self.process = None

    def log_tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    # The wire.

    def certificate_folder(self, name):
        certificates = self.data / "certs"
        for folder in (name, name.replace(":", "-"), name.replace(":", "_"), name.partition(":")[2]):
            if folder and (certificates / folder / "cert.pem").exists():
                return certificates / folder
        raise AssertionError(f"no certificate of {name} in {sorted(os.listdir(certificates))}")

    def authority(self):
        return self.data / "certs" / "ca.pem"

    def context(self, name):
        if name not in self.contexts:
            folder = self.certificate_folder(name)
            self.contexts[name] = client_context(
                self.authority(), folder / "cert.pem", folder / "key.pem")
        return self.contexts[name]

    def connect(self, name):
        return Connection(self.port, self.context(name))

    def admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
