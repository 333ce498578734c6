#include "settlement/bank_matching.hpp"

#include <algorithm>
#include <bit>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;

const PartnerId grocer{1};
const PartnerId bookshop{2};
constexpr const char* grocer_account = "BE68539007547034";
constexpr const char* bookshop_account = "DE89370400440532013000";
const PartnerAccounts accounts{{grocer_account, grocer}, {bookshop_account, bookshop}};

OpenItem item(
    std::string id, PartnerId partner, std::int64_t open, std::vector<std::string> references = {})
{
    return {
        .id = std::move(id),
        .partner = partner,
        .open = Minor{open},
        .due_on = 100,
        .references = std::move(references)};
}

OpenRow row(
    BankRowNumber number, std::int64_t open, std::string account = "", std::string remittance = "")
{
    return {
        .number = number,
        .open = Minor{open},
        .row = {
            .amount = Minor{open},
            .remittance = std::move(remittance),
            .counterparty_account = std::move(account)}};
}

struct Given {
    std::vector<OpenItem> items{};
    std::vector<OpenRow> rows{};
    std::vector<PaidPart> paid{};
    std::int64_t tolerance = 0;

    [[nodiscard]] Matching matched() const
    {
        return match(
            {.items = items,
             .rows = rows,
             .paid = paid,
             .accounts = accounts,
             .rules = {.tolerance = Minor{tolerance}, .write_off_account = "rounding"}});
    }
};

void expect_match(const Matching& matching, MatchKind kind, const std::vector<MatchPart>& parts)
{
    EXPECT_TRUE(matching.suggestions.empty());
    ASSERT_EQ(matching.matches.size(), 1U);
    EXPECT_EQ(matching.matches[0].kind, kind) << name_of(matching.matches[0].kind);
    EXPECT_EQ(matching.matches[0].parts, parts);
}

void expect_doubt(
    const Matching& matching, Doubt doubt, const std::vector<std::vector<std::string>>& choices)
{
    EXPECT_TRUE(matching.matches.empty());
    ASSERT_FALSE(matching.suggestions.empty());
    EXPECT_EQ(matching.suggestions[0].doubt, doubt) << name_of(matching.suggestions[0].doubt);
    EXPECT_EQ(matching.suggestions[0].choices, choices);
}

TEST(MatchByReference, InFull)
{
    const Given given{
        .items = {item("A", grocer, 540, {"INV-1"}), item("B", bookshop, 540, {"INV-2"})},
        .rows = {row(1, 540, "", "thank you for inv-2.")}};

    expect_match(given.matched(), MatchKind::by_reference, {{1, "B", Minor{540}}});
}

TEST(MatchByReference, OfTheEndToEndIdOrTheCreditorReference)
{
    Given given{.items = {item("A", grocer, -278, {"06"})}, .rows = {row(1, -278)}};
    given.rows[0].row.end_to_end_id = "06";
    expect_match(given.matched(), MatchKind::by_reference, {{1, "A", Minor{-278}}});

    given.rows[0].row.end_to_end_id.clear();
    given.rows[0].row.creditor_reference = "06";
    expect_match(given.matched(), MatchKind::by_reference, {{1, "A", Minor{-278}}});
}

TEST(MatchByReference, OfWholeWordsAlone)
{
    const auto is_named_by = [](const char* text) {
        const Given given{
            .items = {item("A", grocer, 9, {"INV-1"}), item("B", grocer, 8)},
            .rows = {row(1, 5, "", text)}};
        return !given.matched().matches.empty();
    };

    EXPECT_TRUE(is_named_by("INV-1"));
    EXPECT_TRUE(is_named_by("(inv-1)/INV-9"));
    EXPECT_TRUE(is_named_by("INV-12 and INV-1"));
    EXPECT_TRUE(is_named_by("INV-1 - June"));
    EXPECT_FALSE(is_named_by("INV-12"));
    EXPECT_FALSE(is_named_by("INV-1-2"));
    EXPECT_TRUE(is_named_by("INV-1. Thanks"));
    EXPECT_TRUE(is_named_by("No.INV-1."));
    EXPECT_FALSE(is_named_by("INV-1.2")) << "another partner's reference";
    EXPECT_FALSE(is_named_by("XINV-1"));
    EXPECT_FALSE(is_named_by("X-INV-1"));
    EXPECT_FALSE(is_named_by("INV 1"));
    EXPECT_FALSE(is_named_by(""));
}

TEST(MatchByReference, OfSeveralItems)
{
    const Given given{
        .items = {item("A", grocer, 100, {"INV-1"}), item("B", grocer, 50, {"INV-2"})},
        .rows = {row(1, 150, "", "INV-1 INV-2")}};

    expect_match(
        given.matched(), MatchKind::by_reference, {{1, "A", Minor{100}}, {1, "B", Minor{50}}});
}

TEST(MatchByReference, OfBothSidesThatTheRowNets)
{
    const Given given{
        .items = {item("INV", grocer, 543, {"INV-2026-1"}), item("SB", grocer, -403, {"SB-GRO-1"})},
        .rows = {row(1, 140, "", "INV-2026-1 less SB-GRO-1")}};

    expect_match(
        given.matched(), MatchKind::by_reference, {{1, "INV", Minor{543}}, {1, "SB", Minor{-403}}});
}

TEST(MatchByReference, InPartOldestFirst)
{
    Given given{
        .items = {item("A", grocer, 100, {"INV-1"}), item("B", grocer, 50, {"INV-2"})},
        .rows = {row(1, 120, "", "INV-1 INV-2")}};
    given.items[0].due_on = 200;

    expect_match(
        given.matched(), MatchKind::by_reference, {{1, "A", Minor{70}}, {1, "B", Minor{50}}});
}

TEST(MatchByReference, OfMoreThanIsOpenLeavesTheRestOfTheRow)
{
    const Given given{
        .items = {item("A", grocer, 100, {"INV-1"})}, .rows = {row(1, 120, "", "INV-1")}};
    const Matching matching = given.matched();

    expect_match(matching, MatchKind::by_reference, {{1, "A", Minor{100}}});
    OpenAmounts open{.items = {{"A", Minor{100}}}, .rows = {{1, Minor{120}}}};
    settle(open, matching.matches[0]);
    EXPECT_EQ(open, (OpenAmounts{.rows = {{1, Minor{20}}}}));
}

TEST(MatchByReference, WritesOffAResidual)
{
    Given given{
        .items = {item("A", grocer, 100, {"INV-1"})},
        .rows = {row(1, 98, "", "INV-1")},
        .tolerance = 2};
    Matching matching = given.matched();
    expect_match(matching, MatchKind::by_reference, {{1, "A", Minor{98}}});
    EXPECT_EQ(
        matching.matches[0].write_off,
        (WriteOff{.item = "A", .amount = Minor{2}, .account = "rounding"}));

    given.rows[0].open = Minor{102};
    matching = given.matched();
    expect_match(matching, MatchKind::by_reference, {{1, "A", Minor{100}}});
    EXPECT_EQ(
        matching.matches[0].write_off,
        (WriteOff{.row = 1, .amount = Minor{2}, .account = "rounding"}));

    given.rows[0].open = Minor{97};
    EXPECT_EQ(given.matched().matches.at(0).write_off, std::nullopt);
    given.rows[0].open = Minor{103};
    EXPECT_EQ(given.matched().matches.at(0).write_off, std::nullopt);
}

TEST(MatchByReference, OfTheWindowIsThePayersItem)
{
    Given given{
        .items = {item("A", grocer, 100, {"2026-06"}), item("B", bookshop, 100, {"2026-06"})},
        .rows = {row(1, 100, bookshop_account, "settlement 2026-06")}};
    expect_match(given.matched(), MatchKind::by_reference, {{1, "B", Minor{100}}});

    given.rows[0].row.counterparty_account = "unknown";
    expect_doubt(given.matched(), Doubt::several_partners, {{"A", "B"}});
}

TEST(MatchByReference, OfAnothersDocumentIsDoubted)
{
    const Given given{
        .items = {item("A", grocer, 100, {"INV-1"}), item("B", bookshop, 100)},
        .rows = {row(1, 100, bookshop_account, "INV-1")}};

    expect_doubt(given.matched(), Doubt::several_partners, {{"A"}});
}

TEST(MatchExact, TheOnlyItemOfTheAmount)
{
    const Given given{
        .items = {item("A", grocer, 100), item("B", grocer, 101), item("C", grocer, -100)},
        .rows = {row(1, 100)}};

    expect_match(given.matched(), MatchKind::exact, {{1, "A", Minor{100}}});
}

TEST(MatchExact, AnAccountPaysItsPartnersItems)
{
    const Given given{
        .items = {item("A", grocer, 100), item("B", bookshop, 100)},
        .rows = {row(1, 100, bookshop_account)}};

    expect_match(given.matched(), MatchKind::exact, {{1, "B", Minor{100}}});
}

TEST(MatchExact, OfTwoItemsOrTwoRowsIsDoubted)
{
    const Given items{
        .items = {item("A", grocer, 100), item("B", bookshop, 100)}, .rows = {row(1, 100)}};
    expect_doubt(items.matched(), Doubt::several_items, {{"A"}, {"B"}});

    const Given rows{.items = {item("A", grocer, 100)}, .rows = {row(1, 100), row(2, 100)}};
    expect_doubt(rows.matched(), Doubt::several_rows, {{"A"}});
    EXPECT_EQ(rows.matched().suggestions.size(), 2U);
}

TEST(MatchExact, AReferenceComesFirst)
{
    const Given given{
        .items = {item("A", grocer, 100, {"INV-1"}), item("B", grocer, 100)},
        .rows = {row(1, 100), row(2, 100, "", "INV-1")}};
    const Matching matching = given.matched();

    ASSERT_EQ(matching.matches.size(), 2U);
    EXPECT_EQ(matching.matches[0].parts, (std::vector<MatchPart>{{1, "B", Minor{100}}}));
    EXPECT_EQ(matching.matches[1].parts, (std::vector<MatchPart>{{2, "A", Minor{100}}}));
}

TEST(MatchOneToMany, TheOnlyItemsOfOnePartnerThatSum)
{
    const Given given{
        .items =
            {item("A", grocer, 100),
             item("B", grocer, 30),
             item("C", bookshop, 70),
             item("D", grocer, 50)},
        .rows = {row(1, 150)}};

    expect_match(
        given.matched(), MatchKind::one_to_many, {{1, "A", Minor{100}}, {1, "D", Minor{50}}});
}

TEST(MatchOneToMany, OfTwoWaysIsDoubted)
{
    const Given given{
        .items =
            {item("A", grocer, 100),
             item("B", grocer, 50),
             item("C", bookshop, 60),
             item("D", bookshop, 90)},
        .rows = {row(1, 150)}};

    expect_doubt(given.matched(), Doubt::several_items, {{"A", "B"}, {"C", "D"}});
}

TEST(MatchOneToMany, WantedByTwoRowsIsDoubted)
{
    const Given given{
        .items = {item("A", grocer, 100), item("B", grocer, 50), item("C", grocer, 70)},
        .rows = {row(1, 150), row(2, 170)}};
    const Matching matching = given.matched();

    EXPECT_TRUE(matching.matches.empty());
    const std::vector<Suggestion> expected{
        {.row = 1, .doubt = Doubt::several_rows, .choices = {{"A", "B"}}},
        {.row = 2, .doubt = Doubt::several_rows, .choices = {{"A", "C"}}}};
    EXPECT_EQ(matching.suggestions, expected);
}

TEST(MatchOneToMany, IsGivenUpWhenThereAreTooManyWays)
{
    Given given{.rows = {row(1, 1'000'003)}};
    for (int number = 0; number < 60; ++number)
        given.items.push_back(
            item("I" + std::to_string(100 + number), grocer, 100'000 + 2 * number));

    expect_doubt(given.matched(), Doubt::too_many, {});
}

TEST(MatchManyToOne, TheOnlyRowsOfOnePayerThatSum)
{
    const Given known{
        .items = {item("A", grocer, 150)},
        .rows = {
            row(1, 100, grocer_account), row(2, 50, grocer_account), row(3, 50, bookshop_account)}};
    expect_match(
        known.matched(), MatchKind::many_to_one, {{1, "A", Minor{100}}, {2, "A", Minor{50}}});

    const Given unknown{
        .items = {item("A", grocer, 150)}, .rows = {row(1, 100, "X"), row(2, 50, "X")}};
    expect_match(
        unknown.matched(), MatchKind::many_to_one, {{1, "A", Minor{100}}, {2, "A", Minor{50}}});
}

TEST(MatchManyToOne, NotOfSeveralPayers)
{
    const Given given{
        .items = {item("A", grocer, 150)}, .rows = {row(1, 100, "X"), row(2, 50, "Y")}};

    EXPECT_TRUE(given.matched().matches.empty());
}

TEST(MatchTolerated, TheOnlyItemThatIsNear)
{
    Given given{.items = {item("A", grocer, 100)}, .rows = {row(1, 99)}, .tolerance = 1};
    const Matching matching = given.matched();
    expect_match(matching, MatchKind::tolerated, {{1, "A", Minor{99}}});
    EXPECT_EQ(
        matching.matches[0].write_off,
        (WriteOff{.item = "A", .amount = Minor{1}, .account = "rounding"}));

    given.tolerance = 0;
    EXPECT_TRUE(given.matched().matches.empty());
    given.tolerance = 1;
    given.items.push_back(item("B", grocer, 98));
    expect_doubt(given.matched(), Doubt::several_items, {{"B"}, {"A"}});
}

TEST(MatchOnlyItem, InPartAndOverItsAmount)
{
    const Given given{
        .items = {item("A", grocer, 100), item("B", bookshop, 100)},
        .rows = {row(1, 30, grocer_account), row(2, 90, grocer_account)}};
    const Matching matching = given.matched();

    ASSERT_EQ(matching.matches.size(), 2U);
    EXPECT_EQ(matching.matches[0].parts, (std::vector<MatchPart>{{1, "A", Minor{30}}}));
    EXPECT_EQ(matching.matches[1].parts, (std::vector<MatchPart>{{2, "A", Minor{70}}}));
}

TEST(MatchOnlyItem, OfSeveralIsDoubted)
{
    const Given given{
        .items = {item("A", grocer, 100), item("B", grocer, 200)},
        .rows = {row(1, 30, grocer_account)}};

    expect_doubt(given.matched(), Doubt::other_amount, {{"A"}, {"B"}});
}

TEST(MatchOnlyItem, NotOfAnUnknownAccount)
{
    const Given given{.items = {item("A", grocer, 100)}, .rows = {row(1, 30, "X"), row(2, -5)}};
    const Matching matching = given.matched();

    EXPECT_TRUE(matching.matches.empty());
    EXPECT_TRUE(matching.suggestions.empty());
}

OpenRow returned_row(BankRowNumber number, std::int64_t open, std::string end_to_end_id)
{
    OpenRow made = row(number, open);
    made.row.end_to_end_id = std::move(end_to_end_id);
    made.row.return_reason = "AC04";
    return made;
}

TEST(MatchReturned, UndoesAPaymentOfBefore)
{
    const Given given{
        .items = {item("OTHER", grocer, 278)},
        .rows = {returned_row(9, 278, "2026-06-BOE")},
        .paid = {{.item = "BOE", .amount = Minor{-278}, .end_to_end_id = "2026-06-BOE"}}};
    const Matching matching = given.matched();

    expect_match(matching, MatchKind::returned, {{9, "BOE", Minor{278}}});
    OpenAmounts open{.items = {{"OTHER", Minor{278}}}, .rows = {{9, Minor{278}}}};
    settle(open, matching.matches[0]);
    EXPECT_EQ(open, (OpenAmounts{.items = {{"BOE", Minor{-278}}, {"OTHER", Minor{278}}}}));
}

TEST(MatchReturned, UndoesAPaymentOfTheSameStatement)
{
    Given given{
        .items =
            {item("BOE", bookshop, -278, {"2026-06-BOE"}),
             item("TNK", grocer, -242, {"2026-06-TNK"})},
        .rows = {row(1, -278), row(2, -242), returned_row(3, 278, "2026-06-BOE")}};
    given.rows[0].row.end_to_end_id = "2026-06-BOE";
    given.rows[1].row.end_to_end_id = "2026-06-TNK";
    const Matching matching = given.matched();

    ASSERT_EQ(matching.matches.size(), 3U);
    EXPECT_EQ(matching.matches[2].kind, MatchKind::returned);
    EXPECT_EQ(matching.matches[2].parts, (std::vector<MatchPart>{{3, "BOE", Minor{278}}}));
}

// The bank books the file as one row and returns one payment of it.
TEST(MatchReturned, UndoesOnePaymentOfABatch)
{
    const Given given{
        .items =
            {item("BOE", bookshop, -278, {"2026-06-BOE"}),
             item("TNK", bookshop, -242, {"2026-06-TNK"})},
        .rows = {row(1, -520), returned_row(2, 242, "2026-06-TNK")}};
    const Matching matching = given.matched();

    ASSERT_EQ(matching.matches.size(), 2U);
    EXPECT_EQ(matching.matches[0].kind, MatchKind::one_to_many);
    EXPECT_EQ(matching.matches[1].parts, (std::vector<MatchPart>{{2, "TNK", Minor{242}}}));
}

TEST(MatchReturned, OfWhatIsNotKnownIsDoubted)
{
    const PaidPart paid{.item = "BOE", .amount = Minor{-278}, .end_to_end_id = "2026-06-BOE"};
    const auto doubted = [&paid](const OpenRow& returned) {
        const Given given{.items = {item("A", grocer, 278)}, .rows = {returned}, .paid = {paid}};
        expect_doubt(given.matched(), Doubt::unknown_return, {});
    };

    doubted(returned_row(1, 278, "2026-06-TNK"));
    doubted(returned_row(1, 277, "2026-06-BOE"));
    doubted(returned_row(1, 278, ""));
    OpenRow reversal = row(1, 278);
    reversal.row.is_reversal = true;
    doubted(reversal);
}

// The bank booked the file as one row without ids, and an earlier return undid another payment.
TEST(MatchReturned, NamesTheItemItself)
{
    const std::vector<PaidPart> paid{
        {.item = "PH-2026-06-BOE", .amount = Minor{-278}},
        {.item = "PH-2026-06-TNK", .amount = Minor{-242}},
        {.item = "PH-2026-06-TNK", .amount = Minor{242}, .end_to_end_id = "PH-2026-06-TNK"}};

    const Given back{.rows = {returned_row(9, 278, "PH-2026-06-BOE")}, .paid = paid};
    expect_match(back.matched(), MatchKind::returned, {{9, "PH-2026-06-BOE", Minor{278}}});
    const Given again{.rows = {returned_row(9, 242, "PH-2026-06-TNK")}, .paid = paid};
    expect_doubt(again.matched(), Doubt::unknown_return, {});
}

TEST(MatchReturned, OnlyOnce)
{
    const Given given{
        .rows = {returned_row(1, 278, "E"), returned_row(2, 278, "E")},
        .paid = {{.item = "BOE", .amount = Minor{-278}, .end_to_end_id = "E"}}};
    const Matching matching = given.matched();

    EXPECT_EQ(matching.matches.size(), 1U);
    ASSERT_EQ(matching.suggestions.size(), 1U);
    EXPECT_EQ(matching.suggestions[0].row, 2U);
}

/// Open items and rows of every shape, with amounts that collide.
Given random_given(std::mt19937_64& random)
{
    const auto amount = [&random] {
        const auto size = static_cast<std::int64_t>(1 + random() % 40);
        return random() % 4 == 0 ? -size : size;
    };
    const std::vector<std::string> payers{"", grocer_account, bookshop_account, "X", "Y"};
    Given given{.tolerance = static_cast<std::int64_t>(random() % 3)};
    for (std::uint64_t number = random() % 9; number > 0; --number) {
        given.items.push_back(item(
            "I" + std::to_string(number),
            PartnerId{1 + static_cast<std::uint32_t>(random() % 2)},
            amount()));
        given.items.back().due_on = static_cast<ledger::Day>(random() % 3);
        if (random() % 3 == 0)
            given.items.back().references = {"REF-" + std::to_string(random() % 4)};
    }
    for (std::uint64_t number = random() % 9; number > 0; --number) {
        given.rows.push_back(
            row(static_cast<BankRowNumber>(number), amount(), payers[random() % payers.size()]));
        BankRow& made = given.rows.back().row;
        if (random() % 3 == 0) made.remittance = "REF-" + std::to_string(random() % 4);
        if (random() % 4 == 0) made.end_to_end_id = "REF-" + std::to_string(random() % 4);
        if (random() % 8 == 0) made.return_reason = "AC04";
    }
    return given;
}

// Never more than is open of a row or an item, all sums agree, a match can be reversed, and the
// order of the input does not matter.
TEST(Match, KeepsItsPromisesInRandomCases)
{
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        Given given = random_given(random);

        const Matching matching = given.matched();

        OpenAmounts open;
        for (const OpenItem& each : given.items) open.items.emplace(each.id, each.open);
        for (const OpenRow& each : given.rows) open.rows.emplace(each.number, each.open);
        for (const Match& each : matching.matches) {
            const OpenAmounts before = open;
            settle(open, each);
            OpenAmounts again = open;
            reopen(again, each);
            EXPECT_EQ(again, before);
            EXPECT_FALSE(each.parts.empty());
            for (const MatchPart& part : each.parts) EXPECT_NE(part.amount, Minor{0});
            if (each.write_off) {
                EXPECT_LE(std::abs(each.write_off->amount.count), given.tolerance);
                EXPECT_NE(each.write_off->item.empty(), each.write_off->row == 0);
            }
        }
        std::set<BankRowNumber> suggested;
        for (const Suggestion& each : matching.suggestions)
            EXPECT_TRUE(suggested.insert(each.row).second);
        const bool any_return = std::ranges::any_of(
            matching.matches, [](const Match& each) { return each.kind == MatchKind::returned; });
        for (const OpenRow& each : given.rows) {
            const std::int64_t left =
                open.rows.contains(each.number) ? open.rows.at(each.number).count : 0;
            EXPECT_GE(left * (each.open.count > 0 ? 1 : -1), 0);
            EXPECT_LE(std::abs(left), std::abs(each.open.count));
        }
        for (const OpenItem& each : given.items) {
            const std::int64_t left =
                open.items.contains(each.id) ? open.items.at(each.id).count : 0;
            EXPECT_GE(left * (each.open.count > 0 ? 1 : -1), 0);
            EXPECT_TRUE(any_return || std::abs(left) <= std::abs(each.open.count));
        }

        std::ranges::shuffle(given.items, random);
        std::ranges::shuffle(given.rows, random);
        const Matching shuffled = given.matched();
        EXPECT_EQ(shuffled.matches, matching.matches);
        EXPECT_EQ(shuffled.suggestions, matching.suggestions);
    }
}

/// The stages of exact sums once more, by trying all sets of rows and items as bits.
class BruteForce {
public:
    explicit BruteForce(const Given& given) : given_{given} {}

    /// Kind, rows, items, as "2 {1} {I1 I2}".
    std::set<std::string> matched()
    {
        stage(MatchKind::exact, [](int rows, int items) { return rows == 1 && items == 1; });
        stage(MatchKind::one_to_many, [](int rows, int items) { return rows == 1 && items > 1; });
        stage(MatchKind::many_to_one, [](int rows, int items) { return rows > 1 && items == 1; });
        return std::move(matched_);
    }

private:
    using Bits = unsigned;

    template <class Shape>
    void stage(MatchKind kind, const Shape& is_shaped)
    {
        std::vector<std::pair<Bits, Bits>> solutions;
        for (Bits rows = 1; rows < 1U << given_.rows.size(); ++rows)
            for (Bits items = 1; items < 1U << given_.items.size(); ++items)
                if (is_shaped(std::popcount(rows), std::popcount(items)) && fits(rows, items))
                    solutions.emplace_back(rows, items);

        const Bits doubtful_items = doubtful_items_;
        for (const auto& [rows, items] : solutions) {
            int sharing = 0;
            for (const auto& [other_rows, other_items] : solutions)
                sharing += (rows & other_rows) != 0 || (items & other_items) != 0 ? 1 : 0;
            if (sharing == 1 && (items & doubtful_items) == 0) {
                matched_.insert(in_words(kind, rows, items));
                gone_rows_ |= rows;
                gone_items_ |= items;
            } else {
                gone_rows_ |= rows;
                doubtful_items_ |= items;
            }
        }
    }

    [[nodiscard]] bool fits(Bits rows, Bits items) const
    {
        if ((rows & gone_rows_) != 0 || (items & gone_items_) != 0) return false;
        std::int64_t sum = 0;
        std::set<PartnerId> partners;
        std::set<bool> signs;
        std::set<std::string> payers;
        for (std::size_t place = 0; place < given_.rows.size(); ++place) {
            if ((rows >> place & 1U) == 0) continue;
            const OpenRow& each = given_.rows[place];
            sum += each.open.count;
            signs.insert(each.open.count > 0);
            const std::string& payer = each.row.counterparty_account;
            payers.insert(payer);
            if (accounts.contains(payer)) partners.insert(accounts.find(payer)->second);
            if (payer.empty() && std::popcount(rows) > 1) return false;
        }
        for (std::size_t place = 0; place < given_.items.size(); ++place) {
            if ((items >> place & 1U) == 0) continue;
            sum -= given_.items[place].open.count;
            signs.insert(given_.items[place].open.count > 0);
            partners.insert(given_.items[place].partner);
        }
        return sum == 0 && signs.size() == 1 && partners.size() == 1 && payers.size() == 1;
    }

    [[nodiscard]] std::string in_words(MatchKind kind, Bits rows, Bits items) const
    {
        std::set<std::string> names;
        for (std::size_t place = 0; place < given_.rows.size(); ++place)
            if ((rows >> place & 1U) != 0) names.insert(std::to_string(given_.rows[place].number));
        for (std::size_t place = 0; place < given_.items.size(); ++place)
            if ((items >> place & 1U) != 0) names.insert(given_.items[place].id);
        std::string words{name_of(kind)};
        for (const std::string& name : names) words += ' ' + name;
        return words;
    }

    const Given& given_;
    Bits gone_rows_ = 0;
    Bits gone_items_ = 0;
    Bits doubtful_items_ = 0;
    std::set<std::string> matched_;
};

TEST(Match, AgreesWithTryingEverything)
{
    std::map<MatchKind, int> matches;
    for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        Given given = random_given(random);
        given.tolerance = 0;
        if (given.items.size() > 5) given.items.resize(5);
        if (given.rows.size() > 5) given.rows.resize(5);
        for (OpenItem& each : given.items) each.references.clear();
        for (OpenRow& each : given.rows) each.row.return_reason.clear();

        std::set<std::string> found;
        const Matching matching = given.matched();
        for (const Match& each : matching.matches) {
            ++matches[each.kind];
            if (each.kind == MatchKind::only_item) continue;
            std::set<std::string> names;
            for (const MatchPart& part : each.parts) {
                names.insert(std::to_string(part.row));
                names.insert(part.item);
            }
            std::string words{name_of(each.kind)};
            for (const std::string& name : names) words += ' ' + name;
            found.insert(words);
        }

        EXPECT_EQ(found, BruteForce{given}.matched());
    }
    EXPECT_GT(matches[MatchKind::exact], 100);
    EXPECT_GT(matches[MatchKind::one_to_many], 30);
    EXPECT_GT(matches[MatchKind::many_to_one], 30);
}

} // namespace
} // namespace pointhouse::settlement
