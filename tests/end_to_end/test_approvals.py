"""Terms of the house, what waits for a second operator, and points that come back, from the command line
and the wire."""

import pytest

from messages import fresh, message

TERMS = """
[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
debt_bearer = { issuer = 1, redeemer = 1, operator = 1 }
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
  expiry = { months = 1, at = "month_end" }
  breakage = { operator = 1, issuer = 1 }
"""


def accrual(day, member, points):
    return message(member=member, points=points, occurred_at=f"{day}T12:00:00Z")


def adjustment(day, member, points):
    return accrual(day, member, points) | {"funder": "GRO", "reason": "goodwill"}


def reinstatement(day, points, expires_on="2026-12-31", **fields):
    return message(points=points, occurred_at=f"{day}T12:00:00Z", expires_on=expires_on,
                   reason="asked for") | fields


def set_terms(house, tmp_path, text, *arguments, status=0):
    file = tmp_path / f"{fresh('house')}.toml"
    file.write_text("[house]\n" + text)
    return house.run("house", "set-terms", file, *arguments, status=status)


@pytest.fixture
def house(make_house, tmp_path):
    house = make_house()
    house.run("init")
    terms = tmp_path / "terms.toml"
    terms.write_text(TERMS)
    house.run("partner", "add", "GRO", "--terms", terms)
    for name in ("GRO", "operator:anna", "operator:bob"):
        house.run("cert", "issue", name)
    return house


def certificate(house, name):
    return house.certificate_folder(f"operator:{name}") / "cert.pem"


def test_an_adjustment_above_the_limit_waits_for_a_second_operator(house, tmp_path):
    set_terms(house, tmp_path, "approval_above_points = 500", "--as-both")
    assert house.json("house", "show")["approval_above_points"] == 500
    house.start()
    with house.connect("GRO") as grocer, house.connect("operator:anna") as anna:
        assert grocer.post("/v1/accruals", accrual("2026-01-05", "M1", 10)).status == 201
        assert anna.post("/v1/adjustments", adjustment("2026-01-05", "M1", 500)).status == 201
        large = adjustment("2026-01-05", "M1", 501)
        waiting = anna.post("/v1/adjustments", large)
        assert waiting.status == 202, waiting
        assert waiting.json == {"proposal": waiting.json["proposal"], "message_id": large["message_id"],
                                "state": "waiting"}
        assert anna.post("/v1/adjustments", large).json == waiting.json
        reused = anna.post("/v1/adjustments", large | {"points": 502})
        assert reused.code == "message_id_reused"
        assert anna.get("/v1/members/M1").json["balance"]["available"] == 510
        # What would be refused does not wait, and its id stays free.
        unfunded = large | {"message_id": fresh("m"), "funder": "nobody"}
        assert anna.post("/v1/adjustments", unfunded).code == "role_not_allowed"
        assert anna.post("/v1/adjustments", unfunded | {"points": 1, "funder": "GRO"}).status == 201

        withdrawn = anna.post("/v1/adjustments", large | {"message_id": fresh("m")}).json["proposal"]
        house.run("approve", "reject", withdrawn)
        assert [each.stem for each in (house.data / "proposals").iterdir()] == [str(waiting.json["proposal"])]
        [listed] = house.json("approve", "list")
        assert (listed["kind"], listed["prepared_by"]) == ("adjustment", "anna")
        assert "M1" not in str(listed), "the house's record names no member"
        own = house.run("approve", listed["id"], "--operator", certificate(house, "anna"), status=1)
        assert "another operator approves" in own.stderr
        house.run("approve", listed["id"], "--operator", certificate(house, "bob"))
        assert house.json("approve", "list") == []
        assert not list((house.data / "proposals").iterdir()), "nothing is left that names a member"
        booked = anna.post("/v1/adjustments", large)
        assert (booked.status, booked.replayed) == (201, True)
        assert booked.json["lots"][0]["points"] == 501
        assert anna.post("/v1/adjustments", large | {"points": 502}).code == "message_id_reused"
        assert anna.get("/v1/members/M1").json["balance"]["available"] == 1012
        for _ in range(2):
            house.run("approve", listed["id"], "--as-both", status=1)
    assert house.verify("--from-scratch")["ok"]


def test_what_was_approved_is_booked_after_a_crash(house, tmp_path):
    set_terms(house, tmp_path, "approval_above_points = 0", "--as-both")
    house.start()
    with house.connect("GRO") as grocer, house.connect("operator:anna") as anna:
        grocer.post("/v1/accruals", accrual("2026-01-05", "M1", 10))
        large = adjustment("2026-01-05", "M1", 7)
        waiting = anna.post("/v1/adjustments", large).json["proposal"]
    file = house.data / "proposals" / f"{waiting}.json"
    kept = file.read_bytes()
    house.run("approve", waiting, "--as-both")
    # As if the house had died between the approval and the removal of the file.
    house.kill()
    file.write_bytes(kept)
    house.start()
    assert not file.exists()
    with house.connect("operator:anna") as anna:
        assert anna.get("/v1/members/M1").json["balance"]["available"] == 17
    assert house.verify("--from-scratch")["ok"]


def test_what_is_refused_when_it_is_approved_is_final(house):
    house.start()
    with house.connect("GRO") as grocer, house.connect("operator:anna") as anna:
        grocer.post("/v1/accruals", accrual("2026-01-05", "M1", 10))
        house.run("clock", "advance", "2026-03-02T00:00:00Z")
        body = reinstatement("2026-03-02", 10)
        waiting = anna.post("/v1/members/M1/reinstate", body)
        assert waiting.status == 202, waiting
        anna.post("/v1/members/M1/block", message(reason="lost", occurred_at="2026-03-02T12:00:00Z"))
        refused = house.run("approve", waiting.json["proposal"], "--as-both", status=1)
        assert "member_blocked" in refused.stderr
        answer = anna.post("/v1/members/M1/reinstate", body)
        assert (answer.code, answer.replayed) == ("member_blocked", True)
    assert house.verify("--from-scratch")["ok"]


def test_the_wire_says_what_became_of_a_message(house):
    """Turned down it stays so; what the ledger refuses when it is approved is answered by the ledger's own code."""
    house.start()
    with house.connect("GRO") as grocer, house.connect("operator:anna") as anna, \
            house.connect("operator:bob") as bob:
        grocer.post("/v1/accruals", accrual("2026-01-05", "M1", 10))
        house.run("clock", "advance", "2026-03-02T00:00:00Z")
        body = reinstatement("2026-03-02", 10)
        turned_down = anna.post("/v1/members/M1/reinstate", body).json["proposal"]
        assert bob.post("/v1/operator/approve/reject",
                        {"message_id": fresh("act"), "proposal": turned_down, "reason": "no"}).status == 200
        for sender in (anna, bob):
            after = sender.post("/v1/members/M1/reinstate", body)
            assert (after.status, after.code, after.json["retry"]) == (422, "proposal_rejected", "new_id"), after
            assert after.json["message_id"] == body["message_id"]
        assert anna.post("/v1/members/M1/reinstate", body | {"points": 9}).code == "message_id_reused"
        assert anna.get("/v1/operator/approve/list").json == []
        assert not list((house.data / "proposals").iterdir()), "nothing is left that names a member"

        again = body | {"message_id": fresh("m")}
        proposal = anna.post("/v1/members/M1/reinstate", again).json["proposal"]
        anna.post("/v1/members/M1/block", message(reason="lost", occurred_at="2026-03-02T12:00:00Z"))
        approval = {"message_id": fresh("act"), "proposal": proposal}
        for is_again in (False, True):
            refused = bob.post("/v1/operator/approve", approval)
            assert (refused.status, refused.code, refused.replayed) == (422, "member_blocked", is_again), refused
        assert bob.post("/v1/operator/approve", approval | {"message_id": fresh("act")}).code == "proposal_unknown"
        shown = anna.get(f"/v1/operator/approve/show?proposal={proposal}").json
        assert (shown["state"], shown["code"], shown["decided_by"]) == ("refused", "member_blocked", "bob")
        assert "M1" not in str(shown)
    house.kill()
    house.start()
    with house.connect("operator:bob") as bob:
        assert bob.post("/v1/operator/approve", approval).code == "member_blocked"
    assert house.verify("--from-scratch")["ok"]


def test_expired_points_come_back_when_two_operators_say_so(house):
    house.start()
    with house.connect("GRO") as grocer, house.connect("operator:anna") as anna:
        grocer.post("/v1/accruals", accrual("2026-01-05", "M1", 100))
        house.run("clock", "advance", "2026-03-02T00:00:00Z")
        assert anna.get("/v1/members/M1").json["balance"]["available"] == 0
        assert grocer.post("/v1/members/M1/reinstate", reinstatement("2026-03-02", 1)).code == "forbidden"
        for fields, code in (({"points": 101}, "insufficient_points"), ({"funder": "GRO"}, "funding_not_agreed"),
                             ({"expires_on": "2026-03-01"}, "late_window_closed"),
                             ({"expires_on": "soon"}, "malformed"), ({"member": "M1"}, "malformed")):
            answer = anna.post("/v1/members/M1/reinstate", reinstatement("2026-03-02", 40) | fields)
            assert answer.code == code, (fields, answer)
        assert anna.post("/v1/members/nobody/reinstate", reinstatement("2026-03-02", 1)).code == "member_unknown"
        for body in (reinstatement("2026-03-02", 40), reinstatement("2026-03-02", 60, funder="house")):
            waiting = anna.post("/v1/members/M1/reinstate", body)
            assert waiting.status == 202, waiting
            house.run("approve", waiting.json["proposal"], "--as-both")
            booked = anna.post("/v1/members/M1/reinstate", body)
            assert (booked.status, booked.replayed) == (201, True), booked
            assert booked.json["points"] == body["points"]
            [lot] = booked.json["lots"]
            assert (lot["issuer"], lot["points"], lot["expires_on"]) == ("GRO", body["points"], "2026-12-31")
        shown = anna.get("/v1/members/M1").json
        assert shown["balance"]["available"] == 100
        assert shown["expiring"] == [{"on": "2026-12-31", "points": 100}]
        entries = anna.get("/v1/members/M1/entries").json["entries"]
        assert [each["type"] for each in entries[:3]] == ["reinstatement", "reinstatement", "expiry"]
        kinds = [entry["movements"][0]["kind"] for entry in entries[:2]]
        assert kinds == ["reinstated_by_house", "reinstated"]
    house.run("clock", "advance", "2027-01-02T00:00:00Z")
    march, december = (house.json("settle", "show", window) for window in ("2026-03", "2026-12"))
    [row] = march["partners"]
    assert (row["opening"], row["expired"], row["closing"]) == (0, -100, 100)
    [row] = december["partners"]
    assert (row["expired"], row["closing"]) == (100, 0)
    for shown in (march, december):
        money = shown["trial_balance"]["money_micro"]["EUR"]
        assert money["debits"] == money["credits"]
    # January's breakage is half GRO's; what GRO gave back is half of 40 points; December's again.
    shared = [line["exact_micro"] for window in ("2026-02", "2026-03", "2026-12")
              for document in house.json("settle", "show", window)["documents"]
              for line in document["lines"] if line["flow"] == "breakage_shared"]
    assert [abs(amount) for amount in shared] == [500_000, 200_000, 500_000]
    assert house.verify("--from-scratch")["ok"]


def test_points_of_a_member_without_activity_expire(house, tmp_path):
    (tmp_path / "never.toml").write_text(TERMS.replace('id = "GRO"', 'id = "BOE"').replace(
        '  expiry = { months = 1, at = "month_end" }\n', ""))
    house.run("partner", "add", "BOE", "--terms", tmp_path / "never.toml")
    house.run("cert", "issue", "BOE")
    house.start()
    with house.connect("BOE") as bookshop:
        bookshop.post("/v1/accruals", accrual("2026-01-05", "M1", 100))
        bookshop.post("/v1/accruals", accrual("2026-01-05", "M2", 100))
        assert bookshop.get("/v1/members/M1").json["expiring"] == []
        set_terms(house, tmp_path, "inactivity_months = 3", "--as-both")
        # Nobody's months began before the term did, on the house's 5 January.
        assert bookshop.get("/v1/members/M1").json["expiring"] == [{"on": "2026-04-05", "points": 100}]
        spent = message(member="M2", points=30, occurred_at="2026-02-28T12:00:00Z")
        assert bookshop.post("/v1/redemptions", spent).status == 201
        assert bookshop.get("/v1/members/M2").json["expiring"] == [{"on": "2026-05-28", "points": 70}]
        house.kill()
    house.start()
    house.run("clock", "advance", "2026-04-06T00:00:00Z")
    with house.connect("BOE") as bookshop:
        assert bookshop.get("/v1/members/M1").json["balance"]["available"] == 0
        assert bookshop.get("/v1/members/M2").json["balance"]["available"] == 70
        refund = message(reverses=spent["message_id"], occurred_at="2026-06-01T12:00:00Z")
        assert bookshop.post("/v1/reversals", refund).json["balance"]["available"] == 0
    assert house.verify("--from-scratch")["ok"]


def test_terms_of_the_house_wait_for_a_second_operator(house, tmp_path):
    set_terms(house, tmp_path, "refund_grace_days = 10")
    assert house.json("house", "show")["refund_grace_days"] == 0
    [waiting] = house.json("approve", "list")
    house.run("approve", waiting["id"], status=1)
    house.run("approve", waiting["id"], "--as-both")
    assert house.json("house", "show")["refund_grace_days"] == 10
    for text, complaint in (("refund_grace_days = 10", "in force already"),
                            ("refund_grace_days = 367", "from 0 to 366"),
                            ("inactivity_months = -1", "from 0 to 1200"),
                            ('time_zone = "Europe/Paris"\ninactivity_months = 1', "written for Europe/Paris"),
                            ("grace = 1", "grace")):
        refused = set_terms(house, tmp_path, text, status=1)
        assert complaint in refused.stderr, (text, refused.stderr)
    # A contract that takes other terms for granted is written for another house.
    other = tmp_path / "other.toml"
    other.write_text("[house]\nrefund_grace_days = 3\n" + TERMS.replace('"GRO"', '"BOE"'))
    house.run("partner", "add", "BOE", "--terms", other, status=1)
    other.write_text("[house]\nrefund_grace_days = 10\n" + TERMS.replace('"GRO"', '"BOE"'))
    house.run("partner", "add", "BOE", "--terms", other)


def test_a_production_house_acts_by_its_operators(make_house, tmp_path):
    house = make_house(clock="system")
    house.init("--production")
    terms = tmp_path / "terms.toml"
    terms.write_text(TERMS)
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    third = house.run("cert", "issue", "operator:carl", status=1)
    assert "--operator CERT" in third.stderr
    anna, bob = (("--operator", certificate(house, name)) for name in ("anna", "bob"))

    nobody = house.run("partner", "add", "GRO", "--terms", terms, status=1)
    assert "--operator CERT" in nobody.stderr
    house.run("partner", "add", "GRO", "--terms", terms, *anna)
    assert house.json("partner", "list") == []
    [waiting] = house.json("approve", "list")
    assert (waiting["kind"], waiting["prepared_by"]) == ("partner_added", "anna")
    for who, complaint in (((), "--operator CERT"), (anna, "another operator approves"),
                           ((*bob, "--as-both"), "another operator approves")):
        assert complaint in house.run("approve", waiting["id"], *who, status=1).stderr
    house.run("approve", waiting["id"], *bob)
    assert [each["id"] for each in house.json("partner", "list")] == ["GRO"]
    house.run("partner", "add", "GRO", "--terms", terms, *bob, status=1)

    tariff = tmp_path / "tariff.toml"
    tariff.write_text('[tariff]\nfrom = "2199-01-01"\nissue_price = "0.02"\nservice_fee = "0"\n'
                      'reimbursement = "0.01"\nprefund_share = "1"\n')
    house.run("partner", "set-tariff", "GRO", tariff, *bob)
    [waiting] = house.json("approve", "list")
    house.run("approve", waiting["id"], *anna)
    assert len(house.json("partner", "show", "GRO")["tariffs"]) == 2

    def registered(name):
        assert "waits for another operator" in house.run("cert", "issue", name, *anna).stdout
        assert not (house.data / "certs" / name.replace(":", "-")).exists()
        [asked] = house.json("approve", "list")
        assert asked["summary"] == f"issue a certificate for {name if ':' in name else 'partner:' + name}"
        assert "another operator approves" in house.run("approve", asked["id"], *anna, status=1).stderr
        house.run("approve", asked["id"], *bob)
        house.run("cert", "issue", name, *anna)
        assert (house.certificate_folder(name) / "cert.pem").exists()
        assert "waits" in house.run("cert", "issue", name, *anna).stdout, "a permission is for one"
        [asked] = house.json("approve", "list")
        house.run("approve", asked["id"], *bob)

    registered("GRO")
    partners = house.certificate_folder("GRO") / "cert.pem"
    assert "no operator's certificate" in house.run(
        "approve", "list", "--operator", partners, status=1).stderr
    # With the key of one of two in wrong hands a third operator is needed, and is made in time.
    registered("operator:carl")
    carl = ("--operator", certificate(house, "carl"))
    assert "--operator CERT" in house.run("cert", "revoke", "operator:bob", status=1).stderr
    house.run("cert", "revoke", "operator:bob", *anna)
    assert house.run("approve", "list", *bob).returncode == 0, "one alone revokes nothing"
    [waiting] = house.json("approve", "list")
    assert waiting["summary"].startswith("revoke operator:bob: ")
    assert "another operator approves" in house.run("approve", waiting["id"], *anna, status=1).stderr
    house.run("approve", waiting["id"], *carl)
    house.run("cert", "revoke", "operator:bob", *anna)
    assert "no operator's certificate" in house.run("approve", "list", *bob, status=1).stderr


def test_who_approves_sees_all_of_it_and_may_turn_it_down(make_house, tmp_path):
    house = make_house()
    house.run("init", "--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}")) for name in ("anna", "bob"))
    terms = tmp_path / "terms.toml"
    terms.write_text(TERMS.replace('issue_price = "0.01"', 'issue_price = "0.51"'))
    assert "sandbox" in house.run("partner", "add", "GRO", "--standard", *anna, status=1).stderr
    house.run("partner", "add", "GRO", "--terms", terms, *anna)
    [listed] = house.json("approve", "list")
    assert "0.51" in str(listed["content"]) and listed["content"]["id"] == "GRO"
    assert house.json("approve", "show", listed["id"], *bob) == listed
    assert "issue_price: 0.51" in house.run("approve", "show", listed["id"], *bob).stdout

    house.run("approve", "reject", listed["id"], status=1)  # nobody's name stands under it
    done = house.json("approve", "reject", listed["id"], "--reason", "a wrong price", *bob)
    assert done == {"id": listed["id"], "rejected": True}
    assert house.json("approve", "list") == []
    for act in ([], ["reject"]):
        assert "turned down by bob" in house.run("approve", *act, listed["id"], *bob, status=1).stderr
    shown = house.json("approve", "show", listed["id"], *bob)
    assert (shown["state"], shown["decided_by"], shown["reason"]) == ("rejected", "bob", "a wrong price")
    assert "turned down by bob: a wrong price" in house.run("approve", "show", listed["id"], *bob).stdout
    assert house.json("partner", "list") == []

    terms.write_text(TERMS)
    house.run("partner", "add", "GRO", "--terms", terms, *anna)
    [again] = house.json("approve", "list")
    house.run("approve", again["id"], *anna, status=1)
    house.run("approve", again["id"], *bob)
    assert [each["id"] for each in house.json("partner", "list")] == ["GRO"]
    house.run("verify")


def test_an_operator_asks_what_became_of_its_own_message(house):
    house.start()
    with house.connect("GRO") as grocer, house.connect("operator:anna") as anna:
        assert grocer.post("/v1/accruals", accrual("2026-01-05", "M1", 10)).status == 201
        sent = adjustment("2026-01-05", "M1", 5)
        first = anna.post("/v1/adjustments", sent)
        assert first.status == 201
        outcome = anna.get(f"/v1/messages/{sent['message_id']}")
        assert outcome.status == 200, outcome
        assert outcome.json["answer"]["posting_id"] == first.json["posting_id"]
        assert anna.get(f"/v1/messages/{sent['message_id']}?partner=GRO").status == 404
        assert anna.get("/v1/messages/nothing").status == 404


# Messages about a member that the house's terms leave to two people.

ACTS_ON_MEMBERS = ("block", "unblock", "close", "merge")


def member_act(kind, day="2026-01-06", **fields):
    body = message(reason="asked for", occurred_at=f"{day}T12:00:00Z")
    return body | ({"into": "M2"} if kind == "merge" else {}) | fields


def enrolled(house, *members):
    with house.connect("GRO") as grocer:
        for member in members:
            assert grocer.post("/v1/accruals", accrual("2026-01-05", member, 10)).status == 201


def approve(connection, proposal):
    return connection.post("/v1/operator/approve", {"message_id": fresh("act"), "proposal": proposal})


@pytest.mark.parametrize("kind", ACTS_ON_MEMBERS)
def test_a_sandbox_leaves_members_to_one_operator(house, kind):
    assert house.json("house", "show")["approval_of"] == []
    house.start()
    enrolled(house, "M1", "M2")
    with house.connect("operator:anna") as anna:
        if kind == "unblock":
            assert anna.post("/v1/members/M1/block", member_act("block")).status == 201
        assert anna.post(f"/v1/members/M1/{kind}", member_act(kind)).status == 201


@pytest.mark.parametrize("kind", ACTS_ON_MEMBERS)
def test_what_the_terms_name_takes_two_people(house, tmp_path, kind):
    house.start()
    enrolled(house, "M1", "M2")
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob, \
            house.connect("GRO") as grocer:
        if kind == "unblock":
            assert anna.post("/v1/members/M1/block", member_act("block")).status == 201
        set_terms(house, tmp_path, f'approval_of = ["{kind}"]', "--as-both")
        assert house.json("house", "show")["approval_of"] == [kind]
        assert grocer.post(f"/v1/members/M1/{kind}", member_act(kind)).code == "forbidden"
        assert anna.post(f"/v1/members/nobody/{kind}", member_act(kind)).code == "member_unknown"

        before = anna.get("/v1/members/M1/entries").json
        body = member_act(kind)
        waiting = anna.post(f"/v1/members/M1/{kind}", body)
        assert waiting.status == 202, waiting
        proposal = waiting.json["proposal"]
        assert waiting.json == {"proposal": proposal, "message_id": body["message_id"], "state": "waiting"}
        assert anna.post(f"/v1/members/M1/{kind}", body).json == waiting.json
        assert bob.post(f"/v1/members/M1/{kind}", body).json == waiting.json
        assert anna.post(f"/v1/members/M2/{kind}", body | ({"into": "M1"} if kind == "merge" else {})).code == (
            "message_id_reused")
        assert anna.post(f"/v1/members/M1/{kind}", body | {"reason": "another"}).code == "message_id_reused"
        assert anna.get("/v1/members/M1/entries").json == before, "nothing happened yet"

        [listed] = anna.get("/v1/operator/approve/list").json
        assert (listed["id"], listed["kind"], listed["prepared_by"]) == (proposal, kind, "anna")
        assert "M1" not in str(listed), "the house's record names no member"
        shown = bob.get(f"/v1/operator/approve/show?proposal={proposal}").json
        assert shown["content"]["member"] == "M1" and shown["content"]["reason"] == "asked for"
        assert shown["content"].get("into") == body.get("into")
        assert house.json("approve", "show", proposal) == shown
        own = approve(anna, proposal)
        assert (own.status, own.code) == (403, "forbidden"), own
        assert anna.get("/v1/members/M1/entries").json == before
        assert approve(bob, proposal).status == 200
        assert approve(bob, proposal).code == "proposal_unknown", "it executes once"
        shown = bob.get(f"/v1/operator/approve/show?proposal={proposal}").json
        assert (shown["state"], shown["decided_by"]) == ("approved", "bob")
        assert "M1" not in str(shown), "nothing is left that names a member"
        unknown = bob.get(f"/v1/operator/approve/show?proposal={proposal + 1000}")
        assert unknown.code == "proposal_unknown"

        done = anna.post(f"/v1/members/M1/{kind}", body)
        assert (done.status, done.replayed) == (201, True), done
        assert anna.post(f"/v1/members/M1/{kind}", body | {"reason": "another"}).code == "message_id_reused"
        spending = message(member="M1", points=1, occurred_at="2026-01-06T12:00:00Z")
        spent = grocer.post("/v1/redemptions", spending)
        if kind in ("unblock", "merge"):
            assert spent.status == 201, spent
        else:
            assert spent.code == {"block": "member_blocked", "close": "member_closed"}[kind]
        if kind == "merge":
            assert anna.get("/v1/members/M2").json["balance"]["available"] == 19
        assert not list((house.data / "proposals").iterdir()), "nothing is left that names a member"
    assert house.verify("--from-scratch")["ok"]


def test_an_approved_merge_survives_a_crash(house, tmp_path):
    set_terms(house, tmp_path, 'approval_of = ["merge", "block"]', "--as-both")
    assert house.json("house", "show")["approval_of"] == ["block", "merge"], "in the order of their numbers"
    house.start()
    enrolled(house, "M1", "M2")
    body = member_act("merge")
    with house.connect("operator:anna") as anna:
        proposal = anna.post("/v1/members/M1/merge", body).json["proposal"]
    house.kill()
    house.start()
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        assert anna.post("/v1/members/M1/merge", body).json["proposal"] == proposal
        file = house.data / "proposals" / f"{proposal}.json"
        kept = file.read_bytes()
        assert approve(bob, proposal).status == 200
    house.kill()
    file.write_bytes(kept)
    house.start()
    with house.connect("operator:anna") as anna:
        done = anna.post("/v1/members/M1/merge", body)
        assert (done.status, done.replayed) == (201, True), done
        assert anna.get("/v1/members/M2").json["balance"]["available"] == 20
    assert house.verify("--from-scratch")["ok"]


def test_what_the_terms_may_name(house, tmp_path):
    for text, complaint in (('approval_of = ["adjustment"]', "block, unblock, merge and close"),
                            ('approval_of = "merge"', "list of texts"), ("approval_of = [1]", "list of texts"),
                            ("approval_of = []", "in force already")):
        refused = set_terms(house, tmp_path, text, status=1)
        assert complaint in refused.stderr, (text, refused.stderr)
    set_terms(house, tmp_path, 'approval_of = ["close", "close"]', "--as-both")
    set_terms(house, tmp_path, "approval_of = []", "--as-both")
    assert house.json("house", "show")["approval_of"] == []


def test_a_production_house_merges_and_closes_by_two(make_house):
    house = make_house(clock="system")
    house.init("--production")
    assert house.json("house", "show")["approval_of"] == ["close", "merge"]
