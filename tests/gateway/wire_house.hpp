#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange.hpp"
#include "ledger/ledger.hpp"
#include "opaque_ids.hpp"

namespace pointhouse::gateway {

inline constexpr ledger::PartnerId grocer{1};
inline constexpr ledger::PartnerId bookshop{2};
inline constexpr ledger::PartnerId charity{3};

/// A coalition of GRO, BOE and the charity CHA in EUR; tariff n is of partner n.
std::shared_ptr<const ledger::Terms> wire_terms();

/// The key under which the golden files were made.
OpaqueKey wire_key();

/// A text of tests/golden/wire; UPDATE_GOLDEN=1 rewrites it for a person to review.
std::string golden(std::string_view name, const std::string& actual);

/// A ledger of a few lines: available points by issuer, drawn in the order of partners. Remembers
/// the first outcome of every message, as the real one does; the house refuses what `refusals`
/// says.
class FakeLedger final : public ledger::Ledger {
public:
    std::map<std::string, ledger::Refusal, std::less<>> refusals; // by message id
    std::vector<std::size_t> commits;                             // the messages of each
    bool is_unavailable = false;
    bool commit_throws = false;
    std::function<void()> while_committing; // once, on the thread that commits

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

    ledger::Time house_time() const override;
    bool advance_clock(ledger::Time) override { return true; }
    void mark_windows() override {}
    const std::vector<ledger::Window>& windows() const override { return windows_; }
    void book_house_entry(
        ledger::HouseSequence, ledger::Time, std::span<const ledger::OpeningMember>) override
    {}
    ledger::HouseSequence booked_house_entry() override { return {}; }
    void publish(std::shared_ptr<const ledger::Terms>) override {}
    std::shared_ptr<const ledger::Terms> terms() const override { return terms_; }
    ledger::Sequence head() const override { return ledger::Sequence{records_.size()}; }
    std::unique_ptr<ledger::JournalReader> open_reader() override { return nullptr; }
    ledger::LedgerCounters counters() const override { return {}; }
    void settle_down() override {}

private:
    struct Stored {
        ledger::PartnerId partner;
        std::string message_id;
        std::string canonical;
        ledger::Record record;
    };
    using Points = std::map<std::uint32_t, std::int64_t>; // by issuer

    void decide(const ledger::Message& message, ledger::Outcome& outcome);
    ledger::Record decide_record(const ledger::Message& message, Points& points);
    ledger::MemberNumber number_of(std::string_view identifier);

    std::shared_ptr<const ledger::Terms> terms_ = wire_terms();
    std::vector<ledger::Window> windows_;
    std::map<std::string, ledger::MemberNumber, std::less<>> numbers_;
    std::map<ledger::MemberNumber, Points> members_;
    std::vector<std::unique_ptr<Stored>> records_;
    std::vector<ledger::Lot> lots_; // of the member asked for last
};

/// An exchange whose answer is kept.
class TestExchange final : public Exchange {
public:
    TestExchange(RouteId to, std::string text, const Caller& from);
    TestExchange& in(MediaType type)
    {
        body_type = answer_type = type;
        return *this;
    }
    void finish() override
    {
        ++finished;
        if (on_finish) on_finish();
    }

    std::string text;
    std::string argument;
    int finished = 0;
    std::function<void()> on_finish;
};

const Caller& grocer_caller();
const Caller& bookshop_caller();
const Caller& operator_caller();

} // namespace pointhouse::gateway
