#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger::test {

/// Terms of three brands, all issuers and redeemers, and a charity, at the standard prices.
std::shared_ptr<Terms> standard_terms();

/// The terms never change in these tests.
class FixedTerms final : public TermsHistory {
public:
    explicit FixedTerms(std::shared_ptr<const Terms> terms) : terms_{std::move(terms)} {}
    [[nodiscard]] std::shared_ptr<const Terms> terms_at(HouseSequence /*sequence*/) const override
    {
        return terms_;
    }

private:
    std::shared_ptr<const Terms> terms_;
};

/// A journal whose commits fail as told: the port at which faults are injected.
class FaultyJournal final : public Journal {
public:
    enum class Fault : std::uint8_t { none, not_written, unknown_not_written, unknown_written };
    explicit FaultyJournal(Journal& journal) : journal_{journal} {}
    Fault next = Fault::none;     // of the next commit, then none again
    bool is_full = false;         // nothing is written, as on a full disk
    std::size_t fails_after = 0;  // so many commits more, then one is not written; 0: never
    std::size_t most_members = 0; // rows that one commit had

    [[nodiscard]] std::size_t shards() const override { return journal_.shards(); }
    JournalState state() override { return journal_.state(); }
    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override
    {
        journal_.read_members(members, row);
    }
    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return journal_.block_with(sequence);
    }
    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override
    {
        journal_.for_each_block(from, block);
    }
    CommitResult commit(const JournalCommit& commit) override;
    void reopen() override { journal_.reopen(); }
    bool may_answer() override { return journal_.may_answer(); }
    std::unique_ptr<JournalReader> open_reader() override { return journal_.open_reader(); }

private:
    Journal& journal_;
};

/// A clock that a test moves.
class ManualClock final : public Clock {
public:
    Time time = *parse_time("2026-06-02T10:00:00Z");
    [[nodiscard]] Time now() const override { return time; }
};

/// A temporary folder, in memory where there is such a place: these tests ask what was written, not
/// whether a disk keeps it.
std::filesystem::path new_house_folder();

/// A ledger over stores of its own (`TestStores` says which), which can be closed and opened again.
class LedgerHouse {
public:
    explicit LedgerHouse(bool message_clock = false);
    ~LedgerHouse();
    LedgerHouse(const LedgerHouse&) = delete;
    LedgerHouse& operator=(const LedgerHouse&) = delete;

    void open();
    void close(bool cleanly);
    /// Sends messages as one commit. Texts of `messages` must live until it returns.
    std::vector<Outcome> send(const std::vector<Message>& messages);
    Outcome send(const Message& message);
    [[nodiscard]] Balance balance(std::string_view member);
    [[nodiscard]] Verification verify();

    std::filesystem::path folder;
    std::shared_ptr<Terms> terms = standard_terms();
    ManualClock clock;
    std::unique_ptr<Store> identities;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<FaultyJournal> faulty;
    std::unique_ptr<Ledger> ledger;
    std::size_t cached_members_max = 1000;
    LotLimits lot_limits{}; // from the next open() on

private:
    bool message_clock_;
    std::optional<TestStores> stores_;
};

/// Shorthands for messages at 2026-06-02T10:00Z.
Message accrual(
    PartnerId partner, std::string_view id, std::string_view member, std::int64_t points);
Message redemption(
    PartnerId partner, std::string_view id, std::string_view member, std::int64_t points);
Message clawback(
    PartnerId partner, std::string_view id, std::string_view member, std::int64_t points);
Message reversal(PartnerId partner, std::string_view id, std::string_view reverses);

inline const PartnerId grocer{1};
inline const PartnerId fuel{2};
inline const PartnerId bookshop{3};
inline const PartnerId charity{4};

} // namespace pointhouse::ledger::test
