"""Months end while messages pour in: each message is in exactly one window."""

import datetime
import random
import time

import pytest

from load import Sender, booked
from messages import accrual, fresh, message


def month_start(number):
    """The first instant of the n-th month since January 2026."""
    return datetime.datetime(2026 + number // 12, number % 12 + 1, 1, tzinfo=datetime.timezone.utc)


def name_of(number):
    return month_start(number).strftime("%Y-%m")


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Calendar:
    """The test's own clock: senders date their messages in the last second of the current month, so
    each is in time, and whether it arrives before or after the cut is chance."""

    def __init__(self):
        self.month = 0

    def last_second(self):
        return text_of(month_start(self.month + 1) - datetime.timedelta(seconds=1))


def windows_of_messages(house):
    """{(partner, message id): [months]} from the tables that the books keep for each window."""
    found = {}
    names = dict(house.books("SELECT partner, name FROM partner"))
    months = [month for (month,) in house.books("SELECT month FROM settlement_window")]
    for first in range(0, len(months), 200):  # each question reads the whole schema
        for month, partner, name in house.books(" UNION ALL ".join(
                f"SELECT '{month}', partner, message_id FROM posting_{month.replace('-', '_')} WHERE partner > 0"
                for month in months[first:first + 200])):
            found.setdefault((names[partner], name), []).append(month)
    return found


def issued_by_window(house):
    """{(month, partner): points issued} from the positions of the books."""
    rows = house.books("SELECT month, name, sum(points) FROM position JOIN partner USING (partner)"
                       " WHERE kind = 1 GROUP BY month, name")
    return {(month, name): points for month, name, points in rows}


def test_a_message_at_the_cut_is_in_exactly_one_window(make_house, nightly):
    house = make_house().make("GRO", "TNK").start()
    # A database makes a month's tables more slowly.
    closes = 1_000 if nightly or house.store == "sqlite" else 150
    calendar = Calendar()
    members = [fresh("window") for _ in range(40)]
    senders = [Sender(house, partner, members, random.Random(partner), calendar.last_second)
               for partner in ("GRO", "TNK", "GRO")]
    ticks = []
    with house.connect("TNK") as closer:

        def tick(month):
            """The first message of a month moves the clock there."""
            body = accrual(members[0], 1, occurred_at=text_of(month_start(month)))
            answer = closer.post("/v1/accruals", body)
            assert answer.status == 201, answer
            ticks.append(body["message_id"])

        tick(0)
        for sender in senders:
            sender.start()
        for month in range(1, closes + 1):
            if month % 25 == 0:
                house.run("clock", "advance", text_of(month_start(month)))
            else:
                tick(month)
            calendar.month = month
            time.sleep(0.008)  # let the others post into it
    for sender in senders:
        sender.stop()
    house.stop()

    windows = house.json("window", "list")
    assert [window["id"] for window in windows] == [name_of(month) for month in range(closes + 1)]
    assert [window["state"] for window in windows] == ["closed"] * closes + ["open"]
    for earlier, later in zip(windows, windows[1:]):
        assert earlier["to"] == later["from"]

    house.run("settle", "show", name_of(closes - 1))  # waits for the books, where a busy machine stopped before them
    found = windows_of_messages(house)
    acknowledged = {(sender.partner, name) for sender in senders for name in sender.answers}
    acknowledged |= {("TNK", name) for name in ticks}
    assert found.keys() == acknowledged
    assert all(len(months) == 1 for months in found.values())

    expected = {}
    for partner, name, points in (
            [("TNK", name, 1) for name in ticks]
            + [(partner, answer["message_id"], answer["points"])
               for partner, route, answer in booked(senders) if route == "accruals"]):
        [month] = found[partner, name]
        expected[month, partner] = expected.get((month, partner), 0) + points
    issued = issued_by_window(house)
    assert issued == expected
    busy = len({month for (month, _), points in issued.items() if points > 1})
    assert busy > closes // 4, f"only {busy} windows saw load: too little to prove anything"

    for month in random.Random(5).sample(range(1, closes), 20):
        before, shown = (house.json("settle", "show", name_of(each)) for each in (month - 1, month))
        assert_balanced(shown)
        closing = {row["partner"]: row["closing"] - row["debt"] for row in before["partners"]}
        for row in shown["partners"]:
            assert row["issued"] == issued.get((name_of(month), row["partner"]), 0)
            assert row["opening"] == closing[row["partner"]], (name_of(month), row)
    assert house.verify()["ok"]


def assert_balanced(shown):
    balance = shown["trial_balance"]
    assert balance["points"]["debits"] == balance["points"]["credits"]
    assert all(side["debits"] == side["credits"] for side in balance["money_micro"].values())


def test_windows_follow_the_months_of_the_house_s_time(make_house):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        for moment, points in (("2026-04-30T23:59:59Z", 10), ("2026-05-01T00:00:00Z", 20),
                               ("2026-04-30T23:59:59Z", 40), ("2026-06-30T23:59:59.999999Z", 80),
                               ("2026-07-01T00:00:00Z", 160)):
            assert gro.post("/v1/accruals", accrual("m", points, occurred_at=moment)).status == 201

    windows = house.json("window", "list")
    assert [(each["id"], each["state"]) for each in windows] == [
        ("2026-04", "closed"), ("2026-05", "closed"), ("2026-06", "closed"), ("2026-07", "open")]
    assert windows[0]["from"].startswith("2026-04-01T00:00:00")
    assert windows[0]["to"].startswith("2026-05-01T00:00:00")
    issued = {each["id"]: house.json("settle", "show", each["id"])["partners"][0]["issued"]
              for each in windows}
    assert issued == {"2026-04": 10, "2026-05": 60, "2026-06": 80, "2026-07": 160}


# Found by reading: only a look at books that were level made them, and nobody looked at such books.
def test_a_closed_window_gets_its_indexes_in_a_house_that_serves(make_house):
    house = make_house().make("GRO").start()
    kept = {"sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE '%2026_0%'"
                      " AND name NOT LIKE 'sqlite_%'"}.get(
        house.store, "SELECT indexname FROM pg_indexes WHERE schemaname = 'books' AND indexname LIKE '%2026_0%'"
                     " AND indexname NOT LIKE '%pkey'")

    def indexes():
        return {name for (name,) in house.books(kept)}

    def early(month):
        return {f"posting_{month}_late", f"posting_{month}_reversal", f"entry_{month}_recovered"}

    def of(month):
        return early(month) | {f"posting_{month}_member", f"posting_{month}_partner", f"entry_{month}_lot"}

    def wait_for(expected):
        end = time.monotonic() + 20
        while indexes() != expected and time.monotonic() < end:
            time.sleep(0.05)
        assert indexes() == expected

    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("m", 10, occurred_at="2026-04-10T00:00:00Z")).status == 201
        assert house.json("settle", "show", "2026-04")["partners"]
        assert indexes() == early("2026_04"), "while it grows each other index would cost every row"
        assert gro.post("/v1/accruals", accrual("m", 10, occurred_at="2026-05-10T00:00:00Z")).status == 201
        wait_for(of("2026_04") | early("2026_05"))
        house.run("clock", "advance", "2026-07-02T00:00:00Z")
        wait_for(of("2026_04") | of("2026_05") | of("2026_06") | early("2026_07"))
    house.run("rebuild")
    wait_for(of("2026_04") | of("2026_05") | of("2026_06") | early("2026_07"))
    assert house.verify("--from-scratch")["ok"]


def test_a_month_in_another_time_zone(make_house):
    """Midnight in Amsterdam is 22:00 UTC in summer."""
    house = make_house()
    house.init("--time-zone", "Europe/Amsterdam")
    house.run("partner", "add", "GRO", "--standard")
    house.run("cert", "issue", "GRO")
    house.start()
    with house.connect("GRO") as gro:
        for moment in ("2026-06-30T21:59:59Z", "2026-06-30T22:00:00Z"):
            gro.post("/v1/accruals", accrual("m", 1, occurred_at=moment))

    assert [(each["id"], each["state"]) for each in house.json("window", "list")] == [
        ("2026-06", "closed"), ("2026-07", "open")]


def test_a_window_cannot_be_closed_before_its_end(make_house):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 1))

    house.run("window", "close", "--until", "2026-07-01", status=1)

    assert [each["state"] for each in house.json("window", "list")] == ["open"]


@pytest.fixture(scope="module")
def two_months(make_house):
    """A house with a closed month in which points went from brand to brand."""
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        gro.post("/v1/accruals", accrual("a", 10_000))
        tnk.post("/v1/accruals", accrual("a", 5_000, occurred_at="2026-06-10T12:00:01Z"))
        spent = message(member="a", points=12_000)
        tnk.post("/v1/redemptions", spent)
        tnk.post("/v1/reversals", message(reverses=spent["message_id"], points=1_000))
        gro.post("/v1/clawbacks", message(member="a", points=500, reason="return"))
        gro.post("/v1/accruals", accrual("a", 1, occurred_at="2026-07-01T00:00:00Z"))
    return house


def test_the_figures_of_a_month(two_months):
    shown = two_months.json("settle", "show", "2026-06")

    gro, tnk = (next(row for row in shown["partners"] if row["partner"] == name)
                for name in ("GRO", "TNK"))
    # 12,000 were drawn as 10,000 of GRO and 2,000 of TNK; 1,000 of TNK's came back.
    assert {name: gro[name] for name in ("opening", "issued", "redeemed_here", "own_redeemed_anywhere",
                                         "clawed_back")} == {
        "opening": 0, "issued": 10_000, "redeemed_here": 0, "own_redeemed_anywhere": 10_000,
        "clawed_back": 500}
    assert tnk["issued"] == 5_000
    assert tnk["own_redeemed_anywhere"] == 1_000
    assert {(flow["issuer"], flow["redeemer"]): flow["points"] for flow in shown["flows"]} == {
        ("GRO", "TNK"): 10_000, ("TNK", "TNK"): 1_000}
    # GRO has no lot left: its clawback became debt, repaid at once from TNK's points.
    assert gro["debt"] == 0
    assert gro["recovered_received"] == 500
    assert tnk["recovered_given"] == 500
    for row in shown["partners"]:
        assert (row["opening"] + row["issued"] - row["own_redeemed_anywhere"] - row["clawed_back"]
                - row["expired"] - row["recovered_given"] + row["recovered_received"]
                == row["closing"] - row["debt"]), row


def test_the_money_of_a_month(two_months):
    """Standard tariff, by hand: price 0.0100, fee 0.0010, reimbursement 0.0095, VAT 21 %.

    GRO owes for 10,000 issued and gets 500 back: 95.00 price, 9.50 fee, VAT 21.945 → 126.45 (VAT per
    rate on the document: 104.50 × 21 % = 21.945 → 21.95). TNK owes for 5,000: 55.00 and 11.55; it is
    owed 11,000 × 0.0095 = 104.50 and 21.95."""
    shown = two_months.json("settle", "show", "2026-06")

    totals = {(each["payer"], each["payee"]): each for each in shown["documents"]}
    by_partner = {}
    for (payer, payee), each in totals.items():
        partner = payer if payer in ("GRO", "TNK") else payee
        by_partner[partner, payer == partner] = (
            each["net_minor"], each["vat_minor"], each["total_minor"])
        assert sum(line["net_minor"] for line in each["lines"]) == each["net_minor"]
    assert by_partner["GRO", True] == (10450, 2195, 12645)
    assert by_partner["TNK", True] == (5500, 1155, 6655)
    assert by_partner["TNK", False] == (10450, 2195, 12645)
    nets = {row["partner"]: row["net_minor"] for row in shown["partners"]}
    assert nets == {"GRO": -12645, "TNK": 12645 - 6655}
    assert {row["currency"] for row in shown["partners"]} == {"EUR"}


def test_a_closed_month_gives_the_same_bytes_for_ever(two_months, tmp_path):
    two_months.run("settle", "invoices", "2026-06", "--out", tmp_path / "one")
    before = two_months.run("settle", "show", "2026-06", "--json").stdout
    two_months.stop()
    two_months.run("rebuild")
    two_months.start()
    with two_months.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("a", 99, occurred_at="2026-07-02T00:00:00Z"))
    two_months.run("settle", "invoices", "2026-06", "--out", tmp_path / "two")

    assert two_months.run("settle", "show", "2026-06", "--json").stdout == before
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
                for name in ("one", "two"))
    assert one and one == two
    assert {name.rpartition(".")[2] for name in one} >= {"json", "csv", "pdf"}
    for name, content in one.items():
        if name.endswith(".pdf"):
            assert content.startswith(b"%PDF-")
        else:
            assert name.rpartition(".")[0].encode() in content, name
