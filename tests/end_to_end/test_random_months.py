"""R25: random months of every kind of message through the real gateway, against an independent
recomputation: each answer, each member, and the books of every window."""

import json
import random
import time

import days
import pytest
import random_months

from player import Player, by_issuer

FIGURES = ("opening", "issued", "redeemed_here", "own_redeemed_anywhere", "refunded", "donated",
           "clawed_back", "recovered_given", "recovered_received", "expired", "closing", "debt")


@pytest.fixture
def coalition(make_house, tmp_path):
    """A serving house on the terms and with the opening state of the oracle's."""
    house = make_house()
    house.init("--currency", "EUR", "--time-zone", "Europe/Amsterdam")
    opening = tmp_path / "opening.json"
    opening.write_text(json.dumps(random_months.OPENING))
    house.run("house", "set-terms", random_months.TERMS_FILE, "--as-both")
    for partner in random_months.fresh_oracle().terms.partners:
        house.run("partner", "add", partner, "--terms", random_months.TERMS_FILE)
        house.run("cert", "issue", partner)
    for operator in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{operator}")
    house.run("import", "opening", opening)
    for waiting in house.json("approve", "list"):
        house.run("approve", waiting["id"], "--as-both")
    return house.start()


def assert_same(answer, expected, partner, context, was_lost=False):
    assert answer.status == expected.status, (context, answer, expected)
    assert answer.replayed == expected.replayed or was_lost, (context, answer, expected)
    if expected.code:
        assert answer.code == expected.code, (context, answer, expected)
        return
    shown, said = answer.json, expected.said
    for name in ("points", "balance", "debt"):
        if name in said:
            assert shown[name] == said[name], (context, name, shown, said)
    for name in ("drawn", "restored"):
        if name in said:
            rows = [(row["issuer"], row["points"]) for row in shown[name]]
            assert by_issuer(rows, partner) == by_issuer(said[name], partner), (context, name, shown, said)
    if "clawed_back_own" in said:
        own = sum(row["points"] for row in shown["clawed_back"])
        assert own == said["points"] - said["debt"], (context, shown, said)
    if "expires_at" in said:
        assert days.instant(shown["expires_at"]) == days.instant(said["expires_at"]), (context, shown, said)
    for lot in said.get("lots", ()):
        issuer, points, state, expires_on = lot
        if issuer == partner:
            assert {"issuer": issuer, "points": points, "state": state,
                    "expires_on": expires_on and expires_on.isoformat()} in [
                {name: row[name] for name in ("issuer", "points", "state", "expires_on")}
                for row in shown["lots"] if "lot" in row], (context, shown, said)


QUOTED = {"accruals": "accrual", "redemptions": "redemption", "holds": "hold", "reversals": "reversal",
          "clawbacks": "clawback", "donations": "donation", "transfers": "transfer", "members": "enrolment"}


def quote(player, step):
    """What the house says would happen, or None for a step that cannot be quoted."""
    partner, path, body = step
    if path not in QUOTED:
        return None
    return player.send(partner, "quotes", body | {"type": QUOTED[path]})


def kill_with_a_message_in_flight(player, step, chance):
    """The house is killed before anyone reads the answer, perhaps before there is one."""
    player.post_only(*step)
    time.sleep(chance.uniform(0, 0.004))
    player.house.kill()
    player.house.start()
    player.connect_anew()


def assert_quoted(quoted, expected, context):
    if expected.code:
        assert quoted.code == expected.code, ("quote", context, quoted, expected)
        return
    assert quoted.status == 200, ("quote", context, quoted, expected)
    for name in ("points", "balance", "debt"):
        if name in expected.said:
            assert quoted.json[name] == expected.said[name], ("quote", context, quoted, expected)


def assert_members_agree(player, oracle, names, context):
    for name in set(names) - oracle.replaced:
        assert player.member(name)["balance"] == oracle.members[name].balance(), (context, name)


def assert_books_agree(house, oracle):
    for window in oracle.books.windows():
        shown = house.json("settle", "show", window)
        expected = oracle.books.roll_forward(window)
        for row in shown["partners"]:
            partner = row["partner"]
            assert {name: row[name] for name in FIGURES} == {
                name: expected[partner][name] for name in FIGURES}, (window, partner)
        assert {(each["issuer"], each["redeemer"]): each["points"] for each in shown["flows"]
                if each["points"]} == oracle.books.flows_of(window), window
        assert exact_amounts(shown) == billed_in(oracle, window), window
        for book in (shown["trial_balance"]["points"], shown["trial_balance"]["money_micro"]["EUR"]):
            assert book["debits"] == book["credits"]


def exact_amounts(shown):
    """{(partner, flow): micro-units}, above zero: the partner pays."""
    found = {}
    for document in shown["documents"]:
        sign = 1 if document["payee"] == "house" else -1
        partner = document["payer"] if sign > 0 else document["payee"]
        for line in document["lines"]:
            key = partner, line["flow"]
            found[key] = found.get(key, 0) + sign * line["exact_micro"]
    return {key: amount for key, amount in found.items() if amount}


def billed_in(oracle, window):
    found = {}
    for (month, partner, flow, _), amount in oracle.books.billed.items():
        if month == window:
            found[partner, flow] = found.get((partner, flow), 0) + amount
    return {key: amount for key, amount in found.items() if amount}


def test_random_months_agree_with_the_oracle(coalition, messages_max, seed):
    oracle = random_months.fresh_oracle()
    chance = random.Random(seed)
    stream = random_months.Stream(chance, oracle, members=max(12, messages_max // 500),
                                  messages_a_month=max(400, messages_max // 100))
    play(coalition, oracle, chance, stream, messages_max, seed)


def test_members_with_more_lots_than_are_kept_agree_with_the_oracle(coalition, seed):
    """Two who collect and hardly spend: beyond 1,024 lots their oldest fold."""
    oracle = random_months.fresh_oracle()
    chance = random.Random(seed)
    stream = random_months.Stream(chance, oracle, members=2, messages_a_month=8_000,
                                  kinds=random_months.COLLECTING)
    play(coalition, oracle, chance, stream, 6_000, seed)
    assert oracle.folds
    with Player(coalition) as player:
        shown = folds_shown(player, "member-0") + folds_shown(player, "member-1")
        assert sorted(shown) == sorted(oracle.folds)


def folds_shown(player, name):
    """The points of the lots that an operator sees come out of folds: all that went in."""
    folds, cursor = [], ""
    while cursor is not None:
        page = player.connection("operator:anna").get(f"/v1/members/{name}/entries?limit=100{cursor}").json
        for entry in page["entries"]:
            if entry["type"] != "fold":
                continue
            sums = {"folded_out": 0, "folded_in": 0}
            for movement in entry["movements"]:
                sums[movement["kind"]] += movement["points"]
                if movement["kind"] == "folded_in":
                    folds.append(movement["points"])
            assert sums == {"folded_out": entry["points"], "folded_in": entry["points"]}
        cursor = f"&cursor={page['next_cursor']}" if page.get("next_cursor") else None
    return folds


def play(coalition, oracle, chance, stream, messages_max, seed):
    messages_a_life = max(1_000, messages_max // 50)  # then kill -9
    with Player(coalition) as player:
        for number in range(messages_max):
            partner, path, body = step = stream.step()
            context = seed, number, step
            if partner is None:
                player.advance(body)
                oracle.advance(days.instant(body))
                continue
            quoted = quote(player, step) if number % 25 == 0 else None
            is_killed = number % messages_a_life == messages_a_life - 1
            if is_killed:
                kill_with_a_message_in_flight(player, step, chance)
            answer = player.send(partner, path, body)
            if answer.status == 202:
                answer = player.approve(answer, partner, path, body)
            outcome = oracle.decide(partner, path, body)
            stream.remember(step, outcome)
            assert_same(answer, outcome, partner, context, was_lost=is_killed)
            if quoted and not outcome.replayed and outcome.code != "message_id_reused":
                assert_quoted(quoted, outcome, context)
            if number % 1_000 == 999:
                names = chance.sample(sorted(oracle.members), min(12, len(oracle.members)))
                assert_members_agree(player, oracle, names, context)
        oracle.check()
        assert_members_agree(player, oracle, oracle.members, seed)
    assert_books_agree(coalition, oracle)
    assert coalition.verify("--from-scratch")["ok"]
