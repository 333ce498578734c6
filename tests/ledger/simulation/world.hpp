#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger_house.hpp"
#include "simulation/faults.hpp"
#include "simulation/letters.hpp"
#include "simulation/memory_journal.hpp"
#include "simulation/recount.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger::test {

/// One simulated life of a house (R20): clients whose replies get lost, a clock that steps forward
/// and back, terms that change, ports that fail, a process that is killed; all drawn from one seed,
/// so that the same seed is the same life. After every step what the journal holds is counted anew.
class World {
public:
    enum class Stores : std::uint8_t { memory, real };

    World(std::uint64_t seed, Stores stores, std::uint16_t shards = 1);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Lives `steps` steps and looks at everything at the end. Returns the first fault; empty:
    /// none.
    std::string live(int steps);

    [[nodiscard]] const Recount& recount() const { return recount_; }
    [[nodiscard]] std::uint64_t faults() const;
    [[nodiscard]] int restarts() const { return restarts_; }

private:
    class History final : public TermsHistory {
    public:
        std::vector<std::shared_ptr<const Terms>> versions; // by as_of, from 1
        [[nodiscard]] std::shared_ptr<const Terms> terms_at(HouseSequence sequence) const override
        {
            return versions.at(sequence.value() - 1);
        }
    };

    void step();
    void write_letters();
    void send_some();
    void send(std::vector<Correspondence::Envelope> batch);
    void take_answer(const Correspondence::Envelope& envelope, const Outcome& outcome);
    void move_clock();
    void change_terms();
    void ask();
    void quote_next();
    void restart(bool cleanly);
    void drop();
    void open();
    [[nodiscard]] std::unique_ptr<Journal> open_shard(std::uint16_t shard);
    void open_journal();
    void be_quiet(bool is_quiet);
    void count_new_blocks();
    void look_at_everything();
    void check_members();
    void check_prices(const Record& record);
    void note(std::string fault);
    /// Does something at the ledger's door; a killed process is opened again.
    void at_the_door(const std::function<void()>& work);
    [[nodiscard]] bool chance(int percent)
    {
        return random_() % 100 < static_cast<unsigned>(percent);
    }
    [[nodiscard]] LedgerOptions options() const;

    std::mt19937_64 random_;
    Stores stores_;
    bool is_message_clock_;
    std::filesystem::path folder_;
    std::shared_ptr<const Calendar> calendar_;
    History history_;
    ManualClock clock_;
    std::uint16_t shards_;
    Faults faults_;                   // of the identities, and of the journal where it is one
    std::deque<Faults> shard_faults_; // each is drawn on a thread of its own
    std::deque<Disk> disks_;          // by shard
    std::optional<TestStores> databases_;
    std::unique_ptr<Store> identities_;
    std::unique_ptr<FailingStore> failing_identities_;
    std::vector<std::unique_ptr<Journal>> shard_stores_; // which fail, where there are several
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<FailingJournal> failing_journal_;
    std::unique_ptr<JournalReader> reader_; // of the recount, which never fails
    std::unique_ptr<Ledger> ledger_;
    Recount recount_;
    Writer writer_;
    Correspondence letters_;
    std::vector<Correspondence::Envelope> outbox_;
    Sequence before_; // the journal's head before the batch under way
    std::string fault_;
    int restarts_ = 0;
};

} // namespace pointhouse::ledger::test
