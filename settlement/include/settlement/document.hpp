#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/result.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/settlement.hpp"
#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// What a document is. The numbers are UNTDID 1001 codes, as EN 16931 uses them (BT-3).
enum class DocumentKind : std::int16_t {
    payment_statement = 0, // of a donation: no supply, so no invoice and no code
    self_billed_credit_note = 261,
    invoice = 380,
    credit_note = 381,
    self_billed_invoice = 389,
};

[[nodiscard]] std::string_view name_of(DocumentKind kind) noexcept;
/// None: there is no such kind.
[[nodiscard]] std::optional<DocumentKind> find_document_kind(std::string_view name) noexcept;
/// Whether the buyer writes it in the seller's name (directive 2006/112/EC, article 224).
[[nodiscard]] constexpr bool is_self_billed(DocumentKind kind)
{
    return kind == DocumentKind::self_billed_invoice ||
           kind == DocumentKind::self_billed_credit_note;
}
/// Its amounts reduce what the buyer owes.
[[nodiscard]] constexpr bool is_credit(DocumentKind kind)
{
    return kind == DocumentKind::credit_note || kind == DocumentKind::self_billed_credit_note;
}

/// A party as an invoice has to name it: EN 16931 BG-4 and BG-7. Empty: not known.
struct LegalParty {
    std::string id{};   // the partner's; "house"
    std::string name{}; // registered
    std::string street{};
    std::string city{};
    std::string postal_code{};
    std::string country{};         // ISO 3166-1 alpha-2
    std::string vat_id{};          // with the country's prefix
    std::string registration{};    // with the trade register
    std::string endpoint_scheme{}; // CEF electronic address scheme, "0088"
    std::string endpoint{};
    std::string iban{};
    std::string bic{};
    std::string email{};
    friend bool operator==(const LegalParty&, const LegalParty&) = default;
};

/// One line: amounts are those of the document's kind, so that a credit note's are above zero, too.
struct DocumentLine {
    Charge charge = Charge::price;
    ledger::TariffVersion tariff{};
    ledger::Month origin{};               // the window whose postings it bills
    std::int64_t points = 0;              // where there is a price: points × price = exact
    std::optional<ledger::Micro> price{}; // per point; never below zero
    ledger::Micro exact{};
    ledger::Minor net{};   // `exact`, rounded once, half away from zero
    ledger::Minor gross{}; // that, where the price holds the tax; `net` is what of it is without
    VatRate vat{};
    std::vector<LineDetail> details{};  // what the line is made of; of a partial credit: none
    std::vector<EarlierPart> earlier{}; // what of that is of earlier months; of a correction: none
    friend bool operator==(const DocumentLine&, const DocumentLine&) = default;
};

/// VAT in the currency that the seller accounts for it in, where that is another (BT-6, BT-111).
struct AccountingVat {
    ledger::Currency currency{};
    std::string rate_id{};
    std::int64_t rate_millionths = 0; // of the accounting currency per unit of the document's
    ledger::Minor tax{};
    bool is_inverse =
        false; // the rate is of the document's currency per unit of the accounting one
    friend bool operator==(const AccountingVat&, const AccountingVat&) = default;
};

/// What a document in another currency is worth in the house's, in which it is booked. Converted
/// once, at a recorded rate.
struct BookValue {
    ledger::Currency currency{};
    std::string rate_id{};
    ledger::Micro exact{}; // of its lines, as the journal has them
    ledger::Micro fee{};   // the service fee among that
    ledger::Minor tax{};
    ledger::Minor total{};
    friend bool operator==(const BookValue&, const BookValue&) = default;
};

/// An invoice, a credit note, or a payment statement: all that its XML and PDF say, so that it can
/// be written again with the same bytes for ever. All amounts are in `currency`.
struct Document {
    DocumentKind kind = DocumentKind::invoice;
    std::string number{};        // empty: a draft
    ledger::PartnerId partner{}; // the other side is the house
    StatementType supply = StatementType::issuance;
    ledger::Month window{}; // the one that it settles
    std::string program{};  // of the house, whose money it is; empty: of none
    ledger::Day issued_on = 0;
    ledger::Day due_on = 0;
    ledger::Day from = 0; // the days of supply, both inclusive (BG-14)
    ledger::Day to = 0;   // also the tax point, where that is the period's end
    LegalParty seller{};
    LegalParty buyer{};
    ledger::Currency currency{};
    std::vector<DocumentLine> lines{};
    std::vector<VatTotal> vat{}; // by category, then rate
    ledger::Minor net{};
    ledger::Minor tax{};
    ledger::Minor total{};    // what is owed
    ledger::Micro rounding{}; // what rounding the lines added to their exact amounts
    std::optional<Preceding> corrects{};
    std::optional<AccountingVat> accounting{};
    std::optional<BookValue> booked{}; // none: it is in the house's currency
    std::string reason{};              // of a correction, or why no VAT is due
    /// Of a self-billed document: for so many days from its issue on the seller may object to it,
    /// then it counts as accepted. 0: no term was agreed.
    std::int32_t objection_days = 0;

    /// When its tax becomes chargeable: one document, one tax point.
    [[nodiscard]] TaxPoint tax_point() const
    {
        return lines.empty() ? TaxPoint::period_end : lines.front().vat.tax_point;
    }
    /// Its prices hold the tax. Of no document only some do.
    [[nodiscard]] bool is_gross() const { return !lines.empty() && lines.front().vat.is_gross; }
    /// What is owed beyond net and tax (BT-114), a cent for a rate at most. Prices that hold the
    /// tax say what is owed, to the cent, and the law what the tax on a net amount is. Not for
    /// every sum is there a net amount that meets both (0.03 at 21 %: 0.02 gives 0.02, 0.03 gives
    /// 0.04); then net and tax stay what they are, and this stands beside them.
    [[nodiscard]] ledger::Minor payable_rounding() const { return total - (net + tax); }
    /// It was paid before it was issued: nothing is due on it.
    [[nodiscard]] bool is_prepaid() const { return supply == StatementType::block; }
    /// The last day on which its seller may object. None: nothing ends by itself.
    [[nodiscard]] std::optional<ledger::Day> object_by() const;
    /// What it corrects, or the documents that billed what its lines undo; by day and number.
    /// The XML has all of them: BG-3.
    [[nodiscard]] std::vector<Preceding> preceding() const;
    /// Above zero: the partner owes it to the house; below: the house owes it to the partner.
    [[nodiscard]] ledger::Minor owed_by_partner() const;
    friend bool operator==(const Document&, const Document&) = default;
};

/// Drafts of a closed window, by partner, then supply: a statement becomes one document, or two
/// when some of its lines are outside the scope of VAT and others are not, which one invoice may
/// not mix (EN 16931 BR-O-11), when some of its prices hold the tax, or have another tax point.
/// What sums to less than zero becomes a document of the opposite kind. Documents on which nothing
/// is due under any VAT rate are left out; only a donation outside the scope of VAT is no supply,
/// and so a payment statement. Until they are issued, drafts bear the window's last day; they fall
/// due `payment_days[id - 1]` after it. `parties[id - 1]` are the partners'. Pure; any thread.
/// Post: what the documents owe is what the statements owe, to the minor unit.
[[nodiscard]] std::vector<Document> drafts(
    const Settlement& settlement,
    const LegalParty& house,
    std::span<const LegalParty> parties,
    std::span<const std::int32_t> payment_days);

/// What the drafts leave out because nothing is due on it, as the drafts that it would be: what its
/// postings accrued is billed nowhere. Pure; any thread.
[[nodiscard]] std::vector<Document> too_small(
    const Settlement& settlement, const LegalParty& house, std::span<const LegalParty> parties);

/// A document's exact amounts, its net and what it accounts for come to at most so many millionths
/// each, so that sums of documents with their VAT fit 64 bits.
inline constexpr ledger::Wide document_amount_max = ledger::Wide{1} << 60U;

/// Whether its totals can be computed and its amounts recorded: what is not in range is neither
/// proposed nor read. Pure.
[[nodiscard]] bool is_in_range(const Document& document);

/// Computes net, VAT, total, rounding and the VAT in the accounting currency anew from the lines.
/// Pure. Pre: what it has of amounts is in range.
void total_document(Document& document);

/// The tax that a document's prices hold, in the currency that it is booked in. The books accrued
/// these prices whole: it is taken from what the house earned by them.
struct TaxInPrices {
    ledger::Minor fee{};   // of service fees
    ledger::Minor other{}; // the rest of the document's tax
};
/// Nothing where the tax comes on top of the prices. Pure.
[[nodiscard]] TaxInPrices tax_in_prices(const Document& document);

/// A draft that takes all of `original` back, line by line to the minor unit, at its rates and
/// never those of today: of the opposite kind; a payment statement becomes one below zero. Pure.
[[nodiscard]] Document full_credit_of(const Document& original, ledger::Day today);

/// What to take back of one line: so many points at its price, or so much of its net amount.
/// Exactly one of the two is above zero, also for a line that is itself below zero.
struct LineCredit {
    std::size_t line = 0; // from 0
    std::int64_t points = 0;
    ledger::Minor net{};
};

/// Whether a correction bills more of what it corrects, instead of taking it back.
[[nodiscard]] bool adds_to(const Document& correction, const Document& original);

/// A draft that bills so much more of one line, at its rate: of the same kind as `original`. Pure.
/// Pre: the line is there, and the total of the original is not zero.
[[nodiscard]] Document further_of(
    const Document& original, std::size_t line, ledger::Minor net, ledger::Day today);

enum class CreditRefusal : std::uint8_t {
    line_unknown,
    line_twice,
    amount_missing, // neither points nor net, or both, or one below zero
    price_missing,  // points of a line that has no single price
    exceeds_line,   // with what was credited before
    exceeds_document,
};

/// The reason in words for a person.
[[nodiscard]] std::string_view words_of(CreditRefusal refusal) noexcept;

/// A draft that takes parts of `original` back, at its rates. `earlier` are all documents that
/// already correct it. Points are rounded on their running sum, so that credits of all points add
/// up to the line. VAT is that of the credit's own amounts; a credit with which more VAT would be
/// taken back under a rate, or more in all, than the original charged, is refused.
/// Pre: no two lines of the original have charge, tariff, window and VAT rate in common. Pure.
[[nodiscard]] ledger::Result<Document, CreditRefusal> credit_of(
    const Document& original,
    std::span<const LineCredit> parts,
    std::span<const Document> earlier,
    ledger::Day today);

} // namespace pointhouse::settlement
