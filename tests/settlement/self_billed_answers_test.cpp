#include <algorithm>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "desk.hpp"
#include "settlement/close_checklist.hpp"
#include "settlement/document_json.hpp"

// What redemption partners say of the documents that the house writes in their names.

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

struct SelfBilled : WorkedMonth {
    SelfBilled()
    {
        for (Document& draft : drafts)
            if (is_self_billed(draft.kind)) draft.objection_days = 14;
        desk.issue_all(june, drafts);
    }

    std::string answer(DocumentState state, ledger::Day day, std::string reason = "")
    {
        return act(desk.desk.take_answer(
            {.number = self_billed, .state = state, .reason = std::move(reason)}, day));
    }
    std::string contest(
        std::int64_t net, Billed billed, ledger::Day day, std::string_view document = {})
    {
        return act(desk.desk.open_dispute(
            {.document = std::string{document.empty() ? self_billed : document},
             .line = 1,
             .billed = billed,
             .net = Minor{net},
             .reason = "QTY",
             .evidence = "our till"},
            day));
    }
    std::string decide(std::string_view id, std::int64_t agreed)
    {
        return act(desk.desk.decide_dispute(id, Minor{agreed}, "as agreed", desk.issue_terms()));
    }
    void lapse(ledger::Day day)
    {
        for (const auto& entry : desk.desk.count_as_accepted(day)) desk.record(entry);
    }
    std::string_view said() { return desk.desk.find(self_billed)->answer(); }

    std::string self_billed = "SB-GRO-2026-000001"; // 3.33, VAT 0.70, one line
    ledger::Day last = *ledger::parse_day("2026-07-15");

private:
    std::string act(const Registered<NewEntry>& entry)
    {
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        return {};
    }
};

TEST_F(SelfBilled, SayUntilWhenTheirSellerMayObject)
{
    const Document& document = desk.desk.find(self_billed)->document;
    EXPECT_EQ(document.object_by(), last);
    EXPECT_EQ(desk.desk.find("INV-2026-000001")->document.object_by(), std::nullopt);
    const auto text = document_json(document);
    EXPECT_NE(text.find(R"("objection_days":14,"object_by":"2026-07-15")"), std::string::npos);
    EXPECT_EQ(document_from_json(text), document);
    EXPECT_NE(document_csv(document).find(",2026-07-15\r\n"), std::string::npos);
}

TEST_F(SelfBilled, CountAsAcceptedOnceThePeriodIsOver)
{
    EXPECT_TRUE(desk.desk.count_as_accepted(last).empty()) << "the last day";
    lapse(last + 1);
    EXPECT_EQ(said(), "lapsed");
    EXPECT_EQ(desk.desk.standing_of(*desk.desk.find(self_billed)), DocumentState::accepted);
    EXPECT_EQ(desk.desk.find("INV-2026-000001")->answer(), "") << "an invoice waits for ever";
    EXPECT_TRUE(desk.desk.count_as_accepted(last + 100).empty()) << "once";
    const auto again = desk.read_again();
    EXPECT_EQ(again.find(self_billed)->answer(), "lapsed");
    EXPECT_NE(answer(DocumentState::queried, last + 1, "why?"), "");
    EXPECT_NE(contest(1, Billed::too_much, last + 1), "");
}

TEST_F(SelfBilled, ThatNobodySentAreStillToBeSentWhenTheyLapse)
{
    EXPECT_TRUE(desk.desk.find(self_billed)->waits_to_be_sent());
    lapse(last + 1);
    EXPECT_TRUE(desk.desk.find(self_billed)->waits_to_be_sent());
    desk.record(desk.desk.mark_sent(self_billed, "x").value());
    EXPECT_FALSE(desk.desk.find(self_billed)->waits_to_be_sent());
    EXPECT_EQ(said(), "lapsed") << "what it was is kept";
    EXPECT_FALSE(desk.desk.mark_sent(self_billed, "x")) << "once";
}

TEST_F(SelfBilled, AreNotObjectedToTooLateEvenIfNobodyLooked)
{
    const std::string late = "the last day to object to SB-GRO-2026-000001 was 2026-07-15";
    EXPECT_EQ(answer(DocumentState::rejected, last + 1, "no"), late);
    EXPECT_EQ(answer(DocumentState::accepted, last + 1), late);
    EXPECT_EQ(contest(1, Billed::too_little, last + 1), late);
    EXPECT_EQ(answer(DocumentState::queried, last, "which points?"), "");
    EXPECT_EQ(desk.desk.count_as_accepted(last + 1).size(), 1U) << "BOE's: here is an answer";
    EXPECT_EQ(answer(DocumentState::rejected, last + 1, "no"), late);
    EXPECT_EQ(answer(DocumentState::accepted, last + 1), "") << "the query is settled";
}

TEST_F(SelfBilled, RejectedStaySo)
{
    EXPECT_EQ(answer(DocumentState::queried, last, "which points?"), "");
    EXPECT_EQ(answer(DocumentState::queried, last, "and which day?"), "") << "the last one counts";
    EXPECT_EQ(answer(DocumentState::rejected, last, "not ours"), "");
    const std::string stays = self_billed + " is rejected already";
    EXPECT_EQ(answer(DocumentState::queried, last, "or is it?"), stays);
    EXPECT_EQ(answer(DocumentState::accepted, last), stays);
    EXPECT_EQ(said(), "rejected");
}

TEST_F(SelfBilled, AcceptedAreNotContested)
{
    EXPECT_EQ(answer(DocumentState::accepted, last), "");
    EXPECT_EQ(said(), "accepted");
    EXPECT_EQ(contest(1, Billed::too_much, last), self_billed + " is accepted already");
    EXPECT_EQ(desk.desk.count_as_accepted(last + 1).size(), 1U) << "BOE's alone";
}

TEST_F(SelfBilled, BillingTooMuchHoldsThatPartBackAndEndsInOneCreditNote)
{
    ASSERT_EQ(contest(100, Billed::too_much, last), "");
    EXPECT_EQ(desk.desk.find(self_billed)->disputed, Minor{121});
    EXPECT_EQ(desk.desk.find(self_billed)->open(), Minor{-403 + 121});
    EXPECT_TRUE(std::ranges::none_of(desk.desk.count_as_accepted(last + 1), [&](const auto& entry) {
        return entry.content.find(self_billed) != std::string::npos;
    })) << "it is contested";
    EXPECT_NE(contest(234, Billed::too_much, last), "") << "2.33 are left";

    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_EQ(
        desk.desk.net_of(june)->payments.find(partner("GRO"))->second.net, Minor{403 - 121 - 543});

    ASSERT_EQ(decide("D-000001", 50), "");
    const Document& credit = desk.desk.documents().back()->document;
    EXPECT_EQ(credit.kind, DocumentKind::self_billed_credit_note);
    EXPECT_EQ(credit.number, "SC-GRO-2026-000001");
    EXPECT_EQ(credit.net, Minor{50});
    EXPECT_EQ(credit.tax, Minor{11});
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"ap:GRO", "0.610000"}, {"vat:input", "-0.110000"}, {"write_off", "-0.500000"}}));
    EXPECT_EQ(desk.desk.find(self_billed)->open(), Minor{-60}) << "the rest of what was held back";
    lapse(last + 1);
    EXPECT_EQ(said(), "lapsed") << "nothing is contested any more";
    EXPECT_NE(
        contest(1, Billed::too_much, last, credit.number).find("a line of " + self_billed),
        std::string::npos);
}

TEST_F(SelfBilled, BillingTooLittleEndsInAFurtherInvoice)
{
    ASSERT_EQ(contest(200, Billed::too_little, last), "");
    EXPECT_EQ(desk.desk.find(self_billed)->disputed, Minor{}) << "what is billed is not contested";
    EXPECT_EQ(
        contest(134, Billed::too_little, last),
        "line 1 of " + self_billed + " has 1.33 left to dispute");
    ASSERT_EQ(contest(333, Billed::too_much, last), "") << "the other way it is another question";
    ASSERT_EQ(decide("D-000001", 150), "");
    const Document further = desk.desk.documents().back()->document;
    EXPECT_EQ(further.kind, DocumentKind::self_billed_invoice);
    EXPECT_EQ(further.number, "SB-GRO-2026-000002");
    EXPECT_EQ(further.net, Minor{150});
    EXPECT_EQ(further.tax, Minor{32}) << "0.315";
    EXPECT_EQ(further.corrects->number, self_billed);
    EXPECT_EQ(further.object_by(), last) << "issued on 1 July";
    EXPECT_EQ(desk.desk.documents().back()->open(), Minor{-182});
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"ap:GRO", "-1.820000"}, {"vat:input", "0.320000"}, {"write_off", "1.500000"}}));
    const auto* original = desk.desk.find(self_billed);
    EXPECT_EQ(original->credited, Minor{});
    EXPECT_TRUE(desk.desk.corrections_of(self_billed).empty()) << "it takes nothing back";
    EXPECT_EQ(desk.desk.disputes().at("D-000001").credit, further.number);

    // All of the original may still be credited.
    ASSERT_EQ(decide("D-000002", 333), "");
    EXPECT_EQ(desk.desk.standing_of(*desk.desk.find(self_billed)), DocumentState::credited);
    EXPECT_EQ(desk.read_again().disputes().at("D-000001").billed, Billed::too_little);
    const auto entry = desk.desk.issue_credit(
        full_credit_of(further, desk.issue_terms().today), desk.issue_terms());
    EXPECT_FALSE(entry) << "a correction is not corrected";
}

TEST_F(SelfBilled, AreTheOnlyOnesThatBillTooLittle)
{
    EXPECT_NE(contest(1, Billed::too_little, last, "INV-2026-000001"), "");
    EXPECT_EQ(contest(1, Billed::too_much, last, "INV-2026-000001"), "");
}

TEST_F(SelfBilled, StandOnTheChecklist)
{
    const auto check = [&] {
        const auto list = close_checklist(desk.desk, june, {}, {}, {.code = "EUR"});
        const auto found = std::ranges::find(list.checks, "self_billed", &CloseCheck::name);
        EXPECT_NE(found, list.checks.end());
        EXPECT_FALSE(found->blocks);
        return *found;
    };
    EXPECT_FALSE(check().is_done);
    EXPECT_EQ(answer(DocumentState::accepted, last), "");
    lapse(last + 1);
    EXPECT_TRUE(check().is_done);
    const decltype(CloseCheck::figures) figures{
        {"documents", std::int64_t{2}},
        {"accepted", std::int64_t{1}},
        {"lapsed", std::int64_t{1}},
        {"queried", std::int64_t{0}},
        {"rejected", std::int64_t{0}},
        {"not_answered", std::int64_t{0}}};
    EXPECT_EQ(check().figures, figures);
}

TEST_F(WorkedMonth, WhatIsOlderThanPeriodsToObjectIsCheckedAsItWas)
{
    desk.issue_all(june, drafts);
    const auto list = close_checklist(desk.desk, june, {}, {}, {.code = "EUR"});
    EXPECT_EQ(std::ranges::find(list.checks, "self_billed", &CloseCheck::name), list.checks.end());
    EXPECT_TRUE(desk.desk.count_as_accepted(*ledger::parse_day("2036-01-01")).empty());
}

TEST_F(SelfBilled, AMessageIsAnsweredTheSameAgain)
{
    const auto gro = partner("GRO");
    const DocumentAnswer sent{
        .number = self_billed,
        .state = DocumentState::queried,
        .reason = "which points?",
        .message_id = "a-1"};
    EXPECT_EQ(desk.desk.find_answer_message(gro, "a-1"), nullptr);
    desk.record(desk.desk.take_answer(sent, last).value());
    const auto again = desk.read_again();
    ASSERT_NE(again.find_answer_message(gro, "a-1"), nullptr);
    EXPECT_EQ(*again.find_answer_message(gro, "a-1"), sent);
    EXPECT_EQ(again.find_answer_message(partner("BOE"), "a-1"), nullptr);
}

} // namespace
} // namespace pointhouse::settlement
