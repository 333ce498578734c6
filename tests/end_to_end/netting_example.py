"""The worked example of acceptance/NETTING.md as a month of five partners.

What i owes j are points of i spent at j, at one cent and without VAT, so that the house stands between them."""

NAMES = "ABCDE"
OWED = {  # in cents
    "A": {"B": 120_000_05, "C": 40_000_00, "D": 15_000_33},
    "B": {"A": 80_000_00, "C": 60_000_50, "E": 25_000_25},
    "C": {"A": 30_000_10, "B": 20_000_00, "D": 50_000_00, "E": 10_000_00},
    "D": {"A": 5_000_01, "B": 35_000_00, "E": 45_000_99},
    "E": {"A": 70_000_00, "C": 22_000_22, "D": 18_000_00},
}
NETS = {"A": 9_999_73, "B": 9_999_30, "C": 12_000_62, "D": -2_000_67, "E": -29_998_98}
IN_DOLLARS = {"A": 8_499_77, "B": 8_499_40, "C": 10_200_53, "D": -1_700_57, "E": -25_499_13}  # at 0.85
LOSSES = {"A": 9_374_53, "B": 9_374_13, "C": 11_250_32}  # of E's 29,998.98
GROSS = 645_002_45
MULTILATERAL = 31_999_65

PARTNER = """
[[partner]]
id = "{name}"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0"
  reimbursement = "0.01"
  prefund_share = "1"
  [partner.settlement]
{settlement}
"""


def terms(mutualised=(), limits=()):
    return "".join(
        PARTNER.format(name=name, settlement="\n".join(
            (["mutualised = true"] if name in mutualised else [])
            + [f'net_debit_limit = "{limits[name]}"' for _ in [0] if name in limits]))
        for name in NAMES)


def decimal(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def play(house):
    """One member for each pair; the house serves on the message clock."""
    for issuer, row in OWED.items():
        with house.connect(issuer) as connection:
            for redeemer, points in row.items():
                answer = connection.post("/v1/accruals", {
                    "message_id": f"earn-{issuer}{redeemer}", "member": f"M-{issuer}{redeemer}",
                    "occurred_at": "2026-06-10T10:00:00Z", "points": points})
                assert answer.status == 201, answer
    for issuer, row in OWED.items():
        for redeemer, points in row.items():
            with house.connect(redeemer) as connection:
                answer = connection.post("/v1/redemptions", {
                    "message_id": f"burn-{issuer}{redeemer}", "member": f"M-{issuer}{redeemer}",
                    "occurred_at": "2026-06-20T10:00:00Z", "points": points})
                assert answer.status == 201, answer


def coalition(house, folder, mutualised=(), limits=()):
    """A serving house in which June 2026 is played and closed."""
    house.init("--currency", "EUR")
    file = folder / "terms.toml"
    file.write_text(terms(mutualised, limits))
    for name in NAMES:
        house.run("partner", "add", name, "--terms", file)
        house.run("cert", "issue", name)
    house.run("cert", "issue", "operator:anna")
    house.start()
    play(house)
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    return house
