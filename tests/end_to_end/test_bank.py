"""R12: points go round among members while others look. No read may show a wrong total."""

import random
import threading
import time

from messages import fresh, message

EACH = 1_000
SECONDS_CI, SECONDS_NIGHTLY = 30, 600


class Worker(threading.Thread):
    """One connection that does one kind of thing until it is told to stop."""

    def __init__(self, house, partner, seed, until, work):
        super().__init__(daemon=True)
        self.chance = random.Random(seed)
        self.done = 0
        self.fault = None
        self.arguments = house, partner, until, work

    def run(self):
        house, partner, until, work = self.arguments
        try:
            with house.connect(partner) as connection:
                while time.monotonic() < until:
                    work(connection, self.chance)
                    self.done += 1
        except BaseException as error:  # pylint: disable=broad-except
            self.fault = error


def transfer(members):
    def work(connection, chance):
        giver, taker = chance.sample(members, 2)
        body = message(member=giver, to_member=taker, points=chance.randint(1, 400))
        assert connection.post("/v1/transfers", body).status in (201, 422)
    return work


def hold_and_let_go(members):
    """Sets points aside, and releases them, or captures a part and takes the sale back."""
    def work(connection, chance):
        body = message(member=chance.choice(members), points=chance.randint(1, 300), expires_in_seconds=86_400)
        held = connection.post("/v1/holds", body)
        assert held.status in (201, 422), held
        if held.status == 422:
            return
        hold = f"/v1/holds/{held.json['hold_id']}"
        if chance.random() < 0.5:
            assert connection.post(f"{hold}/release", message()).status == 200
            return
        captured = message(points=chance.randint(1, body["points"]))
        assert connection.post(f"{hold}/capture", captured).status == 200
        part = chance.randint(1, captured["points"])
        for points in (part, captured["points"] - part):
            if points:
                back = connection.post("/v1/reversals", message(reverses=captured["message_id"], points=points))
                assert back.status == 201, back
    return work


def look_at(members):
    """A member who only sets points aside has all of them at every look, or has some at the till."""
    def work(connection, chance):
        name = chance.choice(members)
        shown = connection.get(f"/v1/members/{name}").json["balance"]
        assert min(shown.values()) >= 0 and shown["debt"] == 0, (name, shown)
        assert shown["available"] + shown["held"] <= EACH, (name, shown)
    return work


def look_at_all_books(house, until, issued):
    """Every figure of the month in one look, again and again; returns how often."""
    looks = 0
    while time.monotonic() < until:
        shown = house.json("settle", "show", "2026-06")
        books = [shown["trial_balance"]["points"], shown["trial_balance"]["money_micro"]["EUR"]]
        assert all(book["debits"] == book["credits"] for book in books), books
        rows = {row["partner"]: row for row in shown["partners"]}
        gro = rows["GRO"]
        assert gro["issued"] == issued
        assert gro["closing"] == issued - gro["own_redeemed_anywhere"], gro
        taken = sum(row["redeemed_here"] - row["refunded"] for row in rows.values())
        assert taken == gro["own_redeemed_anywhere"], rows
        if looks % 10 == 5 and house.store == "sqlite":  # a database takes its time over it
            assert house.verify()["ok"]
        looks += 1
    return looks


def test_no_read_shows_a_wrong_total(make_house, nightly, seed):
    house = make_house().make("GRO", "TNK", "BOE").start()
    givers, buyers = ([fresh("bank") for _ in range(24)] for _ in range(2))
    with house.connect("GRO") as gro:
        for member in givers + buyers:
            assert gro.post("/v1/accruals", message(member=member, points=EACH)).status == 201
    until = time.monotonic() + (SECONDS_NIGHTLY if nightly else SECONDS_CI)
    kinds = [("TNK", transfer(givers)), ("BOE", transfer(givers)), ("TNK", hold_and_let_go(buyers)),
             ("BOE", hold_and_let_go(buyers)), ("GRO", look_at(buyers))]
    workers = [Worker(house, partner, seed + number, until, work)
               for number, (partner, work) in enumerate(kinds)]
    for worker in workers:
        worker.start()

    looks = look_at_all_books(house, until, EACH * len(givers + buyers))

    for worker in workers:
        worker.join(timeout=60)
        if worker.fault:
            raise worker.fault
    print(f"{[worker.done for worker in workers]} rounds of {len(kinds)} workers, {looks} looks at all books")
    assert all(worker.done > 10 for worker in workers) and looks > 5
    with house.connect("GRO") as gro:
        balances = {name: gro.get(f"/v1/members/{name}").json["balance"] for name in givers + buyers}
    assert sum(balances[name]["available"] for name in givers) == EACH * len(givers)
    # What was set aside was let go, and what was bought was brought back.
    assert {name: balances[name] for name in buyers} == {
        name: {"available": EACH, "pending": 0, "held": 0, "debt": 0} for name in buyers}
    began = time.monotonic()
    assert house.verify("--from-scratch")["ok"]
    print(f"decided again in {time.monotonic() - began:.1f} s")
