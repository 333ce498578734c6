"""A bank that writes camt.053.001.08, for one account; in euro where nothing else is said."""

from decimal import Decimal

IBAN = "NL91ABNA0417164300"


def amount_of(minor):
    return f"{Decimal(abs(minor)) / 100:.2f}"


def balance(code, minor, day, currency):
    sign = "CRDT" if minor >= 0 else "DBIT"
    return (f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"{currency}\">{amount_of(minor)}</Amt>"
            f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>")


def entry(number, minor, day, end_to_end="NOTPROVIDED", text="", return_reason="",
          currency="EUR"):
    sign = "CRDT" if minor >= 0 else "DBIT"
    returned = f"<RtrInf><Rsn><Cd>{return_reason}</Cd></Rsn></RtrInf>" if return_reason else ""
    remittance = f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>" if text else ""
    return (f"<Ntry><NtryRef>{number}</NtryRef><Amt Ccy=\"{currency}\">{amount_of(minor)}</Amt><CdtDbtInd>{sign}</CdtDbtInd>"
            f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
            f"<AcctSvcrRef>{day}-{number}</AcctSvcrRef><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>"
            f"<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>"
            f"<Amt Ccy=\"{currency}\">{amount_of(minor)}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{remittance}{returned}"
            f"</TxDtls></NtryDtls></Ntry>")


def statement(number, opening, rows, day="2026-07-14", iban=IBAN, currency="EUR"):
    """`rows`: dictionaries of `entry`'s arguments without number and day."""
    entries = "".join(entry(place + 1, day=day, currency=currency, **row) for place, row in enumerate(rows))
    closing = opening + sum(row["minor"] for row in rows)
    return (f'<?xml version="1.0" encoding="UTF-8"?>'
            f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
            f"<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{day}T20:00:00Z</CreDtTm></GrpHdr>"
            f"<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{day}T20:00:00Z</CreDtTm>"
            f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
            f"{balance('OPBD', opening, day, currency)}{balance('CLBD', closing, day, currency)}{entries}"
            f"</Stmt></BkToCstmrStmt></Document>")
