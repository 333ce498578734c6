"""A member with more lots than a house keeps, seen from outside: by partner, operator and finance."""

import json

import pytest

from messages import accrual, message

LINES = {"Content-Type": "application/x-ndjson"}


def at(second):
    return f"2026-06-10T{12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def earn(partner, member, seconds, points):
    """An accrual in each second, as one batch; their message ids."""
    messages = [accrual(member, points, occurred_at=at(second)) for second in seconds]
    lines = [json.dumps({"type": "accrual"} | each) for each in messages]
    answer = partner.request("POST", "/v1/batches", "\n".join(lines).encode(), headers=LINES)
    assert answer.status == 200, answer
    return [each["message_id"] for each in messages]


@pytest.fixture
def collector(make_house):
    """A house, and a member one lot short of a fold."""
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro:
        earned = earn(gro, "collector", range(1_024), 3)
    return house, earned


def points_of(house):
    house.run("rebuild")
    return house.json("settle", "show", "2026-06")["trial_balance"]["points"]


def folds_of(house, member):
    with house.connect("operator:anna") as anna:
        entries = anna.get(f"/v1/members/{member}/entries?limit=100").json["entries"]
    return [entry for entry in entries if entry["type"] == "fold"]


def test_a_fold_moves_no_account_and_every_allocation_has_its_lot(collector):
    house, earned = collector
    assert folds_of(house, "collector") == []
    before = points_of(house)
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        answer = gro.post("/v1/accruals", accrual("collector", 5, occurred_at=at(1_024)))
        assert answer.json["balance"]["available"] == 1_024 * 3 + 5
        assert {side: points - before[side] for side, points in points_of(house).items()} == {
            "debits": 5, "credits": 5}

        # The oldest 514 of GRO's are one; TNK sees of them what it would see of others.
        fold, = folds_of(house, "collector")
        assert fold["points"] == 514 * 3
        *out, into = fold["movements"]
        assert [each["kind"] for each in out] == ["folded_out"] * 514
        assert into == {"kind": "folded_in", "issuer": "GRO", "points": 514 * 3, "lot": into["lot"]}
        assert "message_id" not in fold and "partner" not in fold
        assert not any(entry["type"] == "fold" for entry in gro.get(
            "/v1/members/collector/entries?limit=100").json["entries"])

        spent = message(member="collector", points=514 * 3 + 4, occurred_at=at(1_100))
        answer = tnk.post("/v1/redemptions", spent)
        assert answer.json["drawn"] == [{"issuer": "others", "points": 514 * 3 + 4}]
        assert tnk.post("/v1/redemptions", spent).replayed
        tnk.post("/v1/reversals", message(reverses=spent["message_id"], occurred_at=at(1_200)))
        answer = gro.post("/v1/reversals", message(reverses=earned[0], occurred_at=at(1_300)))
        assert answer.json["debt"] == 0
        assert [row["points"] for row in answer.json["clawed_back"]] == [3]
        assert answer.json["balance"]["available"] == 1_023 * 3 + 5

    house.run("rebuild")
    unknown = house.books(
        "SELECT count(*) FROM allocation WHERE NOT EXISTS (SELECT 1 FROM entry WHERE"
        " entry.lot_origin = allocation.lot_origin AND entry.lot_position = allocation.lot_position"
        " AND entry.kind IN ('issued', 'folded_in'))")
    assert unknown == [(0,)]
    left = house.books(
        "SELECT lot, SUM(change) FROM (SELECT lot_origin AS lot, change FROM allocation UNION ALL"
        " SELECT lot_origin, points FROM entry WHERE kind = 'issued') AS lots"
        " GROUP BY lot HAVING SUM(change) <> 0 ORDER BY 2 DESC")
    assert [points for _, points in left] == [513 * 3, 5] + [3] * 510


def test_folds_outlive_a_kill_a_backup_and_another_book_keeper(collector, make_house, tmp_path):
    house, earned = collector
    with house.connect("GRO") as gro:
        earn(gro, "collector", range(1_024, 1_700), 2)
    house.kill()
    house.start()
    assert house.verify("--from-scratch")["ok"]
    assert " fold" not in house.run("export", "journal", "--format", "hledger").stdout
    house.run("backup", "--out", tmp_path / "backup")
    restored = make_house()
    restored.restore(tmp_path / "backup")
    restored.contexts = dict(house.contexts)
    assert restored.verify("--from-scratch")["ok"]
    restored.start()
    with restored.connect("GRO") as gro:
        balance = gro.get("/v1/members/collector").json["balance"]
        assert balance["available"] == 1_024 * 3 + 676 * 2
        answer = gro.post("/v1/reversals", message(reverses=earned[7], occurred_at=at(1_800)))
        assert [row["points"] for row in answer.json["clawed_back"]] == [3]
    # The second took the first in.
    restored.run("rebuild")
    assert restored.books("SELECT sequence FROM posting WHERE type = 'fold' ORDER BY 1") == [
        (sequence,) for sequence in (1_026, 1_540)]
