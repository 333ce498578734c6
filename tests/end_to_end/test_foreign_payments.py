"""A Swedish and a British partner, invoiced in their own currencies, to the end: payment files, bank statements,
exchange differences, reminders, ageing, default. The books stay in euro; every cent is worked out apart."""

import json
import xml.etree.ElementTree as ElementTree
from fractions import Fraction

import bank_statement
import pytest

from messages import accrual, fresh
from test_document_currency import rounded
from test_netting import settle_all
from test_settlement import money

KRONOR, POUNDS = "SE4550000000058398257466", "GB29NWBK60161331926819"
HOUSE = """
[company]
name = "Pointhouse SIA"
street = "1 Brivibas iela"
city = "Riga"
postal_code = "LV-1010"
country = "LV"
vat_id = "LV40003012345"
registration = "40003012345"
endpoint_scheme = "0088"
endpoint = "9520000000004"
iban = "NL91ABNA0417164300"
bic = "ABNANL2A"
  [company.account.SEK]
  iban = "SE4550000000058398257466"
  bic = "HANDSESS"
  [company.account.GBP]
  iban = "GB29NWBK60161331926819"
  bic = "NWBKGB2L"
"""
TERMS = """
[[partner]]
id = "{id}"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "reimbursement"]
  treatment = "taxed"
  rate_bp = 2100
  [partner.settlement]
  {settlement}
"""
# (currency, day): units for one euro.
RATES = {("SEK", "2026-06-30"): "11.2345", ("GBP", "2026-06-30"): "0.8512", ("SEK", "2026-07-10"): "11.4021",
         ("SEK", "2026-07-13"): "11.0999", ("GBP", "2026-07-13"): "0.8699"}
GONE = ("ar", "ap")


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    """June: SWE owes kronor, LON is owed pounds, GRO owes euro. Issued and netted, on 14 July; stopped, to be copied."""
    house = make_house()
    house.init("--currency", "EUR")
    folder = tmp_path_factory.mktemp("terms")
    for name, settlement in (("SWE", 'currency = "SEK"'), ("LON", 'currency = "GBP"'), ("GRO", "")):
        (folder / f"{name}.toml").write_text(TERMS.format(id=name, settlement=settlement))
        house.run("partner", "add", name, "--terms", folder / f"{name}.toml")
        house.run("cert", "issue", name)
    (folder / "house.toml").write_text(HOUSE)
    shown = house.json("house", "set-company", folder / "house.toml")
    assert shown["accounts"] == {"GBP": {"iban": POUNDS, "bic": "NWBKGB2L"}, "SEK": {"iban": KRONOR, "bic": "HANDSESS"}}
    house.run("cert", "issue", "operator:anna")
    house.start()
    when = "2026-06-11T12:00:00Z"
    for name, path, member, points in (("SWE", "accruals", "M-1", 123_457), ("GRO", "accruals", "M-2", 600_000),
                                       ("LON", "redemptions", "M-2", 345_678), ("LON", "accruals", "M-3", 10_001)):
        with house.connect(name) as connection:
            sent = connection.post(f"/v1/{path}", accrual(member, points, occurred_at=when))
            assert sent.status == 201, sent
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    for (currency, day), rate in RATES.items():
        house.run("fx", "set", day, "EUR", currency, rate)
    house.run("settle", "invoices", "2026-06", "--out", folder / "documents")
    house.run("settle", "net", "2026-06")
    house.run("clock", "advance", "2026-07-14T08:00:00Z")
    documents = [json.loads(path.read_text()) for path in sorted((folder / "documents").glob("*.json"))]
    accounts = {document["currency"]: document["seller"]["iban"] for document in documents
                if document["type"] == "invoice"}
    assert accounts == {"SEK": KRONOR, "GBP": POUNDS, "EUR": "NL91ABNA0417164300"}, "each is paid where its currency is"
    house.stop()
    return house


def net_of(house, partner):
    [row] = [row for row in house.json("settle", "nets", "2026-06")["payments"] if row["partner"] == partner]
    return row


def worth_at(minor, rate):
    return rounded(Fraction(minor) / Fraction(rate))


def worth(minor, currency, day):
    return worth_at(minor, RATES[currency, day])


class Bank:
    """The account of the house in a currency."""

    def __init__(self, house, folder, iban, currency):
        self.house, self.folder, self.iban, self.currency = house, folder, iban, currency
        self.number, self.balance = 0, 1_000_00

    def says(self, *rows, day, status=0):
        self.number += 1
        path = self.folder / f"{self.currency}-{self.number}.xml"
        path.write_text(bank_statement.statement(
            self.number, self.balance, list(rows), day=day, iban=self.iban, currency=self.currency))
        done = self.house.run("bank", "import", path, status=status)
        if status == 0:
            self.balance += sum(row["minor"] for row in rows)
        return done


def books(house, *accounts):
    found = money(house)
    return [found.get(account, 0) for account in accounts]


def is_settled(house, partner):
    return not any(account in (f"ar:{partner}", f"ap:{partner}") for account in money(house))


def test_the_bank_pays_kronor(copy_house, played, tmp_path):
    house = copy_house(played)
    before = money(house)
    net = net_of(house, "SWE")
    due = -net["paid_in"]["net_minor"]
    assert due > 0 and net["paid_in"]["currency"] == "SEK"
    stranger = Bank(house, tmp_path, "SE3550000000054910000003", "SEK")
    assert "no account of the house is" in stranger.says(
        {"minor": due, "end_to_end": net["reference"]}, day="2026-07-10", status=1).stderr
    lying = Bank(house, tmp_path, KRONOR, "GBP")
    assert "no account of the house is" in lying.says(
        {"minor": due, "end_to_end": net["reference"]}, day="2026-07-10", status=1).stderr
    assert house.json("bank", "rows") == []

    # Euro that name the net do not pay kronor.
    euro = Bank(house, tmp_path, "NL91ABNA0417164300", "EUR")
    euro.says({"minor": due, "end_to_end": net["reference"]}, day="2026-07-10")
    assert house.json("bank", "match")["matches"] == []

    bank = Bank(house, tmp_path, KRONOR, "SEK")
    part = due // 3
    bank.says({"minor": part, "end_to_end": net["reference"]}, {"minor": -3_00, "text": "coffee"}, day="2026-07-10")
    bank.says({"minor": due - part - 40, "text": f"for {net['reference']}"}, day="2026-07-13")
    rows = house.json("bank", "rows")
    assert [(row["currency"], row["amount_minor"]) for row in rows] == [
        ("EUR", due), ("SEK", part), ("SEK", -3_00), ("SEK", due - part - 40)]

    # 0.03 euro are 0.33 kronor: too little for the 0.40 that are missing; 0.04 are 0.44.
    short = copy_house(house_stopped(house))
    assert short.json("bank", "match", "--tolerance", "0.03")["matches"][0]["match"].get("write_off") is None
    assert net_of(short, "SWE")["paid_in"]["open_minor"] == -40
    assert not net_of(short, "SWE")["open_minor"] == 0
    assert [row["open_minor"] for row in short.json("bank", "rows")] == [due, 0, -3_00, 0]

    matched = house.json("bank", "match", "--tolerance", "0.04")
    assert matched["matches"] and matched["suggestions"] == []
    cash = worth(part, "SEK", "2026-07-10") + worth(due - part - 40, "SEK", "2026-07-13")
    lost = [worth(40, "SEK", day) for day in ("2026-07-10", "2026-07-13")]
    after = money(house)
    assert after["cash:operating"] - before.get("cash:operating", 0) == cash * 10_000
    assert after["write_off"] in [each * 10_000 for each in lost]
    assert is_settled(house, "SWE")
    claim = -net["net_minor"]
    assert after["exchange"] - before.get("exchange", 0) == (claim - cash) * 10_000 - after["write_off"]
    assert net_of(house, "SWE")["paid_in"]["open_minor"] == net_of(house, "SWE")["open_minor"] == 0
    assert house.json("bank", "match")["matches"] == [], "once"

    # Undone, everything is as it was; done again, too.
    for match in matched["matches"]:
        assert "reason" in house.run("bank", "unmatch", match["id"], status=None).stderr
        house.run("bank", "unmatch", match["id"], "--reason", "a mistake")
    undone = money(house)
    assert [undone.get(account, 0) for account in ("cash:operating", "write_off", "exchange")] == [
        before.get(account, 0) for account in ("cash:operating", "write_off", "exchange")]
    assert net_of(house, "SWE")["paid_in"]["open_minor"] == -due
    house.run("bank", "match", "--tolerance", "0.04")
    assert money(house) == after
    # What comes too much stays open on its row.
    bank.says({"minor": 100_00, "end_to_end": net["reference"]}, day="2026-07-13")
    house.run("bank", "match")
    assert house.json("bank", "rows", "--open")[-1]["open_minor"] == 100_00
    [control] = house.json("report", "ageing")["control"]
    assert control["difference_micro"] == 0
    assert house.verify("--from-scratch")["ok"]


def house_stopped(house):
    house.stop()
    return house


def pay_in_all(house):
    for row in house.json("settle", "nets", "2026-06")["payments"]:
        due = row.get("paid_in", row)["open_minor"]
        if due < 0:
            house.run("settle", "paid", "2026-06", row["partner"], f"-{-due // 100}.{-due % 100:02}", "--evidence", "a test")


def test_pounds_go_out_in_a_file_of_their_own_and_come_back(copy_house, played, tmp_path):
    house = copy_house(played)
    early = house.run("settle", "payments", "2026-06", "--currency", "GBP", "--out", tmp_path / "x.xml", status=1)
    assert "wait for its pay-ins" in early.stderr
    pay_in_all(house)
    before = money(house)
    net = net_of(house, "LON")
    due = net["paid_in"]["net_minor"]
    assert due > 0
    none = house.json("settle", "payments", "2026-06", "--out", tmp_path / "x.xml")
    assert none == {"payments": 0, "currency": "EUR",
                    "others": [{"currency": "GBP", "payments": 1, "amount_minor": due}]}
    said = house.run("settle", "payments", "2026-06", "--out", tmp_path / "x.xml").stdout
    assert "no partner is paid in EUR" in said and "--currency GBP" in said, "nothing is left out in silence"
    assert not (tmp_path / "x.xml").exists()
    assert "no currency" in house.run(
        "settle", "payments", "2026-06", "--currency", "XXX", "--out", tmp_path / "x.xml", status=1).stderr

    path = tmp_path / "pounds.xml"
    written = house.json("settle", "payments", "2026-06", "--currency", "GBP", "--out", path)
    assert (written["message_id"], written["currency"], written["payments"], written["others"]) == (
        "PH-2026-06-GBP", "GBP", 1, [])
    root = ElementTree.parse(path).getroot()
    texts = {node.tag.rpartition("}")[2]: node.text for node in root.iter() if node.text and node.text.strip()}
    [amount] = [node for node in root.iter() if node.tag.endswith("InstdAmt")]
    assert (amount.get("Ccy"), amount.text) == ("GBP", f"{due // 100}.{due % 100:02}")
    assert (texts["ChrgBr"], texts["EndToEndId"], texts["Ccy"]) == ("SHAR", net["reference"], "GBP")
    debtor = [node.text for node in root.iter() if node.tag.endswith("IBAN")][0]
    assert debtor == POUNDS and b"SEPA" not in path.read_bytes()
    again = tmp_path / "again.xml"
    ordering = ("settle", "payments", "2026-06", "--currency", "GBP", "--out", again)
    assert "--reissue" in house.run(*ordering, status=1).stderr and not again.exists()
    house.run(*ordering, "--reissue", "the bank lost it")
    assert again.read_bytes() == path.read_bytes()

    bank = Bank(house, tmp_path, POUNDS, "GBP")
    bank.says({"minor": -due, "end_to_end": net["reference"]}, day="2026-07-13")
    house.run("bank", "match")
    cash = worth(due, "GBP", "2026-07-13")
    assert books(house, "cash:operating")[0] - before.get("cash:operating", 0) == -cash * 10_000
    assert is_settled(house, "LON") and house.json("settle", "nets", "2026-06")["settled"]
    gained = (net["net_minor"] - cash) * 10_000
    assert books(house, "exchange")[0] - before.get("exchange", 0) == -gained
    # Its bank sends it back, and it is paid once more, at the rate of another day.
    bank.says({"minor": due, "end_to_end": net["reference"], "return_reason": "AC04"}, day="2026-07-13")
    house.run("bank", "match")
    assert net_of(house, "LON")["paid_in"]["open_minor"] == due
    assert not is_settled(house, "LON")
    assert house.json("bank", "match")["matches"] == [], "once"
    bank.says({"minor": -due, "end_to_end": net["reference"]}, day="2026-07-10")
    [again] = house.json("bank", "match")["matches"]
    assert is_settled(house, "LON") and house.json("settle", "nets", "2026-06")["settled"]
    assert house.json("bank", "rows", "--open") == []
    later = worth_at(due, RATES["GBP", "2026-06-30"])
    assert books(house, "cash:operating")[0] - before.get("cash:operating", 0) == -later * 10_000
    house.run("bank", "unmatch", again["id"], "--reason", "a mistake")
    assert net_of(house, "LON")["paid_in"]["open_minor"] == due
    house.run("bank", "match")
    assert is_settled(house, "LON")
    assert house.verify("--from-scratch")["ok"]


def test_without_an_account_in_pounds_it_is_said(copy_house, played, tmp_path):
    house = copy_house(played)
    pay_in_all(house)
    (tmp_path / "house.toml").write_text(HOUSE.split("  [company.account.GBP]")[0])
    house.run("house", "set-company", tmp_path / "house.toml")
    refused = house.run("settle", "payments", "2026-06", "--currency", "GBP", "--out", tmp_path / "x.xml", status=1)
    assert "[company.account.GBP]" in refused.stderr and "settle paid" in refused.stderr
    net = net_of(house, "LON")["paid_in"]["net_minor"]
    house.run("settle", "paid", "2026-06", "LON", f"{net // 100}.{net % 100:02}", "--evidence", "by hand")
    assert house.json("settle", "nets", "2026-06")["settled"]


@pytest.mark.parametrize(("wrong", "words"), [
    (HOUSE.replace("SE4550000000058398257466", "SE4550000000058398257467"), "check digits"),
    (HOUSE.replace("SE4550000000058398257466", "NL91ABNA0417164300"), "another currency has it"),
    (HOUSE.replace("account.SEK", "account.XXX"), "does not know"),
    (HOUSE.replace('bic = "HANDSESS"', 'bic = "HAND"'), "8 or 11"),
    (HOUSE.replace('iban = "SE4550000000058398257466"\n', ""), "an account has one"),
    (HOUSE.replace('bic = "HANDSESS"', 'swift = "HANDSESS"'), "swift"),
    (HOUSE.replace("NL91ABNA0417164300", "NL91ABNA041716430"), "not as long"),
    (HOUSE.replace("NL91ABNA0417164300", "XX91ABNA0417164300"), "no country"),
])
def test_accounts_that_are_none(copy_house, played, tmp_path, wrong, words):
    house = copy_house(played)
    (tmp_path / "house.toml").write_text(wrong)
    assert words in house.run("house", "set-company", tmp_path / "house.toml", status=1).stderr


def test_kronor_are_asked_for_and_age_in_kronor(copy_house, played, tmp_path):
    house = copy_house(played)
    due = -net_of(house, "SWE")["paid_in"]["net_minor"]
    house.start()
    house.run("clock", "advance", "2026-07-23T08:00:00Z")
    rows = {row["partner"]: row for row in house.json("settle", "remind", "--out", tmp_path)["reminders"]}
    assert (rows["SWE"]["amount_minor"], rows["SWE"]["currency"]) == (due, "SEK")
    assert rows["GRO"]["currency"] == "EUR" and "LON" not in rows
    letter = (tmp_path / "reminder-2026-07-23-SWE-SEK.txt").read_text()
    assert "SEK" in letter and "EUR" not in letter
    assert (tmp_path / "reminder-2026-07-23-GRO.txt").exists()
    shown = house.json("report", "ageing")
    assert shown["control"][0]["difference_micro"] == 0
    ages = {(row["currency"], row["partner"]): row for row in shown["currencies"]}
    assert {currency for currency, _ in ages} >= {"SEK", "EUR"}
    invoice = sum(document["total_minor"] for document in house.json("settle", "documents")
                  if document["buyer"] == "SWE" and document["type"] == "invoice")
    assert ages["SEK", "SWE"]["days_1_to_30_micro"] == ages["SEK", "SWE"]["open_micro"] == invoice * 10_000
    part = due // 4
    house.run("settle", "paid", "2026-06", "SWE", f"-{part // 100}.{part % 100:02}", "--evidence", "x")
    shown = house.json("report", "ageing")
    assert shown["control"][0]["difference_micro"] == 0
    [row] = [row for row in shown["currencies"] if row["currency"] == "SEK"]
    assert row["open_micro"] == (due - part) * 10_000


def test_collateral_in_kronor_is_held_at_what_the_day_makes_of_it(copy_house, played):
    house = copy_house(played)
    bring = ("settle", "collateral", "SWE", "1000.00", "--evidence", "bank 7", "--currency")
    rate, before = Fraction(RATES["SEK", "2026-07-13"]), money(house)
    worth = rounded(Fraction(1_000_00) / rate)
    assert house.json(*bring, "SEK") == [{"partner": "SWE", "held_minor": worth, "currency": "EUR"}]
    after = money(house)
    assert after["collateral:SWE"] == -worth * 10_000
    assert after["cash:operating"] - before.get("cash:operating", 0) == worth * 10_000
    for code, words in (("XXX", 'does not know "XXX"'), ("USD", "no rate of USD until today"),
                        ("sek", 'does not know "sek"')):
        assert words in house.run(*bring, code, status=1).stderr
    tiny = ("settle", "collateral", "SWE", "0.05", "--evidence", "x", "--currency", "SEK")
    assert "worth nothing" in house.run(*tiny, status=1).stderr
    more = ("settle", "collateral", "SWE", "-1001.00", "--evidence", "x", "--currency", "SEK")
    assert f"has {worth // 100}.{worth % 100:02} of collateral" in house.run(*more, status=1).stderr
    assert "--currency" in house.run("settle", "collateral", "--help").stdout
    house.start()
    with house.connect("operator:anna") as anna:
        def move(**fields):
            return anna.post("/v1/operator/settle/collateral", {
                "message_id": fresh("act"), "partner": "SWE", "evidence": "x"} | fields)

        assert move(amount_minor=1, currency="EUR").json[0]["held_minor"] == worth + 1
        assert move(amount_minor=-1_000_00, currency="SEK").json == [
            {"partner": "SWE", "held_minor": 1, "currency": "EUR"}]
        refused = move(amount_minor=1, currency="USD")
        assert (refused.status, refused.code) == (422, "settlement_refused"), refused
    house.stop()
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.parametrize("collateral", [0, 100_00, 1_000_000_00])
def test_a_default_in_kronor_is_covered_at_the_rate_of_the_day(copy_house, played, tmp_path, collateral):
    house = copy_house(played)
    net = net_of(house, "SWE")
    due = -net["paid_in"]["net_minor"]
    part = due // 5
    house.run("settle", "paid", "2026-06", "SWE", f"-{part // 100}.{part % 100:02}", "--evidence", "x")
    if collateral:
        house.run("settle", "collateral", "SWE", f"{collateral // 100}.00", "--evidence", "bank 7")
    preview = house.json("settle", "default", "2026-06", "SWE", "--reason", "insolvent", "--preview")
    before = money(house)
    taken = house.json("settle", "default", "2026-06", "SWE", "--reason", "insolvent")
    assert taken == preview
    rate = Fraction(RATES["SEK", "2026-07-13"])
    missing = due - part
    drawn = min(collateral, rounded(missing / rate))
    covered = missing if collateral >= rounded(missing / rate) else min(missing, rounded(collateral * rate))
    assert taken["paid_in"] == {
        "currency": "SEK", "rate_id": "EUR-SEK-2026-07-13", "set_off_minor": 0, "collateral_minor": covered,
        "receivable_minor": missing - covered}
    assert taken["collateral_minor"] == drawn
    assert sum(row["owed_minor"] for row in taken["reopened"]) == missing - covered
    assert sum(row["claim_minor"] for row in taken["reopened"]) == taken["receivable_minor"] == taken["house_bears_minor"]
    held = house.json("settle", "collateral")
    assert held == ([] if drawn == collateral else
                    [{"partner": "SWE", "held_minor": collateral - drawn, "currency": "EUR"}])
    after = money(house)
    assert after.get("ar:SWE", 0) == taken["receivable_minor"] * 10_000
    # What the claim was booked with and what covers it today: the rest is the rates'.
    gone = before.get("ar:SWE", 0) + before.get("ap:SWE", 0) - after.get("ar:SWE", 0) - after.get("ap:SWE", 0)
    assert after.get("exchange", 0) - before.get("exchange", 0) == gone - drawn * 10_000
    assert net_of(house, "SWE")["paid_in"]["open_minor"] == 0
    [control] = house.json("report", "ageing")["control"]
    assert control["difference_micro"] == 0
    assert "nothing to pay in" in house.run("settle", "default", "2026-06", "SWE", "--reason", "x", status=1).stderr
    settle_all(house)
    house.start()
    house.run("clock", "advance", "2026-08-01T08:00:00Z")
    house.run("settle", "invoices", "2026-07", "--out", tmp_path / "july")
    july = {row["partner"]: row for row in house.json("settle", "net", "2026-07")["payments"]}
    assert (july["SWE"]["paid_in"]["net_minor"] if "SWE" in july else 0) == covered - missing
    settle_all(house, "2026-07")
    assert {account: amount for account, amount in money(house).items() if account.partition(":")[0] in GONE} == {}
    assert house.verify("--from-scratch")["ok"]
