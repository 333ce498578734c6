#include <gtest/gtest.h>

#include "desk.hpp"
#include "netting_example.hpp"
#include "settlement/document_json.hpp"
#include "settlement/net_statement.hpp"
#include "settlement/printed_report.hpp"
#include "settlement/ubl.hpp"

// Two programs in one house: what is owed under one is never offset by what is owed under another.

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;

constexpr ledger::Month july{2026, 7};
const NetKey grocery{june, "grocery"};
const NetKey travel{june, "travel"};

/// NETTING.md's partners: A and B sell groceries, C and D travel. E is in both: what it owes stands
/// in groceries, what it is owed in travel.
struct Programs : ::testing::Test {
    Programs() : coalition{example_coalition()}, desk{coalition.terms()}
    {
        auto drafts = drafts_of(coalition.settled());
        for (Document& draft : drafts) {
            const bool is_e = draft.partner == example_partner('E');
            const bool is_grocery =
                is_e ? draft.owed_by_partner().count > 0 : draft.partner < example_partner('C');
            draft.program = is_grocery ? "grocery" : "travel";
        }
        desk.issue_all(june, drafts);
    }

    std::string net(const NetKey& key, NettingMethod method = NettingMethod::multilateral)
    {
        const auto entry = desk.desk.net(key, {.method = method}, desk.terms());
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        return {};
    }
    std::string settle(const NetKey& key, char name, std::int64_t paid)
    {
        const auto entry = desk.desk.settle(
            key, {.partner = example_partner(name), .paid = Minor{paid}}, desk.terms());
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        return {};
    }
    std::map<char, std::int64_t> nets(const NetKey& key)
    {
        std::map<PartnerId, Minor> found;
        for (const auto& [partner, payment] : desk.desk.net_of(key)->payments)
            found[partner] += payment.net;
        return by_letter(found);
    }
    [[nodiscard]] NetStatement stated(const NetKey& key) const
    {
        return net_statement(
                   key,
                   desk.terms().currency,
                   desk.desk.settled_documents(key),
                   coalition.settled().partners)
            .value();
    }
    PayerInDefault e_in_default() const
    {
        PayerInDefault payer{
            .net = grocery, .partner = example_partner('E'), .reason = "insolvent"};
        for (const char name : {'A', 'B', 'C', 'D', 'E'})
            payer.mutualised.insert(example_partner(name));
        return payer;
    }

    Coalition coalition;
    Desk desk;
};

const std::map<char, std::int64_t> grocery_nets{
    {'A', 9'999'73}, {'B', 9'999'30}, {'E', -110'000'22}};
const std::map<char, std::int64_t> travel_nets{
    {'C', 12'000'62}, {'D', -2'000'67}, {'E', 80'001'24}};

TEST_F(Programs, AreNettedEachForItself)
{
    EXPECT_EQ(desk.desk.nets_to_come(june), (std::vector{grocery, travel}));
    EXPECT_EQ(net(june), "2026-06 has nothing open to net") << "everybody is in a program";
    EXPECT_EQ(net({june, "travle"}), "2026-06 travle has nothing open to net");
    ASSERT_EQ(net(travel), "");
    EXPECT_EQ(net(travel), "2026-06 travel is netted already");
    EXPECT_EQ(desk.desk.nets_to_come(june), (std::vector{grocery})) << "travel waits for nobody";
    ASSERT_EQ(net(grocery), "");
    EXPECT_EQ(desk.desk.nets_of(june), (std::vector{grocery, travel}));
    EXPECT_TRUE(desk.desk.nets_to_come(june).empty());

    // E's 29,998.98 of all programs together are what it owes here, less what it is owed there.
    EXPECT_EQ(nets(grocery), grocery_nets);
    EXPECT_EQ(nets(travel), travel_nets);
    EXPECT_EQ(
        desk.desk.net_of(grocery)->find(example_partner('E'), false)->reference,
        "PH-2026-06.grocery-E");
    EXPECT_EQ(
        desk.desk.net_of(travel)->find(example_partner('E'), true)->reference,
        "PH-2026-06.travel-E");
    const auto again = desk.read_again();
    for (const auto& key : {grocery, travel}) {
        EXPECT_EQ(again.net_of(key)->documents, desk.desk.net_of(key)->documents);
        std::int64_t sum = 0;
        for (const auto& party : stated(key).parties) sum += party.net.count;
        EXPECT_EQ(sum, 0) << "with the house";
    }
}

TEST_F(Programs, GrossHaveTheirOwnReferences)
{
    ASSERT_EQ(net(grocery, NettingMethod::gross), "");
    ASSERT_EQ(net(travel, NettingMethod::gross), "");
    std::set<std::string> references;
    for (const auto& item : desk.desk.open_items()) {
        references.insert(item.id);
        EXPECT_LE(item.id.size(), 35U) << item.id;
    }
    EXPECT_TRUE(references.contains("PH-2026-06.grocery-E-IN"));
    EXPECT_TRUE(references.contains("PH-2026-06.travel-E-OUT"));
    EXPECT_EQ(references.size(), 10U);
}

TEST_F(Programs, PayOutWhenTheirOwnPayInsAreThere)
{
    EXPECT_EQ(settle(travel, 'D', -1), "2026-06 travel is not netted yet");
    ASSERT_EQ(net(grocery), "");
    ASSERT_EQ(net(travel), "");
    EXPECT_EQ(settle(grocery, 'D', -2'000'67), "D has nothing to settle in 2026-06 grocery");
    ASSERT_EQ(settle(travel, 'D', -2'000'67), "");
    const auto file = desk.desk.payment_file(travel, {}, 0).value();
    EXPECT_EQ(file.message_id, "PH-2026-06.travel");
    EXPECT_EQ(
        by_letter(file.amounts),
        (std::map<char, std::int64_t>{{'C', 12'000'62}, {'E', 80'001'24}}));
    const auto waiting = desk.desk.payment_file(grocery, {}, 0);
    ASSERT_FALSE(waiting) << "E did not pay its groceries";
    EXPECT_TRUE(waiting.error().reason.starts_with("pay-outs of 2026-06 grocery wait"));

    desk.record(desk.desk.order_payments(travel, file, "").value());
    EXPECT_FALSE(desk.desk.order_payments(travel, file, "")) << "once";
    desk.record(desk.desk.order_payments(travel, file, "the bank lost it").value());
    EXPECT_EQ(desk.read_again().find_payment_file(travel)->issues, 2);
    EXPECT_EQ(desk.read_again().find_payment_file(grocery), nullptr);

    ASSERT_EQ(settle(grocery, 'E', -110'000'22), "");
    const auto other = desk.desk.payment_file(grocery, {}, 0).value();
    EXPECT_EQ(other.message_id, "PH-2026-06.grocery");
    EXPECT_EQ(
        by_letter(other.amounts), (std::map<char, std::int64_t>{{'A', 9'999'73}, {'B', 9'999'30}}));
    desk.record(desk.desk.order_payments(grocery, other, "").value());
    for (const char name : {'A', 'B'}) ASSERT_EQ(settle(grocery, name, grocery_nets.at(name)), "");
    for (const char name : {'C', 'E'}) ASSERT_EQ(settle(travel, name, travel_nets.at(name)), "");
    for (const auto& [account, balance] : desk.balances)
        if (account.starts_with("ar:") || account.starts_with("ap:")) {
            EXPECT_EQ(balance, 0) << account;
        }
}

TEST_F(Programs, ADefaultInOneTouchesNobodyInTheOther)
{
    ASSERT_EQ(net(grocery, NettingMethod::gross), "");
    ASSERT_EQ(net(travel), "");
    const auto entry = desk.desk.take_default(e_in_default(), desk.terms());
    ASSERT_TRUE(entry) << entry.error().reason;
    desk.record(*entry);
    // Not set off against what travel is to pay it, and borne by those who sell groceries alone.
    const auto said = boost::json::parse(entry->content).as_object();
    EXPECT_EQ(said.at("set_off_minor"), 0);
    EXPECT_EQ(said.at("receivable_minor"), 110'000'22);
    EXPECT_EQ(said.at("loss_shares").as_array().size(), 2U);
    EXPECT_EQ(nets(travel), travel_nets);
    EXPECT_FALSE(desk.desk.take_default(
        {.net = travel, .partner = example_partner('E'), .reason = "it receives"}, desk.terms()));

    // The next net of groceries has it again, and that of travel nothing.
    desk.issue_all(july, {});
    EXPECT_EQ(desk.desk.nets_to_come(july), (std::vector{NetKey{july, "grocery"}}));
    ASSERT_EQ(net({july, "grocery"}), "");
    EXPECT_EQ(nets({july, "grocery"}).at('E'), -110'000'22);
    EXPECT_TRUE(desk.read_again().nets_of(july) == desk.desk.nets_of(july));
}

TEST_F(Programs, AreUnwoundEachForItself)
{
    ASSERT_EQ(net(grocery), "");
    ASSERT_EQ(net(travel), "");
    desk.record(desk.desk
                    .unwind_partner(
                        {.net = grocery, .partner = example_partner('E'), .reason = "a court"},
                        desk.terms())
                    .value());
    EXPECT_EQ(nets(grocery).at('E'), 0);
    EXPECT_EQ(nets(travel), travel_nets);
    for (const auto* issued : desk.desk.documents())
        if (issued->open().count != 0) {
            EXPECT_EQ(issued->document.program, "grocery") << issued->document.number;
        }
}

/// What the bank says of one row, and what the house makes of it.
struct Bank : Programs {
    Bank()
    {
        EXPECT_EQ(net(grocery), "");
        EXPECT_EQ(net(travel), "");
    }
    Matching matched(
        std::int64_t amount, std::string text, std::string account = "BE68539007547034")
    {
        const BankRow row{
            .amount = Minor{amount},
            .remittance = std::move(text),
            .counterparty_account = std::move(account)};
        const std::vector rows{OpenRow{.number = 1, .open = row.amount, .row = row}};
        const auto items = desk.desk.open_items();
        return match({.items = items, .rows = rows, .paid = {}, .accounts = accounts, .rules = {}});
    }
    /// One company's account, with a contract in each program: B's groceries and D's travel.
    const PartnerAccounts accounts{
        {"BE68539007547034", example_partner('B')},
        {"BE68539007547034", example_partner('D')},
        {"DE89370400440532013000", example_partner('E')}};
};

TEST_F(Bank, PaysTheProgramThatARowNames)
{
    const auto found = matched(2'000'67, "PH-2026-06.TRAVEL-D");
    ASSERT_EQ(found.matches.size(), 1U);
    EXPECT_EQ(found.matches[0].parts[0].item, "PH-2026-06.travel-D");
    EXPECT_EQ(matched(2'000'67, "thank you").matches.size(), 1U) << "nothing else is of the amount";
}

TEST_F(Bank, NeverTakesOneProgramOffTheOther)
{
    // Paid out 9,999.30 for groceries, less 2,000.67 for travel: the company offset it itself.
    const auto found = matched(-7'998'63, "PH-2026-06.grocery-B PH-2026-06.travel-D");
    EXPECT_TRUE(found.matches.empty());
    ASSERT_EQ(found.suggestions.size(), 1U);
    EXPECT_EQ(found.suggestions[0].doubt, Doubt::several_partners);
    // Nor where one contract has money in both.
    const auto own =
        matched(29'998'98, "PH-2026-06.grocery-E PH-2026-06.travel-E", "DE89370400440532013000");
    EXPECT_TRUE(own.matches.empty());
    EXPECT_EQ(own.suggestions.size(), 1U);
}

TEST_F(Bank, TakesOneTransferForBothWhenItIsTheirSum)
{
    const std::vector items{
        OpenItem{
            .id = "PH-2026-06.grocery-B",
            .partner = example_partner('B'),
            .program = "grocery",
            .open = Minor{100},
            .references = {"PH-2026-06.grocery-B"}},
        OpenItem{
            .id = "PH-2026-06.travel-D",
            .partner = example_partner('D'),
            .program = "travel",
            .open = Minor{50},
            .references = {"PH-2026-06.travel-D"}}};
    const auto paid = [&](std::int64_t amount) {
        const BankRow row{
            .amount = Minor{amount},
            .remittance = "PH-2026-06.grocery-B, PH-2026-06.travel-D",
            .counterparty_account = "BE68539007547034"};
        const std::vector rows{OpenRow{.number = 1, .open = row.amount, .row = row}};
        return match(
            {.items = items,
             .rows = rows,
             .paid = {},
             .accounts = accounts,
             .rules = {.tolerance = Minor{5}, .write_off_account = "write_off"}});
    };
    ASSERT_EQ(paid(150).matches.size(), 1U);
    EXPECT_EQ(paid(150).matches[0].parts.size(), 2U);
    EXPECT_TRUE(paid(149).matches.empty()) << "whose cent is missing is for a person to say";
    EXPECT_EQ(paid(149).suggestions.size(), 1U);
}

TEST(ProgramOfADocument, StaysWithAllThatCorrectsIt)
{
    const auto coalition = example_coalition();
    Document document = drafts_of(coalition.settled()).front();
    document.program = "travel";
    document.number = "INV-2026-000001";
    EXPECT_EQ(full_credit_of(document, 0).program, "travel");
    EXPECT_EQ(further_of(document, 0, Minor{1}, 0).program, "travel");
    EXPECT_EQ(document_from_json(document_json(document)).value(), document);
    document.program.clear();
    EXPECT_EQ(document_json(document).find("program"), std::string::npos) << "as it always was";
    EXPECT_EQ(document_from_json(document_json(document)).value(), document);
}

TEST_F(Programs, AreSaidInTheStatement)
{
    ASSERT_EQ(net(grocery), "");
    ASSERT_EQ(net(travel), "");
    const std::vector statements{stated(grocery), stated(travel)};
    EXPECT_EQ(statements[0].paid_in, Minor{110'000'22});
    EXPECT_EQ(statements[1].paid_out, Minor{92'001'86});
    EXPECT_NE(net_statement_json(statements[1]).find(R"("program":"travel")"), std::string::npos);
    EXPECT_NE(net_statement_text(statements[0]).find("2026-06 grocery"), std::string::npos);
    const auto csv = net_statements_csv(statements);
    EXPECT_TRUE(csv.starts_with(
        "record,party,document,kind,window,gross,held_back,effect,currency,program\r\n"));
    EXPECT_NE(csv.find("net,E,,,2026-06,,,80001.24,EUR,travel\r\n"), std::string::npos);
    EXPECT_NE(csv.find("net,house,,,2026-06,,,90001.19,EUR,grocery\r\n"), std::string::npos);
}

TEST_F(Programs, AreSaidInTheDocument)
{
    const auto drafts = drafts_of(coalition.settled());
    const auto invoice = std::ranges::find(drafts, DocumentKind::invoice, &Document::kind);
    ASSERT_NE(invoice, drafts.end());
    Document document = *invoice;
    document.number = "INV-2026-000001";
    EXPECT_EQ(ubl_xml(document).find("program"), std::string::npos);
    document.program = "travel";
    EXPECT_NE(
        ubl_xml(document).find("net with the other documents of June 2026, program travel"),
        std::string::npos);
}

TEST(PositionsByProgram, SumToZeroWithTheHouse)
{
    auto settled = example_coalition().settled();
    EXPECT_TRUE(settled.positions_by_program().empty());
    for (std::size_t place = 0; place < settled.partners.size(); ++place)
        settled.partners[place].program = place < 2 ? "grocery" : "";
    const auto positions = settled.positions_by_program();
    ASSERT_EQ(positions.size(), 2U);
    EXPECT_EQ(positions.at("grocery").paid_out, Minor{19'999'03});
    EXPECT_EQ(positions.at("grocery").house(), Minor{-19'999'03});
    EXPECT_EQ(positions.at("").paid_in, Minor{31'999'65});
    EXPECT_EQ(positions.at("").partners, 3);
    const auto printed = printed_settlement(settled, "2026-07-01T00:00:00Z");
    ASSERT_EQ(printed.tables.size(), 3U);
    EXPECT_EQ(printed.tables[1].heading, "Programs");
    EXPECT_EQ(
        printed.tables[1].rows.back(),
        (std::vector<std::string>{"grocery", "2", "0.00", "19,999.03", "−19,999.03"}));
}

} // namespace
} // namespace pointhouse::settlement
