"""The mistakes that ledgers are known for, each tried on a house of its own."""

import threading

import pytest

from messages import fresh, message
from player import Player, by_issuer
from test_batches import send

TERMS = """
[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2020-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
  expiry = { months = 1, at = "month_end" }
  breakage = { operator = 1, issuer = 1 }

[[partner]]
id = "TNK"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2020-01-01"
  issue_price = "0.012"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"

[[promotion]]
id = "two-thirds"
funders = { TNK = 2, GRO = 1 }
from = "2026-01-01"
to = "2026-12-31"
"""
DAY = 86_400


@pytest.fixture(scope="module")
def founded(make_house, tmp_path_factory):
    house = make_house()
    terms = tmp_path_factory.mktemp("terms") / "terms.toml"
    terms.write_text(TERMS)
    house.init()
    for partner in ("GRO", "TNK"):
        house.run("partner", "add", partner, "--terms", terms)
        house.run("cert", "issue", partner)
    house.run("cert", "issue", "operator:anna")
    return house


@pytest.fixture
def player(copy_house, founded):
    """Partners of a house in which nothing has happened yet."""
    house = copy_house(founded)
    with Player(house.start()) as playing:
        yield playing
    house.stop()


def said(answer, status=201):
    assert answer.status == status, answer
    return answer.json


def earn(player, member, points, partner="GRO", **fields):
    body = message(member=member, points=points, **fields)
    said(player.send(partner, "accruals", body))
    return body["message_id"]


def spend(player, member, points, partner="TNK", **fields):
    body = message(member=member, points=points, **fields)
    return body["message_id"], said(player.send(partner, "redemptions", body))


def hold(player, member, points, seconds=600):
    body = message(member=member, points=points, expires_in_seconds=seconds)
    said(player.send("TNK", "holds", body))
    return body["message_id"]


def balance(player, member):
    return player.member(member)["balance"]


def held(available, held=0, pending=0, debt=0):
    return {"available": available, "pending": pending, "held": held, "debt": debt}


def drawn_by_issuer(player, member):
    """Of the newest entry, as an operator sees it: [(issuer, points)] in the order of the lots."""
    answer = player.connection("operator:anna").get(f"/v1/members/{member}/entries?limit=1")
    [entry] = said(answer, 200)["entries"]
    return [(move["issuer"], move["points"]) for move in entry["movements"]]


def figures(player, window, partner):
    shown = player.house.json("settle", "show", window)
    return next(row for row in shown["partners"] if row["partner"] == partner)


def at_once(house, partner, sends):
    """Every request on a connection of its own, let go together; returns the answers."""
    barrier, answers = threading.Barrier(len(sends)), [None] * len(sends)

    def post(number):
        path, body = sends[number]
        with house.connect(partner) as connection:
            barrier.wait()
            answers[number] = connection.post(path, body)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(len(sends))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def codes(answers):
    return sorted("booked" if answer.status < 300 else answer.code for answer in answers)


def test_reversals_at_once_restore_once(player):
    earn(player, "m", 100)
    spent, _ = spend(player, "m", 100)

    answers = at_once(player.house, "TNK", [
        ("/v1/reversals", message(reverses=spent, points=60)) for _ in range(8)])

    assert codes(answers) == ["booked"] + ["reversal_exceeds_original"] * 7
    assert balance(player, "m") == held(60)


def test_a_hold_is_captured_once(player):
    earn(player, "m", 100)
    hold_id = player.holds["TNK", hold(player, "m", 100)]

    answers = at_once(player.house, "TNK", [
        (f"/v1/holds/{hold_id}/{verb}", message()) for verb in ("capture", "release") * 4])

    statuses = [answer.status for answer in answers]
    assert sorted(statuses) == [200] + [409] * 7
    winner = ("capture", "release")[statuses.index(200) % 2]
    assert balance(player, "m") == (held(0) if winner == "capture" else held(100))
    assert {answer.code for answer in answers if answer.status != 200} == {"hold_not_open"}


def test_held_points_cannot_be_spent(player):
    earn(player, "m", 100)
    earn(player, "other", 1)
    hold(player, "m", 80)

    for path, fields in (("redemptions", {}), ("transfers", {"to_member": "other"}),
                         ("holds", {"expires_in_seconds": 60})):
        answer = player.send("TNK", path, message(member="m", points=21, **fields))
        assert answer.code == "insufficient_points", path
    spend(player, "m", 20)
    assert balance(player, "m") == held(0, held=80)


def test_a_hold_over_several_lots_is_one_unit(player):
    earn(player, "m", 100)
    earn(player, "m", 100, "TNK")
    name = hold(player, "m", 150)

    answer = said(player.send("TNK", f"holds/{name}/capture", message(points=120)), 200)

    assert by_issuer([(row["issuer"], row["points"]) for row in answer["drawn"]], "TNK") == {
        "others": 100, "TNK": 20}
    assert answer["balance"] == held(80)


def test_a_hold_ends_by_the_clock(player):
    earn(player, "m", 100)
    name = hold(player, "m", 100, seconds=60)
    hold_id = player.holds["TNK", name]
    assert said(player.connection("TNK").get(f"/v1/holds/{hold_id}"), 200)["points"] == 100
    assert player.connection("GRO").get(f"/v1/holds/{hold_id}").code == "hold_unknown"

    player.advance("2026-06-10T12:01:00Z")

    assert balance(player, "m") == held(100)
    answer = player.send("TNK", f"holds/{name}/capture", message(occurred_at="2026-06-10T12:00:30Z"))
    assert (answer.status, answer.code) == (409, "hold_not_open")


def test_a_refund_after_expiry_expires_again(player):
    earn(player, "m", 100)
    spent, _ = spend(player, "m", 70)
    player.advance("2026-08-01T00:00:00Z")
    assert balance(player, "m") == held(0)

    answer = said(player.send("TNK", "reversals", message(reverses=spent)))

    assert answer["points"] == 70 and answer["balance"] == held(0)
    assert figures(player, "2026-07", "GRO")["expired"] == 30
    august = figures(player, "2026-08", "GRO")
    assert (august["expired"], august["own_redeemed_anywhere"], august["closing"]) == (70, -70, 0)


def test_held_points_do_not_expire_until_they_are_released(player):
    earn(player, "m", 100)
    name = hold(player, "m", 100, seconds=90 * DAY)
    player.advance("2026-08-01T00:00:00Z")
    assert balance(player, "m") == held(0, held=100)

    answer = said(player.send("TNK", f"holds/{name}/capture", message(points=60)), 200)

    assert answer["balance"] == held(0)
    assert figures(player, "2026-08", "GRO")["expired"] == 40
    assert figures(player, "2026-08", "GRO")["own_redeemed_anywhere"] == 60


def test_an_old_message_does_not_bring_back_what_has_expired(player):
    earn(player, "m", 100)
    player.advance("2026-08-01T00:00:00Z")
    assert player.house.run("clock", "advance", "2026-07-30T00:00:00Z", status=None).returncode

    answer = player.send("TNK", "redemptions", message(member="m", points=1))

    assert answer.code == "insufficient_points"
    assert figures(player, "2026-07", "GRO")["expired"] == 100
    assert figures(player, "2026-08", "GRO")["expired"] == 0


def test_points_expire_once(player):
    for number in range(5):
        earn(player, f"m{number}", 100)
    player.advance("2026-07-31T23:59:59Z")
    assert balance(player, "m0") == held(100)
    for day in (1, 2, 3):
        player.advance(f"2026-08-0{day}T00:00:00Z")
    player.house.kill()
    player.connections.clear()
    player.house.start()
    player.advance("2026-09-02T00:00:00Z")

    assert [figures(player, month, "GRO")["expired"] for month in ("2026-07", "2026-08")] == [500, 0]
    assert player.house.verify("--from-scratch")["ok"]


def test_a_late_accrual_is_drawn_by_its_activity(player):
    earn(player, "m", 10, occurred_at="2026-06-10T12:00:00Z")
    earn(player, "m", 20, occurred_at="2026-05-20T12:00:00Z")
    earn(player, "m", 30, "TNK", occurred_at="2026-05-01T12:00:00Z")

    spend(player, "m", 55, occurred_at="2026-05-02T00:00:00Z")

    # GRO's of May expires soonest, then its of June; TNK's never does.
    assert drawn_by_issuer(player, "m") == [("GRO", 20), ("GRO", 10), ("TNK", 25)]


def test_refunds_restore_lots_latest_drawn_first(player):
    earn(player, "m", 100)
    earn(player, "m", 100, "TNK")
    spent, _ = spend(player, "m", 150)

    said(player.send("TNK", "reversals", message(reverses=spent, points=60)))
    assert drawn_by_issuer(player, "m") == [("TNK", 50), ("GRO", 10)]
    said(player.send("TNK", "reversals", message(reverses=spent, points=90)))
    assert drawn_by_issuer(player, "m") == [("GRO", 90)]
    assert balance(player, "m") == held(200)


def test_shares_lose_no_point(player):
    issued = {"TNK": 0, "GRO": 0}
    for points in range(1, 61):
        body = message(member="m", points=points, promotion="two-thirds")
        answer = said(player.send("TNK", "accruals", body))
        lots = by_issuer([(lot["issuer"], lot["points"]) for lot in answer["lots"]], "TNK")
        assert sum(lots.values()) == points
        assert lots.get("TNK", 0) in (points * 2 // 3, points * 2 // 3 + 1)
        issued["TNK"] += lots.get("TNK", 0)
        issued["GRO"] += lots.get("others", 0) + lots.get("GRO", 0)

    assert {name: figures(player, "2026-06", name)["issued"] for name in issued} == issued
    assert sum(issued.values()) == 60 * 61 // 2


def test_the_same_id_twice_in_one_batch(player):
    body = message(member="m", points=5, type="accrual")

    first, second, third = send(player.connection("GRO"), [body, body, body | {"points": 6}])

    assert (first["status"], second["status"], third["status"]) == (201, 201, 422)
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert balance(player, "m") == held(5)


def test_pages_while_messages_arrive(player):
    before = [earn(player, "m", 1) for _ in range(30)]
    seen, cursor = [], None
    while True:
        earn(player, "m", 1)
        target = "/v1/members/m/entries?limit=7" + (f"&cursor={cursor}" if cursor else "")
        page = said(player.connection("GRO").get(target), 200)
        seen += [entry["message_id"] for entry in page["entries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert [name for name in seen if name in before] == before[::-1]


def test_a_transfer_takes_provenance_along(player):
    earned = earn(player, "a", 100)
    earn(player, "b", 1, "TNK")
    answer = said(player.send("TNK", "transfers", message(member="a", to_member="b", points=60)))
    assert answer["balance"] == held(40)
    assert balance(player, "b") == held(61)

    spend(player, "b", 60)
    assert drawn_by_issuer(player, "b") == [("GRO", 60)]
    # A later clawback meets the one who earned.
    said(player.send("GRO", "reversals", message(reverses=earned)))
    assert balance(player, "a") == held(0, debt=60)
    assert balance(player, "b") == held(1)


def test_transfers_at_once_neither_lose_nor_make_points(player):
    members = [f"m{number}" for number in range(6)]
    for member in members:
        earn(player, member, 100)
    sends = [("/v1/transfers", message(member=members[number % 6], to_member=members[(number + 1) % 6],
                                       points=30)) for number in range(24)]

    answers = at_once(player.house, "TNK", sends)

    assert {answer.status for answer in answers} <= {201, 422}
    assert sum(balance(player, member)["available"] for member in members) == 600


def test_a_tariff_changed_among_postings_prices_by_activity_day(player, tmp_path):
    tariff = tmp_path / "tariff.toml"
    tariff.write_text('[tariff]\nfrom = "2026-06-20"\nissue_price = "0.02"\nservice_fee = "0.001"\n'
                      'reimbursement = "0.0095"\nprefund_share = "1"\n')
    stop, earned = threading.Event(), {"2026-06-19": 0, "2026-06-20": 0}

    def post():
        with player.house.connect("TNK") as connection:
            while not stop.is_set():
                day = ("2026-06-19", "2026-06-20")[sum(earned.values()) % 2]
                body = message(member=fresh("m"), points=1, occurred_at=f"{day}T12:00:00Z")
                earned[day] += connection.post("/v1/accruals", body).status == 201

    earn(player, "m", 1, "GRO")
    thread = threading.Thread(target=post)
    thread.start()
    player.house.run("partner", "set-tariff", "TNK", tariff)
    changed = dict(earned)
    while sum(earned.values()) < sum(changed.values()) + 50:
        assert thread.is_alive()
    stop.set()
    thread.join()

    shown = player.house.json("settle", "show", "2026-06")
    prices = {line["price_micro"]: line["points"] for document in shown["documents"]
              for line in document["lines"] if document["payer"] == "TNK" and line["flow"] == "price"}
    assert sum(prices.values()) == sum(earned.values())
    assert prices[12_000] >= earned["2026-06-19"]
    assert prices[20_000] >= 25


def operate(player, member, verb, **fields):
    body = {"message_id": fresh("o"), "reason": "asked for"} | fields
    return player.send("operator:anna", f"members/{member}/{verb}", body)


def test_a_merge_with_open_holds(player):
    earn(player, "card", 100)
    captured, released, ending = (hold(player, "card", points) for points in (30, 20, 10))
    ended_by = hold(player, "card", 5, seconds=40 * DAY)
    earn(player, "person", 50, "TNK")

    answer = said(operate(player, "card", "merge", into="person"))

    assert (answer["points"], answer["debt"]) == (100, 0)
    for name in ("card", "person"):
        assert balance(player, name) == held(85, held=65)
    taken = said(player.send("TNK", f"holds/{captured}/capture", message(points=25)), 200)
    assert taken["points"] == 25 and taken["balance"] == held(90, held=35)
    assert said(player.send("TNK", f"holds/{released}/release", message()), 200)["balance"] == held(
        110, held=15)
    player.advance("2026-06-10T12:10:00Z")
    answer = player.send("TNK", f"holds/{ending}/capture", message())
    assert (answer.status, answer.code) == (409, "hold_not_open")
    assert balance(player, "card") == held(120, held=5)
    # The capture is a message of before the merge's member, and is returned to the one.
    assert player.house.verify("--from-scratch")["ok"]
    player.house.kill()
    player.connections.clear()
    player.house.start()
    assert balance(player, "card") == balance(player, "person") == held(120, held=5)
    assert said(player.send("TNK", f"holds/{ended_by}/capture", message()), 200)["points"] == 5


def test_an_anonymous_card_earns_first_and_is_merged_later(player):
    earned = earn(player, "card", 100)
    earn(player, "card", 40, "TNK")
    waiting = earn(player, "card", 7, pending_until="2026-06-20T00:00:00Z")
    spent, _ = spend(player, "card", 30)
    earn(player, "person", 10, occurred_at="2026-05-20T12:00:00Z")

    said(operate(player, "card", "merge", into="person"))

    assert balance(player, "person") == held(120, pending=7)
    lots = said(player.connection("operator:anna").get("/v1/members/card"), 200)["expiring"]
    assert lots == [{"on": "2026-06-30", "points": 10}, {"on": "2026-07-31", "points": 70}]
    # Messages of the card act on the person: returned, refunded, repeated, released.
    assert said(player.send("GRO", "reversals", message(reverses=earned, points=80)))["debt"] == 0
    assert balance(player, "card") == held(40, pending=7)
    assert said(player.send("TNK", "reversals", message(reverses=spent)))["points"] == 30
    answer = said(player.send("GRO", f"accruals/{waiting}/release", message()), 200)
    assert answer["points"] == 7
    assert balance(player, "person") == held(77)
    earn(player, "card", 3, "TNK")
    # GRO's end with their months, as they would have on the card.
    player.advance("2026-08-01T00:00:00Z")
    assert balance(player, "card") == balance(player, "person") == held(43)
    history = said(player.connection("operator:anna").get("/v1/members/person/entries?limit=100"), 200)
    mine = [entry["message_id"] for entry in history["entries"] if "message_id" in entry]
    assert {earned, waiting, spent} < set(mine)
    assert player.house.verify("--from-scratch")["ok"]


def test_merges_that_are_refused(player):
    for name in ("a", "b", "closed", "blocked"):
        earn(player, name, 10)
    said(operate(player, "closed", "close"))
    said(operate(player, "blocked", "block"))

    def merged(member, into):
        answer = operate(player, member, "merge", into=into)
        return answer.code if answer.status >= 400 else answer.status

    assert merged("a", "a") == "already_merged"
    assert merged("a", "closed") == merged("closed", "a") == "member_closed"
    assert merged("a", "blocked") == merged("blocked", "a") == "member_blocked"
    assert merged("a", "nobody") == merged("nobody", "a") == "member_unknown"
    assert merged("a", "b") == 201
    assert merged("a", "b") == merged("b", "a") == "already_merged"
    body = {"message_id": "no", "reason": "mine", "into": "b"}
    assert player.connection("GRO").post("/v1/members/a/merge", body).code == "forbidden"
    for wrong in ({"into": "b"}, {"reason": "x"}, {"reason": "x", "into": ""},
                  {"reason": "x", "into": "b", "points": 1}):
        answer = player.connection("operator:anna").post(
            "/v1/members/a/merge", {"message_id": "wrong"} | wrong)
        assert answer.code == "malformed", wrong


def test_deleting_an_account_with_points_forfeits_them_all(player):
    earn(player, "m", 100)
    earn(player, "m", 50, "TNK")
    earn(player, "m", 7, pending_until="2026-06-20T00:00:00Z")
    spent, _ = spend(player, "m", 20)
    name = hold(player, "m", 30)

    closed = said(operate(player, "m", "close"))

    assert closed["balance"] == balance(player, "m") == held(0)
    assert [figures(player, "2026-06", issuer)["expired"] for issuer in ("GRO", "TNK")] == [87, 50]
    answer = player.send("TNK", f"holds/{name}/capture", message())
    assert (answer.status, answer.code) == (409, "hold_not_open")
    answer = player.send("GRO", "accruals", message(member="m", points=1))
    assert (answer.status, answer.code) == (422, "member_closed")
    # A refund ends with the account, too.
    assert said(player.send("TNK", "reversals", message(reverses=spent)))["balance"] == held(0)
    assert [figures(player, "2026-06", issuer)["closing"] for issuer in ("GRO", "TNK")] == [0, 0]
    player.advance("2026-08-01T00:00:00Z")
    assert figures(player, "2026-07", "GRO")["expired"] == 0
    assert player.house.verify("--from-scratch")["ok"]


def test_a_transfer_is_not_reversed_but_sent_back(player):
    earn(player, "a", 100)
    earn(player, "b", 1, "TNK")
    body = message(member="a", to_member="b", points=60)
    said(player.send("TNK", "transfers", body))

    answer = player.send("TNK", "reversals", message(reverses=body["message_id"]))

    assert (answer.status, answer.code) == (422, "reversal_exceeds_original")
    assert balance(player, "b") == held(61)


def test_a_closed_member_s_points_end_once(player):
    """Deleted with points of every kind: all of them are breakage, no more and no less, and nothing comes back."""
    earned = earn(player, "m", 100)
    earn(player, "m", 30, "TNK", pending_until="2026-06-20T00:00:00Z")
    waiting = hold(player, "m", 40)
    spent, _ = spend(player, "m", 10)
    close = {"message_id": fresh("close"), "reason": "asked for"}

    closed = player.send("operator:anna", "members/m/close", close)
    again = player.send("operator:anna", "members/m/close", close)

    assert said(closed)["balance"] == held(0)
    assert again.status == 201 and again.replayed
    for partner, path, body in (("GRO", "accruals", message(member="m", points=1)),
                                ("TNK", "redemptions", message(member="m", points=1)),
                                ("operator:anna", "members/m/close", close | {"message_id": fresh("close")})):
        assert player.send(partner, path, body).code == "member_closed"
    assert player.send("TNK", f"holds/{waiting}/capture", message()).code == "hold_not_open"
    said(player.send("TNK", "reversals", message(reverses=spent)))  # the sale is undone, the points end
    player.advance("2026-08-01T12:00:00Z")
    assert balance(player, "m") == held(0)
    assert figures(player, "2026-06", "GRO")["expired"] == 100, "90 at the close, 10 that came back"
    assert figures(player, "2026-06", "TNK")["expired"] == 30
    said(player.send("GRO", "reversals", message(reverses=earned)))  # what expired is taken back, no debt is left
    assert balance(player, "m") == held(0)
    assert player.house.verify("--from-scratch")["ok"]
