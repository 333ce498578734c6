#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/money.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/message_log.hpp"
#include "settlement/reconciliation.hpp"
#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// A statement as the house wrote it, or the document that was issued of it, read back from its
/// JSON. Signs are the statement's.
struct StatedDocument {
    std::string number{};
    StatementType type = StatementType::issuance;
    bool is_alone = false;                  // the others of its window are not at hand
    std::optional<ledger::Day> issued_on{}; // none: it is not issued
    std::vector<StatementLine> lines{};
    std::vector<VatTotal> vat{};
    ledger::Minor net{};
    ledger::Minor tax{};
    ledger::Minor total{};
};

/// Reads what `settle show --json` prints, or one of its documents: those of `partner` in `window`
/// that bill messages. A document in another currency than the house's is a fault, and so is one
/// alone that is none of them. The fault is in words. Pure.
[[nodiscard]] std::expected<std::vector<StatedDocument>, std::string> parse_documents(
    std::string_view json, std::string_view partner, ledger::Month window);

/// What a partner knows of its contract.
struct ReplayTerms {
    std::string partner{};
    ledger::Month window{};
    ledger::Currency currency{};
    const ledger::Calendar& calendar;
    bool is_prepaid = false;               // its points are paid by blocks, not by the statement
    bool funds_promotions = false;         // so other partners' messages issue its points, too
    std::vector<ledger::Tariff> tariffs{}; // dated, by valid_from
    std::vector<VatRule> vat{};
};

enum class ReplayVerdict : std::uint8_t {
    equal,     // the log comes to what is stated
    as_stated, // nothing that this partner's own messages could tell
    of_others, // the log has less, and what others may have sent explains it
    differs,
};

[[nodiscard]] std::string_view name_of(ReplayVerdict verdict) noexcept;

/// Points of one kind at one price, as stated and as the log has them. Signs are the payer's.
struct ReplayedFigure {
    StatementType type = StatementType::issuance;
    Charge charge = Charge::price;
    ledger::EntryKind kind = ledger::EntryKind::issued;
    ledger::Micro price{};
    std::int64_t stated = 0;
    std::int64_t logged = 0;
    ReplayVerdict verdict = ReplayVerdict::equal;
    /// Messages of the log that each come to exactly the difference; at most ten.
    std::vector<std::string> candidates{};
};

/// A figure that does not follow from those it is computed from.
struct ArithmeticFault {
    std::string document{};
    std::string figure{}; // "line 2 net", "VAT S 2100", "total"
    std::string stated{};
    std::string computed{};
};

struct InvoiceReplay {
    std::vector<ReplayedFigure> figures{}; // by type, charge, kind, price
    std::vector<ArithmeticFault> arithmetic{};
    std::optional<Reconciliation> messages{}; // against the house's own file, when there is one

    [[nodiscard]] bool agrees() const;
};

/// Computes a partner's statements from its own log and contract, and compares. What a partner
/// cannot know is taken as stated: where its points were spent (prefund share below 1), breakage,
/// debts repaid later, donations. Lines are then summed, rounded and taxed anew. `house_file` has
/// the rows of the house's own file and names the message that differs for certain. Pure.
[[nodiscard]] InvoiceReplay replay_invoice(
    std::span<const LoggedMessage> log,
    std::span<const StatedDocument> documents,
    const ReplayTerms& terms,
    const PartnerFile* house_file = nullptr);

/// `pointhouse replay-invoice --json`, as one line without its end.
[[nodiscard]] std::string invoice_replay_json(const InvoiceReplay& replay);
[[nodiscard]] std::string invoice_replay_in_words(const InvoiceReplay& replay);

} // namespace pointhouse::settlement
