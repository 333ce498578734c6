#include <utility>

#include <gtest/gtest.h>

#include "house_folder.hpp"

// A store that fails while the house's record is written: what is remembered is what the store has.

namespace pointhouse::partners {
namespace {

/// When the next transaction breaks.
enum class Break : std::uint8_t {
    never,
    before,  // nothing was written
    between, // one entry was, and is taken back
    after,   // all of it is durable; only the answer is lost
};

/// Breaks at its second statement.
class BrokenTransaction final : public ledger::Transaction {
public:
    explicit BrokenTransaction(Transaction& sound) : sound_{sound} {}
    std::vector<ledger::Row> run(
        std::string_view sql, std::span<const ledger::Parameter> parameters) override
    {
        if (runs_++ == 1) throw ledger::StoreFailure{"the disk is full"};
        return sound_.run(sql, parameters);
    }
    void for_each(
        std::string_view sql,
        std::span<const ledger::Parameter> parameters,
        const std::function<void(const ledger::Row&)>& row) override
    {
        sound_.for_each(sql, parameters, row);
    }
    void script(std::string_view sql) override { sound_.script(sql); }
    void append(
        std::string_view table,
        std::span<const std::string_view> columns,
        std::span<const ledger::Parameter> cells) override
    {
        sound_.append(table, columns, cells);
    }

private:
    Transaction& sound_;
    int runs_ = 0;
};

class BreakingStore final : public ledger::Store {
public:
    explicit BreakingStore(Store& sound) : sound_{sound} {}

    void transact(const std::function<void(ledger::Transaction&)>& work) override
    {
        const Break now = std::exchange(breaks, Break::never);
        if (now == Break::before) throw ledger::StoreFailure{"the disk is gone"};
        sound_.transact([&](ledger::Transaction& transaction) {
            if (now != Break::between) return work(transaction);
            BrokenTransaction broken{transaction};
            work(broken);
        });
        if (now == Break::after) throw ledger::StoreFailure{"the answer is lost", true};
    }
    void read(const std::function<void(ledger::Transaction&)>& work) override
    {
        if (!can_be_read) throw ledger::StoreFailure{"nobody answers"};
        sound_.read(work);
    }
    std::string integrity_fault() override { return sound_.integrity_fault(); }

    Break breaks = Break::never;
    bool can_be_read = true;

private:
    Store& sound_;
};

class RecordFault : public testing::TestWithParam<Break> {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(registry_.found({.currency = "EUR"}, act_));
        ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));
    }

    [[nodiscard]] bool is_written() const { return GetParam() == Break::after; }

    /// What this process remembers is what the next one will read.
    void expect_same_after_restart()
    {
        ledger::HouseRecord record{folder_.store()};
        const Registry registry{record};
        EXPECT_EQ(text_of(registry_), text_of(registry));
        ASSERT_EQ(record_.entries().size(), record.entries().size());
        EXPECT_EQ(record_.entries().back().hash, record.entries().back().hash);
    }

    /// Two entries of one request, as an operator's act and its answer are.
    void act_of_two()
    {
        const RequestId request{.id = "act-1", .digest = "d"};
        auto act = act_;
        act.request = &request;
        registry_.hold();
        ASSERT_TRUE(registry_.add(standard_contract("BOE"), act));
        registry_.append("request_answered", R"({"command":"partner add"})", act);
        EXPECT_NE(registry_.find_contract("BOE"), nullptr);
        store_.breaks = GetParam();
        EXPECT_THROW(registry_.write_held(), ledger::StoreFailure);
        EXPECT_FALSE(registry_.is_holding());
    }

    const Registry::Act act_{
        .actor = "anna", .at = ledger::Time{std::chrono::sys_days{std::chrono::June / 1 / 2026}}};
    HouseFolder folder_;
    BreakingStore store_{folder_.store()};
    ledger::HouseRecord record_{store_};
    Registry registry_{record_};
};

TEST_P(RecordFault, AnActAndItsAnswerAreBothThereOrNeither)
{
    const auto head = record_.head().value();
    act_of_two();
    EXPECT_EQ(record_.head().value(), head + (is_written() ? 2 : 0));
    EXPECT_EQ(registry_.find_contract("BOE") != nullptr, is_written());
    expect_same_after_restart();

    // Whoever sends it again does it once.
    EXPECT_EQ(registry_.add(standard_contract("BOE"), act_).has_value(), !is_written());
    EXPECT_NE(registry_.find_contract("BOE"), nullptr);
    expect_same_after_restart();
}

TEST_P(RecordFault, AStoreThatCannotBeAskedIsAskedLater)
{
    store_.can_be_read = false;
    act_of_two();
    EXPECT_EQ(registry_.find_contract("BOE"), nullptr) << "not known to be durable";

    // The place is taken, if it was written after all: nothing is written over it.
    store_.can_be_read = true;
    if (is_written()) {
        EXPECT_THROW(
            static_cast<void>(registry_.add(standard_contract("BOE"), act_)), ledger::StoreFailure);
    }
    expect_same_after_restart();
    EXPECT_EQ(registry_.add(standard_contract("BOE"), act_).has_value(), !is_written());
    ASSERT_TRUE(registry_.add(standard_contract("TNK"), act_));
    expect_same_after_restart();
}

/// One entry is one statement: there is no between.
class SingleEntryFault : public RecordFault {};

TEST_P(SingleEntryFault, IsThereOrNot)
{
    store_.breaks = GetParam();
    EXPECT_THROW(
        static_cast<void>(registry_.add(standard_contract("BOE"), act_)), ledger::StoreFailure);
    EXPECT_EQ(registry_.find_contract("BOE") != nullptr, is_written());
    expect_same_after_restart();
    ASSERT_TRUE(registry_.add(standard_contract("TNK"), act_));
    EXPECT_EQ(registry_.add(standard_contract("BOE"), act_).has_value(), !is_written());
    expect_same_after_restart();
}

std::string name_of(const testing::TestParamInfo<Break>& tested)
{
    switch (tested.param) {
    case Break::before: return "Before";
    case Break::between: return "Between";
    case Break::after: return "After";
    case Break::never: break;
    }
    return "Never";
}

INSTANTIATE_TEST_SUITE_P(
    Breaks, RecordFault, testing::Values(Break::before, Break::between, Break::after), name_of);
INSTANTIATE_TEST_SUITE_P(
    Breaks, SingleEntryFault, testing::Values(Break::before, Break::after), name_of);

} // namespace
} // namespace pointhouse::partners
