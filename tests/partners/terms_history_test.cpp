#include <atomic>
#include <fmt/format.h>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "house_folder.hpp"

namespace pointhouse::partners {
namespace {

using LiveTerms = FoundedHouse;

/// A registry that random changes are made to, and what its terms were after each entry.
class RandomHouse {
public:
    explicit RandomHouse(std::uint32_t seed) : random_{seed}
    {
        EXPECT_TRUE(registry_.found({}, act_));
        remember();
    }

    void change()
    {
        switch (pick(7)) {
        case 0: add(); break;
        case 1: set_tariff(); break;
        case 2: issue(); break;
        case 3: revoke(); break;
        case 4: close(); break;
        case 5: bill(); break;
        default: static_cast<void>(registry_.change_currency(pick(2) == 0 ? "EUR" : "JPY", act_));
        }
        remember();
    }

    void expect_history(const Registry& registry) const
    {
        EXPECT_EQ(registry.terms_at(ledger::HouseSequence{0}), nullptr);
        for (std::size_t sequence = 1; sequence < history_.size(); ++sequence) {
            EXPECT_EQ(
                text_of(*registry.terms_at(ledger::HouseSequence{sequence})), history_[sequence]);
        }
        // And in the other order, past what the look-up remembers.
        for (auto sequence = history_.size(); sequence-- > 1;) {
            EXPECT_EQ(
                text_of(*registry.terms_at(ledger::HouseSequence{sequence})), history_[sequence]);
        }
    }

    HouseFolder folder_;
    ledger::HouseRecord record_{folder_.store()};
    Registry registry_{record_};

private:
    /// What settlement appends: it moves claims, and so the terms.
    void bill()
    {
        if (registry_.contracts().empty()) return;
        const auto count = static_cast<std::uint32_t>(registry_.contracts().size());
        const auto& name = registry_.contracts()[pick(count)].terms.name;
        const auto amount = pick(1'000'000);
        registry_.append(
            "document_issued",
            fmt::format(
                R"({{"lines_micro":{{"ar:{}":{},"unbilled:{}":-{}}},"fee_micro":{}}})",
                name,
                amount,
                name,
                amount,
                amount / 11),
            act_);
    }

    std::uint32_t pick(std::uint32_t below)
    {
        return static_cast<std::uint32_t>(random_() % below);
    }

    void remember()
    {
        const auto head = record_.head().value();
        if (head >= history_.size()) history_.resize(head + 1);
        history_[head] = text_of(*registry_.terms());
    }

    void add()
    {
        auto contract = standard_contract(fmt::format("P{}", pick(40)));
        contract.terms.roles = {.issuer = true, .redeemer = pick(2) == 0, .charity = pick(2) == 0};
        contract.terms.debt_shares = {
            .issuer = 1,
            .redeemer = static_cast<std::int32_t>(pick(3)),
            .house = static_cast<std::int32_t>(pick(3))};
        contract.tariffs[0].pending_days = static_cast<std::int32_t>(pick(30));
        static_cast<void>(registry_.add(contract, act_)); // some ids are taken
    }

    void set_tariff()
    {
        const auto partners = static_cast<std::uint32_t>(registry_.contracts().size());
        auto tariff = standard_contract("x").tariffs[0];
        tariff.valid_from = act_.at + std::chrono::days{pick(400)};
        tariff.issue_price = ledger::Micro{static_cast<std::int64_t>(pick(100'000))};
        if (pick(2) == 0) tariff.expiry = ledger::ExpiryPolicy{.months = 12, .at_month_end = true};
        static_cast<void>(
            registry_.set_tariff(ledger::PartnerId{pick(partners + 2)}, tariff, act_));
    }

    void issue()
    {
        registry_.certificate_issued(
            {.serial = fmt::format("{:032x}", ++serial_),
             .subject = "partner:P1",
             .not_after = act_.at},
            act_);
    }

    void revoke()
    {
        static_cast<void>(
            registry_.revoke_certificate(fmt::format("{:032x}", pick(serial_ + 1)), act_));
    }

    void close()
    {
        registry_.window_closed(next_month_, ledger::Sequence{pick(1000)}, act_);
        next_month_ = next_month_.next();
    }

    Registry::Act act_{
        .actor = "anna", .at = ledger::Time{std::chrono::sys_days{std::chrono::June / 1 / 2026}}};
    std::mt19937 random_;
    std::vector<std::string> history_; // by house sequence
    std::uint32_t serial_ = 0;
    ledger::Month next_month_{2026, 1};
};

TEST(TermsHistory, ShowsTheTermsAsTheyWereAtEveryEntryAlsoAfterARestart)
{
    const std::uint32_t first_seed = std::random_device{}();
    for (std::uint32_t seed = first_seed; seed != first_seed + 5; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        RandomHouse house{seed};
        for (int change = 0; change < 60; ++change) house.change();

        house.expect_history(house.registry_);

        ledger::HouseRecord record{house.folder_.store()};
        const Registry again{record};
        EXPECT_EQ(text_of(again), text_of(house.registry_));
        house.expect_history(again);
    }
}

TEST_F(LiveTerms, LeavesTheTermsThatADecisionHoldsAsTheyAre)
{
    const auto held = registry_.terms();
    const auto before = text_of(*held);
    ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));

    EXPECT_EQ(text_of(*held), before);
    EXPECT_NE(registry_.terms(), held);
}

TEST_F(LiveTerms, KeepsTheSameTermsThroughEntriesThatDoNotChangeThem)
{
    const auto before = registry_.terms();
    registry_.certificate_issued({.serial = "ab", .subject = "house", .not_after = act_.at}, act_);

    EXPECT_EQ(registry_.terms(), before);
    EXPECT_EQ(registry_.terms_at(record_.head()), before);
}

TEST_F(LiveTerms, CanBeReadByOtherThreadsWhileItChanges)
{
    std::atomic<bool> done = false;
    const auto read = [&] {
        std::size_t seen = 0;
        while (!done) {
            const auto terms = registry_.terms();
            EXPECT_GE(terms->partners.size(), seen);
            seen = terms->partners.size();
            const auto earlier = registry_.terms_at(ledger::HouseSequence{1 + seen / 2});
            EXPECT_EQ(earlier->partners.size(), seen / 2);
        }
    };
    std::thread first{read};
    std::thread second{read};
    for (int partner = 0; partner < 50; ++partner) {
        EXPECT_TRUE(registry_.add(standard_contract(fmt::format("P{}", partner)), act_));
    }
    done = true;
    first.join();
    second.join();
}

} // namespace
} // namespace pointhouse::partners
