"""The law changes a rate: months that end after that day are taxed anew, and those before keep theirs."""

from messages import accrual
from test_settlement import closed

VAT = """[[vat]]
from = "{day}"
flows = ["fee"]
treatment = "taxed"
rate_bp = {rate}
"""


def fee_of(house, window):
    """(rate, net, VAT) of GRO's fee, with all else that is taxed at that rate."""
    [statement] = [document for document in house.json("settle", "show", window)["documents"]
                   if document["type"] == "issuance_statement" and document["payer"] == "GRO"]
    [fee] = [line for line in statement["lines"] if line["flow"] == "fee"]
    [total] = [row for row in statement["vat"] if row["rate_basis_points"] == fee["vat_rate_basis_points"]]
    return total["rate_basis_points"], total["net_minor"], total["vat_minor"]


def set_vat(house, folder, day, rate, status=0):
    file = folder / "vat.toml"
    file.write_text(VAT.format(day=day, rate=rate))
    return house.run("partner", "set-vat", "GRO", file, status=status)


def test_a_rate_changes_from_a_day_on(make_house, tmp_path):
    june = closed(make_house(), tmp_path)
    before = fee_of(june, "2026-06")
    assert before[0] == 2100
    assert "the window 2026-06 is closed" in set_vat(june, tmp_path, "2026-06-30", 1900, status=1).stderr
    assert set_vat(june, tmp_path, "2026-07-15", 1900).stdout == "fee from 2026-07-15: taxed S 19.00 %\n"
    assert "begins later" in set_vat(june, tmp_path, "2026-07-15", 2000, status=1).stderr
    with june.connect("GRO") as gro:
        for day in ("02", "20"):
            moment = f"2026-07-{day}T12:00:00Z"
            assert gro.post("/v1/accruals", accrual("vat", 500, occurred_at=moment)).status == 201
    june.run("clock", "advance", "2026-08-01T08:00:00Z")
    assert fee_of(june, "2026-06") == before
    assert fee_of(june, "2026-07") == (1900, 100, 19), "a month is supplied at its end"
    june.stop()
    june.start()
    assert fee_of(june, "2026-07") == (1900, 100, 19)
    assert june.verify("--from-scratch")["ok"]
