#include <deque>
#include <fmt/format.h>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "ledger/money_effect.hpp"
#include "ledger_house.hpp"

// Points that several funded are earned, spent, returned and owed, at random; then all of it is
// undone. Every issuer was credited exactly what it issued, so nothing may be left: no points, no
// debt, and no money of an issuer, in trust or as fee.

namespace pointhouse::ledger::test {
namespace {

class Undoing : public testing::TestWithParam<int> {
protected:
    std::int64_t between(std::int64_t low, std::int64_t high)
    {
        return std::uniform_int_distribution<std::int64_t>{low, high}(random);
    }

    void draw_terms()
    {
        for (std::size_t place = 0; place < 3; ++place) {
            Tariff& tariff = house.terms->tariffs[place];
            tariff.issue_price = Micro{4 * between(1, 3'000)};
            tariff.service_fee = Micro{between(0, 2'000)};
            tariff.reimbursement = Micro{between(1, 12'000)};
            tariff.prefund_share = {
                .numerator = static_cast<std::int32_t>(between(0, 4)), .denominator = 4};
            tariff.pending_days = between(0, 3) == 0 ? 7 : 0;
            const auto share = [this] { return static_cast<std::int32_t>(between(0, 3)); };
            PartnerTerms& partner = house.terms->partners[place];
            partner.debt_shares = {.issuer = 1 + share(), .redeemer = share(), .house = share()};
            partner.excess_clawbacks_allowed = false;
        }
        for (const auto* name : {"one", "two", "three"}) {
            Promotion promotion{
                .id = PromotionId{static_cast<std::uint32_t>(house.terms->promotions.size() + 1)},
                .name = name,
                .from = *parse_day("2026-06-01"),
                .to = *parse_day("2026-06-30")};
            std::vector<PartnerId> funders{grocer, fuel, bookshop};
            std::ranges::shuffle(funders, random);
            funders.resize(static_cast<std::size_t>(between(2, 3)));
            for (const PartnerId funder : funders)
                promotion.funders.push_back(
                    {.partner = funder, .share = static_cast<std::int32_t>(between(1, 5))});
            house.terms->promotions.push_back(promotion);
        }
        // In every other round lots fold all the time.
        if (GetParam() % 2 == 1) house.lot_limits = {.open_max = 6, .folded_to = 3};
        house.close(true);
        house.open();
    }

    std::string_view fresh() { return ids.emplace_back(fmt::format("m{}", ids.size())); }
    PartnerId any_partner() { return PartnerId{static_cast<std::uint32_t>(between(1, 3))}; }
    std::string_view any_member() { return between(0, 2) == 0 ? "bert" : "anna"; }

    void send(const Message& message)
    {
        const Outcome outcome = house.send(message);
        if (outcome.disposition != Disposition::decided || outcome.record.refusal) return;
        const Record& record = outcome.record;
        EXPECT_TRUE(record.balance.debt.is_zero() || record.balance.available.is_zero());
        if (record.type == MessageType::accrual)
            earned.emplace_back(message.partner, message.message_id);
        if (record.type == MessageType::redemption)
            spent.emplace_back(message.partner, message.message_id);
        for (const Entry& entry : record.entries) count(entry, record.member);
    }

    void count(const Entry& entry, MemberNumber member)
    {
        const bool is_incurred = entry.kind == EntryKind::debt_incurred;
        const Tariff& own = house.terms->tariff(is_incurred ? entry.debt.tariff : entry.lot.tariff);
        const MoneyEffect effect = money_effect(entry, *house.terms);
        owed[own.partner] += effect.issuer;
        liability += effect.liability;
        fees += effect.fee;
        if (entry.kind == EntryKind::recovered && entry.debt.kind == DebtKind::issuer_bears)
            owed[house.terms->tariff(entry.debt.tariff).partner] -= effect.counterparty;
        std::int64_t& creditable = uncredited[{member, own.partner}];
        if (entry.kind == EntryKind::issued) creditable += entry.points.count();
        if (entry.kind == EntryKind::clawed_back || is_incurred) {
            EXPECT_NE(entry.debt.kind, DebtKind::excess) << "no contract allows it";
            creditable -= entry.points.count();
            EXPECT_GE(creditable, 0) << "credited more than it issued";
        }
    }

    void act()
    {
        const auto size = [this] { return between(1, between(0, 3) == 0 ? 1 : 60); };
        switch (between(0, 7)) {
        case 0:
        case 1: return send(earning(size()));
        case 2:
        case 3: return send(redemption(any_partner(), fresh(), any_member(), size()));
        case 4: return send(clawback(any_partner(), fresh(), any_member(), size()));
        case 5: return send(part_of(spent, size()));
        default: return send(part_of(earned, size()));
        }
    }

    Message earning(std::int64_t points)
    {
        Message message = accrual(any_partner(), fresh(), any_member(), points);
        if (between(0, 3) != 0) {
            const auto& promotions = house.terms->promotions;
            message.promotion = promotions[static_cast<std::size_t>(between(0, 2))].name;
        }
        if (between(0, 2) == 0) {
            message.points.reset();
            message.purchase = Purchase{.amount_minor = points * 100 + 50, .currency = "EUR"};
        }
        return message;
    }

    using Sent = std::vector<std::pair<PartnerId, std::string_view>>;

    Message part_of(const Sent& sent, std::int64_t points)
    {
        if (sent.empty()) return earning(points);
        const auto& [partner, id] =
            sent[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(sent.size()) - 1))];
        Message message = reversal(partner, fresh(), id);
        if (between(0, 2) == 0)
            message.purchase = Purchase{.amount_minor = points * 100 - 30, .currency = "EUR"};
        else
            message.points = Points{points};
        return message;
    }

    void undo_all()
    {
        for (const auto& [partner, id] : Sent{spent}) send(reversal(partner, fresh(), id));
        for (const auto& [partner, id] : Sent{earned}) send(reversal(partner, fresh(), id));
        // What still waits repays what is owed.
        for (const auto& [partner, id] : Sent{earned}) {
            Message released = reversal(partner, fresh(), id);
            released.type = MessageType::accrual_release;
            send(released);
        }
    }

    LedgerHouse house;
    std::mt19937 random;
    std::deque<std::string> ids;
    Sent earned;
    Sent spent;
    std::map<std::pair<MemberNumber, PartnerId>, std::int64_t> uncredited;
    std::map<PartnerId, Micro> owed;
    Micro liability{};
    Micro fees{};
};

TEST_P(Undoing, LeavesNothing)
{
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    random.seed(seed);
    draw_terms();
    for (int acts = 0; acts < 120 && !HasFailure(); ++acts) act();
    undo_all();

    for (const auto* member : {"anna", "bert"})
        EXPECT_EQ(house.balance(member), Balance{}) << member;
    for (const auto& [issued, left] : uncredited) EXPECT_EQ(left, 0) << issued.second.value();
    for (const auto& [partner, micro] : owed) EXPECT_EQ(micro, Micro{}) << partner.value();
    EXPECT_EQ(liability, Micro{});
    EXPECT_EQ(fees, Micro{});
    EXPECT_EQ(house.verify().fault, "");
}

INSTANTIATE_TEST_SUITE_P(Rounds, Undoing, testing::Range(0, 20));

} // namespace
} // namespace pointhouse::ledger::test
