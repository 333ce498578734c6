#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
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
    ledger::Minor net{}; // `exact`, rounded once, half away from zero
    VatRate vat{};
    friend bool operator==(const DocumentLine&, const DocumentLine&) = default;
};

/// The document that another one corrects (EN 16931 BG-3).
struct Preceding {
    std::string number{};
    ledger::Day issued_on = 0;
    friend bool operator==(const Preceding&, const Preceding&) = default;
};

/// VAT in the currency that the seller accounts for it in, where that is another (BT-6, BT-111).
struct AccountingVat {
    ledger::Currency currency{};
    std::string rate_id{};
    std::int64_t rate_millionths = 0; // of the accounting currency per unit of the document's
    ledger::Minor tax{};
    friend bool operator==(const AccountingVat&, const AccountingVat&) = default;
};

/// An invoice, a credit note, or a payment statement: all that its XML and PDF say, so that it can
/// be written again with the same bytes for ever. All amounts are in `currency`.
struct Document {
    DocumentKind kind = DocumentKind::invoice;
    std::string number{};        // empty: a draft
    ledger::PartnerId partner{}; // the other side is the house
    StatementType supply = StatementType::issuance;
    ledger::Month window{}; // the one that it settles
    ledger::Day issued_on = 0;
    ledger::Day due_on = 0;
    ledger::Day from = 0; // the days of supply, both inclusive (BG-14)
    ledger::Day to = 0;   // also the tax point
    LegalParty seller{};
    LegalParty buyer{};
    ledger::Currency currency{};
    std::vector<DocumentLine> lines{};
    std::vector<VatTotal> vat{}; // by category, then rate
    ledger::Minor net{};
    ledger::Minor tax{};
    ledger::Minor total{};
    ledger::Micro rounding{}; // what rounding the lines added to their exact amounts
    std::optional<Preceding> corrects{};
    std::optional<AccountingVat> accounting{};
    std::string reason{}; // of a correction, or why no VAT is due

    friend bool operator==(const Document&, const Document&) = default;
    /// Above zero: the partner owes it to the house; below: the house owes it to the partner.
    [[nodiscard]] ledger::Minor owed_by_partner() const;
};

/// Drafts of a closed window, by partner, then supply: a statement becomes one document, or two
/// when some of its lines are outside the scope of VAT and others are not, which one invoice may
/// not mix (EN 16931 BR-O-11). What sums to less than zero becomes a credit note. Zero documents
/// are left out. `parties[id - 1]` are the partners'. Pure; any thread.
/// Post: what the documents owe is what the statements owe, to the minor unit, but for VAT that was
/// rounded on each half of a statement.
[[nodiscard]] std::vector<Document> drafts(
    const Settlement& settlement,
    const LegalParty& house,
    std::span<const LegalParty> parties,
    std::int32_t payment_days);

/// Computes net, VAT, total and rounding anew from the lines. Pure.
void total_document(Document& document);

/// A credit note over all of `original`, or over `points` or an amount of some lines: it takes the
/// original's rates, never those of today. Pure.
[[nodiscard]] Document full_credit_of(const Document& original, ledger::Day today);

} // namespace pointhouse::settlement
