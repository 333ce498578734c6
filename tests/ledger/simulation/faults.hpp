#pragma once

#include <cstdint>
#include <random>

#include "ledger/journal.hpp"
#include "ledger/store.hpp"

namespace pointhouse::ledger::test {

/// The process is killed where this is thrown: nothing between the port and the simulation may
/// catch it, and what was in memory is gone.
struct Killed {};

/// Draws what goes wrong at the ports of a ledger. One thread.
class Faults {
public:
    enum class Commit : std::uint8_t {
        none,
        not_written,
        unknown_not_written,
        unknown_written,
        killed_before,
        killed_after
    };

    explicit Faults(std::uint64_t seed) : random_{seed} {}

    /// In thousandths of all calls; zero while `is_quiet`.
    int commits = 60;
    int filling = 5; // the disk is full for a while: nothing is written
    int reads = 3;
    int reopenings = 200;
    bool is_quiet = false;

    [[nodiscard]] Commit next_commit();
    [[nodiscard]] bool reading_fails() { return happens(reads); }
    [[nodiscard]] bool reopening_fails() { return happens(reopenings); }
    /// How many went wrong.
    [[nodiscard]] std::uint64_t injected() const { return injected_; }

private:
    [[nodiscard]] bool happens(int thousandths);

    std::mt19937_64 random_;
    std::uint64_t injected_ = 0;
    std::uint64_t full_for_ = 0; // commits
};

/// A journal that fails as `Faults` says.
class FailingJournal final : public Journal {
public:
    FailingJournal(Journal& journal, Faults& faults) : journal_{journal}, faults_{faults} {}

    [[nodiscard]] std::size_t shards() const override { return journal_.shards(); }
    JournalState state() override;
    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override;
    std::span<const std::byte> block_with(Sequence sequence) override;
    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override;
    CommitResult commit(const JournalCommit& commit) override;
    void reopen() override;
    bool may_answer() override { return journal_.may_answer(); }
    std::unique_ptr<JournalReader> open_reader() override;

private:
    void may_fail();

    Journal& journal_;
    Faults& faults_;
};

/// A store that fails as `Faults` says.
class FailingStore final : public Store {
public:
    FailingStore(Store& store, Faults& faults) : store_{store}, faults_{faults} {}

    void transact(const std::function<void(Transaction&)>& work) override;
    void read(const std::function<void(Transaction&)>& work) override;
    std::string integrity_fault() override { return store_.integrity_fault(); }

private:
    Store& store_;
    Faults& faults_;
};

} // namespace pointhouse::ledger::test
