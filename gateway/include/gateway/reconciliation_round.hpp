#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/reconciliation_source.hpp"

namespace pointhouse::gateway {

class MessagesByPartner; // messages_by_partner.hpp

/// The records of all partners at once, with one look through the books' window. Made on the
/// house's thread, asked on any other one. What one partner booked is in memory at a time, times
/// the processors.
class ReconciliationRound {
public:
    /// Throws HouseFailure when the house knows no such window.
    ReconciliationRound(House& house, const settlement::ReconciliationPeriod& period);

    using PartnerFileText = std::optional<std::string>;
    using Outcome = std::expected<settlement::Reconciliation, settlement::FileFault>;

    /// Gives `write` the house's own file of each partner that booked something, on several threads
    /// at once, and returns those partners in the order of their registration. Waits for the books.
    /// Throws as ReconciliationSource does, and what `write` throws.
    [[nodiscard]] std::vector<std::string> write_files(
        const std::function<void(std::string_view partner, std::string_view text)>& write,
        Console& console) const;
    /// Compares each partner's file, in the same order. A partner without a file that booked
    /// something is an exception, not agreement; one that booked nothing and sent nothing is passed
    /// over. `file_of` is asked once for each partner.
    void reconcile(
        const std::function<PartnerFileText(std::string_view partner)>& file_of,
        const std::function<void(std::string_view partner, const Outcome& outcome)>& outcome,
        Console& console) const;

private:
    struct Partner {
        std::string name;
        ledger::PartnerId partner;
        ReconciliationSource source;
    };
    using Rows = ReconciliationSource::Rows;

    /// All of the window, in one pass over the books' rows.
    [[nodiscard]] std::unique_ptr<const MessagesByPartner> read_messages(Console& console) const;
    [[nodiscard]] Rows rows_of(const Partner& partner, const MessagesByPartner& messages) const;

    ledger::Month window_;
    ledger::Sequence end_;
    std::shared_ptr<const ledger::Terms> terms_;
    ledger::Books& books_;
    Projector& projector_;
    std::vector<Partner> partners_; // in the order of their numbers, from 1 on
};

} // namespace pointhouse::gateway
