"""The lint finds what it is there for, and nothing in good code."""

import subprocess

import pytest

from house import REPOSITORY

GOOD = """
void f() {
    // co_await spawn([x] { return Foo{1}; });
    auto task = [x] { return 1; };
    const Foo foo{1};
    co_await spawn(task, foo, list[index], "co_await g([x](){})");
    if (co_await next(table[3])) { auto other = [x]() { return 1; }; }
    const int million = 1'000'000, comma = ',';
}
"""


def lint(tmp_path, text, folder="gateway"):
    path = tmp_path / folder / "code.cpp"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return subprocess.run(
        ["/usr/bin/python3", REPOSITORY / "ops" / "lint_source.py", f"{folder}/code.cpp"], cwd=tmp_path,
        capture_output=True, text=True, check=False)


def test_good_code_passes(tmp_path):
    done = lint(tmp_path, GOOD)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("line", [
    "co_await spawn([x] { return 1; });",
    "co_await spawn([&](int n) mutable { return n; });",
    "auto r = co_await run(\n    Foo{.a = 1});",
    "co_await run({1, 2});",
    "return co_await asio::co_spawn(pool, [this, n]() -> Task { co_return; }, use);"])
def test_a_temporary_inside_co_await_is_found(tmp_path, line):
    done = lint(tmp_path, "void f()\n{\n    " + line + "\n}\n")
    assert done.returncode == 1
    assert "code.cpp:3:" in done.stdout


@pytest.mark.parametrize("folder, found", [("ledger", True), ("settlement", True), ("gateway", False)])
def test_floating_point_is_found_where_amounts_are_exact(tmp_path, folder, found):
    done = lint(tmp_path, "double rate = 0.1; // float\n", folder)
    assert done.returncode == (1 if found else 0)
