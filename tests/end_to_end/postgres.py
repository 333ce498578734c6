"""PostgreSQL servers of the tests' own, made by tests/postgres/server, and databases on them."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "postgres" / "server"
PSQL = "/usr/lib/postgresql/15/bin/psql"


def run(*arguments):
    done = subprocess.run([str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


class PostgresServer:
    """A server in a folder of its own. `settings` are written NAME=VALUE."""

    numbers = itertools.count()

    def __init__(self, standby_of=None, settings=()):
        self.folder = Path(tempfile.mkdtemp(prefix="pointhouse-postgres-"))
        if standby_of is None:
            self.start(*settings)
        else:
            self.url = run("standby", self.folder, 0, standby_of.folder)

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def start(self, *settings):
        port_file = self.folder / "port"
        port = port_file.read_text().strip() if port_file.exists() else 0
        self.url = run("start", self.folder, port, *settings)

    def promote(self):
        run("promote", self.folder)

    def kill(self):
        """At once, as a power cut would."""
        run("kill", self.folder)

    def abort(self):
        """Stopped without a checkpoint: the next start recovers."""
        run("abort", self.folder)

    def kill_backend(self):
        """One process of the server, of a connection to a house's database; the server starts all anew by itself."""
        found = self.query("postgres", "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'house%' ORDER BY random()")
        os.kill(int(found[0][0]), signal.SIGKILL)

    def remove(self):
        # Nobody reads the data again: the checkpoint of an orderly stop took over a minute.
        subprocess.run([str(SCRIPT), "abort", str(self.folder)], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def query(self, database, sql):
        """Rows of texts."""
        done = subprocess.run(
            [PSQL, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator", "\x1f",
             "--set", "ON_ERROR_STOP=1", f"{self.url}/{database}", "--command", sql],
            capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{sql}: {done.stderr}"
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def new_database(self):
        """A name that is a store: postgres://…/house_7."""
        name = f"house_{next(self.numbers)}"
        self.query("postgres", f"CREATE DATABASE {name} STRATEGY file_copy")
        return f"{self.url}/{name}"

    def copy_database(self, store):
        """The same of a store that nobody uses now."""
        name = f"house_{next(self.numbers)}"
        self.query("postgres", f"CREATE DATABASE {name} TEMPLATE {store.rpartition('/')[2]} STRATEGY file_copy")
        return f"{self.url}/{name}"
