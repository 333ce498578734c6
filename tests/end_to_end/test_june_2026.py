"""The worked month of June 2026, through the gateway: every answer, every row of the journal, the close.

The month itself is in tests/golden/june-2026 and tests/oracle/june_2026.py."""

import csv
import io
import json
import random
import shutil

import days
import june_2026 as june
import pytest

from player import Player, by_issuer

PARTNERS = ("GRO", "TNK", "BOE", "CHA")


def coalition(house, folder, terms=june.TERMS, opening=None):
    """A stopped house on the terms of the month, with its opening state in."""
    house.init("--currency", "EUR", "--time-zone", "Europe/Amsterdam")
    (folder / "terms.toml").write_text(terms)
    (folder / "opening.json").write_text(json.dumps(opening or june.OPENING))
    for partner in PARTNERS:
        house.run("partner", "add", partner, "--terms", folder / "terms.toml")
        house.run("cert", "issue", partner)
    for operator in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{operator}")
    house.run("import", "opening", folder / "opening.json")
    for waiting in house.json("approve", "list"):
        house.run("approve", waiting["id"], "--as-both")
    return house


@pytest.fixture
def june_house(make_house, tmp_path):
    """Makes serving houses of other terms or openings."""
    numbers = iter(range(100))

    def make(terms=june.TERMS, opening=None):
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return coalition(make_house(), folder, terms, opening).start()

    return make


def assert_answered(step, answer, partner):
    """What the golden month says, as this partner may see it."""
    assert answer.status == step["status"], (step["event"], answer)
    if "code" in step:
        assert answer.code == step["code"], (step["event"], answer)
        return
    shown = answer.json
    for name, expected in step["answer"].items():
        if name == "lots":
            for lot in expected:
                if lot["issuer"] == partner:
                    [seen] = [each for each in shown["lots"] if each["issuer"] == partner]
                    assert {key: seen[key] for key in lot} == lot, step["event"]
            assert sum(each["points"] for each in shown["lots"]) == step["answer"]["points"]
        elif name in ("drawn", "restored", "clawed_back"):
            rows = [(row["issuer"], row["points"]) for row in shown[name]]
            assert by_issuer(rows, partner) == by_issuer(
                [(row["issuer"], row["points"]) for row in expected], partner), step["event"]
        elif name == "expires_at":
            assert days.instant(shown[name]) == days.instant(expected), step["event"]
        else:
            assert shown[name] == expected, (step["event"], name, shown)


def play(house, steps, in_order=True):
    """In another order only the statuses and the close are the table's, and the clock may be further."""
    with Player(house) as player:
        answers, clock = {}, ""

        def advance(moment):
            if moment > clock:
                player.advance(moment)

        for step in steps:
            if "again" in step:
                first = june.step_named(step["again"])
                again = player.send(first["partner"], first["path"], june.body_of(first))
                assert again.replayed and again.json == answers[step["again"]].json, step["event"]
                continue
            if "path" not in step:
                advance(step["at"])
                clock = max(clock, step["at"])
                if in_order:
                    assert player.member(step["member"])["balance"] == step["balance"], step["event"]
                continue
            if "occurred_at" in step["body"]:
                advance(step["at"])
            clock = max(clock, step["at"])
            answer = player.send(step["partner"], step["path"], june.body_of(step))
            answers[step["event"]] = answer
            if in_order:
                assert_answered(step, answer, step["partner"])
            assert answer.status == step["status"], (step["event"], answer)


# The journal.


def journal_rows(house, with_holds=True):
    """[(event, book, issuer or currency, account, micro or points)]: debits above zero. A step of the
    clock has no message; it is known by its member and its place."""
    text = house.run("export", "journal", "--format", "csv").stdout
    lines = list(csv.DictReader(io.StringIO(text)))
    member_of = {line["message_id"]: line["member"] for line in lines}
    names = {member_of[event]: name for event, name in (("E1", "M1"), ("E4", "M2"), ("E13", "M3"))
             if event in member_of}
    rows, clawed_back = [], False
    for line in lines:
        member = names.get(line["member"])
        if line["type"] == "hold" and not with_holds:
            continue
        event = line["message_id"].removesuffix("-hold")
        clawed_back |= event == "E12"
        if not event and line["partner"]:
            event = "OPEN"
        elif not event:
            event = {"M1": "E8", "M3": "E15", "M2": "E12b" if clawed_back else "E9"}.get(member, "OPEN")
        account = line["account"]
        if account.startswith("members:"):
            account = account.replace("members:", f"member:{member}:")
        points = line["unit"].startswith("P.")
        amount = sum(sign * (int(line[side]) if points else micro(line[side]))
                     for side, sign in (("debit", 1), ("credit", -1)) if line[side])
        rows.append((event, "points" if points else "money", line["unit"], account, amount))
    return rows


def micro(text):
    whole, _, part = text.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0"))


def netted(rows):
    """{(event, book): {account: amount}}, without what comes to nothing: holds are captured or end."""
    found = {}
    for event, book, _, account, amount in rows:
        row = found.setdefault((event, book), {})
        row[account] = row.get(account, 0) + amount
    found = {key: {account: amount for account, amount in row.items() if amount}
             for key, row in found.items()}
    return {key: row for key, row in found.items() if row}


def sides(rows):
    """{(event, book, account, side): sum}: nothing is set off."""
    found = {}
    for event, book, account, amount in rows:
        key = (event, book, account, "debit" if amount > 0 else "credit")
        found[key] = found.get(key, 0) + abs(amount)
    return found


def golden_rows():
    return netted((row["event"], row["book"], None, account, sign * amount)
                  for row in june.JOURNAL for side, sign in (("debit", 1), ("credit", -1))
                  for account, amount in row[side].items())


def balances(house):
    found = {}
    for _, book, _, account, amount in journal_rows(house):
        found[account] = found.get(account, 0) + amount * (1 if book == "money" else -1)
    return {account: amount for account, amount in found.items() if amount}


# The close.


def settled(house, window="2026-06"):
    shown = house.json("settle", "show", window)
    figures = {row["partner"]: {name: value for name, value in row.items()
                                if name not in ("partner", "currency")} for row in shown["partners"]}
    flows = sorted((each["issuer"], each["redeemer"], each["points"]) for each in shown["flows"]
                   if each["points"])
    return shown, figures, flows


def assert_june_closed(house):
    shown, figures, flows = settled(house)
    assert figures == june.CLOSE["partners"]
    assert flows == sorted(tuple(flow) for flow in june.CLOSE["flows"])
    for book in (shown["trial_balance"]["points"], shown["trial_balance"]["money_micro"]["EUR"]):
        assert book["debits"] == book["credits"]


def documents(shown):
    """[(partner, net, VAT, total)], above zero when the house is paid."""
    return sorted((each["payer"], each["net_minor"], each["vat_minor"], each["total_minor"])
                  if each["payee"] == "house" else
                  (each["payee"], -each["net_minor"], -each["vat_minor"], -each["total_minor"])
                  for each in shown["documents"])


def golden_documents():
    sign = {"issuance": 1}
    return sorted((partner, *(sign.get(kind, -1) * amount for amount in amounts))
                  for partner, kind, *amounts in june.CLOSE["documents_minor"])


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    """The month, played to its end; every answer is compared on the way."""
    house = coalition(make_house(), tmp_path_factory.mktemp("june")).start()
    play(house, june.STEPS)
    return house


def test_every_answer_and_row_of_the_journal(played):
    assert netted(journal_rows(played)) == golden_rows()


def test_the_export_has_the_rows_of_the_table_as_they_stand(played):
    """Line for line: no account twice in a posting, and the table's sums. The hold of E6 and of E11 is left
    out there, so that their captures spend active points."""
    rows = [(event, book, unit, account.replace(":held", ":active"), amount)
            for event, book, unit, account, amount in journal_rows(played, with_holds=False)]
    assert len({row[:4] for row in rows}) == len(rows)
    assert len(june.JOURNAL) == 30
    # A row of the table groups issuers; E3, one posting, is two rows for each of its funders.
    table = [(row["event"], row["book"], account, sign * amount) for row in june.JOURNAL
             for side, sign in (("debit", 1), ("credit", -1)) for account, amount in row[side].items()]
    assert sides((event, book, account, amount) for event, book, _, account, amount in rows) == sides(table)
    debits = {book: sum(amount for _, its, _, _, amount in rows if its == book and amount > 0)
              for book in ("points", "money")}
    assert debits == {"points": 4_758, "money": 95_434_000}


def test_each_issuer_s_points_and_the_money_balance(played):
    sums = {}
    for event, _, unit, _, amount in journal_rows(played):
        sums[event, unit] = sums.get((event, unit), 0) + amount
    assert not any(sums.values()), sums


def test_the_closing_balances_and_blocks(played):
    found = balances(played)
    assert {account: amount for account, amount in found.items() if account in june.CLOSE["money_micro"]} == (
        june.CLOSE["money_micro"])
    assert {account: amount for account, amount in found.items()
            if account not in june.CLOSE["money_micro"]} == june.CLOSE["points"]


def test_trust_covers_the_points_with_what_partners_owe_for_them(played):
    """Invariant 6 after every entry. Price and fee of all partners are 0.0100 and 0.0010."""
    found, after = {}, {}
    for event, book, _, account, amount in journal_rows(played):
        if book != "money":
            continue
        found[account] = found.get(account, 0) + amount
        after[event] = {
            "trust": found["cash:trust"],
            "owed": sum(amount * 10 // 11 for account, amount in found.items() if account.startswith("unbilled:")),
            "covered": -sum(amount for account, amount in found.items()
                            if account == "deferred_revenue" or account.startswith("prepaid_block:"))}

    assert len(after) == 13  # the opening and what moves money
    for event, figures in after.items():
        assert figures["trust"] + figures["owed"] >= figures["covered"], (event, figures)
    assert (after["E5"]["trust"], after["E5"]["covered"]) == (64_000_000, 70_580_000)
    assert after["E15"] == {"trust": 64_000_000, "owed": 4_080_000 + 500_000, "covered": 8_440_000 + 48_640_000}


def test_the_roll_forward_and_the_statements(played):
    assert_june_closed(played)
    assert documents(settled(played)[0]) == golden_documents()


def test_the_lots_that_are_left(played):
    with Player(played) as player:
        expiring = {name: [(row["on"], row["points"]) for row in player.member(name)["expiring"]]
                    for name in ("M1", "M2", "M3")}
    assert expiring == {"M1": [("2028-05-31", 600), ("2028-06-30", 84)], "M2": [("2028-06-30", 120)],
                        "M3": [("2028-05-31", 40)]}


def test_the_month_verifies(played):
    assert played.verify("--from-scratch")["ok"]


def test_any_order_that_respects_cause_closes_to_the_same_books(make_house, copy_house, tmp_path, nightly, seed):
    chance = random.Random(seed)
    opened = coalition(make_house(), tmp_path)
    for number in range(1_000 if nightly else 50):
        house = copy_house(opened)
        house.start()
        order = june.orders(chance)
        print(number, [step["event"] for step in order])
        play(house, order, in_order=False)
        assert_june_closed(house)
        assert balances(house) == june.CLOSE["money_micro"] | june.CLOSE["points"]
        house.stop()
        shutil.rmtree(house.data)


# The same month under other terms.


@pytest.mark.parametrize("share", june.OTHER_SHARES)
def test_other_prefund_shares(june_house, share):
    expected = june.OTHER_SHARES[share]
    house = june_house(june.terms_with(share), june.opening_with(share))
    play(house, june.STEPS)

    shown, figures, flows = settled(house)
    assert flows == sorted(tuple(flow) for flow in june.CLOSE["flows"])
    assert {name: row["net_minor"] for name, row in figures.items()} == expected["net_minor"]
    assert sorted(row[:2] for row in documents(shown)) == sorted(
        (partner, net if kind == "issuance" else -net)
        for partner, kind, net in expected["documents_minor"])
    found = balances(house)
    assert -found.get("deferred_revenue", 0) == expected["deferred"]
    assert -found.get("revenue:breakage", 0) == expected["breakage"]


@pytest.mark.parametrize("bearer", june.WITHOUT_E5)
def test_a_debt_that_nobody_repays(june_house, bearer):
    house = june_house(june.terms_with(bearer=bearer))
    play(house, [step for step in june.STEPS if step["event"] not in ("E5", "E12b")], in_order=False)

    invoice, self_billed, _ = june.WITHOUT_E5[bearer]
    found = balances(house)
    assert found["unbilled:BOE"] == invoice
    assert -found["accrued_redemption:GRO"] == self_billed
    assert settled(house)[1]["BOE"]["debt"] == 180


def steps_until(name):
    return june.STEPS[:june.STEPS.index(june.step_named(name)) + 1]


def test_a_return_before_maturity_takes_pending_points_only(june_house):
    house = june_house()
    play(house, steps_until("E5"))
    with Player(house) as player:
        step = june.step_named("E12") | {"at": "2026-06-18T10:00:00+02:00"}
        answer = player.send("BOE", "reversals", june.body_of(step))
    assert answer.status == 201, answer
    assert answer.json["debt"] == 0
    assert answer.json["balance"] == {"available": 120, "pending": 350, "held": 0, "debt": 0}
    assert [(row["issuer"], row["points"]) for row in answer.json["clawed_back"]] == [("BOE", 200)]


def test_refunds_are_capped_at_what_was_spent(june_house):
    house = june_house()
    play(house, steps_until("E7"))
    again = {"message_id": "E7b", "occurred_at": "2026-06-13T10:00:00Z", "reverses": "E6", "points": 400}
    with Player(house) as player:
        assert player.send("BOE", "reversals", again).code == "reversal_exceeds_original"
        rest = again | {"message_id": "E7c", "points": 300}
        assert player.send("BOE", "reversals", rest).status == 201


def test_a_hold_is_captured_once(june_house):
    house = june_house()
    with Player(house) as player:
        hold, capture = june.step_named("E6-hold"), june.step_named("E6")
        assert player.send("BOE", "holds", june.body_of(hold)).status == 201
        assert player.send("BOE", capture["path"], june.body_of(capture)).status == 200
        answer = player.send("BOE", capture["path"], june.body_of(capture) | {"message_id": "E6b"})
        assert (answer.status, answer.code) == (409, "hold_not_open")


def test_a_late_message_after_sixty_days_is_refused(june_house):
    house = june_house()
    body = june.body_of(june.step_named("E13"))
    with Player(house) as player:
        player.advance("2026-07-29T21:59:59Z")
        assert player.send("TNK", "accruals", body | {"message_id": "in-time"}).status == 201
        player.advance("2026-07-31T10:00:00Z")
        assert player.send("TNK", "accruals", body).code == "late_window_closed"


def test_a_short_block_refuses(june_house):
    house = june_house(opening=june.opening_with(block=30))
    body = june.body_of(june.step_named("E13"))
    del body["purchase"]
    with Player(house) as player:
        assert player.send("TNK", "accruals", body | {"points": 31}).code == "issuer_unfunded"
        exactly = body | {"message_id": "exactly", "points": 30}
        assert player.send("TNK", "accruals", exactly).status == 201
        one_more = body | {"message_id": "one-more", "points": 1}
        assert player.send("TNK", "accruals", one_more).code == "issuer_unfunded"
