"""Two programs in one house, from messages to the bank: what is owed under one is never offset by what is owed under
another. A company is in both, with a contract (and one bank account) in each: MART in groceries, TRIP in travel."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import bank_statement
import openpyxl
import pytest

from messages import accrual
from netting_example import PARTNER
from test_documents_by_type import both
from test_operator_routes import Pair, act, later, make_production  # noqa: F401
from test_operator_routes import both as two_people
from test_protobuf import wire  # noqa: F401  the classes made of the published files
from test_reports import page_of
from test_settlement import money

IBAN = "DE89370400440532013000"
COMPANY = f"""
  [partner.company]
  name = "Mart & Trip SARL"
  street = "1 rue du Marche"
  city = "Nantes"
  postal_code = "44000"
  country = "FR"
  vat_id = "FR40303265045"
  registration = "303265045"
  endpoint_scheme = "0088"
  endpoint = "9520000000004"
  iban = "{IBAN}"
  self_billing_agreed = "2026-01-01"
"""
PROGRAM_OF = {"MART": "grocery", "DELI": "grocery", "TRIP": "travel", "AIR": "travel"}
NETS = {"grocery": {"MART": -1_050_00, "DELI": 1_000_00}, "travel": {"AIR": -550_00, "TRIP": 600_00}}
HOUSE = {"grocery": 50_00, "travel": -50_00}  # MART's points that AIR took


def add(house, folder, name, program, status=0):
    file = folder / f"{name}.toml"
    company = COMPANY if name in ("MART", "TRIP") else ""
    file.write_text(PARTNER.format(
        name=name, settlement=f'  program = "{program}"\n  mutualised = true\n{company}'))
    return house.run("partner", "add", name, "--terms", file, status=status)


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    """June, issued and not netted; stopped, to be copied."""
    house, folder = make_house(), tmp_path_factory.mktemp("terms")
    house.init("--currency", "EUR")
    assert "none of the house's: it has none" in add(house, folder, "MART", "grocery", status=1).stderr
    (folder / "house.toml").write_text('[house]\nprograms = ["grocery", "travel"]\n')
    house.run("house", "set-terms", folder / "house.toml", "--as-both")
    assert house.json("house", "show")["programs"] == ["grocery", "travel"]
    assert "grocery, travel" in add(house, folder, "TYPO", "travle", status=1).stderr
    for name, program in PROGRAM_OF.items():
        add(house, folder, name, program)
        house.run("cert", "issue", name)
    assert house.json("partner", "show", "AIR")["settlement"]["program"] == "travel"
    house.run("cert", "issue", "operator:anna")
    house.start()
    for issuer, redeemer, member, points in (("MART", "DELI", "M-1", 1_000_00), ("AIR", "TRIP", "M-2", 600_00),
                                             ("MART", "AIR", "M-3", 50_00)):
        for name, path in ((issuer, "accruals"), (redeemer, "redemptions")):
            with house.connect(name) as connection:
                sent = connection.post(f"/v1/{path}", accrual(member, points, occurred_at="2026-06-11T12:00:00Z"))
                assert sent.status == 201, sent
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    documents = folder / "documents"
    house.run("settle", "invoices", "2026-06", "--out", documents)
    for path in documents.glob("*.json"):
        document = json.loads(path.read_text())
        partner = document["buyer" if document["seller"]["id"] == "house" else "seller"]["id"]
        assert document["program"] == PROGRAM_OF[partner]
    house.stop()
    return house


@pytest.fixture
def house(copy_house, played):
    return copy_house(played)


@pytest.fixture
def bank(house, tmp_path):
    """Says rows of one day; each call is a further statement."""
    told = {"number": 0, "balance": 5_000_00}

    def says(*rows):
        told["number"] += 1
        path = tmp_path / f"{told['number']}.xml"
        path.write_text(bank_statement.statement(told["number"], told["balance"], list(rows)).replace(
            "</RmtInf>", f"</RmtInf><RltdPties><DbtrAcct><Id><IBAN>{IBAN}</IBAN></Id></DbtrAcct></RltdPties>"))
        told["balance"] += sum(row["minor"] for row in rows)
        house.run("bank", "import", path)
        return house.json("bank", "match")

    return says


def by_program(shown):
    return {net["program"]: {row["partner"]: row["net_minor"] for row in net["payments"]} for net in shown["programs"]}


def order_of(path):
    root = ElementTree.parse(path).getroot()
    text = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    return text["MsgId"], text["CtrlSum"], text["EndToEndId"]


def subsidiary(house):
    return {account: amount for account, amount in money(house).items() if account.partition(":")[0] in ("ar", "ap")}


def test_a_month_of_two_programs(house, bank, tmp_path):
    shown = house.json("settle", "show", "2026-06")
    assert {row["partner"]: row["program"] for row in shown["partners"]} == PROGRAM_OF
    assert shown["programs"] == [
        {"program": "grocery", "partners": 2, "paid_in_minor": 1_050_00, "paid_out_minor": 1_000_00, "house_minor": 50_00},
        {"program": "travel", "partners": 2, "paid_in_minor": 550_00, "paid_out_minor": 600_00, "house_minor": -50_00}]
    assert "travel" in house.run("settle", "show", "2026-06").stdout

    assert "2026-06 travle has nothing open" in house.run(
        "settle", "net", "2026-06", "--program", "travle", status=1).stderr
    assert by_program(house.json("settle", "net", "2026-06")) == NETS
    again = house.run("settle", "net", "2026-06", status=1).stderr
    assert "2026-06 grocery is netted already" in again
    assert "2026-06 travel is netted already" in house.run(
        "settle", "net", "2026-06", "--program", "travel", status=1).stderr

    statement = house.json("settle", "statement", "2026-06")
    for of_program in statement["programs"]:
        nets = {party["party"]: party["net_minor"] for party in of_program["parties"]}
        assert nets == NETS[of_program["program"]] | {"house": HOUSE[of_program["program"]]}
        assert sum(nets.values()) == of_program["clearing_minor"] == 0
    rows = list(csv.DictReader(io.StringIO(house.run("settle", "statement", "2026-06", "--csv").stdout)))
    assert {(row["program"], row["party"]) for row in rows if row["record"] == "net"} == {
        (program, party) for program, nets in NETS.items() for party in [*nets, "house"]}
    assert house.json("settle", "statement", "2026-06", "--program", "travel") == statement["programs"][1]

    unnamed = house.run("settle", "payments", "2026-06", "--out", tmp_path / "any.xml", status=1).stderr
    assert "a net for each of grocery, travel: --program says which" in unnamed
    waiting = house.run("settle", "payments", "2026-06", "--program", "travel", "--out", tmp_path / "t.xml", status=1)
    assert "pay-outs of 2026-06 travel wait" in waiting.stderr

    # AIR pays; travel is paid out while groceries wait.
    [matched] = bank({"minor": 550_00, "end_to_end": "PH-2026-06.travel-AIR"})["matches"]
    assert matched["match"]["parts"][0]["item"] == "PH-2026-06.travel-AIR"
    house.run("settle", "payments", "2026-06", "--program", "travel", "--out", tmp_path / "t.xml")
    assert order_of(tmp_path / "t.xml") == ("PH-2026-06.travel", "600.00", "PH-2026-06.travel-TRIP")
    first = (tmp_path / "t.xml").read_bytes()
    once = house.run("settle", "payments", "2026-06", "--program", "travel", "--out", tmp_path / "t.xml", status=1)
    assert "2026-06 travel left the house already" in once.stderr
    house.run("settle", "payments", "2026-06", "--program", "travel", "--out", tmp_path / "t.xml", "--reissue", "lost")
    assert (tmp_path / "t.xml").read_bytes() == first
    assert "2026-06 grocery wait" in house.run(
        "settle", "payments", "2026-06", "--program", "grocery", "--out", tmp_path / "g.xml", status=1).stderr

    # The company takes what travel pays it off what it owes for groceries: nobody matches that by himself.
    offset = bank({"minor": 450_00, "text": "PH-2026-06.grocery-MART less PH-2026-06.travel-TRIP"})
    assert offset["matches"] == [] and len(offset["suggestions"]) == 1
    assert subsidiary(house)["ar:MART"] == 1_050_00 * 10_000
    house.run("bank", "assign", "2", "PH-2026-06.grocery-MART", "--reason", "a part")
    bank({"minor": 600_00, "text": "PH-2026-06.grocery-MART"}, {"minor": -600_00, "end_to_end": "PH-2026-06.travel-TRIP"})
    assert house.json("window", "list")[0]["state"] == "closed", "groceries are not paid out"
    house.run("settle", "payments", "2026-06", "--program", "grocery", "--out", tmp_path / "g.xml")
    assert order_of(tmp_path / "g.xml") == ("PH-2026-06.grocery", "1000.00", "PH-2026-06.grocery-DELI")
    bank({"minor": -1_000_00, "end_to_end": "PH-2026-06.grocery-DELI"})
    assert all(net["settled"] for net in house.json("settle", "nets", "2026-06")["programs"])
    assert house.json("window", "list")[0]["state"] == "settled"
    assert subsidiary(house) == {}

    house.run("close", "soft", "2026-06")
    checks = {check["check"]: check["state"] for check in house.json("close", "show", "2026-06")["checks"]}
    assert [name for name in checks if name.startswith(("paid", "clearing"))] == [
        "paid:grocery", "clearing:grocery", "paid:travel", "clearing:travel"]
    house.run("close", "hard", "2026-06")
    house.stop()
    assert house.verify("--from-scratch")["ok"]


def test_a_default_in_one_program_touches_nobody_in_the_other(house):
    house.run("settle", "net", "2026-06")
    taken = house.json("settle", "default", "2026-06", "MART", "--reason", "insolvent")
    assert (taken["program"], taken["set_off_minor"], taken["receivable_minor"]) == ("grocery", 0, 1_050_00)
    assert taken["loss_shares"] == [{"partner": "DELI", "share_minor": 1_000_00}] and taken["house_bears_minor"] == 50_00
    nets = by_program(house.json("settle", "nets", "2026-06"))
    assert nets["grocery"] == {"MART": 0, "DELI": 0}
    assert nets["travel"] == NETS["travel"]

    house.start()
    house.run("clock", "advance", "2026-08-01T08:00:00Z")
    house.run("settle", "invoices", "2026-07", "--out", house.data / "july")
    assert by_program(house.json("settle", "net", "2026-07")) == {"grocery": NETS["grocery"]}, "and the house's 50 are back"
    assert house.verify("--from-scratch")["ok"]


def test_one_program_at_a_time_over_the_wire(house, wire):  # noqa: F811
    house.start()
    with house.connect("operator:anna") as anna:
        sent = anna.post("/v1/operator/settle/net", {"window": "2026-06", "program": "travel", "message_id": "net-1"})
        assert (sent.status, sent.json["program"]) == (200, "travel"), sent
        assert anna.get("/v1/operator/settle/nets?window=2026-06&program=grocery").status == 422
    with house.connect("AIR") as air:
        [row] = both(air, "/v1/statements/2026-06", wire.NetStatement)["partners"]
        assert (row["program"], row["net_minor"], row["reference"]) == ("travel", -550_00, "PH-2026-06.travel-AIR")
        assert both(air, "/v1/position", wire.Position)["program"] == "travel"
        for listed in air.get("/v1/documents").json["documents"]:
            assert both(air, f"/v1/documents/{listed['number']}", wire.Document)["program"] == "travel"
    with house.connect("MART") as mart:
        assert mart.get("/v1/statements/2026-06").status == 404, "groceries are not netted yet"
    assert list(by_program(house.json("settle", "net", "2026-06"))) == ["grocery", "travel"], "what was left to be netted"
    house.run("settle", "paid", "2026-06", "AIR", "-550.00", "--evidence", "cheque")
    assert "nothing to settle" in house.run(
        "settle", "paid", "2026-06", "AIR", "-1.00", "--evidence", "cheque", "--program", "grocery", status=1).stderr


def test_a_partner_changes_its_program_once_all_is_paid(house, tmp_path):
    (tmp_path / "settlement.toml").write_text('[settlement]\nprogram = "grocery"\n')
    change = ("partner", "set-settlement", "AIR", tmp_path / "settlement.toml")
    assert "is open in travel: the program changes once all is paid" in house.run(*change, status=1).stderr
    house.run("settle", "net", "2026-06")
    assert "PH-2026-06.travel-AIR is open in travel" in house.run(*change, status=1).stderr
    house.run("settle", "paid", "2026-06", "AIR", "-550.00", "--evidence", "cheque")
    house.run(*change)
    assert house.json("partner", "show", "AIR")["settlement"]["program"] == "grocery"
    shown = {row["partner"]: row["program"] for row in house.json("settle", "show", "2026-06")["partners"]}
    assert shown == PROGRAM_OF, "June stays as it was"
    assert house.verify("--from-scratch")["ok"]


def rolled(house, *arguments):
    """A roll-forward whose subtotals are the sums of their issuers, and add up to the total. ({issuer: program}, it)"""
    shown = house.json("report", "roll-forward", *arguments)
    *issuers, total = shown["issuers"]
    *programs, of_programs = shown["programs"]
    assert total["issuer"] == of_programs["program"] == "total" and total["program"] is None
    figures = [name for name in total if name not in ("issuer", "program")]
    assert all(total[name] == of_programs[name] for name in figures)
    sums = {}
    for row in issuers:
        of = sums.setdefault(row["program"], dict.fromkeys(figures, 0))
        of.update({name: of[name] + row[name] for name in figures})
    assert {row["program"]: {name: row[name] for name in figures} for row in programs} == sums
    assert shown["control"][0]["difference_micro"] == 0
    return {row["issuer"]: row["program"] for row in issuers}, shown


def test_the_liability_rolls_forward_by_program(house, tmp_path):
    before = {"MART": "grocery", "AIR": "travel"}
    programs, june = rolled(house, "--window", "2026-06")
    assert programs == before
    assert {row["program"]: row["issued_points"] for row in june["programs"]} == {
        "grocery": 1_050_00, "travel": 600_00, "total": 1_650_00}

    # AIR pays and goes over to groceries; June stays as it was closed, what comes has all of it there.
    house.run("settle", "net", "2026-06")
    house.run("settle", "paid", "2026-06", "AIR", "-550.00", "--evidence", "cheque")
    (tmp_path / "settlement.toml").write_text('[settlement]\nprogram = "grocery"\n')
    house.run("partner", "set-settlement", "AIR", tmp_path / "settlement.toml")
    house.start()
    for issuer, points in (("MART", 500), ("AIR", 700)):
        with house.connect(issuer) as brand:
            assert brand.post("/v1/accruals", accrual(f"J-{issuer}", points, occurred_at="2026-07-05T12:00:00Z")).status == 201
    after = {"MART": "grocery", "AIR": "grocery"}
    assert rolled(house, "--window", "2026-06") == (before, june)
    assert rolled(house)[0] == rolled(house, "--window", "2026-07")[0] == after
    first = next(csv.DictReader(io.StringIO(house.run("export", "journal", "--format", "csv").stdout)))["sequence"]
    assert rolled(house, "--sequence", first)[0] == {"MART": "grocery"}
    assert rolled(house, "--sequence", 1_000_000)[0] == rolled(house, "--at", "2026-07-31")[0] == after
    house.run("clock", "advance", "2026-08-01T08:00:00Z")
    programs, july = rolled(house, "--window", "2026-07")
    assert programs == after and [row["program"] for row in july["programs"]] == ["grocery", "total"]
    assert (july["programs"][0]["issued_points"], july["programs"][0]["closing_points"]) == (1_200, 1_200)
    assert rolled(house, "--at", "2026-06-30")[0] == before

    # One program alone; the control account is all of the house's.
    one = house.json("report", "roll-forward", "--window", "2026-06", "--program", "travel")
    assert [row["issuer"] for row in one["issuers"]] == ["AIR", "total"]
    assert [row["program"] for row in one["programs"]] == ["travel", "total"]
    assert one["programs"][0] == june["programs"][1] and one["control"] == june["control"]
    assert "no issuer of the program travle had points" in house.run(
        "report", "roll-forward", "--program", "travle", status=1).stderr
    with house.connect("operator:anna") as anna:
        asked = anna.get("/v1/operator/report/roll-forward?window=2026-06&program=travel")
        assert asked.json == one, asked

    # Every form has them.
    table = list(csv.DictReader(io.StringIO(
        house.run("report", "roll-forward", "--window", "2026-06", "--csv").stdout.replace("\r", "").split("\n\n")[1])))
    assert [(row["program"], row["issued_points"]) for row in table] == [
        ("grocery", "105000"), ("travel", "60000"), ("total", "165000")]
    house.run("report", "roll-forward", "--window", "2026-06", "--xlsx", tmp_path / "roll.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "roll.xlsx")["programs"]
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["program", "grocery", "travel", "total"]
    assert "travel" in house.run("report", "roll-forward", "--window", "2026-06").stdout
    page = page_of(house, tmp_path / "page", "report", "roll-forward", "--window", "2026-06")
    assert page.index("By program") < page.index("By issuer") and "1,050.00" in page
    page = page_of(house, tmp_path / "one", "report", "roll-forward", "--window", "2026-06", "--program", "travel")
    assert "June 2026, program travel" in page and "1,050.00" not in page


# Travel is due later than the house's fourteen days, and keeps a holiday of its own on the last Monday of August.
TRAVEL_CALENDAR = """[calendar]
program = "travel"
from = "2026-07"
billing_days = 2
payment_days = 30
pay_days = 3
objection_days = 21
holidays = ["2026-08-31"]
"""


def execution_day(path):
    return next(element.text for element in ElementTree.parse(path).iter() if element.tag.endswith("}Dt"))


def unpaid(house):
    return {PROGRAM_OF[row["owner"]] for row in house.json("report", "ageing")["breaches"] if row["what"] == "unpaid"}


def test_each_program_is_due_and_paid_by_its_own_calendar(house, tmp_path):
    calendar = tmp_path / "calendar.toml"
    for wrong in (TRAVEL_CALENDAR.replace("travel", "travle"), TRAVEL_CALENDAR.replace('"travel"', '""'),
                  TRAVEL_CALENDAR.replace("travel", "none"),
                  TRAVEL_CALENDAR.replace("08-31", "08-32"), TRAVEL_CALENDAR.replace('["2026-08-31"]', '"2026-08-31"')):
        calendar.write_text(wrong)
        assert not house.run("calendar", "set", calendar, status=1).stdout, wrong
    calendar.write_text(TRAVEL_CALENDAR)
    set_ = house.json("calendar", "set", calendar)
    assert (set_["program"], set_["holidays"]) == ("travel", ["2026-08-31"])
    assert "the calendar of travel is set from 2026-07 on" in house.run("calendar", "set", calendar, status=1).stderr

    house.start()
    house.run("settle", "net", "2026-06")
    for issuer, redeemer, member, points in (("MART", "DELI", "M-1", 10_00), ("AIR", "TRIP", "M-2", 6_00)):
        for name, path in ((issuer, "accruals"), (redeemer, "redemptions")):
            with house.connect(name) as connection:
                sent = connection.post(f"/v1/{path}", accrual(member, points, occurred_at="2026-07-20T12:00:00Z"))
                assert sent.status == 201, sent
    house.run("clock", "advance", "2026-08-03T08:00:00Z")
    house.run("settle", "invoices", "2026-07", "--out", tmp_path)
    dates = {}
    for path in tmp_path.glob("*.json"):
        document = json.loads(path.read_text())
        dates.setdefault(document["program"], set()).add(document["due_on"])
        if "object_by" in document:
            assert document["object_by"] == {"grocery": "2026-08-17", "travel": "2026-08-24"}[document["program"]]
    assert dates == {"grocery": {"2026-08-14"}, "travel": {"2026-09-01"}}
    assert "was issued by these terms" in house.run(
        "calendar", "withdraw", "2026-07", "--program", "travel", "--reason", "late", status=1).stderr
    for partner, owed in (("MART", "-1050.00"), ("AIR", "-550.00")):
        house.run("settle", "paid", "2026-06", partner, owed, "--evidence", "bank")

    nets = by_program(house.json("settle", "net", "2026-07"))
    assert nets == {"grocery": {"MART": -10_00, "DELI": 10_00}, "travel": {"AIR": -6_00, "TRIP": 6_00}}
    house.run("clock", "advance", "2026-08-25T08:00:00Z")
    assert unpaid(house) == {"grocery"}, "travel is not due yet"
    reminded = house.json("settle", "remind", "--dry-run")["reminders"]
    assert {PROGRAM_OF[row["partner"]] for row in reminded} == {"grocery"}
    house.run("settle", "paid", "2026-07", "AIR", "-6.00", "--evidence", "bank")
    house.run("settle", "payments", "2026-07", "--program", "travel", "--out", tmp_path / "travel.xml")
    assert execution_day(tmp_path / "travel.xml") == "2026-09-04"
    # Groceries' pay day has passed: paid on the next day of the house's calendar.
    house.run("settle", "paid", "2026-07", "MART", "-10.00", "--evidence", "bank")
    house.run("settle", "payments", "2026-07", "--program", "grocery", "--out", tmp_path / "grocery.xml")
    assert execution_day(tmp_path / "grocery.xml") == "2026-08-25"
    house.stop()
    assert house.verify("--from-scratch")["ok"]


def test_a_program_of_later_changes_no_roll_forward_of_before(make_house, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M-1", 100, occurred_at="2026-06-11T12:00:00Z")).status == 201
    house.run("clock", "advance", "2026-07-02T08:00:00Z")
    june = [house.run("report", "roll-forward", "--window", "2026-06", *form).stdout for form in ((), ("--json",))]
    (tmp_path / "house.toml").write_text('[house]\nprograms = ["travel"]\n')
    house.run("house", "set-terms", tmp_path / "house.toml", "--as-both")
    add(house, tmp_path, "AIR", "travel")
    assert [house.run("report", "roll-forward", "--window", "2026-06", *form).stdout for form in ((), ("--json",))] == june


# By hand: Amsterdam's clocks change on 29 March and 25 October 2026. The cut is the house's; the rest travel's own.
TRAVEL_2026 = {
    "2026-02": ("2026-02-28T23:00:00Z", "2026-03-02", "2026-03-16", "2026-03-16"),  # the house's: travel's begins later
    "2026-03": ("2026-03-31T22:00:00Z", "2026-04-02", "2026-04-29", "2026-05-04"),  # 30 April a holiday, 1 May closed
    "2026-04": ("2026-04-30T22:00:00Z", "2026-05-04", "2026-05-29", "2026-05-29"),  # 30 May a Saturday: not into June
    "2026-06": ("2026-06-30T22:00:00Z", "2026-07-02", "2026-07-30", "2026-08-03"),
    "2026-09": ("2026-09-30T22:00:00Z", "2026-10-02", "2026-10-30", "2026-11-02"),
    "2026-10": ("2026-10-31T23:00:00Z", "2026-11-02", "2026-11-30", "2026-12-02"),
    "2026-12": ("2026-12-31T23:00:00Z", "2027-01-04", "2027-01-29", "2027-01-29")}  # 31 January a Sunday: back, twice


def test_the_dates_of_a_program_are_a_table_made_by_hand(make_house, tmp_path):
    house = make_house()
    house.init("--time-zone", "Europe/Amsterdam")
    (tmp_path / "house.toml").write_text('[house]\nprograms = ["grocery", "travel"]\n')
    house.run("house", "set-terms", tmp_path / "house.toml", "--as-both")
    (tmp_path / "calendar.toml").write_text(
        '[calendar]\nprogram = "travel"\nfrom = "2026-03"\nbilling_days = 2\npayment_days = 30\npay_days = 2\n'
        'roll = "modified_following"\nholidays = ["2026-04-30"]\n')
    house.run("calendar", "set", tmp_path / "calendar.toml")

    def shown(*program):
        return house.json("calendar", "show", "--year", 2026, *program)

    def rows(*program):
        return {row["window"]: (row["cut_off"], row["billing_on"], row["due_on"], row["pay_on"])
                for row in shown(*program)["windows"]}

    travel = rows("--program", "travel")
    assert {window: travel[window] for window in TRAVEL_2026} == TRAVEL_2026
    assert rows("--program", "grocery") == rows() == rows("--program", "none"), "groceries follow the house"
    assert rows()["2026-03"] == ("2026-03-31T22:00:00Z", "2026-04-01", "2026-04-14", "2026-04-14")
    assert [each.get("program") for each in shown()["terms"]] == [None, "travel"]
    assert "of travel from 2026-03" in house.run("calendar", "show", "--year", 2026).stdout
    assert "none of the house's programs" in house.run(
        "calendar", "show", "--year", 2026, "--program", "travle", status=1).stderr
    house.run("calendar", "withdraw", "2026-03", "--reason", "the house's has none", status=1)
    house.run("calendar", "withdraw", "2026-03", "--program", "travel", "--reason", "a mistake")
    assert rows("--program", "travel") == rows()


def test_a_program_s_calendar_takes_two_people(make_house, later, tmp_path):  # noqa: F811
    house, _ = make_production(make_house, later, tmp_path)
    (tmp_path / "house.toml").write_text('[house]\nprograms = ["grocery", "travel"]\n')
    two_people(house, "house", "set-terms", tmp_path / "house.toml")
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        pair = Pair(anna, bob)
        far = TRAVEL_CALENDAR.replace("2026-07", "2190-01").encode()
        assert pair.takes_two("calendar/set", far).json["program"] == "travel"
        shown = anna.get("/v1/operator/calendar/show?year=2190&program=travel").json
        assert shown["program"] == "travel" and shown["terms"][-1]["pay_days"] == 3
        taken = pair.takes_two("calendar/withdraw", window="2190-01", program="travel", reason="a wrong year")
        assert taken.status == 200, taken


def test_nets_made_at_once_are_one_act_of_two_people(make_house, later, tmp_path):  # noqa: F811
    house, window = make_production(make_house, later, tmp_path)
    (tmp_path / "house.toml").write_text('[house]\nprograms = ["grocery", "travel"]\n')
    two_people(house, "house", "set-terms", tmp_path / "house.toml")
    for partner, program in (("GRO", "grocery"), ("TNK", "travel")):
        (tmp_path / "settlement.toml").write_text(f'[settlement]\nprogram = "{program}"\n')
        two_people(house, "partner", "set-settlement", partner, tmp_path / "settlement.toml")
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        pair = Pair(anna, bob)
        assert pair.takes_two("window/close").status == 200
        pair.prepares("settle/draft", window=window)
        assert act(anna, "settle/issue", window=window).json["issued"] >= 3
        assert act(anna, "close/soft", window=window).status == 200
        assert act(anna, "settle/net", window=window).code == "settlement_refused", "it is late, and nobody says why"
        netted = pair.takes_two("settle/net", window=window, reason="a holiday")
        nets = by_program(netted.json)
        assert {program: list(partners) for program, partners in nets.items()} == {"grocery": ["GRO"], "travel": ["TNK"]}
        for program, partner in (("grocery", "GRO"), ("travel", "TNK")):
            paid = pair.takes_two("settle/paid", window=window, partner=partner, evidence="bank",
                                  amount_minor=nets[program][partner])
            assert paid.status == 200, paid
        assert pair.takes_two("close/hard", window=window).status == 200
    assert house.verify("--from-scratch")["ok"]
