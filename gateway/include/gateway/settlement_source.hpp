#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/command.hpp"
#include "gateway/house.hpp"
#include "settlement/block_invoice.hpp"
#include "settlement/document.hpp"
#include "settlement/settlement.hpp"

namespace pointhouse::gateway {

/// What documents name and tax by, of the partners that the terms know.
[[nodiscard]] settlement::Contracts contracts_of(
    const partners::Registry& registry, const ledger::Terms& terms);

/// How a month's lines are taxed where that depends on the day of their issue: those of its issued
/// documents by theirs, all else as if it was issued today.
void take_issue_days(
    settlement::Contracts& contracts,
    const settlement::Register& documents,
    ledger::Month month,
    const ledger::Calendar& calendar,
    ledger::Day today);

/// Who the house and its partners are before the law. In a sandbox, who has told nothing is
/// somebody that there is not.
struct LegalParties {
    settlement::LegalParty house;
    std::vector<settlement::LegalParty> partners; // partners[id - 1]
};
[[nodiscard]] LegalParties legal_parties_of(const partners::Registry& registry);

/// All that one window is settled from. Made on the house's thread, settled on any other.
class SettlementSource {
public:
    /// Throws HouseFailure when the house knows no such window.
    SettlementSource(House& house, ledger::Month month);

    /// The day, by the house's clock, as of which it was made.
    [[nodiscard]] ledger::Day made_on() const { return made_on_; }
    [[nodiscard]] bool is_closed() const { return window_.state != settlement::WindowState::open; }
    /// Waits for the books to hold the window (an open one: all that the journal has now).
    /// Throws HouseFailure, ledger::StoreFailure, Interrupted.
    [[nodiscard]] settlement::Settlement settle(Console& console) const;
    /// The documents that it comes to, not numbered yet, in the currencies of their partners.
    /// Pre: the window is closed. Throws HouseFailure when a rate is missing.
    [[nodiscard]] std::vector<settlement::Document> drafts(
        const settlement::Settlement& settlement) const;
    /// What of it rounds to no document, in the house's currency.
    [[nodiscard]] std::vector<settlement::Document> too_small(
        const settlement::Settlement& settlement) const;

private:
    using Accounts = std::map<std::string, partners::BankAccount>; // by currency
    void name_account(settlement::Document& draft) const;
    void name_billing_documents(settlement::Document& draft) const;

    settlement::Window window_;
    ledger::Day made_on_ = 0;
    ledger::Sequence end_;
    std::shared_ptr<const ledger::Terms> terms_;
    settlement::Contracts contracts_;
    LegalParties parties_;
    Accounts house_accounts_;
    std::vector<Accounts> partner_accounts_;   // [id - 1]
    std::vector<std::int32_t> objection_days_; // [id - 1]
    std::vector<std::int32_t> payment_days_;   // [id - 1], by the calendar of its program
    std::vector<settlement::SoldBlock> blocks_;
    /// By partners that are invoiced in another currency; none: no rate is recorded.
    std::map<ledger::PartnerId, std::optional<settlement::ExchangeRate>> rates_;
    /// The documents of earlier windows, by what they bill.
    std::map<std::pair<ledger::Month, settlement::StatementLineKey>, settlement::Preceding> billed_;
    ledger::Books& books_;
    Projector& projector_;
};

} // namespace pointhouse::gateway
