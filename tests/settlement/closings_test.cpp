#include "settlement/closings.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "settlement/close_proof.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::HouseSequence;
using ledger::Micro;
using ledger::Month;

constexpr Month june{2026, 6};
const ledger::Currency euro{.code = "EUR", .minor_digits = 2};

/// The house's record in memory.
struct Record {
    void append(std::string kind, std::string content)
    {
        entries.push_back(
            {.sequence = HouseSequence{entries.size() + 1},
             .kind = std::move(kind),
             .actor = "anna",
             .content = std::move(content)});
        desk.apply(entries.back());
    }
    void append(const NewEntry& entry) { append(entry.kind, entry.content); }
    void close_points(Month window)
    {
        append(
            "window_closed",
            fmt::format(R"({{"window":"{}","cut":7}})", ledger::format_month(window)));
    }
    /// No documents, approved, issued and netted: a window in which nothing was sold.
    void settle_nothing(Month window)
    {
        append(
            "proposal_made",
            fmt::format(
                R"({{"what":"documents","summary":"","content":{}}})",
                desk.prepare(window, {}).value()));
        append("documents_approved", fmt::format(R"({{"proposal":{}}})", entries.size()));
        append(desk.net(window, {}, terms).value());
    }
    [[nodiscard]] CloseChecklist checklist(
        Month window, const CloseFigures& figures = {.through = ledger::Sequence{9}}) const
    {
        return close_checklist(desk, window, figures, {}, euro);
    }
    [[nodiscard]] std::string refusal(const Registered<NewEntry>& entry) const
    {
        return entry ? std::string{} : entry.error().reason;
    }

    ledger::Terms terms{.currency = euro};
    Register desk;
    std::vector<ledger::HouseEntry> entries;
};

TEST(Closings, GoFromOpenToSoftToHardAndNeverBack)
{
    Record record;
    const auto& closings = record.desk.closings();
    EXPECT_EQ(closings.state_of(june), CloseState::open);
    EXPECT_NE(record.refusal(closings.close_soft(june)), "") << "it still takes points";
    record.close_points(june);
    EXPECT_EQ(closings.find(june)->cut, ledger::Sequence{7});
    EXPECT_NE(record.refusal(closings.close_hard(record.checklist(june))), "") << "soft first";
    EXPECT_NE(record.refusal(closings.reopen(june, "why")), "") << "nothing to take back";

    record.append(closings.close_soft(june).value());
    EXPECT_EQ(closings.state_of(june), CloseState::soft);
    EXPECT_NE(record.refusal(closings.close_soft(june)), "");
    EXPECT_NE(record.refusal(closings.reopen(june, "")), "") << "without a reason";
    EXPECT_FALSE(closings.admit(june, ""));
    EXPECT_TRUE(closings.admit(june, "the tax office asked"));
    EXPECT_TRUE(closings.admit(june)) << "only a hard close refuses";
    record.append(closings.reopen(june, "a mistake").value());
    EXPECT_EQ(closings.state_of(june), CloseState::open);
    EXPECT_EQ(closings.find(june)->reason, "a mistake");
    EXPECT_TRUE(closings.admit(june, ""));

    record.append(closings.close_soft(june).value());
    EXPECT_NE(record.refusal(closings.close_hard(record.checklist(june))), "") << "nothing is done";
    record.settle_nothing(june);
    record.append(closings.close_hard(record.checklist(june)).value());
    EXPECT_EQ(closings.state_of(june), CloseState::hard);
    EXPECT_NE(record.refusal(closings.reopen(june, "please")), "");
    EXPECT_NE(record.refusal(closings.close_soft(june)), "");
    EXPECT_NE(record.refusal(closings.close_hard(record.checklist(june))), "");
    EXPECT_FALSE(closings.admit(june, "please"));
    EXPECT_FALSE(record.desk.prepare(june, {}));
    EXPECT_FALSE(record.desk.issue_next(june, {}, {}));
    EXPECT_FALSE(record.desk.net(june, {}, record.terms));
    EXPECT_EQ(closings.last_closed(), june);
}

TEST(CloseChecklist, TakesLessThanACentAsLeftOutWhereDraftsOfBeforeDoNotSay)
{
    Record record;
    record.close_points(june);
    record.append(
        "proposal_made",
        R"({"what":"documents","summary":"","content":{"window":"2026-06","documents":[]}})");
    record.append("documents_approved", fmt::format(R"({{"proposal":{}}})", record.entries.size()));
    record.append(record.desk.net(june, {}, record.terms).value());
    CloseFigures figures{.through = ledger::Sequence{9}};
    const CloseFigures::Accrual gro{june, ledger::Account::unbilled, ledger::PartnerId{1}};
    figures.accrued[gro] = Micro{9'999};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "");
    figures.accrued[gro] = Micro{10'000};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "billed, unexplained");
}

TEST(CloseChecklist, IsOpenWhereTwoFiguresDiffer)
{
    Record record;
    record.close_points(june);
    record.settle_nothing(june);
    const CloseFigures sound{.through = ledger::Sequence{9}};
    EXPECT_EQ(record.checklist(june).in_the_way(), "");

    auto figures = sound;
    figures.balances[{ledger::Account::receivable, ledger::PartnerId{1}}] = Micro{10'000};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "receivables, unexplained");
    figures = sound;
    figures.balances[{ledger::Account::payable, ledger::PartnerId{1}}] = Micro{-10'000};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "payables, unexplained");
    figures = sound;
    figures.trial_balance.points_debits = 1;
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "trial_balance");
    figures = sound;
    figures.trial_balance.money_credits = Micro{1};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "trial_balance, unexplained");

    figures = sound;
    const CloseFigures::Accrual gro{june, ledger::Account::unbilled, ledger::PartnerId{1}};
    figures.accrued[gro] = Micro{1};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "billed, unexplained")
        << "not left out";
    figures.accrued[gro] = Micro{10'000};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "billed, unexplained");
    // One partner's surplus is not another's want.
    figures.accrued[gro] = Micro{50'000};
    figures.accrued[{june, ledger::Account::unbilled, ledger::PartnerId{2}}] = Micro{-50'000};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "billed, unexplained");
    figures = sound;
    figures.accrued[{Month{2026, 7}, ledger::Account::unbilled, ledger::PartnerId{1}}] =
        Micro{1'000'000};
    EXPECT_EQ(record.checklist(june, figures).in_the_way(), "") << "July's is July's";
}

TEST(CloseChecklist, WaitsForTheWindowsBefore)
{
    Record record;
    record.close_points({2026, 5});
    record.close_points(june);
    record.settle_nothing(june);
    EXPECT_EQ(record.checklist(june).in_the_way(), "earlier_windows");
}

struct ProvedClose : ::testing::Test {
    ProvedClose()
    {
        record.close_points(june);
        record.settle_nothing(june);
        record.append(record.desk.closings().close_soft(june).value());
        record.append(record.desk.closings().close_hard(record.checklist(june)).value());
    }
    [[nodiscard]] std::optional<std::string> fault() const
    {
        return CloseProof{record.entries, {}, {}, euro}.fault();
    }
    Record record;
};

TEST_F(ProvedClose, IsSoundAsItWasRecorded)
{
    EXPECT_EQ(fault(), std::nullopt);
}

TEST_F(ProvedClose, IsFoundOutWhenAFigureWasChanged)
{
    auto& entry = record.entries.back();
    auto content = json::parse(entry.content).as_object();
    content.at("checks").as_array()[9].as_object().at("figures").as_object()["ledger_micro"] = 1;
    entry.content = json::serialize(content);
    ASSERT_TRUE(fault());
    EXPECT_NE(fault()->find("other figures"), std::string::npos);
}

TEST_F(ProvedClose, IsFoundOutWhenSomethingWasSlippedIn)
{
    record.append(
        "window_netted", R"({"window":"2026-06","method":"gross","documents":[],"nets":[]})");
    ASSERT_TRUE(fault());
    EXPECT_NE(fault()->find("hard-closed before"), std::string::npos);
}

TEST_F(ProvedClose, IsFoundOutWhenItWasReopened)
{
    record.append("window_reopened", R"({"window":"2026-06","reason":"x"})");
    EXPECT_TRUE(fault());
}

} // namespace
} // namespace pointhouse::settlement
