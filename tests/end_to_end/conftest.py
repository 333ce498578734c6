"""Fixtures: a house per module, and connections of its partners."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "oracle")]

from house import REPOSITORY, House  # noqa: E402
from messages import accrual, fresh  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from seeds import seed  # noqa: E402, F401

SHARED_DATA = REPOSITORY.parent / "shared" / "data"
LONGEST = {"test_windows", "test_random_months", "test_bank", "test_postgres", "test_replay", "test_june_2026"}


def pytest_addoption(parser):
    parser.addoption("--house-binary", default=str(REPOSITORY / "build/release/ops/pointhouse"))
    parser.addoption("--store", choices=["sqlite", "postgres"], default="sqlite",
                     help="what the houses are made on; a PostgreSQL server is started where it is needed")
    parser.addoption("--shards", type=int, default=1, help="of the houses' journals")
    parser.addoption("--nightly", action="store_true", help="the long sizes")
    parser.addoption("--messages", type=int, help="of the random months; default: a minute's, nightly 1,000,000")


def pytest_configure(config):
    House.shards = config.getoption("--shards")
    config.addinivalue_line("markers", "about_sqlite: about the files of the embedded store")
    config.addinivalue_line("markers", "about_postgres: about servers, leases and standby houses")
    config.addinivalue_line("markers", "against_the_clock: promises seconds; ops/test gives each a processor's time")


@pytest.fixture(scope="session")
def binary(request):
    path = Path(request.config.getoption("--house-binary")).resolve()
    assert os.access(path, os.X_OK), f"build it first: {path}"
    return path


def pytest_collection_modifyitems(config, items):
    """What is about one kind of store is left out on the other, which has tests of its own for the same. The longest
    files begin first, so that none is left over when the others are done."""
    other = {"sqlite": "about_postgres", "postgres": "about_sqlite"}[config.getoption("--store")]
    left_out = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = sorted((item for item in items if item not in left_out), key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL server for all houses of a run that want one."""
    # No test of these takes the machine's power away, so what the kernel was given is kept.
    server = PostgresServer(settings=["fsync=off"])
    yield server
    server.remove()


@pytest.fixture(scope="session")
def new_store(request):
    """Names a store where a house can be made."""
    if request.config.getoption("--store") == "sqlite":
        return lambda: "sqlite"
    return request.getfixturevalue("postgres").new_database


@pytest.fixture(scope="session")
def nightly(request):
    return request.config.getoption("--nightly")


@pytest.fixture(scope="session")
def messages_max(request, nightly):
    in_ci = 12_000 if request.config.getoption("--store") == "sqlite" else 4_000
    return request.config.getoption("--messages") or (1_000_000 if nightly else in_ci)


@pytest.fixture(scope="session")
def shared_data():
    """Real purchases with independent truth; not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no {SHARED_DATA}: the replay of real purchases is left out")
    return SHARED_DATA


@pytest.fixture(scope="module")
def make_house(binary, tmp_path_factory, new_store):
    """Makes houses that are killed, whatever happens, when the module is done."""
    with contextlib.ExitStack() as stack:

        def make(clock="messages", store=None):
            house = House(binary, tmp_path_factory.mktemp("house"), clock, store or new_store())
            stack.callback(house.kill)
            return house

        yield make


@pytest.fixture(scope="module")
def copy_house(make_house, request):
    """Makes houses that begin where another one, which does not serve now, has come to."""

    def copy(other):
        if other.store == "sqlite":
            house = make_house()
        else:
            house = make_house(store=request.getfixturevalue("postgres").copy_database(other.store))
        shutil.copytree(other.data, house.data)
        config = house.data / "pointhouse.toml"
        config.write_text(config.read_text().replace(other.store, house.store))
        return house

    return copy


@pytest.fixture(scope="module")
def house(make_house):
    """A serving house of three partners on the standard tariff, on the message clock."""
    return make_house().make("GRO", "TNK", "BOE").start()


@pytest.fixture
def connect(house):
    """Opens connections that are closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda name: stack.enter_context(house.connect(name))


@pytest.fixture
def gro(connect):
    return connect("GRO")


@pytest.fixture
def tnk(connect):
    return connect("TNK")


@pytest.fixture
def operator(connect):
    return connect("operator:anna")


@pytest.fixture
def funded(gro):
    """A function that enrols a fresh member with points of GRO and returns its identifier."""

    def fund(points=1000):
        member = fresh("member")
        answer = gro.post("/v1/accruals", accrual(member, points))
        assert answer.status == 201, answer
        return member

    return fund


@pytest.fixture
def books_nothing(house):
    """A block in which no posting may be booked; with `no_record`, no refusal be journaled either."""

    @contextlib.contextmanager
    def watch(no_record=False):
        before = house.verify()
        yield
        after = house.verify()
        assert after["ok"], after
        assert after["postings"] == before["postings"], "something was booked"
        if no_record:
            assert after["messages"] == before["messages"], "a record was made"

    return watch
