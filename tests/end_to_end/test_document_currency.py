"""Documents in the currency of their partner: converted once at a recorded rate, with VAT in the house's currency too."""

import json
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from fractions import Fraction

import bank_statement
import pytest

from messages import accrual
from test_netting import settle_all
from test_settlement import money

RATE = Fraction("11.2345")  # crowns for one euro, on the last day of June
LATER = Fraction("11")
TERMS = """
[[partner]]
id = "{id}"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.012345"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "reimbursement"]
  treatment = "taxed"
  rate_bp = 2500
  [partner.settlement]
  {settlement}
"""
EARNED, SPENT = 123_457, 54_321


def rounded(exact):
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def in_millionths(exact):
    return Fraction(rounded(exact * 10 ** 6), 10 ** 6)


def document_of(prices, points):
    """Net, VAT and total in öre, and what it is worth in the books: exact, VAT and total in cents of the euro."""
    exact = [Fraction(price) * points for price in prices]
    net = sum(rounded(in_millionths(each * RATE) * 100) for each in exact)
    vat = rounded(Fraction(net * 25, 100))
    return net, vat, net + vat, sum(exact), rounded(vat / RATE), rounded((net + vat) / RATE)


INVOICE = document_of(["0.012345", "0.001"], EARNED)
SELF_BILLED = document_of(["0.0095"], SPENT)


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    """June of a Swedish brand and one in euro, closed, no document issued; stopped, to be copied."""
    house = make_house()
    house.init("--currency", "EUR")
    folder = tmp_path_factory.mktemp("terms")
    for name, settlement in (("SWE", 'currency = "SEK"'), ("GRO", "")):
        (folder / f"{name}.toml").write_text(TERMS.format(id=name, settlement=settlement))
        house.run("partner", "add", name, "--terms", folder / f"{name}.toml")
        house.run("cert", "issue", name)
    house.run("cert", "issue", "operator:anna")
    house.start()
    for name in ("SWE", "GRO"):
        with house.connect(name) as connection:
            when = "2026-06-11T12:00:00Z"
            assert connection.post("/v1/accruals", accrual(f"M-{name}", EARNED, occurred_at=when)).status == 201
            assert connection.post("/v1/redemptions", accrual(f"M-{name}", SPENT, occurred_at=when)).status == 201
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    house.stop()
    return house


def issued(house, folder):
    house.run("settle", "invoices", "2026-06", "--out", folder)
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def documents_total(documents, kind):
    return next(document["total_minor"] for document in documents.values()
                if (document["type"], document["currency"]) == (kind, "SEK"))


def tag(node):
    return node.tag.rpartition("}")[2]


def test_documents_in_crowns(copy_house, played, tmp_path):
    house = copy_house(played)
    refused = house.run("settle", "invoices", "2026-06", "--out", tmp_path / "none", status=1)
    assert "SWE" in refused.stderr and "fx set" in refused.stderr
    assert house.json("settle", "documents") == []
    house.run("fx", "set", "2026-06-30", "EUR", "SEK", str(float(RATE)))
    house.run("fx", "set", "2026-07-01", "EUR", "SEK", "12")  # not of June
    before = money(house)
    documents = issued(house, tmp_path / "documents")

    ours = {document["type"]: document for document in documents.values() if document["currency"] == "SEK"}
    for kind, (net, vat, total, exact, books_vat, books_total) in (("invoice", INVOICE), ("self_billed_invoice", SELF_BILLED)):
        document, fee = ours[kind], Fraction("0.001") * EARNED if kind == "invoice" else 0
        assert (document["net_minor"], document["vat_minor"], document["total_minor"]) == (net, vat, total)
        assert document["booked"] == {"currency": "EUR", "rate_id": "EUR-SEK-2026-06-30", "exact_micro": exact * 10 ** 6,
                                      "fee_micro": fee * 10 ** 6, "vat_minor": books_vat, "total_minor": books_total}
    assert ours["invoice"]["accounting"]["vat_minor"] == INVOICE[4]
    assert ours["self_billed_invoice"]["accounting"] is None, "the Swedish seller accounts for its VAT in crowns"
    assert all("booked" not in document for document in documents.values() if document["currency"] == "EUR")

    xml = ElementTree.parse(tmp_path / "documents" / f"{ours['invoice']['number']}.xml").getroot()
    texts = {tag(node): node.text for node in xml if tag(node).endswith("CurrencyCode")}
    assert texts == {"DocumentCurrencyCode": "SEK", "TaxCurrencyCode": "EUR"}
    taxes = {amount.get("currencyID"): amount.text for total in xml if tag(total) == "TaxTotal"
             for amount in total if tag(amount) == "TaxAmount"}
    assert taxes == {"SEK": f"{INVOICE[1] / 100:.2f}", "EUR": f"{INVOICE[4] / 100:.2f}"}

    after = money(house)
    booked = {account: after.get(account, 0) - before.get(account, 0) for account in before.keys() | after.keys()
              if account.endswith(":SWE") or account == "exchange"}
    assert booked["ar:SWE"] == INVOICE[5] * 10_000
    assert booked["ap:SWE"] == -SELF_BILLED[5] * 10_000
    assert before["unbilled:SWE"] == INVOICE[3] * 10 ** 6 and "unbilled:SWE" not in money(house), "all of it is billed"
    assert booked.get("exchange", 0) == sum(
        sign * ((total - vat) * 10_000 - exact * 10 ** 6)
        for sign, (_, _, _, exact, vat, total) in ((-1, INVOICE), (1, SELF_BILLED)))
    [control] = house.json("report", "ageing")["control"]
    assert control["difference_micro"] == 0

    house.run("settle", "net", "2026-06")
    [net] = [row for row in house.json("settle", "nets", "2026-06")["payments"] if row["partner"] == "SWE"]
    assert net["net_minor"] == SELF_BILLED[5] - INVOICE[5]
    due = SELF_BILLED[2] - INVOICE[2]
    assert (net["paid_in"]["currency"], net["paid_in"]["net_minor"]) == ("SEK", due)
    statement = house.json("settle", "statement", "2026-06", "--currency", "SEK")
    assert statement["clearing_minor"] == 0
    assert statement["parties"][0]["net_minor"] == due
    euro = house.json("settle", "statement", "2026-06")
    assert [party["party"] for party in euro["parties"]] == ["GRO", "house"]

    # Paid two weeks later, when a crown is worth more.
    house.start()
    house.run("clock", "advance", "2026-07-14T08:00:00Z")
    house.run("fx", "set", "2026-07-14", "EUR", "SEK", "11")
    until = money(house)
    part = due // 3
    house.run("settle", "paid", "2026-06", "SWE", f"{part // 100}.{part % 100:02}" if part > 0 else
              f"-{-part // 100}.{-part % 100:02}", "--evidence", "a part")
    settle_all(house)
    assert house.json("settle", "nets", "2026-06")["settled"]
    books = money(house)
    assert {account: amount for account, amount in books.items() if account.partition(":")[0] in ("ar", "ap")} == {}
    cash = -sum(rounded(amount / LATER) for amount in (part, due - part)) * 10_000
    gro = [row for row in house.json("settle", "nets", "2026-06")["payments"] if row["partner"] == "GRO"][0]["net_minor"]
    assert books["cash:operating"] - until.get("cash:operating", 0) == cash - gro * 10_000
    assert books["exchange"] - until.get("exchange", 0) == -cash - net["net_minor"] * 10_000
    assert house.verify("--from-scratch")["ok"]


def test_a_credit_note_takes_the_rate_of_its_original(copy_house, played, tmp_path):
    house = copy_house(played)
    house.run("fx", "set", "2026-06-30", "SEK", "EUR", "0.089012")  # the other way round
    documents = issued(house, tmp_path / "documents")
    [number] = [number for number, document in documents.items()
                if document["type"] == "invoice" and document["currency"] == "SEK"]
    (tmp_path / "euro.toml").write_text("[settlement]\n")
    assert "is open in SEK" in house.run("partner", "set-settlement", "SWE", tmp_path / "euro.toml", status=1).stderr
    (tmp_path / "wrong.toml").write_text('[settlement]\ncurrency = "XXX"\n')
    assert "XXX" in house.run("partner", "set-settlement", "SWE", tmp_path / "wrong.toml", status=1).stderr
    original = documents[number]
    assert original["accounting"]["vat_minor"] == rounded(original["vat_minor"] * Fraction("0.089012"))
    assert original["booked"]["total_minor"] == rounded(original["total_minor"] * Fraction("0.089012"))
    books = money(house)
    credited = house.json("settle", "credit", number, "--reason", "sent twice")
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "more")
    with house.start().connect("SWE") as connection:
        credit = connection.get(f"/v1/documents/{credited['number']}").json
    assert (credit["currency"], credit["total_minor"], credit["booked"]) == (
        "SEK", original["total_minor"], original["booked"])
    assert money(house).get("ar:SWE", 0) == 0
    assert money(house)["vat:output"] - books["vat:output"] == original["booked"]["vat_minor"] * 10_000
    [net] = [row for row in house.json("settle", "net", "2026-06")["payments"] if row["partner"] == "SWE"]
    assert net["paid_in"]["net_minor"] == documents_total(documents, "self_billed_invoice")
    settle_all(house)
    assert {account: amount for account, amount in money(house).items() if account.partition(":")[0] in ("ar", "ap")} == {}
    assert house.verify("--from-scratch")["ok"]


def test_a_part_that_is_disputed_is_held_back_in_crowns(copy_house, played, tmp_path):
    house = copy_house(played)
    house.run("fx", "set", "2026-06-30", "SEK", "EUR", "0.089012")
    documents = issued(house, tmp_path / "documents")
    [invoice] = [number for number, document in documents.items()
                 if document["type"] == "invoice" and document["currency"] == "SEK"]
    house.run("dispute", "open", invoice, "--line", "1", "--amount", "100.00", "--reason", "PRI", "--evidence", "x")
    [control] = house.json("report", "ageing")["control"]
    assert control["difference_micro"] == 0
    [net] = [row for row in house.json("settle", "net", "2026-06")["payments"] if row["partner"] == "SWE"]
    whole = documents_total(documents, "self_billed_invoice") - documents_total(documents, "invoice")
    assert net["paid_in"]["net_minor"] == whole + 125_00, "a part is held back"
    assert "netting, paid in EUR, SEK\n" in house.run("settle", "nets", "2026-06").stdout
    house.start()
    with house.connect("SWE") as connection:
        [seen] = connection.get("/v1/statements/2026-06").json["partners"]
    assert (seen["net_minor"], seen["currency"]) == (net["paid_in"]["net_minor"], "SEK")
    assert sum(each["effect_minor"] for each in seen["documents"]) == seen["net_minor"]
    settle_all(house)
    [control] = house.json("report", "ageing")["control"]
    assert control["difference_micro"] == 0
    house.run("dispute", "decide", "D-000001", "--agreed", "0", "--words", "no")
    house.run("clock", "advance", "2026-08-01T08:00:00Z")
    house.run("settle", "invoices", "2026-07", "--out", tmp_path / "july")
    house.run("settle", "net", "2026-07")
    settle_all(house, "2026-07")
    assert {account: amount for account, amount in money(house).items() if account.partition(":")[0] in ("ar", "ap")} == {}
    assert house.verify("--from-scratch")["ok"]


def test_a_rate_of_drafts_says_what_stands_against_its_withdrawal(copy_house, played):
    house = copy_house(played)
    house.run("fx", "set", "2026-06-30", "EUR", "SEK", "11")
    house.run("settle", "draft", "2026-06")
    withdraw = ("fx", "withdraw", "EUR-SEK-2026-06-30", "--reason", "a wrong day")
    assert "turn them down first" in house.run(*withdraw, status=1).stderr
    [waiting] = house.json("approve", "list")
    house.run("approve", waiting["id"], "--as-both")
    assert "they are approved and keep it" in house.run(*withdraw, status=1).stderr, "nobody can turn them down now"


def test_amounts_about_a_document_have_its_decimals(make_house, tmp_path):
    """A yen has no hundredth: what is typed of a document, and sent of it over the wire, is in yen."""
    house = make_house()
    house.make("GRO")
    (tmp_path / "yen.toml").write_text('[settlement]\ncurrency = "JPY"\n')
    house.run("partner", "set-settlement", "GRO", tmp_path / "yen.toml")
    house.start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("M1", EARNED, occurred_at="2026-06-11T12:00:00Z"))
        gro.post("/v1/redemptions", accrual("M1", SPENT, occurred_at="2026-06-11T12:00:00Z"))
    house.run("clock", "advance", "2026-07-01")
    house.run("fx", "set", "2026-06-30", "EUR", "JPY", "162.5")
    issued(house, tmp_path)

    invoice = "INV-2026-000001"
    contest = ("dispute", "open", invoice, "--reason", "QTY", "--evidence", "till 4", "--amount")
    assert "100.50 is no amount of JPY" in house.run(*contest, "100.50", status=1).stderr
    assert house.json(*contest, "100")["net_minor"] == 100
    assert f"{invoice} line 1        100 JPY opened" in house.run("dispute", "list").stdout
    house.run("dispute", "answer", "D-000001", "--words", "no")
    house.run("dispute", "escalate", "D-000001", "--words", "look again")
    decided = house.json("dispute", "decide", "D-000001", "--agreed", "50", "--words", "half")
    assert (decided["agreed_minor"], decided["credit"]) == (50, "CN-2026-000001")
    assert house.json("dispute", "open", "SB-GRO-2026-000001", *contest[3:], "7", "--billed", "too_little")["stage"]
    for step in (("answer", "--words", "no"), ("escalate", "--words", "yes"), ("decide", "--agreed", "7", "--words", "so")):
        house.run("dispute", step[0], "D-000002", *step[1:])
    assert "7 JPY decided, billed by SB-GRO-2026-000002" in house.run("dispute", "list").stdout

    with house.connect("operator:anna") as anna:
        def act(path, **fields):
            answer = anna.post(f"/v1/operator/{path}", {"message_id": path.replace("/", "-"), **fields})
            assert answer.status == 200, answer
            return answer.json

        line = {"line": 1, "net_minor": 200}
        act("settle/credit", number=invoice, reason="too much", **line)
        opened = act("dispute/open", document=invoice, reason="QTY", evidence="till 4", **line)
        assert opened["net_minor"] == 200
        act("dispute/answer", dispute=opened["dispute"], words="no")
        act("dispute/escalate", dispute=opened["dispute"], words="yes")
        assert act("dispute/decide", dispute=opened["dispute"], agreed_minor=150, words="so")["agreed_minor"] == 150
    totals = [row["total_minor"] for row in house.json("settle", "documents") if row["number"].startswith("CN-")]
    assert totals == [rounded(net * Fraction(121, 100)) for net in (50, 200, 150)]


def test_amounts_about_a_row_of_the_bank_have_its_decimals(make_house, tmp_path):
    """Over the wire, too: 40 yen are 40, not 0.40."""
    house = make_house()
    house.make("GRO")
    (tmp_path / "house.toml").write_text(f"""
[company]
name = "Pointhouse SIA"
iban = "DE89370400440532013000"
  [company.account.JPY]
  iban = "{bank_statement.IBAN}"
""")
    house.run("house", "set-company", tmp_path / "house.toml")
    house.start()
    house.run("clock", "advance", "2026-07-14T08:00:00Z")
    house.run("fx", "set", "2026-07-14", "EUR", "JPY", "162.5")
    path = tmp_path / "yen.xml"
    path.write_text(bank_statement.statement(
        1, 1_000_00, [{"minor": -100_00, "text": "charges"}], currency="JPY").replace(".00<", "<"))
    house.run("bank", "import", path)
    assert [(row["currency"], row["amount_minor"]) for row in house.json("bank", "rows")] == [("JPY", -100)]
    with house.connect("operator:anna") as anna:
        sent = {"row": 1, "account": "bank_charges", "reason": "the bank's"}
        done = anna.post("/v1/operator/bank/write-off", {"message_id": "w-1", "amount_minor": -40, **sent})
        assert done.status == 200, done
        more = anna.post("/v1/operator/bank/write-off", {"message_id": "w-2", "amount_minor": -61, **sent})
        assert more.status == 422, more
        rest = anna.post("/v1/operator/bank/write-off", {"message_id": "w-3", "amount_minor": -60, **sent})
        assert rest.status == 200, rest
    assert money(house)["bank_charges"] == sum(rounded(yen / Fraction("162.5") * 100) for yen in (40, 60)) * 10_000


def test_a_change_of_currency_never_stands_in_the_way_of_nets(make_house, tmp_path):
    """What is credited later of a document in the currency of before is netted first, the new currency a window later."""
    house = make_house()
    house.make("GRO", "TNK")
    house.start()

    def month(number):
        for name in ("GRO", "TNK"):
            with house.connect(name) as brand:
                when = f"2026-{number:02}-11T12:00:00Z"
                assert brand.post("/v1/accruals", accrual(f"M-{name}", 10_000, occurred_at=when)).status == 201
        house.run("clock", "advance", f"2026-{number + 1:02}-02")
        house.run("settle", "invoices", f"2026-{number:02}", "--out", tmp_path / str(number))
        house.run("settle", "net", f"2026-{number:02}")
        rows = {row["partner"]: row for row in house.json("settle", "nets", f"2026-{number:02}")["payments"]}
        for row in rows.values():
            paid_in = row.get("paid_in", row)
            decimals = {"EUR": 2, "JPY": 0}[paid_in["currency"]]
            house.run("settle", "paid", f"2026-{number:02}", row["partner"],
                      Decimal(paid_in["net_minor"]).scaleb(-decimals), "--evidence", "bank")
        return {partner: (row.get("paid_in", row)["currency"], row.get("paid_in", row)["net_minor"])
                for partner, row in rows.items()}

    assert month(6) == {"GRO": ("EUR", -13310), "TNK": ("EUR", -13310)}
    (tmp_path / "yen.toml").write_text('[settlement]\ncurrency = "JPY"\n')
    house.run("partner", "set-settlement", "GRO", tmp_path / "yen.toml")
    house.run("fx", "set", "2026-07-01", "EUR", "JPY", "160")
    house.run("settle", "credit", "INV-2026-000001", "--line", "1", "--amount", "10.00", "--reason", "sold twice")
    assert month(7) == {"GRO": ("EUR", 1210), "TNK": ("EUR", -13310)}
    assert month(8) == {"GRO": ("JPY", -2 * 21_296), "TNK": ("EUR", -13310)}
    assert {row["state"] for row in house.json("settle", "documents")} == {"paid"}
    for window in ("2026-06", "2026-07", "2026-08"):
        house.run("close", "soft", window)
        house.run("close", "hard", window)
    assert house.verify("--from-scratch")["ok"]
