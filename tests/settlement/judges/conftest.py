"""Documents as they leave the house, and the judges from outside that read them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from official_rules import OfficialRules, Schema  # noqa: E402

REPOSITORY = Path(__file__).parents[3]
SCHEMAS = REPOSITORY.parent / "shared" / "xsd" / "ubl-2.1" / "maindoc"


def pytest_addoption(parser):
    parser.addoption("--documents-binary", default=str(REPOSITORY / "build/release/tests/settlement/write_documents"))
    parser.addoption("--months", type=int, default=200, help="how many random months to judge")
    parser.addoption("--nightly", action="store_true", help="1,000 random months")


@pytest.fixture(scope="session")
def documents(request, tmp_path_factory):
    """A folder with <name>.json of each document, and <name>.xml where it is an invoice."""
    binary = Path(request.config.getoption("--documents-binary")).resolve()
    assert os.access(binary, os.X_OK), f"build it first: {binary}"
    months = 1_000 if request.config.getoption("--nightly") else request.config.getoption("--months")
    folder = tmp_path_factory.mktemp("documents")
    subprocess.run([binary, folder, str(months)], check=True)
    return folder


@pytest.fixture(scope="session")
def judged_payments(request):
    """Runs the program that shows what the payments side computes; returns what it prints."""
    binary = Path(request.config.getoption("--documents-binary")).resolve().with_name("judged_payments")
    assert os.access(binary, os.X_OK), f"build it first: {binary}"

    def run(*arguments):
        return subprocess.run([binary, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture(scope="session")
def judged_lives(request):
    """Runs the program that plays whole lives of a coalition; yields what it prints, line by line."""
    binary = Path(request.config.getoption("--documents-binary")).resolve().with_name("judged_lives")
    assert os.access(binary, os.X_OK), f"build it first: {binary}"

    def run(*arguments):
        with subprocess.Popen([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True) as running:
            yield from running.stdout
        assert running.returncode == 0, f"judged_lives {arguments}: {running.returncode}"

    return run


@pytest.fixture(scope="session")
def seed():
    """Printed with a failure, and told again by POINTHOUSE_SEED."""
    chosen = int(os.environ.get("POINTHOUSE_SEED", time.time_ns() % 1_000_000))
    print("seed", chosen)
    return chosen


@pytest.fixture(scope="session")
def rules():
    return OfficialRules(REPOSITORY / "build" / "judges")


@pytest.fixture(scope="session")
def schema():
    if not SCHEMAS.exists():
        pytest.skip(f"the UBL 2.1 schemas are not at {SCHEMAS}")
    return Schema(SCHEMAS)
