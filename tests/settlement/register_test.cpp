#include "settlement/register.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "random_documents.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Minor;

/// The house's record in memory, with a register over it and a trial balance of what it booked.
class Desk {
public:
    explicit Desk(const ledger::Terms& terms) : terms_{std::make_shared<ledger::Terms>(terms)} {}

    void record(std::string kind, std::string content, std::string actor = "anna")
    {
        const auto read = json::parse(content).as_object();
        if (const auto* lines = read.if_contains("lines_micro")) {
            std::int64_t sum = 0;
            for (const auto& [account, amount] : lines->as_object()) {
                balances[account] += amount.as_int64();
                sum += amount.as_int64();
            }
            EXPECT_EQ(sum, 0) << content;
        }
        entries_.push_back(
            {.sequence = ledger::HouseSequence{entries_.size() + 1},
             .kind = std::move(kind),
             .actor = std::move(actor),
             .content = std::move(content)});
        desk.apply(entries_.back());
    }
    void record(const NewEntry& entry) { record(entry.kind, entry.content); }

    void prepare(ledger::Month window, const std::vector<Document>& drafts)
    {
        const auto content = desk.prepare(window, drafts);
        ASSERT_TRUE(content) << content.error().reason;
        record(
            "proposal_made",
            fmt::format(R"({{"what":"documents","summary":"","content":{}}})", *content));
    }
    void approve(ledger::Month window)
    {
        const auto proposal = desk.drafts_of(window)->proposal.value();
        record("documents_approved", fmt::format(R"({{"proposal":{}}})", proposal), "bob");
    }
    /// The reason why it stopped; empty: all are issued.
    std::string issue(ledger::Month window, const std::vector<Document>& drafts)
    {
        while (true) {
            const auto entry = desk.issue_next(window, drafts, issue_terms());
            if (!entry) return entry.error().reason;
            if (!*entry) return {};
            record(**entry);
        }
    }
    void issue_all(ledger::Month window, const std::vector<Document>& drafts)
    {
        prepare(window, drafts);
        approve(window);
        ASSERT_EQ(issue(window, drafts), "");
    }
    std::string settle(ledger::Month window, ledger::PartnerId partner, std::int64_t paid)
    {
        const auto entry = desk.settle(
            window, {.partner = partner, .paid = Minor{paid}, .evidence = "a test"}, *terms_);
        if (!entry) return entry.error().reason;
        record(*entry);
        return {};
    }

    [[nodiscard]] IssueTerms issue_terms() const
    {
        return {.today = *ledger::parse_day("2026-07-01"), .payment_days = 14, .terms = terms_};
    }
    [[nodiscard]] const ledger::Terms& terms() const { return *terms_; }
    [[nodiscard]] Register read_again() const
    {
        Register again;
        for (const auto& entry : entries_) again.apply(entry);
        return again;
    }
    [[nodiscard]] std::map<std::string, std::string> lines_of_last() const
    {
        std::map<std::string, std::string> lines;
        const auto content = json::parse(entries_.back().content).as_object();
        for (const auto& [account, amount] : content.at("lines_micro").as_object())
            lines.emplace(account, ledger::format_micro(ledger::Micro{amount.as_int64()}));
        return lines;
    }

    Register desk;
    std::map<std::string, std::int64_t> balances;

private:
    std::shared_ptr<const ledger::Terms> terms_;
    std::vector<ledger::HouseEntry> entries_;
};

using Lines = std::map<std::string, std::string>;
constexpr ledger::Month june{2026, 6};

/// June 2026 with its drafts.
struct WorkedMonth : ::testing::Test {
    explicit WorkedMonth(ledger::Share share = {})
        : settlement{june_with_expiry(VatMode::all_flows, share)}, drafts{drafts_of(settlement)},
          desk{June{VatMode::all_flows, share}.coalition.terms()}
    {}

    ledger::PartnerId partner(std::string_view id)
    {
        return desk.terms().find_partner(id)->partner;
    }

    Settlement settlement;
    std::vector<Document> drafts;
    Desk desk;
};

TEST_F(WorkedMonth, IsBookedAsTheTableSays)
{
    desk.prepare(june, drafts);
    desk.approve(june);
    std::map<std::string, Lines> booked;
    while (const auto entry = desk.desk.issue_next(june, drafts, desk.issue_terms()).value()) {
        desk.record(*entry);
        booked.emplace(desk.desk.documents().back()->document.number, desk.lines_of_last());
    }
    // JUNE-2026.md, rows INV-GRO to CN-TNK; TNK is postpaid here, so it has an invoice, too.
    EXPECT_EQ(
        booked.at("INV-2026-000001"),
        (Lines{
            {"ar:GRO", "5.430000"},
            {"unbilled:GRO", "-4.488000"},
            {"vat:output", "-0.940000"},
            {"rounding", "-0.002000"}}));
    EXPECT_EQ(
        booked.at("SB-GRO-2026-000001"),
        (Lines{
            {"accrued_redemption:GRO", "3.325000"},
            {"vat:input", "0.700000"},
            {"rounding", "0.005000"},
            {"ap:GRO", "-4.030000"}}));
    EXPECT_EQ(
        booked.at("SB-BOE-2026-000001"),
        (Lines{
            {"accrued_redemption:BOE", "2.850000"},
            {"vat:input", "0.600000"},
            {"ap:BOE", "-3.450000"}}));
    EXPECT_EQ(
        booked.at("PS-2026-000001"),
        (Lines{{"accrued_redemption:CHA", "1.000000"}, {"ap:CHA", "-1.000000"}}));
    EXPECT_EQ(
        booked.at("CN-2026-000001"),
        (Lines{
            {"accrued_breakage_share:TNK", "2.000000"},
            {"vat:output", "0.420000"},
            {"ap:TNK", "-2.420000"}}));

    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    const auto& payments = desk.desk.net_of(june)->payments;
    EXPECT_EQ(payments.at(partner("GRO")).net, Minor{-140});
    EXPECT_EQ(payments.at(partner("BOE")).net, Minor{278});
    EXPECT_EQ(payments.at(partner("CHA")).net, Minor{100});

    EXPECT_EQ(desk.settle(june, partner("GRO"), -140), "");
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"ap:GRO", "4.030000"}, {"cash:operating", "1.400000"}, {"ar:GRO", "-5.430000"}}));
    EXPECT_EQ(desk.settle(june, partner("BOE"), 278), "");
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"ap:BOE", "3.450000"}, {"cash:operating", "-2.780000"}, {"ar:BOE", "-0.670000"}}));
}

TEST_F(WorkedMonth, NeedsAnApprovalAndTheSameFigures)
{
    EXPECT_EQ(desk.issue(june, drafts), "2026-06 has no drafts yet");
    desk.prepare(june, drafts);
    EXPECT_EQ(desk.issue(june, drafts), "the documents of 2026-06 wait for approval: 1");
    desk.approve(june);
    auto other = drafts;
    other[1].lines[0].points += 1;
    EXPECT_NE(desk.issue(june, other).find("other figures"), std::string::npos);
    EXPECT_EQ(desk.desk.documents().size(), 1U) << "the first was sound";
    other.pop_back();
    EXPECT_NE(desk.issue(june, other).find("other figures"), std::string::npos);
    EXPECT_EQ(desk.issue(june, drafts), "");
    EXPECT_TRUE(desk.desk.is_issued(june));
    EXPECT_FALSE(desk.desk.prepare(june, drafts));
}

TEST_F(WorkedMonth, MayBePreparedAnewUntilItIsApproved)
{
    auto draft = drafts;
    draft.pop_back();
    desk.prepare(june, draft);
    desk.prepare(june, drafts);
    desk.approve(june);
    EXPECT_EQ(desk.issue(june, drafts), "");
    EXPECT_EQ(desk.desk.documents().size(), drafts.size());
}

TEST_F(WorkedMonth, ACreditNoteTakesBackNoMoreThanTheDocument)
{
    desk.issue_all(june, drafts);
    const Document invoice = desk.desk.find("INV-2026-000001")->document;
    const auto credit = full_credit_of(invoice, desk.issue_terms().today);
    desk.record(desk.desk.issue_credit(credit, desk.issue_terms()).value());
    EXPECT_EQ(desk.desk.documents().back()->document.total, invoice.total);
    EXPECT_EQ(desk.desk.find(invoice.number)->open(), Minor{});
    EXPECT_EQ(desk.balances.at("ar:" + invoice.buyer.id), 0);
    EXPECT_FALSE(desk.desk.issue_credit(credit, desk.issue_terms()));
    auto unknown = credit;
    unknown.corrects->number = "INV-2026-999999";
    EXPECT_FALSE(desk.desk.issue_credit(unknown, desk.issue_terms()));
}

TEST_F(WorkedMonth, PaysOutOnlyWhatCameIn)
{
    EXPECT_FALSE(desk.desk.net(june, {}, desk.terms())) << "not issued";
    desk.issue_all(june, drafts);
    EXPECT_EQ(desk.settle(june, partner("GRO"), -140), "2026-06 is not netted yet");
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_FALSE(desk.desk.net(june, {}, desk.terms())) << "twice";
    EXPECT_FALSE(desk.desk.payment_file(june, {}, 0)) << "GRO has not paid";

    EXPECT_NE(desk.settle(june, partner("GRO"), -141), "");
    EXPECT_NE(desk.settle(june, partner("GRO"), 140), "");
    EXPECT_NE(desk.settle(june, partner("GRO"), 0), "");
    EXPECT_EQ(desk.settle(june, partner("GRO"), -100), "");
    EXPECT_FALSE(desk.desk.payment_file(june, {}, 0)) << "0.40 is missing";
    EXPECT_EQ(desk.settle(june, partner("GRO"), -40), "");
    EXPECT_NE(desk.settle(june, partner("GRO"), -1), "");
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    EXPECT_EQ(desk.balances.at("ar:GRO"), 0);

    const auto pay_day = *ledger::parse_day("2026-07-14");
    const auto file = desk.desk.payment_file(june, {}, pay_day).value();
    EXPECT_EQ(file.amounts.at(partner("BOE")), Minor{278});
    EXPECT_EQ(file.amounts.contains(partner("GRO")), false);
    desk.record(desk.desk.order_payments(june, file, "").value());
    const auto again = desk.desk.payment_file(june, {}, pay_day + 3).value();
    EXPECT_EQ(again.execute_on, pay_day);
    EXPECT_EQ(again.amounts, file.amounts);
    EXPECT_FALSE(desk.desk.order_payments(june, again, "")) << "the second time needs a reason";
    desk.record(desk.desk.order_payments(june, again, "the bank lost it").value());
    EXPECT_EQ(desk.desk.find_payment_file(june)->issues, 2);
    EXPECT_EQ(
        desk.desk.find_payment_file(june)->reasons, std::vector<std::string>{"the bank lost it"});
}

TEST_F(WorkedMonth, AnAnswerComesOnceAndWithAReason)
{
    desk.issue_all(june, drafts);
    const std::string number = "INV-2026-000001";
    EXPECT_FALSE(desk.desk.mark_sent("INV-2026-777777", "x"));
    desk.record(desk.desk.mark_sent(number, "x").value());
    EXPECT_FALSE(desk.desk.mark_sent(number, "x"));
    EXPECT_FALSE(desk.desk.take_answer(number, DocumentState::queried, ""));
    EXPECT_FALSE(desk.desk.take_answer(number, DocumentState::sent, "no answer"));
    desk.record(desk.desk.take_answer(number, DocumentState::queried, "which points?").value());
    EXPECT_EQ(desk.desk.find(number)->reason, "which points?");
    desk.record(desk.desk.take_answer(number, DocumentState::accepted, "").value());
    EXPECT_FALSE(desk.desk.take_answer(number, DocumentState::rejected, "late"));
}

TEST(Register, NumbersHaveNoGapsAndEveryAccountComesToZero)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random{seed};
    for (int round = 0; round < 60; ++round) {
        const auto settlement = random_settlement(random());
        const auto drafts = drafts_of(settlement);
        ledger::Terms terms;
        terms.currency = settlement.currency;
        for (const Party& party : settlement.partners) {
            const ledger::PartnerId id{static_cast<std::uint32_t>(terms.partners.size() + 1)};
            terms.partners.push_back({.partner = id, .name = party.id});
        }
        Desk desk{terms};
        const auto window = settlement.window.month;
        desk.issue_all(window, drafts);
        std::map<std::string, std::int64_t> last;
        for (const auto* issued : desk.desk.documents()) {
            const std::string& number = issued->document.number;
            const auto cut = number.size() - 6;
            EXPECT_EQ(std::stoll(number.substr(cut)), ++last[number.substr(0, cut)]) << number;
        }
        desk.record(desk.desk.net(window, {}, desk.terms()).value());
        const auto payments = desk.desk.net_of(window)->payments;
        for (const auto& [partner, payment] : payments) {
            auto left = payment.net.count;
            while (left != 0) {
                const auto most = static_cast<std::uint64_t>(std::abs(left));
                const auto part = static_cast<std::int64_t>(random() % most) + 1;
                const auto paid = left < 0 ? -part : part;
                ASSERT_EQ(desk.settle(window, partner, paid), "");
                left -= paid;
            }
            EXPECT_EQ(desk.balances["ar:" + desk.terms().partner(partner).name], 0);
            EXPECT_EQ(desk.balances["ap:" + desk.terms().partner(partner).name], 0);
        }
        EXPECT_TRUE(desk.desk.net_of(window)->is_settled());

        const Register again = desk.read_again();
        ASSERT_EQ(again.documents().size(), desk.desk.documents().size());
        for (const auto* issued : desk.desk.documents())
            EXPECT_EQ(again.find(issued->document.number)->document, issued->document);
        EXPECT_TRUE(again.net_of(window)->is_settled());
    }
}

} // namespace
} // namespace pointhouse::settlement
