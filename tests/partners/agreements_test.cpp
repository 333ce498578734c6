#include <fmt/format.h>

#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "partners/opening.hpp"

namespace pointhouse::partners {
namespace {

using ledger::Micro;
using ledger::PartnerId;
using ledger::Points;

constexpr PartnerId grocer{1};
constexpr PartnerId fuel{2};

/// A grocer, postpaid, and a fuel brand with blocks, at the standard prices.
class Agreements : public FoundedHouse {
protected:
    void SetUp() override
    {
        FoundedHouse::SetUp();
        ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));
        auto prepaid = standard_contract("TNK");
        prepaid.terms.billing = ledger::Billing::prepaid;
        ASSERT_TRUE(registry_.add(prepaid, act_));
    }

    [[nodiscard]] static PromotionTerms june(std::string id = "june")
    {
        return {
            .id = std::move(id),
            .funders = {{"TNK", 4}, {"GRO", 1}},
            .from = ledger::parse_day("2026-06-01").value(),
            .to = ledger::parse_day("2026-06-30").value(),
            .cap_points = 1'000};
    }
    template <class T>
    static std::string reason_of(const Registry::Accepted<T>& accepted)
    {
        return accepted ? "accepted" : accepted.error().reason;
    }
    /// Account numbers are the chart's; amounts in micro-units.
    std::string money_of_last_entry()
    {
        std::string text;
        for (const auto& line : registry_.money_of(record_.head())) {
            text += fmt::format(
                "{} {}; ",
                ledger::account_name(line.account, line.partner, *registry_.terms()),
                line.amount);
        }
        return text;
    }
    void expect_same_after_restart()
    {
        const Registry again{record_};
        EXPECT_EQ(text_of(again), text_of(registry_));
    }

    static constexpr Registry::Act bob_{.actor = "bob", .at = act_.at};
};

TEST_F(Agreements, BlockIsATariffOfItsOwnThatIsPaidInFull)
{
    const auto bought = registry_.buy_block(
        fuel, {.points = Points{5'000}, .price = {}, .fee = Micro{2'000}, .at = act_.at}, act_);

    ASSERT_TRUE(bought) << reason_of(bought);
    const auto terms = registry_.terms();
    const auto& block = terms->tariff(*bought);
    EXPECT_EQ(block.block, Points{5'000});
    EXPECT_EQ(block.issue_price, Micro{10'000});
    EXPECT_EQ(block.service_fee, Micro{2'000});
    EXPECT_EQ(terms->partner(fuel).blocks, std::vector<std::uint32_t>{bought->value() - 1});
    EXPECT_EQ(terms->find_tariff(fuel, act_.at)->version, ledger::TariffVersion{2});
    EXPECT_EQ(
        money_of_last_entry(),
        "cash:trust 50000000; cash:operating 22600000; prepaid_block:TNK -50000000; "
        "prepaid_fee:TNK -10000000; vat:output -12600000; ");
    expect_same_after_restart();
}

TEST_F(Agreements, BlockWhosePriceHoldsTheVatCostsNoMoreThanThat)
{
    auto rows = registry_.find_contract("TNK")->vat;
    std::erase_if(rows, [](const VatTerms& row) { return row.rate_basis_points == 0; });
    ASSERT_FALSE(rows.empty());
    rows.resize(1);
    rows[0].flows = {"block"};
    rows[0].valid_from = act_.at;
    rows[0].is_gross = true;
    ASSERT_TRUE(registry_.set_vat(fuel, rows, act_));

    ASSERT_TRUE(registry_.buy_block(
        fuel, {.points = Points{5'000}, .price = {}, .fee = Micro{2'000}, .at = act_.at}, act_));

    // 60.00 are 49.59 and 10.41 VAT, of which 1.73 lies in the fee: 49.59 less 41.32 of the price.
    EXPECT_EQ(
        money_of_last_entry(),
        "cash:trust 50000000; cash:operating 10000000; prepaid_block:TNK -50000000; "
        "prepaid_fee:TNK -10000000; vat:output -10410000; revenue:service_fee 1730000; "
        "revenue:redemption_margin 8680000; ");
    expect_same_after_restart();
}

TEST_F(Agreements, BlockThatCannotBeIsRefused)
{
    const auto reason = [&](PartnerId partner, const BlockPurchase& purchase) {
        return reason_of(registry_.buy_block(partner, purchase, act_));
    };
    const auto before = record_.head();
    EXPECT_EQ(reason(PartnerId{9}, {.points = Points{1}}), "there is no such partner");
    EXPECT_EQ(
        reason(grocer, {.points = Points{1}, .price = {}, .fee = {}, .at = act_.at}),
        "GRO is not prepaid: it buys no blocks");
    const std::string points = "points: from 1 to 1000000000000";
    EXPECT_EQ(reason(fuel, {.points = {}, .price = {}, .fee = {}, .at = act_.at}), points);
    EXPECT_EQ(
        reason(fuel, {.points = Points{1'000'000'000'001}, .price = {}, .fee = {}, .at = act_.at}),
        points);
    EXPECT_EQ(
        reason(fuel, {.points = Points{9}, .price = {}, .fee = {}, .at = act_.at}),
        "points: price and fee of the block must be whole minor units of money");
    EXPECT_EQ(
        reason(fuel, {.points = Points{10}, .price = Micro{-1}, .fee = {}, .at = act_.at}),
        "issue_price: from 0 to 1000.000000");
    EXPECT_EQ(record_.head(), before);
}

TEST_F(Agreements, PromotionIsInForceOnceAnotherOperatorApproves)
{
    const auto proposed = registry_.propose_promotion(june(), act_);
    ASSERT_TRUE(proposed) << reason_of(proposed);
    EXPECT_EQ(registry_.terms()->find_promotion("june"), nullptr);
    ASSERT_EQ(registry_.proposals().size(), 1U);
    EXPECT_EQ(
        registry_.proposals()[0].summary,
        "promotion june from 2026-06-01 to 2026-06-30, funded by TNK 4, GRO 1");
    expect_same_after_restart();

    EXPECT_EQ(
        reason_of(registry_.approve(*proposed, false, act_)),
        "anna prepared it: another operator approves, or --as-both in a sandbox");
    EXPECT_EQ(reason_of(registry_.approve(*proposed, false, bob_)), "accepted");

    const auto* agreed = registry_.terms()->find_promotion("june");
    ASSERT_NE(agreed, nullptr);
    EXPECT_EQ(agreed->funders, (std::vector<ledger::Funder>{{fuel, 4}, {grocer, 1}}));
    EXPECT_EQ(agreed->cap, Points{1'000});
    EXPECT_TRUE(registry_.proposals().empty());
    EXPECT_EQ(
        reason_of(registry_.approve(*proposed, true, act_)),
        fmt::format("nothing waits for approval under {}", proposed->value()));
    EXPECT_EQ(
        reason_of(registry_.propose_promotion(june(), act_)),
        "promotion: june is in force already");
    expect_same_after_restart();
}

TEST_F(Agreements, EarlierTermsKnowNoLaterPromotionOrBlock)
{
    const auto before = registry_.terms();
    const auto proposed = registry_.propose_promotion(june(), act_);
    ASSERT_TRUE(registry_.approve(*proposed, true, act_));
    ASSERT_TRUE(registry_.buy_block(
        fuel, {.points = Points{1'000}, .price = {}, .fee = {}, .at = act_.at}, act_));

    EXPECT_EQ(text_of(*registry_.terms_at(before->as_of)), text_of(*before));
    EXPECT_NE(text_of(*registry_.terms()), text_of(*before));
}

TEST_F(Agreements, PromotionThatCannotBeIsRefused)
{
    const auto reason = [&](const PromotionTerms& promotion) {
        return reason_of(registry_.propose_promotion(promotion, act_));
    };
    auto unknown = june();
    unknown.funders.emplace_back("BOE", 1);
    EXPECT_EQ(reason(unknown), "promotion: june: the house knows no partner BOE");
    auto charity = standard_contract("CHA");
    charity.terms.roles = {.charity = true};
    ASSERT_TRUE(registry_.add(charity, act_));
    auto given = june();
    given.funders.emplace_back("CHA", 1);
    EXPECT_EQ(reason(given), "promotion: june: CHA is no issuer");
    auto twice = june();
    twice.funders.emplace_back("TNK", 1);
    EXPECT_EQ(reason(twice), "promotion: june: funder TNK stands there twice");
    EXPECT_TRUE(registry_.proposals().empty());
}

TEST_F(Agreements, PromotionIsInForceOnceEveryFunderHasSignedIt)
{
    auto kiosk = standard_contract("KIO");
    auto bakery = standard_contract("BAK");
    auto both = june("both");
    both.funders = {{"KIO", 1}, {"BAK", 1}};
    kiosk.promotions = {both};
    bakery.promotions = {both};

    ASSERT_TRUE(registry_.add(kiosk, act_));
    EXPECT_EQ(registry_.terms()->find_promotion("both"), nullptr);
    auto other = bakery;
    other.promotions[0].cap_points = 7;
    EXPECT_EQ(
        reason_of(registry_.add(other, act_)), "promotion: both was agreed on with other terms");
    ASSERT_TRUE(registry_.add(bakery, act_));
    ASSERT_NE(registry_.terms()->find_promotion("both"), nullptr);
    EXPECT_EQ(registry_.promotions(), std::vector{both});
    expect_same_after_restart();
}

TEST_F(Agreements, ProductionHouseTakesTwoOperators)
{
    HouseFolder folder;
    ledger::HouseRecord record{folder.store()};
    Registry registry{record};
    ASSERT_TRUE(registry.found({.production = true}, act_));
    ASSERT_TRUE(registry.add(standard_contract("TNK"), act_));
    auto own = june();
    own.funders = {{"TNK", 1}};
    const auto proposed = registry.propose_promotion(own, act_);
    ASSERT_TRUE(proposed);

    EXPECT_EQ(
        reason_of(registry.approve(*proposed, true, bob_)),
        "in a production house another operator approves");
    EXPECT_EQ(
        reason_of(registry.approve(*proposed, false, act_)),
        "anna prepared it: another operator approves");
    EXPECT_TRUE(registry.approve(*proposed, false, bob_));
}

TEST_F(Agreements, TermsOfTheHouseChangeOnceAnotherOperatorApproves)
{
    HouseTable table;
    table.inactivity_months = 6;
    table.approval_above_points = 500;
    const auto proposed = registry_.propose_house_terms(table, act_);
    ASSERT_TRUE(proposed);
    const auto before = registry_.terms();
    EXPECT_EQ(before->house, ledger::HouseTerms{});
    EXPECT_EQ(
        reason_of(registry_.approve(*proposed, false, act_)),
        "anna prepared it: another operator approves, or --as-both in a sandbox");
    auto other = act_;
    other.actor = "bob";
    other.today = ledger::parse_day("2026-06-02").value();
    ASSERT_TRUE(registry_.approve(*proposed, false, other));

    const ledger::HouseTerms now = registry_.terms()->house;
    EXPECT_EQ(now.inactivity_months, 6);
    EXPECT_EQ(now.inactivity_from, other.today);
    EXPECT_EQ(now.activity_kept_from, record_.head());
    EXPECT_EQ(now.approval_above, Points{500});
    EXPECT_EQ(now.refund_grace_days, 0);
    EXPECT_EQ(
        reason_of(registry_.propose_house_terms(table, act_)),
        "house: these terms are in force already");
    EXPECT_EQ(text_of(*registry_.terms_at(before->as_of)), text_of(*before));

    // What is not named stays; activity is kept on; other months begin anew.
    HouseTable more;
    more.inactivity_months = 3;
    const auto shorter = registry_.propose_house_terms(more, act_);
    ASSERT_TRUE(shorter);
    other.today = ledger::parse_day("2026-09-09").value();
    ASSERT_TRUE(registry_.approve(*shorter, false, other));
    EXPECT_EQ(registry_.terms()->house.inactivity_from, other.today);
    EXPECT_EQ(registry_.terms()->house.activity_kept_from, now.activity_kept_from);
    EXPECT_EQ(registry_.terms()->house.approval_above, Points{500});
    expect_same_after_restart();
}

TEST_F(Agreements, TermsThatBeginBeforeAnyMessageAreReadAgainInTheWest)
{
    // The house's time is nought: in New York that is the evening of 31 December 1969.
    auto evening = act_;
    evening.today = -1;
    HouseTable table;
    table.inactivity_months = 6;
    const auto proposed = registry_.propose_house_terms(table, evening);
    ASSERT_TRUE(proposed);
    ASSERT_TRUE(registry_.approve(*proposed, true, evening));
    EXPECT_EQ(registry_.terms()->house.inactivity_from, 0);
    expect_same_after_restart();
}

TEST_F(Agreements, TermsNameTheMessagesThatTakeTwoPeople)
{
    using enum ledger::MessageType;
    EXPECT_TRUE(registry_.terms()->house.approval_of.empty()) << "in a sandbox none does";
    HouseTable table;
    table.approval_of = {block, merge};
    const auto proposed = registry_.propose_house_terms(table, act_);
    ASSERT_TRUE(proposed);
    EXPECT_EQ(registry_.proposals().back().summary, "terms of the house: approval_of block merge");
    auto other = act_;
    other.actor = "bob";
    ASSERT_TRUE(registry_.approve(*proposed, false, other));
    EXPECT_EQ(registry_.terms()->house.approval_of, (std::vector{block, merge}));
    EXPECT_EQ(
        reason_of(registry_.propose_house_terms(table, act_)),
        "house: these terms are in force already");

    HouseTable grace;
    grace.refund_grace_days = 3;
    const auto kept = registry_.propose_house_terms(grace, act_);
    ASSERT_TRUE(registry_.approve(*kept, false, other));
    EXPECT_EQ(registry_.terms()->house.approval_of, (std::vector{block, merge})) << "it stays";
    table.approval_of = std::vector<ledger::MessageType>{};
    const auto none = registry_.propose_house_terms(table, act_);
    EXPECT_EQ(registry_.proposals().back().summary, "terms of the house: approval_of none");
    ASSERT_TRUE(registry_.approve(*none, false, other));
    EXPECT_TRUE(registry_.terms()->house.approval_of.empty());
    expect_same_after_restart();
}

TEST_F(Agreements, TermsOfBeforeKeepWhatTheyDoNotName)
{
    // As a house wrote them that did not know of approval_of yet.
    HouseTable table;
    table.approval_of = {ledger::MessageType::close};
    const auto proposed = registry_.propose_house_terms(table, act_);
    ASSERT_TRUE(registry_.approve(*proposed, true, act_));
    registry_.append(
        "house_terms_set",
        R"({"refund_grace_days":2,"inactivity_months":0,"inactivity_from":"1970-01-01",)"
        R"("approval_above_points":null})",
        act_);
    EXPECT_EQ(registry_.terms()->house.refund_grace_days, 2);
    EXPECT_EQ(registry_.terms()->house.approval_of, std::vector{ledger::MessageType::close});
    expect_same_after_restart();
}

TEST_F(Agreements, WhatIsHeldIsOneOrNothing)
{
    const auto before = text_of(*registry_.terms());
    const auto head = record_.head();
    auto waiting = registry_.proposals().size();

    // Dropped, it never was: neither here nor in the store.
    registry_.hold();
    ASSERT_TRUE(registry_.propose_promotion(june("dropped"), act_));
    ASSERT_TRUE(registry_.add(standard_contract("BOE"), act_));
    EXPECT_NE(text_of(*registry_.terms()), before);
    registry_.drop_held();
    EXPECT_FALSE(registry_.is_holding());
    EXPECT_EQ(text_of(*registry_.terms()), before);
    EXPECT_EQ(record_.head(), head);
    EXPECT_EQ(registry_.proposals().size(), waiting);
    EXPECT_EQ(registry_.find_contract("BOE"), nullptr);
    expect_same_after_restart();

    // Written, it is there with the request that it came of.
    const RequestId request{.id = "act-1", .digest = "d"};
    auto act = act_;
    act.request = &request;
    registry_.hold();
    ASSERT_TRUE(registry_.add(standard_contract("BOE"), act));
    ASSERT_TRUE(registry_.propose_promotion(june("held"), act));
    registry_.write_held();
    EXPECT_EQ(record_.head().value(), head.value() + 2);
    for (std::size_t place = head.value(); place < record_.entries().size(); ++place)
        EXPECT_NE(
            record_.entries()[place].content.find(R"("request":{"id":"act-1","digest":"d"})"),
            std::string::npos);
    EXPECT_NE(registry_.find_contract("BOE"), nullptr);
    registry_.hold();
    registry_.write_held();
    EXPECT_EQ(record_.head().value(), head.value() + 2) << "nothing was held";
    expect_same_after_restart();
}

TEST_F(Agreements, AMessageWaitsUnderItsIdOnce)
{
    const MessageProposal message{
        .kind = "adjustment", .message_id = "o-1", .summary = "adjustment o-1", .digest = "d1"};
    const auto first = registry_.propose_message(message, act_);
    ASSERT_TRUE(first);
    EXPECT_EQ(registry_.propose_message(message, act_).value(), *first);
    auto changed = message;
    changed.digest = "d2";
    EXPECT_EQ(
        reason_of(registry_.propose_message(changed, act_)), "another message waits under this id");
    EXPECT_TRUE(registry_.approved_messages().empty());

    ASSERT_TRUE(registry_.approve(*first, true, act_));
    EXPECT_TRUE(registry_.proposals().empty());
    ASSERT_EQ(registry_.approved_messages().size(), 1U);
    EXPECT_EQ(registry_.approved_messages().at(*first).digest, "d1");
    EXPECT_EQ(registry_.propose_message(message, act_).value(), *first);
    EXPECT_FALSE(registry_.propose_message(changed, act_));
    EXPECT_FALSE(registry_.approve(*first, true, act_));
    expect_same_after_restart();
}

TEST_F(Agreements, AContractWaitsOnce)
{
    auto prepares = act_;
    prepares.prepares = true;
    ASSERT_TRUE(registry_.add(standard_contract("BOE"), prepares));
    const auto first = registry_.proposals().back().id;
    EXPECT_EQ(
        reason_of(registry_.add(standard_contract("BOE"), prepares)),
        fmt::format("id: a contract of BOE waits for approval already, under {}", first.value()));
    EXPECT_EQ(registry_.proposals().size(), 1U);
    ASSERT_TRUE(registry_.reject(first, "a wrong tariff", bob_));
    EXPECT_TRUE(registry_.add(standard_contract("BOE"), prepares))
        << "turned down, it may come anew";
    ASSERT_TRUE(registry_.approve(registry_.proposals().back().id, false, bob_));
    expect_same_after_restart();
}

TEST_F(Agreements, WhatARevokedOperatorPreparedIsNotApproved)
{
    const auto certify = [&](std::string serial) {
        registry_.certificate_issued(
            {.serial = std::move(serial),
             .subject = "operator:" + std::string{act_.actor},
             .not_after = act_.at + std::chrono::days{30}},
            act_);
    };
    certify("01");
    certify("02");
    ASSERT_TRUE(registry_.propose_promotion(june(), act_));
    const auto proposal = registry_.proposals().back().id;
    ASSERT_TRUE(registry_.revoke_certificate("01", act_));
    ASSERT_TRUE(registry_.revoke_certificate("02", act_));
    EXPECT_EQ(
        reason_of(registry_.approve(proposal, false, bob_)),
        fmt::format(
            "{} prepared it and has no certificate any more: reject it, and prepare it anew",
            act_.actor));
    certify("03"); // as after a lost key
    EXPECT_EQ(reason_of(registry_.approve(proposal, false, bob_)), "accepted");
}

TEST_F(Agreements, WhatIsOnlyPreparedIsJudgedAndNumberedWhenItIsApproved)
{
    auto prepares = act_;
    prepares.prepares = true;
    ASSERT_TRUE(registry_.add(standard_contract("BOE"), prepares));
    const auto boe = registry_.proposals().back().id;
    auto tariff = standard_contract("x").tariffs[0];
    tariff.valid_from = act_.at + std::chrono::days{400};
    ASSERT_TRUE(registry_.set_tariff(grocer, tariff, prepares));
    const auto dearer = registry_.proposals().back().id;
    auto taxed = registry_.contracts()[0].vat;
    const auto rows = taxed.size();
    taxed.resize(1);
    taxed[0].valid_from = act_.at + std::chrono::days{400};
    ASSERT_TRUE(registry_.set_vat(grocer, taxed, prepares));
    const auto vat = registry_.proposals().back().id;
    ASSERT_TRUE(registry_.buy_block(fuel, {.points = Points{500}, .at = act_.at}, prepares));
    const auto block = registry_.proposals().back().id;
    EXPECT_EQ(registry_.find_contract("BOE"), nullptr);
    EXPECT_EQ(registry_.contracts()[0].tariffs.size(), 1U);
    EXPECT_EQ(registry_.contracts()[0].vat.size(), rows);
    EXPECT_TRUE(registry_.contracts()[1].blocks.empty());

    // Another partner came first: numbers are those of the approval.
    ASSERT_TRUE(registry_.add(standard_contract("AIR"), act_));
    for (const auto id : {block, dearer, vat, boe}) {
        EXPECT_FALSE(registry_.approve(id, false, act_));
        ASSERT_TRUE(registry_.approve(id, true, act_));
    }
    EXPECT_EQ(registry_.find_contract("BOE")->terms.partner, PartnerId{4});
    EXPECT_EQ(registry_.contracts()[0].tariffs.size(), 2U);
    EXPECT_EQ(registry_.contracts()[0].vat.size(), rows + 1);
    EXPECT_EQ(registry_.contracts()[1].blocks.at(0).block, Points{500});
    EXPECT_TRUE(registry_.proposals().empty());
    ASSERT_TRUE(registry_.add(standard_contract("CUP"), prepares));
    const auto cup = registry_.proposals().back().id;
    ASSERT_TRUE(registry_.add(standard_contract("CUP"), act_));
    EXPECT_EQ(reason_of(registry_.approve(cup, true, act_)), "id: CUP is registered already");
    expect_same_after_restart();
}

TEST_F(Agreements, WhatBecameOfAProposalIsKept)
{
    const MessageProposal message{
        .kind = "close", .message_id = "o-1", .summary = "close o-1", .digest = "d1"};
    const auto turned_down = registry_.propose_message(message, act_).value();
    EXPECT_EQ(registry_.find_decided(turned_down), nullptr) << "it waits";
    ASSERT_TRUE(registry_.reject(turned_down, "the wrong member", bob_));
    const auto* const rejected = registry_.find_decided(turned_down);
    ASSERT_NE(rejected, nullptr);
    EXPECT_FALSE(rejected->is_approved);
    EXPECT_EQ(rejected->prepared_by, act_.actor);
    EXPECT_EQ(rejected->decided_by, bob_.actor);
    EXPECT_EQ(rejected->reason, "the wrong member");
    EXPECT_EQ(rejected->message_id, "o-1");

    EXPECT_EQ(registry_.propose_message(message, act_).value(), turned_down) << "no new one";
    EXPECT_TRUE(registry_.proposals().empty());
    auto changed = message;
    changed.digest = "d2";
    EXPECT_FALSE(registry_.propose_message(changed, act_)) << "its id is used";

    const auto agreed = registry_.propose_promotion(june(), act_).value();
    ASSERT_TRUE(registry_.approve(agreed, false, bob_));
    ASSERT_NE(registry_.find_decided(agreed), nullptr);
    EXPECT_TRUE(registry_.find_decided(agreed)->is_approved);
    EXPECT_EQ(registry_.find_decided(agreed)->reason, "");
    expect_same_after_restart();
}

TEST_F(Agreements, APartnerLeavesOnADayToCome)
{
    auto act = act_;
    act.today = *ledger::parse_day("2026-06-10");
    const auto leave = [&](PartnerId partner, const char* day) {
        return reason_of(registry_.leave(partner, *ledger::parse_day(day), act));
    };
    EXPECT_EQ(leave(PartnerId{9}, "2026-07-01"), "there is no such partner");
    EXPECT_EQ(leave({}, "2026-07-01"), "there is no such partner");
    EXPECT_NE(leave(fuel, "2026-06-10"), "accepted") << "what happened today is booked";
    EXPECT_NE(leave(fuel, "2026-06-09"), "accepted");
    const auto before = registry_.terms()->as_of;
    act.prepares = true;
    EXPECT_EQ(leave(fuel, "2026-07-01"), "accepted");
    EXPECT_EQ(registry_.terms()->partner(fuel).leaves_at, std::nullopt) << "it waits";
    act.prepares = false;
    const auto waiting = registry_.proposals().back().id;
    EXPECT_FALSE(registry_.approve(waiting, false, act)) << "nobody approves what he prepared";
    auto bob = bob_;
    bob.today = *ledger::parse_day("2026-07-01");
    EXPECT_FALSE(registry_.approve(waiting, false, bob)) << "too late now";
    bob.today = act.today;
    ASSERT_TRUE(registry_.approve(waiting, false, bob));
    EXPECT_EQ(leave(fuel, "2026-08-01"), "TNK leaves on 2026-07-01 already");

    const auto terms = registry_.terms();
    const auto end = terms->calendar->start_of(*ledger::parse_day("2026-07-01"));
    const auto& left = terms->partner(fuel);
    EXPECT_EQ(left.leaves_at, end);
    EXPECT_TRUE(left.may_issue(end - std::chrono::microseconds{1}));
    EXPECT_FALSE(left.may_issue(end));
    EXPECT_FALSE(left.may_redeem(end + std::chrono::days{999}));
    EXPECT_TRUE(terms->partner(grocer).may_redeem(end));
    EXPECT_EQ(registry_.terms_at(before)->partner(fuel).leaves_at, std::nullopt)
        << "what was decided before stays decided";
    EXPECT_EQ(
        reason_of(registry_.buy_block(fuel, {.points = Points{500}, .at = act_.at}, act_)),
        "TNK leaves: it buys no more");
    const Registry again{record_};
    EXPECT_EQ(again.terms()->partner(fuel).leaves_at, end);
    EXPECT_EQ(again.terms_at(before)->partner(fuel).leaves_at, std::nullopt);
    expect_same_after_restart();
}

TEST_F(Agreements, TariffChangesAfterItsNotice)
{
    auto careful = standard_contract("CAR");
    careful.notice_days = 30;
    ASSERT_TRUE(registry_.add(careful, act_));
    auto tariff = careful.tariffs[0];
    const auto on = [&](std::string_view day) {
        tariff.valid_from = registry_.terms()->calendar->start_of(*ledger::parse_day(day));
        return reason_of(registry_.set_tariff(PartnerId{3}, tariff, act_));
    };
    EXPECT_EQ(on("2026-06-30"), "from: CAR has 30 days' notice of a tariff; not before 2026-07-01");
    EXPECT_EQ(on("2026-07-01"), "accepted");
    EXPECT_EQ(Registry{record_}.find_contract("CAR")->notice_days, 30);
}

TEST_F(Agreements, FurtherTariffKeepsTheRulesOfItsContract)
{
    auto tariff = standard_contract("TNK").tariffs[0];
    tariff.valid_from = act_.at;
    tariff.prefund_share = {.numerator = 1, .denominator = 2};
    EXPECT_EQ(
        reason_of(registry_.set_tariff(fuel, tariff, act_)),
        "prefund_share: a prepaid partner prefunds the whole, 1");
    tariff.prefund_share = {};
    tariff.minimum_burn_value = Micro{10'001};
    EXPECT_EQ(
        reason_of(registry_.set_tariff(fuel, tariff, act_)),
        "minimum_burn_value: a point is worth 0.01 in this house");
    tariff.minimum_burn_value = Micro{10'000};
    EXPECT_EQ(reason_of(registry_.set_tariff(fuel, tariff, act_)), "accepted");
    expect_same_after_restart();
}

} // namespace
} // namespace pointhouse::partners
