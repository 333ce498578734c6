#pragma once

#include <mutex>

#include "ledger/ledger.hpp"

namespace pointhouse::gateway {

/// A ledger that a writer thread and the I/O thread use by turns: each call waits for the other's.
/// What every request asks, its terms, waits for nobody; nor do the answers to messages, which are
/// made of outcomes alone. `commit` on the writer thread, and on the I/O thread for what an
/// operator approved; all else on the I/O thread, which waits for two commits at most: while it
/// waits, the writer gets no more than what it was handed already.
class SharedLedger final : public ledger::Ledger {
public:
    explicit SharedLedger(std::unique_ptr<ledger::Ledger> ledger)
        : ledger_{std::move(ledger)}, terms_{ledger_->terms()}, windows_{ledger_->windows()}
    {}

    void commit(std::span<ledger::Submission> batch) override;
    void quote(const ledger::Message& message, ledger::Outcome& outcome) override;
    std::optional<ledger::MemberView> find_member(std::string_view identifier) override;
    bool find_outcome(
        ledger::PartnerId partner, std::string_view message_id, ledger::Outcome& outcome) override;
    std::optional<ledger::HoldView> find_hold(
        ledger::PartnerId partner, ledger::Sequence hold) override;
    void for_each_record_of(
        ledger::MemberNumber member,
        std::optional<ledger::Sequence> before,
        const std::function<bool(const ledger::Record&)>& record) override;
    [[nodiscard]] ledger::Time house_time() const override;
    bool advance_clock(ledger::Time to) override;
    void mark_windows() override;
    [[nodiscard]] const std::vector<ledger::Window>& windows() const override;
    void book_house_entry(
        ledger::HouseSequence entry,
        ledger::Time at,
        std::span<const ledger::OpeningMember> members) override;
    [[nodiscard]] ledger::HouseSequence booked_house_entry() override;
    void publish(std::shared_ptr<const ledger::Terms> terms) override;
    [[nodiscard]] std::shared_ptr<const ledger::Terms> terms() const override { return terms_; }
    [[nodiscard]] ledger::Sequence head() const override { return ledger_->head(); }
    [[nodiscard]] std::unique_ptr<ledger::JournalReader> open_reader() override;
    [[nodiscard]] ledger::LedgerCounters counters() const override { return ledger_->counters(); }
    void settle_down() override;

    /// All turns, until it is let go, are the I/O thread's: an act that follows from what the
    /// journal holds finds nothing committed in between.
    [[nodiscard]] std::unique_lock<std::recursive_mutex> hold() { return std::unique_lock{turn_}; }

private:
    mutable std::recursive_mutex turn_;
    std::unique_ptr<ledger::Ledger> ledger_; // by turns, but for what any thread may ask
    std::shared_ptr<const ledger::Terms> terms_;
    mutable std::vector<ledger::Window> windows_; // as they were when last asked for
};

} // namespace pointhouse::gateway
