#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/position.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/window.hpp"

namespace pointhouse::settlement {

/// What is supplied, and so how it is taxed. The names are those of the VAT terms.
enum class Charge : std::uint8_t { price, fee, reimbursement, donation, breakage_shared };

[[nodiscard]] std::string_view name_of(Charge charge) noexcept;

/// When the tax on a supply becomes chargeable, and so which rate taxes it.
enum class TaxPoint : std::uint8_t {
    period_end, // the last day of the window (directive 2006/112/EC, article 64)
    issue,      // of the document (article 66(a))
    payment,    // of the document (article 66(b)); its rate is that of the issue, which is known
};

[[nodiscard]] std::string_view name_of(TaxPoint point) noexcept;
/// None: there is no such tax point.
[[nodiscard]] std::optional<TaxPoint> find_tax_point(std::string_view name) noexcept;

/// How one charge of one partner is taxed from a date on.
struct VatRule {
    ledger::PartnerId partner{};
    std::string charge{}; // "price", "fee", "reimbursement", "donation", "breakage_shared"
    ledger::Time valid_from{};
    std::string treatment{}; // "taxed"; all else bears no tax on the document
    std::string category{};  // EN 16931 code; empty: "S" when taxed, else "O"
    std::int32_t rate_basis_points = 0;
    bool is_gross = false; // the charge's price holds the tax
    TaxPoint tax_point = TaxPoint::period_end;
};

/// A party as documents name it.
struct Party {
    std::string id{};
    std::string name{};
    std::string program{}; // of a partner's contract; empty: of none
};

enum class StatementType : std::uint8_t {
    issuance,   // the partner pays for the points it issued
    redemption, // the house pays for the points the partner took
    donation,   // the house pays a charity for the points it was given
    breakage,   // the house gives an issuer its share of points that expired
    block,      // the partner bought points ahead and paid them: an invoice, and no statement
};

[[nodiscard]] std::string_view name_of(StatementType type) noexcept;

/// A line of a statement, whatever its amounts are.
struct StatementLineKey {
    ledger::PartnerId partner{};
    StatementType type = StatementType::issuance;
    ledger::TariffVersion tariff{};
    Charge charge = Charge::price;
    friend auto operator<=>(const StatementLineKey&, const StatementLineKey&) = default;
};

/// What documents need to know beyond the ledger's terms.
struct Contracts {
    Party house{};
    std::vector<Party> partners{}; // partners[id - 1], as in ledger::Terms
    std::vector<VatRule> vat{};
    /// When what is not issued yet is issued: the row then in force taxes it where the tax point is
    /// not the end of the period. Before the window's end: at that.
    ledger::Time issued_at{};
    std::map<StatementLineKey, ledger::Time> issued{}; // lines on documents, and when these were
};

/// The category and rate under which an amount is taxed.
struct VatRate {
    std::string category{};
    std::int32_t basis_points = 0;
    bool is_gross = false; // points × price holds the tax; else the tax comes on top
    TaxPoint tax_point = TaxPoint::period_end; // outside the scope of the tax there is none
    friend auto operator<=>(const VatRate&, const VatRate&) = default;
};

/// Why a line is what it is: all entries of one kind at one price. Signs are the payer's: what adds
/// to the bill is above zero.
struct LineDetail {
    ledger::EntryKind kind = ledger::EntryKind::issued;
    ledger::Micro price{}; // per point, exact
    std::int64_t points = 0;
    ledger::Micro amount{}; // price × points
    friend bool operator==(const LineDetail&, const LineDetail&) = default;
};

/// A document that another one refers to (EN 16931 BG-3).
struct Preceding {
    std::string number{};
    ledger::Day issued_on = 0;
    friend bool operator==(const Preceding&, const Preceding&) = default;
};

/// What of a line belongs to an earlier month, by what was done; signs as in `LineDetail`. It is
/// among the details already and changes no amount.
struct EarlierPart {
    ledger::Month origin{};
    ledger::EntryKind kind = ledger::EntryKind::issued;
    bool undoes = false; // what `origin` booked; else it happened then and came late
    std::int64_t points = 0;
    ledger::Micro amount{};
    std::optional<Preceding> billed_on{}; // of a document: the one that billed what is undone
    friend bool operator==(const EarlierPart&, const EarlierPart&) = default;
};

/// One line per (tariff version, charge, VAT rate): exact to the micro-unit, then rounded once,
/// half away from zero. Where the price holds the tax, what is rounded is `gross`, and `net` is
/// what of it is without the tax.
struct StatementLine {
    Charge charge = Charge::price;
    ledger::TariffVersion tariff{};
    std::optional<ledger::Micro> price{}; // per point; none when the details differ in it
    std::int64_t points = 0; // net; a quantity where there is a price: points × price = exact
    ledger::Micro exact{};
    ledger::Minor net{};
    ledger::Minor gross{}; // of a price that holds the tax; else zero
    VatRate vat{};
    ledger::Time issued_at = ledger::Time::max(); // of the document that it is on; else never
    std::vector<LineDetail> details{};
    std::vector<EarlierPart> earlier{}; // by month, kind, and whether they undo
};

/// Tax is computed once per rate on the document, never per line.
struct VatTotal {
    VatRate rate{};
    ledger::Minor net{};
    ledger::Minor tax{};
    ledger::Minor gross{}; // what prices that hold the tax come to; else zero
    /// What is owed. No net amount comes with its tax to every gross one: net + tax may be a cent
    /// apart from it.
    [[nodiscard]] ledger::Minor total() const { return rate.is_gross ? gross : net + tax; }
    friend bool operator==(const VatTotal&, const VatTotal&) = default;
};

/// A pro forma statement: one per window, partner and direction of supply. Its total is below zero
/// when a window undid more than it did.
struct Statement {
    std::string number{};
    StatementType type = StatementType::issuance;
    ledger::PartnerId partner{};
    Party payer{};
    Party payee{};
    std::vector<StatementLine> lines{}; // by tariff version, then charge
    std::vector<VatTotal> vat{};        // by category, then rate
    ledger::Minor net{};
    ledger::Minor tax{};
    ledger::Minor total{};    // what is owed
    ledger::Micro rounding{}; // what rounding the lines added, for the account `rounding`

    /// What is owed beyond net and tax, where no net amount comes with its tax to the prices that
    /// hold it.
    [[nodiscard]] ledger::Minor payable_rounding() const { return total - (net + tax); }
    /// issuance: the partner pays the house; else the house pays the partner.
    [[nodiscard]] bool partner_pays() const { return type == StatementType::issuance; }
};

/// Turns the positions of a window into statements, by partner, then type. A partner for which no
/// money moved gets none. Amounts are the sums of `PositionRow::money`: nothing is priced anew. The
/// VAT rule is the one in force at the window's last instant; where that says that the tax point is
/// a later one, treatment and rate are those in force at the issue, and the prices stay what they
/// were agreed as. Pure; any thread.
/// Post: every micro-unit that the positions charge or credit stands on exactly one statement.
/// `earlier` says what of the rows belongs to earlier months, and is among them.
[[nodiscard]] std::vector<Statement> statements(
    const Window& window,
    std::span<const ledger::PositionRow> rows,
    const ledger::Terms& terms,
    const Contracts& contracts,
    std::span<const ledger::EarlierPosition> earlier = {});

/// What a position puts on one line.
struct LineShare {
    StatementLineKey line{};
    ledger::Micro price{}; // per point
    std::int64_t points = 0;
    ledger::Micro amount{};
    bool is_of_debt = false; // of a recovery: what it gives back to who bore the debt
};

/// Pure; any thread. Of a position, and as well of a single entry.
[[nodiscard]] std::vector<LineShare> line_shares(
    const ledger::PositionRow& row, const ledger::Terms& terms);

} // namespace pointhouse::settlement
