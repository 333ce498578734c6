#include "settlement/bank_json.hpp"

#include <gtest/gtest.h>

#include "golden.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

TEST(BankStatementJson, ReadsBackEqual)
{
    for (const char* bank : {"abn-amro", "rabobank", "deutsche-bank"}) {
        const std::string xml = golden(std::string{"bank/"} + bank + ".xml");
        for (const BankStatement& statement : parse_camt053(xml).value())
            EXPECT_EQ(bank_statement_from_json(bank_statement_json(statement)), statement) << bank;
    }
}

TEST(BankStatementJson, Golden)
{
    const auto statements = parse_camt053(golden("bank/abn-amro.xml")).value();

    expect_golden("bank/abn-amro.json", bank_statement_json(statements.at(0)) + '\n');
}

TEST(BankStatementJson, RefusesWhatIsNone)
{
    const auto statements = parse_camt053(golden("bank/rabobank.xml")).value();
    const std::string text = bank_statement_json(statements.at(0));
    const auto is_refused = [&text](const std::string& from, const std::string& to) {
        std::string other = text;
        const std::size_t place = other.find(from);
        EXPECT_NE(place, std::string::npos) << from;
        other.replace(place, from.size(), to);
        const auto read = bank_statement_from_json(other);
        return !read && !read.error().empty();
    };

    EXPECT_FALSE(bank_statement_from_json("").has_value());
    EXPECT_FALSE(bank_statement_from_json("[]").has_value());
    EXPECT_FALSE(bank_statement_from_json("{}").has_value());
    EXPECT_TRUE(is_refused("\"EUR\"", "\"EUX\""));
    EXPECT_TRUE(is_refused("\"2026-07-14\"", "\"2026-07-32\""));
    EXPECT_TRUE(is_refused("\"amount_minor\":-1250", "\"amount_minor\":\"x\""));
    EXPECT_TRUE(is_refused("\"amount_minor\":-1250", "\"amount_minor\":1.5"));
    EXPECT_TRUE(is_refused("\"rows\":", "\"lines\":"));
    EXPECT_TRUE(is_refused("\"page\":1", "\"page\":99999999999"));
}

TEST(MatchJson, ReadsBackEqual)
{
    const Match plain{
        .kind = MatchKind::one_to_many, .parts = {{1, "A", Minor{100}}, {1, "B", Minor{-5}}}};
    Match item = plain;
    item.write_off = WriteOff{.item = "B", .amount = Minor{2}, .account = "rounding"};
    Match row = plain;
    row.write_off = WriteOff{.row = 1, .amount = Minor{-2}, .account = "rounding"};

    EXPECT_EQ(
        match_json(item),
        R"({"kind":"one_to_many","parts":[{"row":1,"item":"A","amount_minor":100},)"
        R"({"row":1,"item":"B","amount_minor":-5}],)"
        R"("write_off":{"amount_minor":2,"account":"rounding","item":"B"}})");
    for (const Match& match : {plain, item, row})
        EXPECT_EQ(match_from_json(match_json(match)), match);
    EXPECT_FALSE(match_from_json(R"({"kind":"guess","parts":[]})").has_value());
    EXPECT_FALSE(match_from_json(R"({"kind":"exact"})").has_value());
}

TEST(MatchJson, EveryKindReadsBack)
{
    using enum MatchKind;
    for (const MatchKind kind :
         {by_reference, exact, one_to_many, many_to_one, tolerated, only_item, returned})
        EXPECT_EQ(match_from_json(match_json({.kind = kind})), (Match{.kind = kind}));
}

TEST(SuggestionJson, NamesItsChoices)
{
    EXPECT_EQ(
        suggestion_json({.row = 7, .doubt = Doubt::several_items, .choices = {{"A", "B"}, {"C"}}}),
        R"({"row":7,"doubt":"several_items","choices":[["A","B"],["C"]]})");
}

} // namespace
} // namespace pointhouse::settlement
