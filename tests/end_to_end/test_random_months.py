"""R25: random months through the real gateway against an independent recomputation."""

import random
from fractions import Fraction

from messages import fresh
from oracle import Oracle, Partner, Tariff

PARTNERS = [
    Partner("GRO", Tariff()),
    Partner("TNK", Tariff(price=12_000, fee=500, reimbursement=10_000, prefund=Fraction(1, 2))),
    Partner("BOE", Tariff(price=9_000, fee=0, reimbursement=11_000, prefund=Fraction(0))),
    Partner("AIR", Tariff(price=20_000, fee=2_000, reimbursement=9_500), debt_bearer="house"),
    Partner("CHA", Tariff(), charity=True),
]
SENDING = [partner.name for partner in PARTNERS if not partner.charity]
ROUTES = ["accruals"] * 9 + ["redemptions"] * 6 + ["reversals"] * 5 + ["clawbacks"] * 3 + ["donations"]


def micro(amount):
    return f"{amount // 1_000_000}.{amount % 1_000_000:06}"


def terms_of(partner):
    """The contract file of a partner, in the form of the worked month's."""
    if partner.charity:
        return (f'[[partner]]\nid = "{partner.name}"\nname = "{partner.name}"\nroles = ["charity"]\n'
                '  [[partner.vat]]\n  from = "2020-01-01"\n  flows = ["donation"]\n'
                '  treatment = "out_of_scope"\n')
    tariff = partner.tariff
    share = {Fraction(1): "1", Fraction(0): "0", Fraction(1, 2): "1/2"}[tariff.prefund]
    bearer = {"issuer": "issuer", "house": "operator"}[partner.debt_bearer]
    return (f'[[partner]]\nid = "{partner.name}"\nname = "{partner.name}"\n'
            f'roles = ["issuer", "redeemer"]\nbilling = "postpaid"\ndebt_bearer = "{bearer}"\n'
            f'  [[partner.tariff]]\n  from = "2020-01-01"\n  issue_price = "{micro(tariff.price)}"\n'
            f'  service_fee = "{micro(tariff.fee)}"\n  reimbursement = "{micro(tariff.reimbursement)}"\n'
            f'  prefund_share = "{share}"\n'
            '  [[partner.vat]]\n  from = "2020-01-01"\n  flows = ["price", "fee", "reimbursement"]\n'
            '  treatment = "taxed"\n  category = "S"\n  rate_bp = 2100\n')


def house_of(make_house, folder):
    house = make_house()
    house.run("init")
    for partner in PARTNERS:
        terms = folder / f"{partner.name}.toml"
        terms.write_text(terms_of(partner))
        house.run("partner", "add", partner.name, "--terms", terms)
        if not partner.charity:
            house.run("cert", "issue", partner.name)
    house.run("cert", "issue", "operator:anna")
    return house.start()


class Month:
    """A month's random messages, in the order of the house's time."""

    def __init__(self, chance, number, members):
        self.chance = chance
        self.year, self.month = 2026 + number // 12, number % 12 + 1
        self.members = members
        self.second = 0
        self.sent = {}  # partner → [message id] that may be reversed

    @property
    def window(self):
        return f"{self.year}-{self.month:02}"

    def now(self):
        self.second += self.chance.randint(0, 3)
        hours, rest = divmod(self.second, 3600)
        return f"{self.window}-{1 + hours // 24:02}T{hours % 24:02}:{rest // 60:02}:{rest % 60:02}Z"

    def first(self):
        """An accrual, which surely moves the clock into the month."""
        return SENDING[0], "accruals", {"message_id": fresh("r"), "occurred_at": self.now(),
                                        "member": self.members[0], "points": 1}

    def message(self, earlier):
        """(partner, route, body). `earlier`: partner → ids that may be reversed, from before, too."""
        chance = self.chance
        partner, route = chance.choice(SENDING), chance.choice(ROUTES)
        body = {"message_id": fresh("r"), "occurred_at": self.now()}
        if route == "reversals":
            known = earlier[partner]
            body["reverses"] = chance.choice(known) if known and chance.random() < 0.95 else fresh("none")
            how = chance.random()
            if how < 0.5:
                body["points"] = chance.choice([1, 7, 100, 333, 5_000])
            elif how < 0.65:
                body["purchase"] = {"amount_minor": chance.randint(0, 90_000), "currency": "EUR"}
            return partner, route, body
        body["member"] = chance.choice(self.members) if chance.random() < 0.98 else fresh("nobody")
        amount = chance.choice([1, 2, 50, 99, 250, 1_000, chance.randint(1, 3_000)])
        if route in ("accruals", "clawbacks") and chance.random() < 0.4:
            body["purchase"] = {"amount_minor": chance.randint(0, 150_000), "currency": "EUR"}
        elif route in ("redemptions", "donations") and chance.random() < 0.2:
            body["value"] = {"amount_minor": amount, "currency": "EUR"}
        else:
            body["points"] = amount
        if route == "clawbacks":
            body["reason"] = "return"
        if route == "donations":
            body["charity"] = "CHA" if chance.random() < 0.9 else "GRO"
        return partner, route, body


def by_issuer(rows, own):
    """{issuer: points} as a partner sees it: its own, and all others together."""
    seen = {}
    for issuer, points in rows:
        name = issuer if issuer == own else "others"
        seen[name] = seen.get(name, 0) + points
    return seen


def assert_same(answer, expected, partner, context):
    outcome, said = expected
    if outcome == "refused":
        assert answer.status in (404, 409, 422) and answer.code == said, (context, answer, said)
        return
    assert answer.status == 201, (context, answer, said)
    shown = answer.json
    assert shown["points"] == said["points"], (context, shown, said)
    assert shown["balance"] == said["balance"], (context, shown, said)
    for name in ("drawn", "restored"):
        if name in said:
            rows = [(row["issuer"], row["points"]) for row in shown[name]]
            assert by_issuer(rows, partner) == by_issuer(said[name], partner), (context, shown, said)
    if "clawed_back_own" in said:
        assert shown["debt"] == said["debt"], (context, shown, said)


def assert_figures_agree(house, oracle, windows):
    names = ("issued", "own_redeemed_anywhere", "clawed_back", "recovered_given", "recovered_received")
    debts = {partner: 0 for partner in SENDING}
    for window in windows:
        shown = house.json("settle", "show", window)
        for row in shown["partners"]:
            partner = row["partner"]
            expected = oracle.figures[window, partner]
            assert {name: row[name] for name in names} == {
                name: expected[name] for name in names}, (window, partner)
            if partner in debts:
                debts[partner] += expected["debt"]
                assert row["debt"] == debts[partner], (window, partner)
        flows = {(each["issuer"], each["redeemer"]): each["points"] for each in shown["flows"]}
        assert {pair: points for pair, points in flows.items() if points} == {
            (issuer, redeemer): points for (month, issuer, redeemer), points in oracle.flows.items()
            if month == window and points}, window
        owed = {}
        for document in shown["documents"]:
            exact = sum(line["exact_micro"] for line in document["lines"])
            for party, sign in ((document["payer"], 1), (document["payee"], -1)):
                owed[party] = owed.get(party, 0) + sign * exact
        for partner in oracle.partners:
            assert owed.get(partner, 0) == oracle.owed[window, partner], (window, partner)
        balance = shown["trial_balance"]
        assert balance["points"]["debits"] == balance["points"]["credits"]
        assert balance["money_micro"]["EUR"]["debits"] == balance["money_micro"]["EUR"]["credits"]
    last = {row["partner"]: row for row in shown["partners"]}
    for partner in SENDING:
        assert last[partner]["closing"] == oracle.outstanding(partner), partner
        assert last[partner]["debt"] == oracle.debt_of(partner), partner


def assert_same_movements(operator, member, oracle, context):
    """What an operator sees of the newest entry: each movement, in its order, whoever's points."""
    [entry] = operator.get(f"/v1/members/{member}/entries?limit=1").json["entries"]
    moved = [(move["kind"], move["issuer"], move["points"]) for move in entry["movements"]]
    assert moved == oracle.moved, (context, moved, oracle.moved)


def test_random_months_agree_with_the_oracle(make_house, tmp_path, nightly):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    house, oracle = house_of(make_house, tmp_path), Oracle(PARTNERS)
    members = [fresh("member") for _ in range(12)]
    earlier = {partner: [] for partner in SENDING}
    connections = {partner: house.connect(partner) for partner in SENDING}
    operator = house.connect("operator:anna")
    windows = []
    for number in range(1_000 if nightly else 12):
        month = Month(chance, number, members)
        windows.append(month.window)
        for step in range(250):
            partner, route, body = month.message(earlier) if step else month.first()
            expected = oracle.decide(partner, route, body, month.window)
            answer = connections[partner].post(f"/v1/{route}", body)
            context = (seed, month.window, step, partner, route, body)
            assert_same(answer, expected, partner, context)
            if expected[0] == "refused":
                continue
            member = body.get("member") or oracle.booked[partner, body["reverses"]].member
            assert_same_movements(operator, member, oracle, context)
            if route not in ("clawbacks", "reversals"):
                earlier[partner].append(body["message_id"])
    for connection in (operator, *connections.values()):
        connection.close()
    assert_figures_agree(house, oracle, windows)
    assert house.verify("--from-scratch")["ok"]
