"""Writes camt.053.001.08 as banks do, each in its own way, and knows what it wrote."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

ACCOUNT = "NL91ABNA0417164300"
NAME_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass
class Entry:
    day: date
    details: list  # signed cents; one: the entry itself
    text: str = ""
    reference: str = ""
    currency: str = "EUR"
    lie: int | None = None  # another amount than the details'

    @property
    def amount(self):
        return sum(self.details)


@dataclass
class Statement:
    number: int | None
    id: str
    first: date
    last: date
    opening: int
    entries: list = field(default_factory=list)
    closing: int | None = None  # another than the sum: a lie

    def rows(self):
        return [detail for entry in self.entries for detail in entry.details]

    def true_closing(self):
        return self.opening + sum(self.rows())


def money(cents):
    return f"{abs(cents) // 100}.{abs(cents) % 100:02d}"


def side(cents):
    return "DBIT" if cents < 0 else "CRDT"


class Writer:
    """One bank's habits."""

    def __init__(self, choose):
        self.prefix = choose.choice(["", "", "ns2:", "c:"])
        self.opening_type = choose.choice(["OPBD", "PRCD"])
        self.detail_amounts = choose.choice(["own", "nested"])
        self.has_period = choose.random() < 0.5
        self.has_legal_number = choose.random() < 0.3

    def balance(self, kind, cents, day):
        return (f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{money(cents)}</Amt>'
                f"<CdtDbtInd>{side(cents)}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>")

    def detail(self, entry, cents, alone):
        text = f"<RmtInf><Ustrd>{entry.text}</Ustrd></RmtInf>" if entry.text else ""
        amount = ""
        if not alone:
            bare = f'<Amt Ccy="{entry.currency}">{money(cents)}</Amt>'
            amount = f"{bare}<CdtDbtInd>{side(cents)}</CdtDbtInd>" if self.detail_amounts == "own" else \
                f"<CdtDbtInd>{side(cents)}</CdtDbtInd><AmtDtls><TxAmt>{bare}</TxAmt></AmtDtls>"
        return f"<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{amount}{text}</TxDtls>"

    def entry(self, entry):
        details = "".join(self.detail(entry, cents, len(entry.details) == 1) for cents in entry.details)
        reference = f"<AcctSvcrRef>{entry.reference}</AcctSvcrRef>" if entry.reference else ""
        amount = entry.amount if entry.lie is None else entry.lie
        return (f'<Ntry><Amt Ccy="{entry.currency}">{money(amount)}</Amt><CdtDbtInd>{side(amount)}</CdtDbtInd>'
                f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{entry.day}</Dt></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>"
                f"{reference}<BkTxCd><Prtry><Cd>N1</Cd></Prtry></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>")

    def file(self, statement):
        number = "" if statement.number is None else f"<ElctrncSeqNb>{statement.number}</ElctrncSeqNb>"
        if self.has_legal_number and statement.number is not None:
            number += f"<LglSeqNb>{statement.number}</LglSeqNb>"
        period = (f"<FrToDt><FrDtTm>{statement.first}T00:00:00</FrDtTm><ToDtTm>{statement.last}T23:59:59</ToDtTm></FrToDt>"
                  if self.has_period else "")
        closing = statement.true_closing() if statement.closing is None else statement.closing
        opening_day = statement.first if self.opening_type == "OPBD" else statement.first - timedelta(days=1)
        body = (f'<Document xmlns="{NAME_SPACE}"><BkToCstmrStmt>'
                f"<GrpHdr><MsgId>M-{statement.id}</MsgId><CreDtTm>2026-07-31T20:00:00</CreDtTm></GrpHdr>"
                f"<Stmt><Id>{statement.id}</Id>{number}{period}"
                f"<Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
                f"{self.balance(self.opening_type, statement.opening, opening_day)}"
                f"{self.balance('CLBD', closing, statement.last)}"
                f"{''.join(map(self.entry, statement.entries))}</Stmt></BkToCstmrStmt></Document>")
        if self.prefix:
            body = body.replace("</", "\0").replace("<", "<" + self.prefix).replace("\0", "</" + self.prefix)
            body = body.replace("xmlns=", f"xmlns:{self.prefix[:-1]}=")
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + body


def random_month(choose):
    """Statements of consecutive days that go on where the one before ended; many rows are equal."""
    day, balance, number = date(2026, 7, 1), choose.randrange(-50_000, 50_000), choose.randrange(1, 300)
    statements = []
    for _ in range(choose.randrange(4, 9)):
        last = day + timedelta(days=choose.randrange(0, 2))
        entries = []
        for _ in range(choose.randrange(0, 6)):
            details = [choose.choice([1_000, 2_500, -1_000, choose.randrange(1, 99_999)])
                       for _ in range(choose.choice([1, 1, 1, 3]))]
            if sum(details) == 0:
                details = [500]
            entries.append(Entry(choose.choice([day, last]), details, choose.choice(["", "termijn", "INV-1 &amp; INV-2"]),
                                 choose.choice(["", f"R{choose.randrange(10**9)}"])))
        entries.sort(key=lambda entry: entry.day)
        statements.append(Statement(number, f"S-{number}", day, last, balance, entries))
        balance = statements[-1].true_closing()
        day, number = last + timedelta(days=1), number + 1
    return statements


def merged(first, second):
    """One statement without a number over both, as a download by hand would be."""
    return Statement(None, f"{first.id}-{second.id}", first.first, second.last, first.opening,
                     [replace(entry) for entry in first.entries + second.entries])

