"""An operator's act is done once, however often its request is sent: after a lost answer, a crash, twice at the same
time, or with other content under the same message id."""

import contextlib
import json
import random
import threading
import time

import pytest

import bank_statement
from messages import fresh
from test_operator_routes import ACTS, FILES, OPERATOR, READING_ACTS, TOML, XML, act, bring
from test_settlement import GOLDEN, booked_entries, closed, money
from wire import Closed


@pytest.fixture(scope="module")
def netted(make_house, tmp_path_factory):
    """June 2026, issued and netted: GRO owes 1.40, nothing is paid yet."""
    folder = tmp_path_factory.mktemp("netted")
    house = closed(make_house(), folder)
    house.run("settle", "invoices", "2026-06", "--out", folder / "documents")
    house.run("settle", "net", "2026-06")
    return house


@pytest.fixture
def anna(netted):
    with netted.connect("operator:anna") as connection:
        yield connection


def collateral(amount=100, **fields):
    return {"message_id": fresh("act"), "partner": "GRO", "amount_minor": amount, "evidence": "slip"} | fields


def collateral_of(connection, partner="GRO"):
    rows = connection.get(OPERATOR + "settle/collateral").json
    return sum(row["held_minor"] for row in rows if row["partner"] == partner)


def test_every_act_asks_for_its_message_id(anna):
    for path in ACTS:
        if path in READING_ACTS:
            continue
        if path in FILES:
            answer = anna.post(OPERATOR + path + "?partner=GRO&name=GRO", b"x", FILES[path])
            if answer.json["detail"].startswith("query"):
                answer = anna.post(OPERATOR + path, b"x", FILES[path])
        else:
            answer = anna.post(OPERATOR + path, {})
        assert (answer.status, answer.code) == (400, "malformed"), (path, answer)
        assert answer.json["detail"] == "message_id: is required", (path, answer)


@pytest.mark.parametrize("message_id", ["", "a b", "x" * 65, "é", 7, None, ["a"]])
def test_a_message_id_has_the_form_of_all_message_ids(anna, message_id):
    answer = anna.post(OPERATOR + "settle/collateral", collateral(message_id=message_id))
    assert (answer.status, answer.code) == (400, "malformed"), answer
    assert "message_id" in answer.json["detail"], answer


def test_the_same_again_is_answered_as_the_first_time(netted, anna):
    before, entries = collateral_of(anna), booked_entries(netted)
    body = collateral(700)
    first = anna.post(OPERATOR + "settle/collateral", body)
    assert (first.status, first.replayed) == (200, False), first
    # Also when the state that the answer shows has gone on.
    assert anna.post(OPERATOR + "settle/collateral", collateral(5)).status == 200
    for _ in range(3):
        again = anna.post(OPERATOR + "settle/collateral", dict(reversed(body.items())))
        assert (again.status, again.body, again.replayed) == (200, first.body, True), again
    with netted.connect("operator:bob") as bob:
        assert bob.post(OPERATOR + "settle/collateral", body).body == first.body
    assert collateral_of(anna) == before + 705
    assert len(booked_entries(netted)) == len(entries) + 2
    netted.kill()
    netted.start()
    with netted.connect("operator:anna") as after:
        again = after.post(OPERATOR + "settle/collateral", body)
        assert (again.status, again.body, again.replayed) == (200, first.body, True), again
        assert collateral_of(after) == before + 705
    assert netted.verify("--from-scratch")["ok"]


@pytest.mark.parametrize("change", [
    {"amount_minor": 101}, {"evidence": "slip "}, {"partner": "TNK"}])
def test_other_content_under_the_same_id_is_refused(anna, change):
    body = collateral()
    assert anna.post(OPERATOR + "settle/collateral", body).status == 200
    before = collateral_of(anna), collateral_of(anna, "TNK")
    reused = anna.post(OPERATOR + "settle/collateral", body | change)
    assert (reused.status, reused.code, reused.replayed) == (422, "message_id_reused", False), reused
    assert reused.json["message_id"] == body["message_id"]
    elsewhere = act(anna, "fx/set", message_id=body["message_id"], day="2026-06-30", **{"from": "EUR", "to": "SEK"},
                    rate="11")
    assert elsewhere.code == "message_id_reused", elsewhere
    assert (collateral_of(anna), collateral_of(anna, "TNK")) == before


def test_a_refusal_takes_no_id(anna):
    """Nothing was done: the same id may ask once more when nothing stands against it any longer."""
    body = collateral(-10 ** 9)
    for _ in range(2):
        refused = anna.post(OPERATOR + "settle/collateral", body)
        assert (refused.code, refused.replayed) == ("settlement_refused", False), refused
        assert refused.json["message_id"] == body["message_id"]
    assert anna.post(OPERATOR + "settle/collateral", body | {"amount_minor": 10}).status == 200
    assert anna.post(OPERATOR + "settle/collateral", body).code == "message_id_reused"


def test_a_file_is_content(anna):
    message_id = fresh("act")
    statement = bank_statement.statement(1, 50_00, [{"minor": 1, "text": "nobody's"}]).encode()
    first = bring(anna, "bank/import", statement, XML, message_id=message_id)
    assert (first.status, first.replayed) == (200, False), first
    again = bring(anna, "bank/import", statement, XML, message_id=message_id)
    assert (again.status, again.body, again.replayed) == (200, first.body, True), again
    other = bring(anna, "bank/import", statement + b"\n", XML, message_id=message_id)
    assert other.code == "message_id_reused", other
    # Under a new id it is read again, and known.
    assert bring(anna, "bank/import", statement, XML).json[0]["repeated"]


def test_files_of_an_answer_come_again(netted, anna):
    body = {"message_id": fresh("act"), "window": "2026-06"}
    first = anna.post(OPERATOR + "settle/invoices", body)
    again = anna.post(OPERATOR + "settle/invoices", body)
    assert (again.status, again.body, again.replayed) == (200, first.body, True)
    assert not first.replayed and len(first.json) > 6
    assert anna.post(OPERATOR + "settle/invoices", body | {"window": "2026-05"}).code == "message_id_reused"


def test_what_was_turned_down_is_not_said_to_be_in_force(netted, anna):
    promotion = (b'[[promotion]]\nid = "never"\nfrom = "2026-08-01"\nto = "2026-08-31"\n'
                 b'funders = { GRO = 1, TNK = 1 }\n')
    message_id = fresh("act")
    waiting = bring(anna, "promotion/add", promotion, TOML, message_id=message_id)
    assert waiting.status == 202, waiting
    with netted.connect("operator:bob") as bob:
        turned_down = {"message_id": fresh("act"), "proposal": waiting.json["proposal"], "reason": "too dear"}
        first = bob.post(OPERATOR + "approve/reject", turned_down)
        assert first.json == {"id": waiting.json["proposal"], "rejected": True}, first
        again = bob.post(OPERATOR + "approve/reject", turned_down)
        assert (again.json, again.replayed) == (first.json, True)
    after = bring(anna, "promotion/add", promotion, TOML, message_id=message_id)
    assert after.code == "proposal_rejected" and "turned down by bob: too dear" in after.json["detail"], after


def test_what_was_prepared_is_prepared_once(netted, anna):
    terms = b"[house]\nrefund_grace_days = 9\n"
    message_id = fresh("act")
    first = bring(anna, "house/set-terms", terms, TOML, message_id=message_id)
    assert first.status == 202, first
    again = bring(anna, "house/set-terms", terms, TOML, message_id=message_id)
    assert (again.status, again.json, again.replayed) == (202, first.json, True), again
    with netted.connect("operator:bob") as bob:
        approval = {"message_id": fresh("act"), "proposal": first.json["proposal"]}
        refused = anna.post(OPERATOR + "approve", approval)
        assert refused.code == "forbidden", refused
        approved = bob.post(OPERATOR + "approve", approval)
        assert (approved.status, approved.replayed) == (200, False), approved
        repeated = bob.post(OPERATOR + "approve", approval)
        assert (repeated.body, repeated.replayed) == (approved.body, True), repeated
    after = bring(anna, "house/set-terms", terms, TOML, message_id=message_id)
    assert (after.status, after.replayed) == (200, True), after
    assert after.json == {"proposal": first.json["proposal"], "state": "approved"}
    assert bring(anna, "house/set-terms", terms, TOML).code == "settlement_refused"


def test_a_file_of_several_promotions_is_prepared_once(netted, anna):
    """Its answer names each of them, and comes again."""
    promotions = b"".join(
        b'[[promotion]]\nid = "%b"\nfrom = "2026-08-01"\nto = "2026-08-31"\nfunders = { GRO = 1, TNK = 1 }\n' % name
        for name in (b"one", b"two"))
    message_id = fresh("act")
    first = bring(anna, "promotion/add", promotions, TOML, message_id=message_id)
    assert [row["promotion"] for row in first.json] == ["one", "two"], first
    again = bring(anna, "promotion/add", promotions, TOML, message_id=message_id)
    assert (again.status, again.body, again.replayed) == (200, first.body, True), again
    waiting = [row["id"] for row in anna.get(OPERATOR + "approve/list").json if row["kind"] == "promotion"]
    assert waiting == [row["id"] for row in first.json]


def test_twice_at_the_same_time_is_once(netted):
    """The drafts of `settle draft` are made at the desk: a second sending comes while the first is under way."""
    for path, body in (("settle/collateral", collateral(3)), ("settle/invoices", {"window": "2026-06"}),
                       ("settle/draft", {"window": "2026-06"})):
        body = {"message_id": fresh("act")} | body
        entries = len(booked_entries(netted))
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(netted.connect("operator:anna")) for _ in range(12)]
            for each in connections:
                each.send(each.request_bytes("POST", OPERATOR + path, encoded(body)))
            answers = [each.read_answer() for each in connections]
        statuses = {answer.status for answer in answers}
        assert len(statuses) == 1 and statuses <= {200, 202, 422}, answers
        assert len({strip(answer) for answer in answers}) == 1
        if path == "settle/collateral":
            assert statuses == {200} and sorted(answer.replayed for answer in answers) == [False] + [True] * 11
            assert len(booked_entries(netted)) == entries + 1


def encoded(body):
    return json.dumps(body).encode()


def strip(answer):
    return answer.body if answer.status < 300 else answer.code


def test_a_lost_answer_and_a_crash_at_any_time(make_house, tmp_path):
    """Every pay-out is noted once, whatever is cut when: the same requests are sent until they are answered."""
    seed = 20260630
    print("seed", seed)
    chance = random.Random(seed)
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("settle", "net", "2026-06")
    # In pieces, because a payment that is noted twice would be refused if it were whole.
    requests = [
        ("settle/paid", {"message_id": fresh("act"), "window": "2026-06", "partner": "GRO", "amount_minor": -10,
                         "evidence": "the same slip"}) for _ in range(14)]
    requests += [("settle/release-trust", {"message_id": fresh("act"), "amount_micro": 10_000}) for _ in range(6)]
    chance.shuffle(requests)
    answers = {}
    for number, (path, body) in enumerate(requests):
        lost = house.connect("operator:anna")
        lost.send(lost.request_bytes("POST", OPERATOR + path, encoded(body)))
        if number % 4 == 3:
            time.sleep(chance.random() * 0.02)
            house.kill()
            house.start()
        lost.close()
        with house.connect("operator:anna") as anna:
            answers[body["message_id"]] = anna.post(OPERATOR + path, body)
            assert answers[body["message_id"]].status == 200, answers[body["message_id"]]
    house.kill()
    house.start()
    with house.connect("operator:anna") as anna:
        for path, body in requests:
            again = anna.post(OPERATOR + path, body)
            assert (again.status, again.replayed) == (200, True), again
            assert again.body == answers[body["message_id"]].body
        rows = {row["partner"]: row for row in anna.get(OPERATOR + "settle/nets?window=2026-06").json["payments"]}
    assert GOLDEN["net_minor"]["GRO"] == -140
    assert (rows["GRO"]["settled_minor"], rows["GRO"]["open_minor"]) == (-140, 0)
    released = [row for row in booked_entries(house) if row.get("cash:trust") == -10_000]
    assert len(released) == 6, "each release once"
    assert money(house)["cash:operating"]
    assert house.verify("--from-scratch")["ok"]


def test_two_senders_and_a_stop(netted):
    """Who waits for the same request under way is answered, too, when the house stops."""
    body = {"message_id": fresh("act"), "window": "2026-06"}
    connections = [netted.connect("operator:anna") for _ in range(6)]
    for each in connections:
        each.send(each.request_bytes("POST", OPERATOR + "settle/invoices", encoded(body)))
    stopping = threading.Thread(target=netted.stop)
    stopping.start()
    for each in connections:
        with contextlib.suppress(Closed):
            assert each.read_answer().status in (200, 503)
        each.close()
    stopping.join()
    netted.start()
    with netted.connect("operator:anna") as anna:
        assert anna.post(OPERATOR + "settle/invoices", body).status == 200
