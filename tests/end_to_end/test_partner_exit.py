"""A partner leaves: from a day on it grants and takes no points, its points run off, what is between it and the house is
settled as ever, and its collateral goes back once nothing is open."""

import concurrent.futures
import contextlib
import os
import random
import time
from fractions import Fraction

import pytest

from messages import fresh, message
from test_netting import settle_all
from test_settlement import money

TERMS = """
[[partner]]
id = "{id}"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "{share}"
[[promotion]]
id = "together"
funders = {{ LEA = 1, GRO = 1 }}
from = "2026-01-01"
to = "2026-12-31"
"""
LAST = "2026-06-19T21:59:59.999999Z"  # of the time zone of the house
FIRST = "2026-06-19T22:00:00Z"
ON = "2026-06-20"
AFTER = "2026-08-18T22:00:00Z"  # when none of its accruals may come late any more
RELEASE = "/v1/operator/partner/release"


def ask(connection, act, **fields):
    return connection.post(f"/v1/operator/{act}", {"message_id": fresh("act")} | fields)


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    """LEA prefunds half of its points, GRO and BOE all of theirs. On 11 June; stopped, to be copied."""
    house = make_house()
    house.init("--currency", "EUR", "--time-zone", "Europe/Amsterdam")
    folder = tmp_path_factory.mktemp("terms")
    for name, share in (("LEA", "1/2"), ("GRO", "1"), ("BOE", "1")):
        (folder / f"{name}.toml").write_text(TERMS.format(id=name, share=share))
        house.run("partner", "add", name, "--terms", folder / f"{name}.toml")
        house.run("cert", "issue", name)
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    house.start()
    with house.connect("LEA") as lea, house.connect("GRO") as gro, house.connect("BOE") as boe:
        at = "2026-06-11T10:00:00Z"
        assert lea.post("/v1/accruals", message(member="M1", points=10_000, occurred_at=at)).status == 201
        assert gro.post("/v1/accruals", message(member="M2", points=8_000, occurred_at=at)).status == 201
        assert lea.post("/v1/redemptions", message(member="M2", points=1_000, occurred_at=at)).status == 201
        assert boe.post("/v1/redemptions", message(member="M1", points=500, occurred_at=at)).status == 201
    house.stop()
    return house


def figures(shown):
    return {row["what"]: (row.get("points"), row.get("amount_micro")) for row in shown["exit"]}


def leaves_at(house):
    return house.json("partner", "show", "LEA")["leaves_at"]


def test_what_cannot_be(copy_house, played):
    house = copy_house(played)
    for arguments, words in ((("LEA", "--on", "soon"), "--on takes the first day"),
                             (("LEA", "--on", "2026-06-31"), "--on takes the first day"),
                             (("NONE", "--on", ON), "NONE"),
                             (("LEA", "--on", "2026-06-11"), "a day to come"),
                             (("LEA", "--on", "2026-01-01"), "a day to come")):
        refused = house.run("partner", "exit", *arguments, status=1)
        assert words in refused.stderr, refused
    assert house.run("partner", "exit", "LEA", status=None).returncode == 2
    assert "--evidence" in house.run("partner", "release", "LEA", status=1).stderr
    assert "has not left" in house.run("partner", "release", "LEA", "--evidence", "x", status=1).stderr
    shown = house.json("partner", "show", "LEA")
    assert (shown["leaves_at"], shown["credit_limit"], shown["tariffs"][0]["expiry"]) == (None, None, None)
    assert "--dry-run" in house.run("partner", "exit", "--help").stdout


def test_a_dry_run_says_the_same_and_records_nothing(copy_house, played):
    house = copy_house(played)
    house.run("settle", "collateral", "LEA", "50.00", "--evidence", "bank 1")
    dry = house.json("partner", "exit", "LEA", "--on", ON, "--dry-run")
    assert (dry["state"], dry["partner"], dry["on"]) == ("dry_run", "LEA", ON)
    assert dry["security"][0]["amount_micro"] == 50_000_000
    assert leaves_at(house) is None
    assert dry["exit"] == house.json("report", "exit", "LEA")["exit"]
    half, fee = Fraction("0.005"), Fraction("0.001")
    owes = (10_000 * (half + fee) + 500 * half) * 10 ** 6
    owed = 1_000 * Fraction("0.0095") * 10 ** 6
    assert figures(dry) == {
        "open points": (9_500, 9_500 * half * 10 ** 6), "due when they are redeemed": (9_500, 9_500 * half * 10 ** 6),
        "member debt for its points": (0, None), "owed by the partner": (None, owes),
        "owed to the partner": (None, owed), "left of its blocks": (None, 0),
        "net, before VAT that is not invoiced yet": (None, owed - owes)}
    done = house.json("partner", "exit", "LEA", "--on", ON)
    assert done == dry | {"state": "recorded"}
    assert leaves_at(house) == FIRST
    assert "already" in house.run("partner", "exit", "LEA", "--on", "2026-07-01", status=1).stderr
    assert "leaves" in house.run("partner", "show", "LEA").stdout


def test_what_happened_before_is_taken_and_nothing_after(copy_house, played):
    house = copy_house(played)
    house.run("partner", "exit", "LEA", "--on", ON)
    house.start()
    with house.connect("LEA") as lea, house.connect("GRO") as gro, house.connect("BOE") as boe:
        sale = message(member="M1", points=100, occurred_at="2026-06-12T10:00:00Z")
        assert lea.post("/v1/accruals", sale).status == 201, "until the day all is as it was"
        together = message(member="M2", points=10, occurred_at="2026-06-12T10:00:00Z", promotion="together")
        assert gro.post("/v1/accruals", together).status == 201
        house.run("clock", "advance", "2026-06-25T10:00:00Z")
        for path, body in (("accruals", {"member": "M1", "points": 1}), ("redemptions", {"member": "M2", "points": 1}),
                           ("holds", {"member": "M2", "points": 1, "expires_in_seconds": 600}),
                           ("transfers", {"member": "M2", "to_member": "M1", "points": 1})):
            late = lea.post(f"/v1/{path}", message(occurred_at=LAST, **body))
            assert late.status == 201, (path, late)
            refused = lea.post(f"/v1/{path}", message(occurred_at=FIRST, **body))
            assert (refused.status, refused.code) == (422, "role_not_allowed"), (path, refused)
        refused = gro.post("/v1/accruals", message(member="M2", points=10, occurred_at=FIRST, promotion="together"))
        assert (refused.status, refused.code) == (422, "funding_not_agreed"), refused
        # Its points run off, what it sold comes back, and nobody else feels anything.
        spent = boe.post("/v1/redemptions", message(member="M1", points=700, occurred_at="2026-06-25T09:00:00Z"))
        assert spent.status == 201, spent
        back = lea.post("/v1/reversals", message(
            reverses=sale["message_id"], points=100, occurred_at="2026-06-25T09:00:00Z"))
        assert back.status == 201, back
        assert lea.post("/v1/accruals", sale).status == 201, "the first answer, once more"
        assert gro.post("/v1/accruals", message(member="M2", points=5, occurred_at="2026-06-25T09:00:00Z")).status == 201
    house.kill()
    house.start()
    with house.connect("LEA") as lea:
        assert lea.post("/v1/accruals", message(member="M1", points=1, occurred_at=FIRST)).code == "role_not_allowed"
    assert house.verify("--from-scratch")["ok"]


def settle_month(house, window, folder, then):
    house.run("clock", "advance", f"{then}T08:00:00Z")
    house.run("settle", "invoices", window, "--out", folder / window)
    house.run("settle", "net", window)
    settle_all(house, window)


def test_collateral_goes_back_once_nothing_is_open(copy_house, played, tmp_path):
    house = copy_house(played)
    house.run("settle", "collateral", "LEA", "50.00", "--evidence", "bank 1")
    house.run("partner", "exit", "LEA", "--on", ON)
    assert "partner release" in house.run("settle", "collateral", "LEA", "-1.00", "--evidence", "x", status=1).stderr
    house.start()
    house.run("clock", "advance", "2026-06-25T10:00:00Z")
    releasing = ("partner", "release", "LEA", "--evidence", "bank 9")
    assert "owes" in house.run(*releasing, status=1).stderr
    settle_month(house, "2026-06", tmp_path, "2026-07-01")
    still = house.run(*releasing, status=1).stderr
    assert "LEA owes 0.000000, is owed 0.000000, and 47.500000 more as 9500 points" in still, still
    # The last of its points is spent in July, and billed.
    with house.connect("BOE") as boe:
        taken = boe.post("/v1/redemptions", message(member="M1", points=9_500, occurred_at="2026-07-02T09:00:00Z"))
        assert taken.status == 201, taken
    assert "owes 47.500000" in house.run(*releasing, status=1).stderr
    # It is right about an invoice: what is credited nobody bills again, so that nothing stays open.
    [invoice] = [row["number"] for row in house.json("settle", "documents")
                 if (row["buyer"], row["type"]) == ("LEA", "invoice")]
    house.run("dispute", "open", invoice, "--line", "1", "--amount", "1.00", "--reason", "PRI", "--evidence", "x")
    house.run("dispute", "decide", "D-000001", "--agreed", "1.00", "--words", "yes")
    settle_month(house, "2026-07", tmp_path, "2026-08-01")
    # Nothing is open, but what happened before it left may come for 60 days.
    assert "until 2026-08-18: its collateral stays" in house.run(*releasing, status=1).stderr
    house.run("clock", "advance", "2026-08-18T21:59:59Z")
    assert "until 2026-08-18" in house.run(*releasing, status=1).stderr
    house.run("clock", "advance", "2026-08-18T22:00:00Z")
    before = money(house)
    assert before["collateral:LEA"] == -50_000_000
    assert house.json(*releasing) == {
        "partner": "LEA", "released_minor": 50_00, "blocks": [], "blocks_by_hand_micro": 0, "currency": "EUR"}
    after = money(house)
    assert "collateral:LEA" not in after
    assert after["cash:operating"] - before["cash:operating"] == -50_000_000
    assert "has no collateral" in house.run(*releasing, status=1).stderr
    assert not any(account.endswith(":LEA") for account in after), after
    assert house.verify("--from-scratch")["ok"]


@pytest.fixture
def settled(copy_house, played, tmp_path):
    """Serves; LEA has left, nothing is open, its collateral may go back. And the last redemption of its points."""
    house = copy_house(played)
    house.run("partner", "exit", "LEA", "--on", ON)
    house.start()
    settle_month(house, "2026-06", tmp_path, "2026-07-01")
    taken = message(member="M1", points=9_500, occurred_at="2026-07-02T09:00:00Z")
    with house.connect("BOE") as boe:
        assert boe.post("/v1/redemptions", taken).status == 201
    settle_month(house, "2026-07", tmp_path, "2026-08-01")
    house.run("clock", "advance", AFTER)
    return house, taken["message_id"]


def test_collateral_goes_back_once_however_many_ask_and_never_beside_open_points(settled, nightly):
    """Two operators ask while a point comes back: in every round it is one or the other, in the journal's order."""
    house, taken = settled
    seed = int(os.environ.get("POINTHOUSE_SEED", random.randrange(2 ** 32)))
    print(f"POINTHOUSE_SEED={seed}")
    chance = random.Random(seed)
    released = came_back = 0
    lead = 0.0  # seconds that the point waits; below zero, the operators: who came first waits longer
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(3) as threads:
        anna, bob, boe = (stack.enter_context(house.connect(name)) for name in ("operator:anna", "operator:bob", "BOE"))

        def send(connection, path, body, pause):
            time.sleep(pause)
            return connection.post(path, body)

        for _ in range(300 if nightly else 40):
            held = ask(anna, "settle/collateral", partner="LEA", amount_minor=7, evidence="in")
            assert held.status == 200, held
            back = message(reverses=taken, points=1, occurred_at=AFTER)
            waits = max(-lead, 0)
            answers = [
                threads.submit(send, connection, path, body, wait + chance.random() / 100)
                for connection, path, body, wait in (
                    (anna, RELEASE, {"message_id": fresh("r"), "partner": "LEA", "evidence": "out"}, waits),
                    (bob, RELEASE, {"message_id": fresh("r"), "partner": "LEA", "evidence": "out, too"}, waits),
                    (boe, "/v1/reversals", back, max(lead, 0)))]
            *releases, reversal = [answer.result() for answer in answers]
            assert reversal.status == 201, reversal
            done = [answer for answer in releases if answer.status == 200]
            assert len(done) <= 1, releases
            for answer in releases:
                assert answer.status == 200 or answer.code == "settlement_refused", answer
            released += len(done)
            came_back += 1 - len(done)
            lead += 0.005 * (1 - 2 * len(done))
            spent = boe.post("/v1/redemptions", message(member="M1", points=1, occurred_at=AFTER))
            assert spent.status == 201, spent
            if not done:
                assert ask(anna, "partner/release", partner="LEA", evidence="out").status == 200
    print(f"released {released} times, {came_back} times a point came first")
    assert released and came_back
    house.json("settle", "show", "2026-08")  # waits for the books
    backs = [sequence for (sequence,) in house.books("SELECT sequence FROM posting WHERE type = 'reversal' ORDER BY 1")]
    spents = [sequence for (sequence,) in house.books(
        f"SELECT sequence FROM posting WHERE type = 'redemption' AND sequence > {backs[0]} ORDER BY 1")]
    gone = house.books("SELECT sequence FROM house_line WHERE account = 'collateral:LEA' AND amount_micro > 0")
    beside = [sequence for (sequence,) in gone
              if any(back < sequence < spent for back, spent in zip(backs, spents))]
    assert not beside, f"{len(beside)} of {len(gone)} while points were open"
    assert "collateral:LEA" not in money(house)
    assert house.verify("--from-scratch")["ok"]


def test_over_the_wire(copy_house, played):
    house = copy_house(played)
    house.start()
    with house.connect("operator:anna") as anna, house.connect("LEA") as lea:
        def ask(**fields):
            return anna.post("/v1/operator/partner/exit", {"message_id": fresh("act"), "partner": "LEA"} | fields)

        assert lea.post("/v1/operator/partner/exit", {"message_id": "x", "partner": "LEA", "on": ON}).status == 403
        dry = ask(on=ON, dry_run=True)
        assert (dry.status, dry.json["state"]) == (200, "dry_run"), dry
        assert ask().code == "malformed"
        assert ask(on="June").code == "malformed"
        done = ask(on=ON, message_id="leaving")
        assert done.json == dry.json | {"state": "recorded"}
        assert ask(on=ON, message_id="leaving").json == done.json, "once, however often it is sent"
        again = ask(on=ON)
        assert (again.status, again.code) == (422, "settlement_refused"), again
        refused = anna.post("/v1/operator/partner/release", {"message_id": "r", "partner": "LEA", "evidence": "x"})
        assert (refused.status, refused.code) == (422, "settlement_refused"), refused


def test_in_production_two_people_let_a_partner_leave(make_house, tmp_path):
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))
    (tmp_path / "terms.toml").write_text(TERMS.format(id="LEA", share="1").split("[[promotion]]")[0])
    house.run("partner", "add", "LEA", "--terms", tmp_path / "terms.toml", *anna)
    house.run("approve", house.json("approve", "list")[0]["id"], *bob)
    leaving = ("partner", "exit", "LEA", "--on", "2099-01-01")
    assert "--operator CERT" in house.run(*leaving, status=1).stderr
    assert house.json(*leaving, "--dry-run")["state"] == "dry_run"
    assert "waits for another operator" in house.run(*leaving, *anna).stdout
    [waiting] = house.json("approve", "list")
    assert house.run("approve", waiting["id"], *anna, status=1).stderr
    assert leaves_at(house) is None
    house.run("approve", waiting["id"], *bob)
    assert leaves_at(house) == "2099-01-01T00:00:00Z"
    assert "already" in house.run(*leaving, *anna, status=1).stderr
    assert "--operator CERT" in house.run("partner", "release", "LEA", "--evidence", "x", status=1).stderr
    assert house.verify("--from-scratch")["ok"]
