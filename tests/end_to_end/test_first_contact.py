"""What a stranger does first: ./ops/run, the README's curl, Ctrl-C, ./ops/run again."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from house import REPOSITORY, free_port

# The tests share their starts of ops/run, and one says how quick they are.
pytestmark = pytest.mark.against_the_clock

README = REPOSITORY / "README.md"


class Run:
    """ops/run in a process group of its own, its output read line by line."""

    def __init__(self, folder, *arguments):
        self.port, self.admin_port = free_port(), free_port()
        environment = os.environ | {
            "POINTHOUSE_DATA": str(folder), "POINTHOUSE_LISTEN": f"127.0.0.1:{self.port}",
            "POINTHOUSE_ADMIN": f"127.0.0.1:{self.admin_port}"}
        self.process = subprocess.Popen(
            [REPOSITORY / "ops" / "run", *arguments], env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self):
        return "".join(self.lines)

    def wait_for(self, words, seconds):
        """Returns the seconds it took."""
        began = time.monotonic()
        while words not in self.output:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() - began < seconds, f"no {words!r} in {seconds} s:\n{self.output}"
            time.sleep(0.02)
        return time.monotonic() - began

    def interrupt(self):
        """Ctrl-C, as a terminal sends it: to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(timeout=30)
        self.reader.join(timeout=5)
        return status

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("first") / "var"


@pytest.fixture(scope="module")
def first(folder):
    """The first start, demo and all, until it serves."""
    run = Run(folder)
    try:
        run.wait_for("Serving on", 600)
        yield run
    finally:
        run.kill()


def test_the_demo_ends_serving_and_shows_what_the_month_came_to(first, folder):
    shown = first.output.lower()

    assert "trial balance" in shown
    assert "2026-06" in shown
    assert re.search(r"\bnet\b", shown)
    invoices = [path for path in (folder / "demo" / "invoices").rglob("*") if path.is_file()]
    assert {path.suffix for path in invoices} == {".xml", ".json", ".csv", ".pdf"}
    assert str(folder / "demo" / "invoices" / "2026-06") in first.output


def readme_commands():
    """The README's curl examples, each a whole command of a fenced block."""
    blocks = re.findall(r"^(?:```|~~~)\w*\n(.*?)^(?:```|~~~)", README.read_text(), re.S | re.M)
    blocks += re.findall(r"((?:^    .*\n)+)", README.read_text(), re.M)
    commands = []
    for block in blocks:
        joined = re.sub(r"\\\n\s*", " ", block)
        commands += [line.strip().removeprefix("$ ") for line in joined.splitlines()
                     if line.strip().removeprefix("$ ").startswith("curl ")]
    return commands


def test_the_readme_s_curl_examples_work_as_printed(first, folder):
    commands = readme_commands()
    assert commands, "the README shows no curl example"
    for command in commands:
        here = command.replace("127.0.0.1:8443", f"127.0.0.1:{first.port}") \
            .replace("localhost:8443", f"localhost:{first.port}") \
            .replace("127.0.0.1:8444", f"127.0.0.1:{first.admin_port}").replace("var/", f"{folder}/")
        done = subprocess.run(["bash", "-c", here], cwd=REPOSITORY, capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode == 0, (here, done.stderr)
        assert done.stdout.strip(), here
        assert '"code":' not in done.stdout, (here, done.stdout)


def test_ctrl_c_stops_cleanly_and_the_second_start_is_quick(first, folder):
    assert first.interrupt() == 0, first.output
    assert "stopped" in first.output

    second = Run(folder)
    try:
        seconds = second.wait_for("Serving on", 60)
        assert seconds < 5, f"the second start took {seconds:.1f} s"
        assert "trial balance" in second.output.lower()
        assert second.interrupt() == 0
    finally:
        second.kill()


def test_an_empty_house(folder):
    run = Run(folder, "--no-demo")
    try:
        run.wait_for("Serving on", 60)
        assert run.interrupt() == 0
    finally:
        run.kill()


@pytest.mark.parametrize("script", ["run", "test"])
def test_an_unknown_option_is_refused(script):
    done = subprocess.run([REPOSITORY / "ops" / script, "--nonsense"], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_without_root_the_missing_packages_are_named(tmp_path):
    """Neither root nor sudo: a clear message and no half installation."""
    packages = tmp_path / "packages.txt"
    packages.write_text("no-such-package-of-debian  # for this test\n")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "id").chmod(0o755)
    for tool in ("bash", "env", "sed", "awk", "comm", "sort", "dpkg-query", "mktemp"):
        (tools / tool).symlink_to(subprocess.run(
            ["which", tool], capture_output=True, text=True, check=True).stdout.strip())

    done = subprocess.run([REPOSITORY / "ops" / "install", packages], env={"PATH": str(tools)},
                          capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 1
    assert "no-such-package-of-debian" in done.stderr and "sudo" in done.stderr
