#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/position.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/report_table.hpp"
#include "settlement/statement.hpp"
#include "settlement/window_figures.hpp"

namespace pointhouse::settlement {

class Register; // register.hpp

/// Points and money of a line, in the sign of its statement: what adds to the bill is above zero.
struct RestatedAmount {
    std::int64_t points = 0;
    ledger::Micro exact{};
    friend bool operator==(const RestatedAmount&, const RestatedAmount&) = default;
};
[[nodiscard]] RestatedAmount operator+(const RestatedAmount& left, const RestatedAmount& right);
[[nodiscard]] RestatedAmount operator-(const RestatedAmount& left, const RestatedAmount& right);

using RestatedLineKey = StatementLineKey;

/// Why a line is worth something else than when the window was closed: messages that happened in it
/// and posted in another one, or a document that corrects one of the window's.
struct RestatementCause {
    ledger::Month posted_in{}; // of a correction: its own window
    std::string correction{};  // the number of the correcting document; empty: messages did
    friend auto operator<=>(const RestatementCause&, const RestatementCause&) = default;
};

/// What a cause makes of a line, and the document that bills it.
struct RestatedPart {
    RestatedAmount amount{};
    std::string document{}; // empty: none does yet
    friend bool operator==(const RestatedPart&, const RestatedPart&) = default;
};

struct RestatedLine {
    VatRate vat{};
    RestatedAmount closed{}; // as the window was closed
    std::map<RestatementCause, RestatedPart> parts{};

    [[nodiscard]] RestatedAmount restated() const;
    friend bool operator==(const RestatedLine&, const RestatedLine&) = default;
};

/// A closed window as it is known at a record of the journal and an entry of the house's record.
/// Version 1 is the window as it was closed: its lines have no parts.
struct Restatement {
    ledger::Month window{};
    std::int32_t version = 0; // given by the register
    ledger::Sequence through{};
    ledger::HouseSequence documents_through{};
    std::map<RestatedLineKey, RestatedLine> lines{};
    std::map<ledger::PartnerId, PartnerFigures> closed{}; // see `movements`
    std::map<ledger::PartnerId, PartnerFigures> restated{};
    ledger::Time made_at{}; // by the house's clock
    std::string made_by{};
};

/// What happened in a window and was posted in another one.
struct LatePositions {
    ledger::Month posted_in{};
    std::vector<ledger::PositionRow> rows{};
};

struct RestatementInput {
    Window window{};
    std::span<const ledger::PositionRow> closed; // of the window
    std::span<const LatePositions> late;
    const Register& documents;
    const ledger::Terms& terms;
    const Contracts& contracts;
};

/// The window as it is known now: what it posted, with what happened in it and was posted in other
/// windows, less what documents corrected. What it posted of earlier windows stays: its documents
/// bill it. Pure; any thread.
[[nodiscard]] Restatement restate(const RestatementInput& input);

/// Version 1 of it: the window as it was closed.
[[nodiscard]] Restatement as_closed(const Restatement& restatement);

/// A line that two versions have differently, and what came between them.
struct RestatedDifference {
    RestatedLineKey line{};
    VatRate vat{};
    RestatedAmount before{};
    RestatedAmount after{};
    std::map<RestatementCause, RestatedPart> parts{}; // that differ
};

/// Line by line; empty: the versions have the same figures. Which documents bill them may differ
/// all the same. Pure.
[[nodiscard]] std::vector<RestatedDifference> differences(
    const Restatement& before, const Restatement& after);

/// Whether two versions have the same figures, in money and in points. Pure.
[[nodiscard]] bool is_same(const Restatement& before, const Restatement& after);

/// The statements of a version: lines with their amounts, VAT per rate, and what moved by partner.
/// `terms` know every partner in it. Pure.
[[nodiscard]] Report statements_report(const Restatement& restatement, const ledger::Terms& terms);
/// What two versions have differently: `differences` by line, `causes` with the document that
/// bills each, `totals` by partner and statement with VAT, `points` by partner. Pure.
[[nodiscard]] Report difference_report(
    const Restatement& before, const Restatement& after, const ledger::Terms& terms);
/// The same for people, on A4, under the logo (a PNG) of its time. The same bytes for ever. Throws
/// std::runtime_error.
[[nodiscard]] std::string difference_pdf(
    const Restatement& before,
    const Restatement& after,
    const ledger::Terms& terms,
    const Contracts& contracts,
    std::string_view logo = {});

/// A line's amount in minor units, without the tax that its price may hold. Where it does, lines of
/// a statement are rounded on their sum, and this may be a cent apart from it. Pure.
[[nodiscard]] ledger::Minor net_amount(
    const RestatedAmount& amount, const VatRate& vat, const ledger::Currency& currency);

/// Net, VAT and sum of a partner's statement.
struct StatementTotals {
    ledger::Minor net{};
    ledger::Minor tax{};
    ledger::Minor total{}; // what is owed
    friend bool operator==(const StatementTotals&, const StatementTotals&) = default;
};
using StatementKey = std::pair<ledger::PartnerId, StatementType>;
/// Each line is rounded once, VAT is that of the sum of each rate, as on statements. Pure.
[[nodiscard]] std::map<StatementKey, StatementTotals> totals_of(
    const Restatement& restatement, const ledger::Currency& currency);

/// As the house's record keeps it, without who made it when.
[[nodiscard]] boost::json::object restatement_json(const Restatement& restatement);
/// Throws std::exception when it does not read back.
[[nodiscard]] Restatement restatement_from(const boost::json::object& content);

} // namespace pointhouse::settlement
