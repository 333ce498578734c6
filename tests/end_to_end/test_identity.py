"""Who may talk to the house, and what of others it never shows."""

import os
import ssl
import subprocess
import time

import pytest

import certificates
from messages import accrual, fresh, message
from wire import Closed, Connection, client_context


def is_refused(house, context):
    """True when the house ends the connection, or answers nothing but 401."""
    try:
        with Connection(house.port, context) as stranger:
            sent = accrual(fresh("member"), 5)
            answer = stranger.post("/v1/accruals", sent)
    except (Closed, ssl.SSLError, ConnectionError):
        return True
    assert answer.status == 401, answer
    assert answer.code == "certificate_refused"
    return True


@pytest.fixture
def refused(house, books_nothing):
    def check(certificate=None, key=None):
        context = client_context(house.authority(), certificate, key)
        with books_nothing(no_record=True):
            assert is_refused(house, context)

    return check


def authority_key(house):
    """The key of the CA that signs partners' certificates, wherever the house keeps it."""
    signer = openssl_public_key(["x509", "-in", signing_authority(house), "-noout", "-pubkey"])
    for folder, _, files in os.walk(house.data):
        for name in files:
            path = os.path.join(folder, name)
            if "key" in name.lower() and signer == openssl_public_key(["pkey", "-in", path, "-pubout"]):
                return path
    raise AssertionError("the CA's key is not under the data folder")


def openssl_public_key(arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def signing_authority(house):
    """The certificate of the CA that signed GRO's."""
    chain = (house.certificate_folder("GRO") / "cert.pem").read_text()
    parts = [part + "-----END CERTIFICATE-----\n"
             for part in chain.split("-----END CERTIFICATE-----\n") if part.strip()]
    text = parts[1] if len(parts) > 1 else house.authority().read_text()
    path = house.data.parent / "signing-ca.pem"
    path.write_text(text)
    return path


@pytest.fixture
def sign(house, tmp_path):
    """Signs a certificate with the house's own CA: only what is in it is wrong."""

    def make(extensions=(), dates=None):
        authority = signing_authority(house)
        certificate, key = certificates.signed_by(
            authority, authority_key(house), tmp_path, extensions, dates)
        return certificates.with_chain(certificate, authority), key

    return make


def test_no_certificate(refused):
    refused()


def test_a_self_signed_certificate(refused, tmp_path):
    refused(*certificates.self_signed(tmp_path))


def test_a_certificate_of_another_house(refused, make_house):
    other = make_house().make("GRO")
    folder = other.certificate_folder("GRO")
    refused(folder / "cert.pem", folder / "key.pem")


def test_an_expired_certificate(refused, sign):
    refused(*sign(dates=("20240101000000Z", "20240201000000Z")))


def test_a_certificate_not_yet_valid(refused, sign):
    refused(*sign(dates=("20990101000000Z", "20990201000000Z")))


WRONG_CONTENT = {
    "no name": {"subjectAltName": None},
    "a DNS name": {"subjectAltName": "DNS:GRO"},
    "two names": {"subjectAltName": "URI:urn:pointhouse:partner:GRO,URI:urn:pointhouse:partner:TNK"},
    "twice the same": {"subjectAltName": "URI:urn:pointhouse:partner:GRO,URI:urn:pointhouse:partner:GRO"},
    "an unknown partner": {"subjectAltName": "URI:urn:pointhouse:partner:NOPE"},
    "another case": {"subjectAltName": "URI:urn:pointhouse:partner:gro"},
    "another scheme": {"subjectAltName": "URI:https://urn:pointhouse:partner:GRO"},
    "a longer name": {"subjectAltName": "URI:urn:pointhouse:partner:GRO:x"},
    "an empty name": {"subjectAltName": "URI:urn:pointhouse:partner:"},
    "for servers": {"extendedKeyUsage": "serverAuth"},
    "an authority": {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign"},
    "never registered": {},
}


@pytest.mark.parametrize("extensions", WRONG_CONTENT.values(), ids=WRONG_CONTENT)
def test_a_certificate_of_the_house_s_authority_with_wrong_content(refused, sign, extensions):
    refused(*sign(extensions))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_versions(house):
    def context(version, ciphers=None):
        folder = house.certificate_folder("GRO")
        made = client_context(house.authority(), folder / "cert.pem", folder / "key.pem")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = version
        made.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
        return made

    with Connection(house.port, context(ssl.TLSVersion.TLSv1_3)) as modern:
        assert modern.get("/v1/echo").status == 200
        assert modern.socket.version() == "TLSv1.3"
    with Connection(house.port, context(ssl.TLSVersion.TLSv1_2)) as older:
        assert older.get("/v1/echo").status == 200
    for refused_context in (context(ssl.TLSVersion.TLSv1_1),
                            context(ssl.TLSVersion.TLSv1_2, "AES128-SHA:AES256-SHA:@SECLEVEL=0"),
                            context(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            Connection(house.port, refused_context).close()


def test_revocation_ends_open_connections_within_a_second(make_house):
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        assert gro.get("/v1/echo").status == 200
        house.run("cert", "revoke", "GRO")
        time.sleep(1)

        try:
            answer = gro.post("/v1/accruals", accrual("m", 5))
            assert answer.status == 401, answer
            assert answer.code == "certificate_refused"
        except Closed:
            pass
        assert is_refused(house, house.context("GRO"))
        assert tnk.get("/v1/echo").status == 200, "another's connection is not harmed"
    assert house.verify()["messages"] == 0

    listed = house.json("cert", "list")
    assert any("GRO" in str(each) and each["revoked"] is True for each in listed), listed


def test_a_revoked_certificate_stays_refused_after_a_restart(make_house):
    house = make_house().make("GRO")
    context = house.context("GRO")
    house.run("cert", "revoke", "GRO")
    house.start()

    assert is_refused(house, context)

    house.run("cert", "issue", "GRO")
    house.contexts.clear()
    with house.connect("GRO") as gro:
        assert gro.get("/v1/echo").status == 200
    assert is_refused(house, context)


def test_two_certificates_of_a_partner_are_valid_at_once(make_house):
    house = make_house().make("GRO").start()
    before = house.context("GRO")
    house.run("cert", "issue", "GRO")
    house.contexts.clear()

    for context in (before, house.context("GRO")):
        with Connection(house.port, context) as gro:
            assert gro.get("/v1/echo").status == 200


def test_key_files_are_for_their_owner_only(house):
    keys = [os.path.join(folder, name) for folder, _, files in os.walk(house.data) for name in files
            if name.endswith(".pem") and "key" in name]

    assert keys
    assert {oct(os.stat(key).st_mode & 0o777) for key in keys} == {"0o400"}


def test_the_house_does_not_start_on_a_readable_key(make_house):
    house = make_house().make("GRO")
    os.chmod(authority_key(house), 0o444)

    done = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", status=None, timeout=20)

    assert done.returncode == 1
    assert "key" in done.stderr


def test_an_operator_may_not_send_a_partner_s_messages(operator, funded, books_nothing):
    member = funded(100)
    with books_nothing(no_record=True):
        for route, body in (("accruals", accrual(member, 5)),
                            ("redemptions", message(member=member, points=5)),
                            ("clawbacks", message(member=member, points=5, reason="r"))):
            answer = operator.post(f"/v1/{route}", body)
            assert answer.status == 403, answer
            assert answer.code == "forbidden"


def test_an_operator_sees_members(operator, funded):
    member = funded(77)
    answer = operator.get(f"/v1/members/{member}")
    assert answer.status == 200, answer
    assert answer.json["balance"]["available"] == 77


def test_another_partner_s_message_is_as_absent_as_none(gro, tnk, books_nothing):
    own = accrual(fresh("member"), 100)
    gro.post("/v1/accruals", own)
    with books_nothing(no_record=True):
        foreign = tnk.get(f"/v1/messages/{own['message_id']}")
        absent = tnk.get(f"/v1/messages/{fresh('absent')}")
        reversal = tnk.post("/v1/reversals", message(reverses=own["message_id"]))

    assert foreign.status == absent.status == reversal.status == 404
    assert foreign.code == absent.code == reversal.code == "message_unknown"
    assert set(foreign.json) == set(absent.json)


def test_another_partner_s_entries_are_not_shown(gro, tnk):
    member = fresh("member")
    own = gro.post("/v1/accruals", accrual(member, 100)).json["posting_id"]
    spent = tnk.post("/v1/redemptions", message(member=member, points=30))

    seen = tnk.get(f"/v1/members/{member}/entries")

    assert [entry["posting_id"] for entry in seen.json["entries"]] == [spent.json["posting_id"]]
    assert own not in seen.body.decode()
    assert b'"GRO"' not in seen.body, "nor whose points they were"
    assert b'"GRO"' not in spent.body


def test_ids_of_lots_are_opaque_per_partner(gro, tnk):
    """The same lot has another id for each partner, and ids do not count up."""
    member = fresh("member")
    first = gro.post("/v1/accruals", accrual(member, 100)).json
    second = tnk.post("/v1/accruals", accrual(member, 100)).json

    names = [first["posting_id"], second["posting_id"], first["lots"][0]["lot"], second["lots"][0]["lot"]]
    assert len(set(names)) == 4
    assert all(len(name) >= 16 for name in names), names
    drawn = gro.post("/v1/redemptions", message(member=member, points=5)).json["drawn"]
    assert drawn[0]["lot"] == first["lots"][0]["lot"], "a partner knows its own lot again"


@pytest.mark.parametrize("target", [
    "/v1/members/{}", "/v1/members/{}/entries", "/v1/members/{}/entries?limit=5"])
def test_an_unknown_member_is_404(gro, target):
    answer = gro.get(target.format(fresh("nobody")))
    assert answer.status == 404, answer
    assert answer.code == "member_unknown"


def test_logs_name_no_member_and_no_content(house, gro):
    member = fresh("very-private-name")
    gro.post("/v1/accruals", accrual(member, 5, reason="very-private-reason"))
    gro.post("/v1/accruals", accrual(member, 5, color="very-private-colour"))
    gro.get(f"/v1/members/{member}")

    assert "very-private" not in house.log.read_text()


def test_identifiers_are_not_in_the_journal(make_house):
    house = make_house().make("GRO").start()
    member = "recognisable-identifier-4711"
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual(member, 5))
    house.stop()

    for folder, _, files in os.walk(house.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                assert member.encode() not in file.read(), f"{name} holds a member's identifier"


def test_data_of_a_house_is_for_its_owner_only(make_house):
    house = make_house().make("GRO")

    assert oct(os.stat(house.data).st_mode & 0o077) == "0o0", "the data folder"
