"""A partner's own record against the house's: errors that a generator seeded are all found, each once and
with its class, and nothing else is. The file is written here from the manual alone."""

import hashlib
import json
import random
import re

import pytest

from house import REPOSITORY
from messages import accrual, message, purchase

WINDOW = "2026-06"


@pytest.fixture(scope="module")
def traded(make_house):
    """A house of two partners, and GRO's own record of what it sent: {message id: row}."""
    house = make_house().make("GRO", "TNK").start()
    record = {}
    chance = random.Random(1)
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:

        def sent(kind, body, path=None, member=None, amount=0):
            answer = gro.post(path or f"/v1/{kind}s", body)
            assert answer.status in (200, 201), answer
            record[body["message_id"]] = {
                "message_id": body["message_id"], "type": kind, "member": member or body.get("member", ""),
                "occurred_at": body["occurred_at"], "booked_on": answer_day(body), "points": answer.json["points"],
                "amount_minor": amount}
            return answer.json

        for number in range(60):
            day = f"2026-{5 + number // 20:02}-{1 + number % 20:02}"
            at = {"occurred_at": f"{day}T12:00:00Z"}
            member = f"card{chance.randrange(5)}"
            bought = chance.randrange(100, 100_000)
            earned = message(member=member, purchase=purchase(bought)) | at
            sent("accrual", earned, amount=bought)
            tnk.post("/v1/accruals", accrual(member, 50) | at)
            if number % 3 == 0:
                sent("redemption", message(member=member, points=1 + number % 40) | at)
            if number % 4 == 0:
                sent("reversal", message(reverses=earned["message_id"], points=1) | at)
            if number % 5 == 0:
                held = gro.post("/v1/holds", message(member=member, points=9, expires_in_seconds=60) | at).json
                sent("capture", message(points=5) | at, f"/v1/holds/{held['hold_id']}/capture")
            if number % 7 == 0:
                sent("clawback", message(member=member, points=2, reason="return") | at)
        refused = message(member="card0", points=999_999_999, occurred_at="2026-07-20T13:00:00Z")
        assert gro.post("/v1/redemptions", refused).status == 422
    house.record = record
    house.refused = refused["message_id"]
    return house


def answer_day(body):
    """On the message clock the house's time is that of the newest message."""
    return body["occurred_at"][:10]


def rows_of(house, window=WINDOW):
    return [dict(row) for row in house.record.values() if row["booked_on"].startswith(window)]


def file_text(rows, window=WINDOW, day="", partner="GRO", author="partner"):
    details = "".join(
        f"D,{row['message_id']},{row['type']},{row['member']},{row['occurred_at']},{row['booked_on']},"
        f"{row['points']},{row['amount_minor']}\n" for row in rows)
    return (f"H,pointhouse-reconciliation,1,{author},{partner},{window},{day},EUR\n{details}"
            f"T,{len(rows)},{sum(row['points'] for row in rows)},{sum(row['amount_minor'] for row in rows)},"
            f"{hashlib.sha256(details.encode()).hexdigest()}\n")


def reconcile(house, path, text, *more, window=WINDOW, partner="GRO"):
    """(exit status, what --json says)"""
    path.write_text(text)
    done = house.run("reconcile", partner, path, "--window", window, *more, "--json", status=None)
    return done.returncode, json.loads(done.stdout)


def breaks_of(shown):
    return sorted((each["class"], each["message_id"]) for each in shown["breaks"])


def totals(rows):
    return {"count": len(rows), "points": sum(row["points"] for row in rows),
            "amount_minor": sum(row["amount_minor"] for row in rows)}


# Both directions.


def test_a_true_record_agrees(traded, tmp_path):
    for window in ("2026-05", "2026-06", "2026-07"):
        rows = rows_of(traded, window)
        status, shown = reconcile(traded, tmp_path / "gro.csv", file_text(rows, window), window=window)
        assert (status, shown["ok"], shown["breaks"]) == (0, True, [])
        assert shown["house"] == shown["file"] == totals(rows)


def test_each_day_agrees(traded, tmp_path):
    for day in sorted({row["booked_on"] for row in rows_of(traded)}):
        rows = [row for row in rows_of(traded) if row["booked_on"] == day]
        status, shown = reconcile(traded, tmp_path / "gro.csv", file_text(rows, day=day), "--day", day)
        assert (status, shown["breaks"]) == (0, [])
        assert shown["house"] == totals(rows)


def test_the_house_writes_its_own(traded, tmp_path):
    path = tmp_path / "house.csv"
    traded.run("reconcile", "GRO", "--window", WINDOW, "--out", path)
    text = path.read_text()
    assert "card" not in text  # the house names no member

    def bare(rows):
        return sorted((row["message_id"], row["type"], row["occurred_at"], row["booked_on"], str(row["points"]),
                       str(row["amount_minor"])) for row in rows)

    names = ("record", "message_id", "type", "member", "occurred_at", "booked_on", "points", "amount_minor")
    details = [dict(zip(names, line.split(","), strict=True)) for line in text.splitlines() if line[0] == "D"]
    assert bare(details) == bare(rows_of(traded))
    # One member, one reference; as many references as there are members.
    references = {}
    for row in details:
        if member := traded.record[row["message_id"]]["member"]:
            references.setdefault(row["member"], set()).add(member)
    assert all(len(members) == 1 for members in references.values())
    assert len(references) == len({row["member"] for row in rows_of(traded) if row["member"]})

    status, shown = reconcile(traded, tmp_path / "back.csv", text)
    assert (status, shown["breaks"]) == (0, [])
    again = tmp_path / "again.csv"
    traded.run("reconcile", "GRO", "--window", WINDOW, "--out", again)
    assert again.read_text() == text


def test_partners_see_a_member_by_different_references(traded, tmp_path):
    found = {}
    for partner in ("GRO", "TNK"):
        traded.run("reconcile", partner, "--window", WINDOW, "--out", tmp_path / partner)
        found[partner] = {line.split(",")[3] for line in (tmp_path / partner).read_text().splitlines()
                          if line[0] == "D"}
    assert not found["GRO"] & found["TNK"]


# All partners at once.


def reconcile_all(house, folder):
    done = house.run("reconcile", "--all", folder, "--window", WINDOW, "--json", status=None)
    shown = json.loads(done.stdout)
    assert done.returncode == (0 if shown["ok"] else 1)
    return {each["partner"]: each for each in shown["partners"]}


def test_one_look_writes_the_files_of_all(traded, tmp_path):
    folder = tmp_path / "files"
    written = traded.json("reconcile", "--all", "--window", WINDOW, "--out", folder)
    assert written == {"files": [str(folder / "GRO.csv"), str(folder / "TNK.csv")]}
    for partner in ("GRO", "TNK"):
        traded.run("reconcile", partner, "--window", WINDOW, "--out", tmp_path / "alone.csv")
        assert (folder / f"{partner}.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
    shown = reconcile_all(traded, folder)
    assert [shown[partner]["breaks"] for partner in ("GRO", "TNK")] == [[], []]


def test_one_look_finds_in_all_files_what_is_found_in_each(traded, tmp_path):
    folder = tmp_path / "files"
    traded.run("reconcile", "--all", "--window", WINDOW, "--out", folder)
    rows = rows_of(traded)
    may = next(row for row in traded.record.values() if row["booked_on"].startswith("2026-05"))
    late = may | {"booked_on": "2026-06-01"}
    spoiled = file_text(rows[2:] + [late, rows[5]] + [dict(rows[0], message_id="never-sent")])
    (folder / "GRO.csv").write_text(spoiled)
    (folder / "TNK.csv").write_text((folder / "TNK.csv").read_text().replace(",50,0\n", ",51,0\n", 1))
    shown = reconcile_all(traded, folder)
    assert shown["GRO"] == reconcile(traded, tmp_path / "gro.csv", spoiled)[1]
    assert {each["class"] for each in shown["GRO"]["breaks"]} == {"missing", "late", "duplicate", "extra"}
    assert shown["TNK"]["ok"] is False and shown["TNK"]["fault"]["field"] == "points"  # of the trailer


def test_silence_of_one_partner_is_an_exception(traded, tmp_path):
    traded.run("reconcile", "--all", "--window", WINDOW, "--out", tmp_path)
    (tmp_path / "TNK.csv").unlink()
    shown = reconcile_all(traded, tmp_path)
    assert shown["GRO"]["ok"] and not shown["TNK"]["ok"]
    assert "no file" in shown["TNK"]["fault"]["reason"]


@pytest.mark.parametrize("typed, words", [
    (["--all"], "FOLDER"),
    (["--all", "/nowhere/at/all"], "no folder"),
    (["--all", "GRO", "gro.csv"], "FOLDER"),
    ([], "PARTNER"),
])
def test_a_round_that_cannot_be(traded, typed, words):
    done = traded.run("reconcile", *typed, "--window", WINDOW, status=None)
    assert done.returncode != 0 and words in done.stderr


# Seeded errors.


class Seeder:
    """Spoils a true record and knows what it did."""

    def __init__(self, chance, house, window=WINDOW):
        self.chance = chance
        self.house = house
        self.rows = rows_of(house, window)
        self.others = [dict(row) for row in house.record.values() if not row["booked_on"].startswith(window)]
        self.untouched = list(self.rows)
        chance.shuffle(self.untouched)
        self.expected = []

    def pick(self):
        return self.untouched.pop()

    def expect(self, kind, row):
        self.expected.append((kind, row["message_id"]))

    def missing(self):
        row = self.pick()
        self.rows.remove(row)
        self.expect("missing", row)

    def extra(self):
        row = dict(self.pick())
        row["message_id"] = f"never-sent-{len(self.expected)}"
        self.rows.append(row)
        self.expect("extra", row)

    def changed_amount(self):
        row = self.pick()
        field = self.chance.choice(["points", "amount_minor"])
        row[field] += self.chance.choice([1, 100, 12_345])
        self.expect("changed_amount", row)

    def changed_type(self):
        row = self.pick()
        other = {"reversal": "capture", "capture": "reversal", "accrual": "clawback"}
        row["type"] = other.get(row["type"], "accrual")
        self.expect("changed_amount", row)

    def wrong_member(self):
        row = self.pick()
        while not row["member"]:
            row = self.pick()
        row["member"] = "nobody" if self.chance.random() < .3 else (
            f"card{(int(row['member'][4:]) + self.chance.randrange(1, 5)) % 5}")
        self.expect("wrong_member", row)

    def swapped_members(self):
        first = self.pick()
        while not first["member"]:
            first = self.pick()
        second = next((row for row in self.untouched if row["member"] not in ("", first["member"])), None)
        if second is None:
            return
        self.untouched.remove(second)
        first["member"], second["member"] = second["member"], first["member"]
        self.expect("wrong_member", first)
        self.expect("wrong_member", second)

    def duplicate(self):
        row = self.pick()
        self.rows.append(dict(row))
        self.expect("duplicate", row)

    def changed_duplicate(self):
        row = self.pick()
        self.rows.append(dict(row, points=row["points"] + 3))
        self.expect("duplicate", row)

    def early(self):
        """The house has it in another window."""
        row = dict(self.chance.choice([row for row in self.others
                                       if (("late", row["message_id"]) not in self.expected)]))
        row["booked_on"] = f"{WINDOW}-10"
        self.rows.append(row)
        self.expect("late", row)

    def late(self):
        """The partner counts it in another window."""
        row = self.pick()
        row["booked_on"] = self.chance.choice(["2026-05-31", "2026-07-01"])
        self.expect("late", row)

    def happened_another_day(self):
        row = self.pick()
        row["occurred_at"] = "2026-06-29T12:00:00Z"
        self.expect("late", row)

    def everything(self):
        row = self.pick()
        while not row["member"]:
            row = self.pick()
        row.update(points=row["points"] + 1, member="nobody", booked_on="2026-07-01")
        for kind in ("changed_amount", "wrong_member", "late"):
            self.expect(kind, row)

    KINDS = (missing, extra, changed_amount, changed_type, wrong_member, swapped_members, duplicate,
             changed_duplicate, early, late, happened_another_day, everything)


def test_seeded_errors_are_found_in_200_files(traded, tmp_path, seed):
    chance = random.Random(seed)
    print("POINTHOUSE_SEED", seed)
    for number in range(200):
        seeder = Seeder(chance, traded)
        for _ in range(chance.randrange(6)):
            chance.choice(Seeder.KINDS)(seeder)
        chance.shuffle(seeder.rows)
        status, shown = reconcile(traded, tmp_path / "gro.csv", file_text(seeder.rows))
        assert breaks_of(shown) == sorted(seeder.expected), number
        assert status == (1 if seeder.expected else 0)
        assert shown["house"] == totals(rows_of(traded))
        assert shown["file"] == totals(seeder.rows)


def test_a_refused_message_is_extra(traded, tmp_path):
    rows = rows_of(traded, "2026-07")
    rows.append(dict(rows[0], message_id=traded.refused, type="redemption"))
    _, shown = reconcile(traded, tmp_path / "gro.csv", file_text(rows, "2026-07"), window="2026-07")
    assert breaks_of(shown) == [("extra", traded.refused)]


def test_another_partner_s_messages_are_extra(traded, tmp_path):
    rows = rows_of(traded)[:1]
    _, shown = reconcile(traded, tmp_path / "tnk.csv", file_text(rows, partner="TNK"), partner="TNK")
    assert ("extra", rows[0]["message_id"]) in breaks_of(shown)


def test_a_daily_file_finds_what_is_another_day_s(traded, tmp_path):
    day, next_day = sorted({row["booked_on"] for row in rows_of(traded)})[3:5]
    rows = [row for row in rows_of(traded) if row["booked_on"] == day]
    other = next(row for row in rows_of(traded) if row["booked_on"] == next_day)
    rows.append(dict(other, booked_on=day))
    _, shown = reconcile(traded, tmp_path / "gro.csv", file_text(rows, day=day), "--day", day)
    assert breaks_of(shown) == [("late", other["message_id"])]


def test_a_member_s_other_names_are_the_same_member(make_house, tmp_path):
    """A new card, and a merge: a partner may know the member by what it showed then or by what it shows now."""
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro, house.connect("operator:anna") as anna:
        sent = [accrual("old", 10), accrual("person", 20), accrual("anonymous", 30)]
        for body in sent:
            assert gro.post("/v1/accruals", body).status == 201
        assert gro.post("/v1/members/old/identifiers",
                        {"message_id": "new-card", "kind": "card", "identifier": "new", "replaces": "old"}).status == 201
        assert anna.post("/v1/members/anonymous/merge",
                         {"message_id": "merge", "into": "person", "reason": "the same"}).status == 201
        sent.append(accrual("anonymous", 40))
        assert gro.post("/v1/accruals", sent[-1]).status == 201

    def record(*members):
        return [{"message_id": body["message_id"], "type": "accrual", "member": member, "amount_minor": 0,
                 "occurred_at": body["occurred_at"], "booked_on": "2026-06-10", "points": body["points"]}
                for body, member in zip(sent, members, strict=True)]

    for members in (("old", "person", "anonymous", "anonymous"), ("new", "person", "anonymous", "person"),
                    ("old", "anonymous", "person", "person")):
        status, shown = reconcile(house, tmp_path / "gro.csv", file_text(record(*members)))
        assert (status, shown["breaks"]) == (0, []), members
    _, shown = reconcile(house, tmp_path / "gro.csv", file_text(record("person", "person", "new", "old")))
    assert [kind for kind, _ in breaks_of(shown)] == ["wrong_member"] * 3


# What is no file.


def test_a_file_that_is_none_is_refused_before_anything_is_compared(traded, tmp_path):
    rows = rows_of(traded)
    text = file_text(rows)
    lines = text.splitlines(keepends=True)
    cases = {
        "": (0, ""),
        "".join(lines[:-1]): (len(lines), "record"),
        file_text([]): (2, "count"),
        text.replace(f"T,{len(rows)},", f"T,{len(rows) + 1},"): (len(lines), "count"),
        "".join([lines[0], *lines[2:]]): (len(lines) - 1, "count"),
        "".join([lines[0], lines[2], lines[1], *lines[3:]]): (len(lines), "sha256"),
        file_text(rows, partner="TNK"): (1, "partner"),
        file_text(rows, window="2026-07"): (1, "window"),
        file_text(rows, day="2026-06-01"): (1, "window"),
        text.replace(",EUR", ",GBP", 1): (1, "currency"),
    }
    for spoiled, where in cases.items():
        status, shown = reconcile(traded, tmp_path / "gro.csv", spoiled)
        assert status == 1
        assert (shown["fault"]["line"], shown["fault"]["field"]) == where, shown
        assert "breaks" not in shown


def test_the_manual_s_example_is_a_file(traded, tmp_path):
    manual = (REPOSITORY / "ops/manual/finance/reconciliation.md").read_text()
    example = re.findall(r"^    ([HDT],.*)$", manual, re.MULTILINE)
    _, shown = reconcile(traded, tmp_path / "gro.csv", "\n".join(example) + "\n")
    assert shown["file"] == {"count": 2, "points": 584, "amount_minor": 8450}


def test_what_is_typed_wrongly(traded, tmp_path):
    path = tmp_path / "gro.csv"
    path.write_text(file_text(rows_of(traded)))
    for arguments in (("NONE", path, "--window", WINDOW), ("GRO", tmp_path / "none.csv", "--window", WINDOW),
                      ("GRO", path, "--window", "2031-01"), ("GRO", path, "--window", "June"),
                      ("GRO", path, "--window", WINDOW, "--day", "2026-07-01"), ("GRO", "--window", WINDOW),
                      ("GRO", path, "--window", WINDOW, "--out", path)):
        done = traded.run("reconcile", *arguments, status=None)
        assert done.returncode != 0 and done.stderr, arguments


def test_a_house_that_does_not_serve_reconciles_too(traded, tmp_path):
    traded.stop()
    status, shown = reconcile(traded, tmp_path / "gro.csv", file_text(rows_of(traded)))
    traded.start()
    assert (status, shown["breaks"]) == (0, [])
