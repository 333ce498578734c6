#include <cstdlib>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "simulation/world.hpp"

// R20: deterministic simulation of ledger, identities, message ids and windows at the ports. A
// failure prints its seed; POINTHOUSE_SIMULATION_SEED=n lives that one again, alone, and
// POINTHOUSE_SIMULATION_SEEDS=n says how many there are.

namespace pointhouse::ledger::test {
namespace {

constexpr int steps = 40;
constexpr const char* one_seed = "POINTHOUSE_SIMULATION_SEED";

std::uint64_t number_from(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Tally {
    std::uint64_t messages = 0;
    std::uint64_t faults = 0;
    int restarts = 0;
    std::map<MessageType, std::uint64_t> types;
};

void live(std::uint64_t seed, World::Stores stores, std::uint16_t shards, Tally& tally)
{
    World world{seed, stores, shards};
    const std::string fault = world.live(steps);
    ASSERT_EQ(fault, "") << "seed " << seed << ", again with POINTHOUSE_SIMULATION_SEED=" << seed;
    tally.messages += world.recount().messages();
    tally.faults += world.faults();
    tally.restarts += world.restarts();
    for (const auto& [type, count] : world.recount().seen()) tally.types[type] += count;
}

// Of one shard, or of two to four.
enum class Shards : std::uint8_t { one, several };

Tally live_all(std::uint64_t seeds, World::Stores stores, Shards shards = Shards::one)
{
    Tally tally;
    const std::uint64_t only = number_from(one_seed, 0);
    const std::uint64_t first = only == 0 ? 1 : only;
    const std::uint64_t last = only == 0 ? seeds : only;
    for (std::uint64_t seed = first; seed <= last && !testing::Test::HasFatalFailure(); ++seed)
        live(
            seed,
            stores,
            shards == Shards::one ? std::uint16_t{1} : static_cast<std::uint16_t>(2 + seed % 3),
            tally);
    testing::Test::RecordProperty("messages", std::to_string(tally.messages));
    std::printf(
        "%llu seeds: %llu messages, %llu faults, %d restarts\n",
        static_cast<unsigned long long>(last - first + 1),
        static_cast<unsigned long long>(tally.messages),
        static_cast<unsigned long long>(tally.faults),
        tally.restarts);
    return tally;
}

TEST(Simulation, HoldsEveryPromiseThroughFaults)
{
    const std::uint64_t seeds = number_from("POINTHOUSE_SIMULATION_SEEDS", 500);
    const Tally tally = live_all(seeds, World::Stores::memory);
    if (std::getenv(one_seed) != nullptr || seeds < 100 || HasFailure()) return;
    // It proves something only where everything happens.
    for (const MessageType type : {MessageType::accrual,      MessageType::redemption,
                                   MessageType::reversal,     MessageType::clawback,
                                   MessageType::donation,     MessageType::enrolment,
                                   MessageType::hold,         MessageType::capture,
                                   MessageType::hold_release, MessageType::accrual_release,
                                   MessageType::transfer,     MessageType::block,
                                   MessageType::unblock,      MessageType::close,
                                   MessageType::adjustment,   MessageType::maturity,
                                   MessageType::expiry,       MessageType::hold_end,
                                   MessageType::transfer_in,  MessageType::fold,
                                   MessageType::cut,          MessageType::drained,
                                   MessageType::clock})
        EXPECT_TRUE(tally.types.contains(type)) << name_of(type);
    EXPECT_GT(tally.faults, seeds);
    EXPECT_GT(tally.restarts, static_cast<int>(seeds));
}

TEST(Simulation, HoldsEveryPromiseWhereSomeShardsFail)
{
    const std::uint64_t seeds = number_from("POINTHOUSE_SIMULATION_SEEDS", 500) / 2;
    const Tally tally = live_all(seeds, World::Stores::memory, Shards::several);
    if (std::getenv(one_seed) != nullptr || seeds < 100 || HasFailure()) return;
    for (const MessageType type :
         {MessageType::transfer_in, MessageType::cut, MessageType::unwritten})
        EXPECT_TRUE(tally.types.contains(type)) << name_of(type);
}

TEST(Simulation, HoldsEveryPromiseOnSeveralRealShards)
{
    const std::uint64_t share = TestStores::are_postgres() ? 100 : 10;
    live_all(
        number_from("POINTHOUSE_SIMULATION_SEEDS", 500) / share,
        World::Stores::real,
        Shards::several);
}

TEST(Simulation, HoldsEveryPromiseOnARealStore)
{
    // A server takes ten times as long, most of it waiting.
    const std::uint64_t share = TestStores::are_postgres() ? 100 : 10;
    live_all(number_from("POINTHOUSE_SIMULATION_SEEDS", 500) / share, World::Stores::real);
}

} // namespace
} // namespace pointhouse::ledger::test
