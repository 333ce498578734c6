#include "settlement/net_statement.hpp"

#include <random>

#include <gtest/gtest.h>

#include "golden.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;

const ledger::Month june{2026, 6};
const ledger::Month may{2026, 5};
const ledger::Currency euro{"EUR", 2};
const std::vector<Party> partners{{.id = "GRO"}, {.id = "TNK"}, {.id = "BOE"}, {.id = "CHA"}};

SettledDocument settled(
    const char* number, DocumentKind kind, std::uint32_t partner, std::int64_t effect)
{
    return {
        .number = number,
        .kind = kind,
        .partner = PartnerId{partner},
        .window = june,
        .gross = Minor{effect < 0 ? -effect : effect},
        .effect = Minor{effect}};
}

/// The six documents of June, and one of May of which a part is disputed.
std::vector<SettledDocument> june_documents()
{
    return {
        settled("INV-GRO", DocumentKind::invoice, 1, -5'43),
        settled("INV-BOE", DocumentKind::invoice, 3, -67),
        settled("SB-GRO", DocumentKind::self_billed_invoice, 1, 4'03),
        settled("SB-BOE", DocumentKind::self_billed_invoice, 3, 3'45),
        settled("SB-CHA", DocumentKind::payment_statement, 4, 1'00),
        settled("CN-TNK", DocumentKind::credit_note, 2, 2'42),
    };
}

TEST(NetStatement, OfTheWorkedMonth)
{
    const auto statement = net_statement(june, euro, june_documents(), partners);

    ASSERT_TRUE(statement.has_value());
    EXPECT_EQ(statement->paid_in, Minor{1'40});
    EXPECT_EQ(statement->paid_out, Minor{6'20});
    EXPECT_EQ(statement->house_share, Minor{4'80});
    EXPECT_EQ(statement->clearing(), Minor{0});
    expect_golden("payments/net-statement-june-2026.json", net_statement_json(*statement) + '\n');
    expect_golden("payments/net-statement-june-2026.csv", net_statements_csv({{*statement}}));
    expect_golden("payments/net-statement-june-2026.txt", net_statement_text(*statement));
}

TEST(NetStatement, ShowsWhatIsHeldBackAndCarriedForward)
{
    SettledDocument disputed = settled("INV-5", DocumentKind::invoice, 1, -60);
    disputed.gross = Minor{100};
    disputed.held_back = Minor{40};
    disputed.window = may;

    const auto statement =
        net_statement(june, euro, std::vector<SettledDocument>{disputed}, partners);

    ASSERT_TRUE(statement.has_value());
    const std::string csv = net_statements_csv({{*statement}});
    EXPECT_NE(csv.find("document,GRO,INV-5,invoice,2026-05,1.00,0.40,-0.60,EUR\r\n"), csv.npos);
    EXPECT_NE(csv.find("document,house,INV-5,invoice,2026-05,1.00,0.40,0.60,EUR\r\n"), csv.npos);
    EXPECT_NE(csv.find("net,GRO,,,2026-06,,,-0.60,EUR\r\n"), csv.npos);
}

TEST(NetStatement, OfNothing)
{
    const auto statement = net_statement(june, euro, {}, partners);

    ASSERT_TRUE(statement.has_value());
    ASSERT_EQ(statement->parties.size(), 1U);
    EXPECT_EQ(statement->parties[0].id, "house");
    EXPECT_EQ(statement->parties[0].net, Minor{0});
}

TEST(NetStatement, RefusesAmountsThatOverflow)
{
    const std::vector<SettledDocument> large{
        settled("X", DocumentKind::invoice, 1, INT64_MAX),
        settled("Y", DocumentKind::invoice, 1, 1)};
    EXPECT_EQ(net_statement(june, euro, large, partners).error(), NettingFault::amount_overflow);
}

TEST(NetStatement, AddsUpInRandomCases)
{
    for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        std::vector<SettledDocument> documents;
        for (std::uint64_t left = random() % 15; left > 0; --left)
            documents.push_back(settled(
                "N",
                DocumentKind::invoice,
                static_cast<std::uint32_t>(1 + random() % partners.size()),
                static_cast<std::int64_t>(random() % 1'001) - 500));

        const auto statement = net_statement(june, euro, documents, partners);

        ASSERT_TRUE(statement.has_value());
        std::int64_t nets = 0;
        std::size_t listed = 0;
        for (const PartyStatement& party : statement->parties) {
            std::int64_t effects = 0;
            for (const SettledDocument& document : party.documents)
                effects += document.effect.count;
            EXPECT_EQ(effects, party.net.count);
            nets += party.net.count;
            listed += party.documents.size();
        }
        EXPECT_EQ(nets, 0);
        EXPECT_EQ(listed, 2 * documents.size());
        EXPECT_EQ(statement->clearing(), Minor{0});
    }
}

} // namespace
} // namespace pointhouse::settlement
