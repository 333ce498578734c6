#include "settlement/register.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "desk.hpp"
#include "settlement/block_invoice.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Minor;

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
    EXPECT_EQ(payments.find(partner("GRO"))->second.net, Minor{-140});
    EXPECT_EQ(payments.find(partner("BOE"))->second.net, Minor{278});
    EXPECT_EQ(payments.find(partner("CHA"))->second.net, Minor{100});

    EXPECT_EQ(desk.settle(june, partner("GRO"), -140), "");
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"ap:GRO", "4.030000"}, {"cash:operating", "1.400000"}, {"ar:GRO", "-5.430000"}}));
    EXPECT_EQ(desk.settle(june, partner("BOE"), 278), "");
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"ap:BOE", "3.450000"}, {"cash:operating", "-2.780000"}, {"ar:BOE", "-0.670000"}}));
}

TEST_F(WorkedMonth, ABlockIsInvoicedAndNothingIsDueOnIt)
{
    const auto parties = parties_of(settlement);
    const auto block = block_invoice(
        {.partner = partner("TNK"),
         .tariff = ledger::TariffVersion{5},
         .points = ledger::Points{5'000},
         .price = ledger::Micro{10'000},
         .fee = ledger::Micro{1'000},
         .sold_on = *ledger::parse_day("2026-06-16"),
         .vat = {.category = "S", .basis_points = 2100}},
        june,
        settlement.currency,
        parties.house,
        parties.partners.at(partner("TNK").value() - 1));
    EXPECT_EQ(block.net, Minor{55'00});
    EXPECT_EQ(block.total, Minor{66'55});
    drafts.push_back(block);
    desk.issue_all(june, drafts);
    const auto* issued = desk.desk.documents().back();
    EXPECT_EQ(issued->document.number, "INV-2026-000004") << "numbered as the rest";
    EXPECT_EQ(issued->document.due_on, *ledger::parse_day("2026-06-16"));
    EXPECT_EQ(issued->open(), Minor{});
    EXPECT_EQ(desk.balances.at("ar:TNK"), 1'820'000) << "of its points alone";
    const auto credit = full_credit_of(issued->document, desk.issue_terms().today);
    EXPECT_FALSE(desk.desk.issue_credit(credit, desk.issue_terms()));
    EXPECT_FALSE(desk.desk.open_dispute(
        {.document = issued->document.number,
         .line = 1,
         .net = Minor{1},
         .reason = "PRI",
         .evidence = "x"},
        desk.issue_terms().today));
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    const auto& numbers = desk.desk.net_of(june)->documents;
    EXPECT_EQ(std::ranges::count(numbers, issued->document.number), 0);
    EXPECT_EQ(desk.read_again().documents().back()->document, issued->document);
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

/// The drafts from the second on, as another rate taxes them.
std::vector<Document> taxed_anew(std::vector<Document> drafts)
{
    for (std::size_t place = 1; place < drafts.size(); ++place) {
        for (DocumentLine& line : drafts[place].lines)
            if (line.vat.basis_points > 0) line.vat.basis_points = 2500;
        total_document(drafts[place]);
    }
    return drafts;
}

TEST_F(WorkedMonth, IsPreparedAnewWhereItsVatChangedBeforeItsIssue)
{
    desk.prepare(june, drafts);
    desk.approve(june);
    const auto taxed = taxed_anew(drafts);
    EXPECT_NE(desk.issue(june, taxed).find("VAT of 2026-06 is another"), std::string::npos);
    EXPECT_EQ(desk.desk.documents().size(), 1U) << "the first is as it was approved";
    EXPECT_FALSE(desk.desk.prepare(june, drafts)) << "approved, and the same";
    auto other = taxed;
    other.back().lines.back().exact += ledger::Micro{10'000};
    EXPECT_FALSE(desk.desk.prepare(june, other)) << "other figures than those of the tax";

    desk.prepare(june, taxed);
    EXPECT_NE(desk.issue(june, taxed).find("wait for approval"), std::string::npos);
    desk.approve(june);
    EXPECT_EQ(desk.issue(june, taxed), "");
    ASSERT_EQ(desk.desk.documents().size(), taxed.size()) << "none twice, none left out";
    for (std::size_t place = 0; place < taxed.size(); ++place)
        EXPECT_EQ(desk.desk.documents()[place]->document.total, taxed[place].total);
    EXPECT_TRUE(desk.desk.is_issued(june));
    EXPECT_TRUE(desk.read_again().is_issued(june));
    EXPECT_FALSE(desk.desk.prepare(june, drafts));
}

TEST_F(WorkedMonth, KeepsWhatIsIssuedWhereTheRestIsTurnedDown)
{
    desk.prepare(june, drafts);
    desk.approve(june);
    const auto taxed = taxed_anew(drafts);
    EXPECT_NE(desk.issue(june, taxed), "");
    desk.prepare(june, taxed);
    const auto proposal = desk.desk.drafts_of(june)->proposal.value();
    desk.record(
        "proposal_rejected", fmt::format(R"({{"proposal":{},"reason":"no"}})", proposal), "bob");
    const std::vector<Document> without{taxed.begin() + 1, taxed.end()};
    EXPECT_FALSE(desk.desk.prepare(june, without)) << "what is issued is among them";
    desk.issue_all(june, taxed);
    EXPECT_EQ(desk.desk.documents().size(), taxed.size());
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
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(june)->payments.find(partner("GRO"))->second.net, Minor{403})
        << "what was credited is counted once";
    EXPECT_EQ(desk.settle(june, partner("GRO"), 403), "");
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    auto unknown = credit;
    unknown.corrects->number = "INV-2026-999999";
    EXPECT_FALSE(desk.desk.issue_credit(unknown, desk.issue_terms()));
}

TEST_F(WorkedMonth, WhatIsCreditedIsBilledToNobodyAgain)
{
    desk.issue_all(june, drafts);
    const auto credit = [&](std::string_view number) {
        const auto made =
            full_credit_of(desk.desk.find(number)->document, desk.issue_terms().today);
        const auto entry = desk.desk.issue_credit(made, desk.issue_terms());
        if (entry) desk.record(*entry);
        return entry.has_value();
    };
    ASSERT_TRUE(credit("INV-2026-000001"));
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{
            {"ar:GRO", "-5.430000"},
            {"write_off", "4.488000"},
            {"vat:output", "0.940000"},
            {"rounding", "0.002000"}}));
    ASSERT_TRUE(credit("PS-2026-000001"));
    EXPECT_EQ(desk.lines_of_last(), (Lines{{"ap:CHA", "1.000000"}, {"write_off", "-1.000000"}}));
    EXPECT_EQ(desk.desk.find("PS-2026-000001")->open(), Minor{});
    EXPECT_EQ(desk.desk.find("PS-2026-000002")->open(), Minor{}) << "set off";
    EXPECT_FALSE(credit("PS-2026-000001")) << "twice";
    EXPECT_FALSE(credit("PS-2026-000002")) << "a correction";
    ASSERT_TRUE(credit("CN-2026-000001"));
    EXPECT_EQ(desk.desk.find("CN-2026-000001")->open(), Minor{});
    EXPECT_EQ(desk.desk.documents().back()->document.kind, DocumentKind::invoice);
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(june)->payments.count(partner("CHA")), 0U);
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

/// A day's statement with these rows, by what they name and how much.
BankStatement statement_of(
    std::int64_t number, std::vector<std::pair<std::string, std::int64_t>> rows)
{
    const auto day = *ledger::parse_day("2026-07-14");
    BankStatement statement{
        .account = "NL91ABNA0417164300",
        .currency = *ledger::find_currency("EUR"),
        .id = fmt::format("S{}", number),
        .electronic_sequence = number,
        .opening = {.amount = Minor{100'000}, .day = day},
        .closing = {.amount = Minor{100'000}, .day = day}};
    for (const auto& [name, amount] : rows) {
        const auto entry = static_cast<std::int32_t>(statement.rows.size()) + 1;
        statement.rows.push_back(
            {.entry = entry,
             .amount = Minor{amount},
             .booked_on = day,
             .value_on = day,
             .servicer_reference = fmt::format("R{}-{}", number, entry),
             .remittance = name});
        statement.closing.amount += Minor{amount};
    }
    return statement;
}

TEST_F(WorkedMonth, IsSettledByTheBanksStatement)
{
    desk.issue_all(june, drafts);
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    const auto first = statement_of(1, {{"PH-2026-06-GRO thank you", 138}, {"coffee", -300}});
    desk.record(desk.desk.import_statement(first).value().value());
    EXPECT_EQ(desk.desk.import_statement(first).value(), std::nullopt) << "all of it is known";
    auto other = first;
    other.rows[0].amount = Minor{139};
    other.closing.amount += Minor{1};
    EXPECT_FALSE(desk.desk.import_statement(other)) << "another content";

    // Two cents short: what is not worth a letter.
    const auto before = desk.balances;
    const auto found = desk.desk.find_matches(
        {}, {.tolerance = Minor{5}, .write_off_account = "write_off"}, desk.terms(), 0);
    ASSERT_EQ(found.matches.size(), 1U);
    desk.record(desk.desk.book_match(found.matches[0], desk.terms()).value());
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{
            {"ap:GRO", "4.030000"},
            {"cash:operating", "1.380000"},
            {"write_off", "0.020000"},
            {"ar:GRO", "-5.430000"}}));
    EXPECT_TRUE(desk.desk.net_of(june)->are_pay_ins_settled());
    EXPECT_EQ(desk.desk.open_rows(), (std::map<BankRowNumber, Minor>{{2, Minor{-300}}}));
    EXPECT_FALSE(desk.desk.book_match(found.matches[0], desk.terms())) << "twice";

    const auto entry = desk.desk.matches().begin()->first;
    EXPECT_FALSE(desk.desk.reverse_match(entry, "", desk.terms()));
    desk.record(desk.desk.reverse_match(entry, "the wrong coalition", desk.terms()).value());
    EXPECT_FALSE(desk.desk.reverse_match(entry, "again", desk.terms()));
    EXPECT_EQ(desk.desk.open_rows().size(), 2U);
    EXPECT_FALSE(desk.desk.net_of(june)->are_pay_ins_settled());
    EXPECT_EQ(
        desk.balances["ar:GRO"] + desk.balances["ap:GRO"],
        before.at("ar:GRO") + before.at("ap:GRO"));
    EXPECT_EQ(desk.balances["write_off"], 0);

    desk.record(desk.desk.book_match(found.matches[0], desk.terms()).value());
    EXPECT_EQ(desk.balances.at("ar:GRO"), 0);
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    EXPECT_EQ(desk.read_again().open_rows(), desk.desk.open_rows());
    EXPECT_EQ(desk.read_again().matches(), desk.desk.matches());
}

TEST_F(WorkedMonth, APermissionIsGivenByAnotherAndServesOnce)
{
    desk.record(
        "proposal_made",
        R"({"what":"settlement_act","summary":"x","content":{"act":"pay out 2026-06"}})");
    EXPECT_EQ(desk.desk.find_permission("pay out 2026-07"), nullptr);
    ASSERT_NE(desk.desk.find_permission("pay out 2026-06"), nullptr);
    EXPECT_FALSE(desk.desk.find_permission("pay out 2026-06")->is_given);
    desk.record("settlement_act_approved", R"({"proposal":1})", "bob");
    EXPECT_TRUE(desk.desk.find_permission("pay out 2026-06")->is_given);
    desk.record("trust_released", R"({"lines_micro":{},"permitted_by":1})");
    EXPECT_EQ(desk.desk.find_permission("pay out 2026-06"), nullptr);
}

TEST_F(WorkedMonth, AnEstimateIsTakenBackUntilItsWindowIsClosed)
{
    const auto issuer = partner("GRO");
    const auto estimated = [&](const char* day, std::int32_t rate) {
        return desk.desk.estimate(
            {.issuer = issuer,
             .as_of = *ledger::parse_day(day),
             .redemption_rate_millionths = rate,
             .reason = {}},
            desk.terms());
    };
    const auto withdrawn = [&](std::int32_t version, std::string_view reason) {
        return desk.desk.withdraw_estimate(
            {.issuer = issuer, .version = version, .reason = {}},
            reason,
            *ledger::parse_time("2026-07-01T00:00:00Z"));
    };
    desk.record(estimated("2026-06-30", 880'000).value());
    desk.record(estimated("2190-06-30", 870'000).value());
    EXPECT_FALSE(estimated("2026-07-31", 870'000)) << "the far one stands in the way";
    EXPECT_FALSE(withdrawn(1, "it is not the newest"));
    EXPECT_FALSE(withdrawn(2, ""));
    desk.record(withdrawn(2, "a wrong year").value());
    EXPECT_FALSE(withdrawn(2, "twice"));
    desk.record(estimated("2026-07-31", 870'000).value());
    const auto again = desk.read_again();
    ASSERT_EQ(again.estimates().size(), 3U);
    EXPECT_EQ(again.estimates()[1].reason, "a wrong year");
    EXPECT_EQ(again.estimates()[2].version, 3) << "a number is given once";
}

TEST_F(WorkedMonth, ACalendarByWhichADocumentIsDueIsNotTakenBack)
{
    desk.record(desk.desk.calendar().set({.from = {2026, 6}, .payment_days = 30}, {}).value());
    desk.record(desk.desk.calendar().set({.from = {2026, 8}, .payment_days = 60}, {}).value());
    desk.issue_all(june, drafts);
    EXPECT_FALSE(desk.desk.withdraw_calendar({2026, 6}, "too late"));
    desk.record(desk.desk.withdraw_calendar({2026, 8}, "not agreed").value());
    EXPECT_EQ(desk.read_again().calendar().terms_of({2026, 9}).payment_days, 30);
}

struct Disputes : WorkedMonth {
    Disputes() { desk.issue_all(june, drafts); }

    /// The reason why not; empty: it is open.
    std::string open(std::string_view document, std::int64_t net, std::size_t line = 1)
    {
        const auto entry = desk.desk.open_dispute(
            {.document = std::string{document},
             .line = line,
             .net = Minor{net},
             .reason = "QTY",
             .evidence = "our till"},
            today);
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        return {};
    }
    std::string decide(std::string_view id, std::int64_t agreed)
    {
        const auto entry =
            desk.desk.decide_dispute(id, Minor{agreed}, "as agreed", desk.issue_terms());
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        return {};
    }

    ledger::Day today = *ledger::parse_day("2026-07-02");
    std::string invoice = "INV-2026-000001"; // GRO: price 4.08, fee 0.41, VAT 0.94
};

TEST_F(Disputes, HoldBackOnlyWhatIsContested)
{
    EXPECT_EQ(open(invoice, 100), "");
    EXPECT_EQ(desk.desk.find(invoice)->disputed, Minor{121});
    EXPECT_EQ(desk.desk.find(invoice)->open(), Minor{543 - 121});
    EXPECT_EQ(open(invoice, 309), "line 1 of INV-2026-000001 has 3.08 left to dispute");
    EXPECT_EQ(open(invoice, 308), "") << "a supplementary one for what was forgotten";
    EXPECT_NE(open(invoice, 1), "") << "no amount is contested twice";
    EXPECT_NE(open(invoice, 1, 3), "") << "no such line";
    EXPECT_NE(open(invoice, 0, 2), "");
    EXPECT_NE(open("INV-2026-999999", 1), "");
    EXPECT_NE(open("CN-2026-000001", 1), "");

    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_EQ(
        desk.desk.net_of(june)->payments.find(partner("GRO"))->second.net,
        Minor{403 - (543 - desk.desk.find(invoice)->disputed.count)});
}

TEST_F(Disputes, WhatWasHeldBackIsInTheNextNet)
{
    ASSERT_EQ(open(invoice, 100), "");
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    ASSERT_EQ(desk.settle(june, partner("GRO"), 403 - (543 - 121)), "");
    EXPECT_EQ(desk.balances.at("ar:GRO"), 1'210'000);
    ASSERT_EQ(open(invoice, 50), "") << "too late to hold anything back";
    EXPECT_EQ(desk.desk.disputes().at("D-000002").held, Minor{});
    ASSERT_EQ(decide("D-000001", 50), "");
    EXPECT_EQ(desk.desk.find(invoice)->open(), Minor{60});
    ASSERT_EQ(decide("D-000002", 50), "");
    EXPECT_EQ(desk.desk.find(invoice)->open(), Minor{60}) << "0.61 does not fit: it stands alone";
    EXPECT_EQ(desk.desk.documents().back()->open(), Minor{-61});

    constexpr ledger::Month july{2026, 7};
    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(july)->payments.find(partner("GRO"))->second.net, Minor{1});
    const auto again = desk.read_again();
    for (const auto& [window, held_back, effect] :
         {std::tuple{june, 121, -422}, std::tuple{july, 0, -60}}) {
        const auto rows = again.settled_documents(window);
        const auto row = std::ranges::find(rows, invoice, &SettledDocument::number);
        ASSERT_NE(row, rows.end());
        EXPECT_EQ(row->gross, Minor{543});
        EXPECT_EQ(row->held_back, Minor{held_back}) << "in the second net nothing is held back";
        EXPECT_EQ(row->effect, Minor{effect});
    }
    ASSERT_EQ(desk.settle(july, partner("GRO"), 1), "");
    EXPECT_EQ(desk.balances.at("ar:GRO"), 0);
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    EXPECT_EQ(desk.desk.documents_of(june).size(), drafts.size()) << "corrections are of July";
}

TEST_F(Disputes, EndInOneDocumentOfWhatIsAgreed)
{
    ASSERT_EQ(open(invoice, 100), "");
    EXPECT_NE(decide("D-000001", 101), "");
    EXPECT_NE(decide("D-000002", 1), "");
    const auto before = desk.desk.documents().size();
    ASSERT_EQ(decide("D-000001", 50), "");
    ASSERT_EQ(desk.desk.documents().size(), before + 1);
    const Document& credit = desk.desk.documents().back()->document;
    EXPECT_EQ(credit.net, Minor{50});
    EXPECT_EQ(credit.tax, Minor{11}) << "at the original's rate";
    EXPECT_EQ(credit.corrects->number, invoice);
    EXPECT_EQ(desk.desk.find(invoice)->disputed, Minor{});
    EXPECT_EQ(desk.desk.find(invoice)->credited, Minor{61});
    EXPECT_EQ(desk.desk.disputes().at("D-000001").credit, credit.number);
    EXPECT_NE(decide("D-000001", 50), "") << "once";
    EXPECT_EQ(open(invoice, 309).empty(), false);
    EXPECT_EQ(desk.read_again().disputes().at("D-000001").agreed, Minor{50});

    ASSERT_EQ(open(invoice, 308), "");
    ASSERT_EQ(decide("D-000002", 0), "");
    EXPECT_EQ(desk.desk.documents().size(), before + 1) << "nothing is agreed, nothing is credited";
    EXPECT_EQ(desk.desk.find(invoice)->disputed, Minor{});
}

TEST_F(Disputes, RunTheirStagesAndWhoIsSilentLoses)
{
    ASSERT_EQ(open(invoice, 100), "");
    const std::string id = "D-000001";
    EXPECT_TRUE(desk.desk.overdue_disputes(today + days_to_answer).empty()) << "the last day";
    EXPECT_EQ(desk.desk.overdue_disputes(today + days_to_answer + 1), std::vector<std::string>{id});
    EXPECT_EQ(desk.desk.disputes().at(id).default_agreement(), Minor{100})
        << "the house was silent";
    EXPECT_FALSE(desk.desk.escalate_dispute(id, "", today)) << "nothing was answered yet";
    EXPECT_FALSE(desk.desk.answer_dispute(id, "", today)) << "no reason";
    desk.record(desk.desk.answer_dispute(id, "the journal has them", today + 3).value());
    EXPECT_FALSE(desk.desk.answer_dispute(id, "again", today + 3));
    EXPECT_EQ(desk.desk.disputes().at(id).default_agreement(), Minor{}) << "the partner is silent";
    desk.record(desk.desk.escalate_dispute(id, "look again", today + 5).value());
    EXPECT_EQ(desk.desk.disputes().at(id).act_by, today + 5 + days_to_decide);
    EXPECT_EQ(desk.desk.disputes().at(id).default_agreement(), Minor{100});
    ASSERT_EQ(decide(id, 100), "");
    EXPECT_TRUE(desk.desk.overdue_disputes(today + 1'000).empty());
}

TEST_F(Disputes, AreNotMovedAfterTheLastDay)
{
    ASSERT_EQ(open(invoice, 100), "");
    const std::string id = "D-000001";
    const auto last = today + days_to_answer;
    EXPECT_EQ(
        desk.desk.answer_dispute(id, "too late", last + 1).error().reason,
        "the last day to act on D-000001 was 2026-07-16: it ends with all of it agreed");
    desk.record(desk.desk.answer_dispute(id, "in time", last).value());
    const auto end = last + days_to_escalate;
    EXPECT_FALSE(desk.desk.escalate_dispute(id, "too late", end + 1));
    EXPECT_TRUE(desk.desk.escalate_dispute(id, "in time", end));
}

TEST_F(Disputes, KeepWhatAPartnersMessageWasAnsweredWith)
{
    const auto sent = [&](std::string_view message_id) {
        return Dispute{
            .document = invoice,
            .line = 1,
            .net = Minor{100},
            .reason = "QTY",
            .evidence = "our till",
            .message_id = std::string{message_id}};
    };
    const auto partner = desk.desk.find(invoice)->document.partner;
    EXPECT_EQ(desk.desk.find_dispute_message(partner, "d-1"), nullptr);
    desk.record(desk.desk.open_dispute(sent("d-1"), today).value());
    desk.record(desk.desk.answer_dispute("D-000001", "no", today + 1).value());
    desk.record(desk.desk.escalate_dispute("D-000001", "but", today + 2, "d-2").value());
    ASSERT_EQ(decide("D-000001", 100), "");
    // An operator's has no message id, and a message id is the partner's own.
    ASSERT_EQ(open(invoice, 1), "");
    EXPECT_EQ(desk.desk.find_dispute_message(partner, ""), nullptr);
    EXPECT_EQ(desk.desk.find_dispute_message(ledger::PartnerId{99}, "d-1"), nullptr);

    const auto again = desk.read_again();
    for (const Register* one : {static_cast<const Register*>(&desk.desk), &again}) {
        const auto* opened = one->find_dispute_message(partner, "d-1");
        ASSERT_NE(opened, nullptr);
        EXPECT_FALSE(opened->is_escalation);
        EXPECT_EQ(opened->dispute.stage, DisputeStage::opened) << "as it was then";
        EXPECT_EQ(opened->dispute.act_by, today + days_to_answer);
        const auto* escalated = one->find_dispute_message(partner, "d-2");
        ASSERT_NE(escalated, nullptr);
        EXPECT_TRUE(escalated->is_escalation);
        EXPECT_EQ(escalated->dispute.stage, DisputeStage::escalated);
        EXPECT_EQ(escalated->dispute.words, "but");
        EXPECT_EQ(escalated->dispute.message_id, "d-1");
    }
}

TEST_F(WorkedMonth, WhatTheRegistryDoesUsesAPermissionUp)
{
    desk.record(
        "proposal_made",
        R"({"what":"settlement_act","summary":"close","content":{"act":"close 2026-06"}})");
    const auto* const asked = desk.desk.find_permission("close 2026-06");
    ASSERT_NE(asked, nullptr);
    const auto proposal = asked->proposal.value();
    desk.record("window_closed", R"({"window":"2026-05","cut":1})");
    EXPECT_NE(desk.desk.find_permission("close 2026-06"), nullptr) << "that was another window";
    desk.record(
        "window_closed",
        R"({"window":"2026-06","cut":2,"permitted_by":)" + std::to_string(proposal) + "}");
    EXPECT_EQ(desk.desk.find_permission("close 2026-06"), nullptr);
}

TEST_F(WorkedMonth, AReturnedPayOutIsOpenAgain)
{
    desk.issue_all(june, drafts);
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    auto paid = statement_of(1, {{"x", -278}});
    paid.rows[0].end_to_end_id = "PH-2026-06-BOE";
    desk.record(desk.desk.import_statement(paid).value().value());
    for (const auto& match : desk.desk.find_matches({}, {}, desk.terms(), 0).matches)
        desk.record(desk.desk.book_match(match, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(june)->payments.find(partner("BOE"))->second.settled, Minor{278});

    auto back = statement_of(2, {{"x", 278}});
    back.opening.amount = paid.closing.amount;
    back.closing.amount = back.opening.amount + Minor{278};
    back.rows[0].end_to_end_id = "PH-2026-06-BOE";
    back.rows[0].return_reason = "AC04";
    desk.record(desk.desk.import_statement(back).value().value());
    for (const auto& match : desk.desk.find_matches({}, {}, desk.terms(), 0).matches)
        desk.record(desk.desk.book_match(match, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(june)->payments.find(partner("BOE"))->second.settled, Minor{});
    EXPECT_EQ(desk.balances.at("ap:BOE") + desk.balances.at("ar:BOE"), -2'780'000);
    EXPECT_EQ(desk.balances.at("cash:operating"), 0);
}

TEST_F(WorkedMonth, AnAnswerComesOnceAndWithAReason)
{
    desk.issue_all(june, drafts);
    const std::string number = "INV-2026-000001";
    const ledger::Day today = desk.issue_terms().today;
    EXPECT_FALSE(desk.desk.mark_sent("INV-2026-777777", "x"));
    desk.record(desk.desk.mark_sent(number, "x").value());
    EXPECT_FALSE(desk.desk.mark_sent(number, "x"));
    EXPECT_FALSE(desk.desk.take_answer(
        {.number = number, .state = DocumentState::queried, .reason = ""}, today));
    EXPECT_FALSE(desk.desk.take_answer(
        {.number = number, .state = DocumentState::sent, .reason = "no answer"}, today));
    desk.record(
        desk.desk
            .take_answer(
                {.number = number, .state = DocumentState::queried, .reason = "which points?"},
                today)
            .value());
    EXPECT_EQ(desk.desk.find(number)->reason, "which points?");
    desk.record(
        desk.desk
            .take_answer({.number = number, .state = DocumentState::accepted, .reason = ""}, today)
            .value());
    EXPECT_FALSE(desk.desk.take_answer(
        {.number = number, .state = DocumentState::rejected, .reason = "late"}, today));
}

TEST_F(WorkedMonth, ADocumentIsPaidOrCreditedAtLast)
{
    desk.issue_all(june, drafts);
    const auto standing = [&](std::string_view number) {
        const Register again = desk.read_again();
        return name_of(again.standing_of(*again.find(number)));
    };
    desk.record(desk.desk.mark_sent("INV-2026-000001", "x").value());
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_EQ(standing("INV-2026-000001"), "sent") << "a net is no payment";
    EXPECT_EQ(desk.settle(june, partner("GRO"), -139), "");
    EXPECT_EQ(standing("INV-2026-000001"), "sent") << "a cent is missing";
    EXPECT_EQ(desk.settle(june, partner("GRO"), -1), "");
    EXPECT_EQ(standing("INV-2026-000001"), "paid");
    EXPECT_EQ(standing("SB-GRO-2026-000001"), "paid") << "offset in the same net";
    EXPECT_EQ(standing("INV-2026-000002"), "issued") << "of another partner";

    const auto credit =
        full_credit_of(desk.desk.find("INV-2026-000001")->document, desk.issue_terms().today);
    desk.record(desk.desk.issue_credit(credit, desk.issue_terms()).value());
    EXPECT_EQ(standing("INV-2026-000001"), "credited");
    EXPECT_EQ(standing("CN-2026-000002"), "issued") << "it is owed to the partner now";
    EXPECT_EQ(find_document_state("paid"), std::nullopt) << "nobody says so";
}

TEST_F(Disputes, APartThatIsHeldBackIsNotPaid)
{
    ASSERT_EQ(open(invoice, 100), "");
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    ASSERT_EQ(desk.settle(june, partner("GRO"), 403 - (543 - 121)), "");
    const auto standing = [&] { return desk.desk.standing_of(*desk.desk.find(invoice)); };
    EXPECT_EQ(standing(), DocumentState::issued);
    ASSERT_EQ(decide("D-000001", 50), "");
    EXPECT_EQ(standing(), DocumentState::issued) << "0.60 are owed";
    constexpr ledger::Month july{2026, 7};
    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    ASSERT_EQ(desk.settle(july, partner("GRO"), -60), "");
    EXPECT_EQ(standing(), DocumentState::paid);
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
