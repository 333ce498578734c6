#include "gateway/request_record.hpp"

#include <string>

#include <gtest/gtest.h>

// What came of operators' requests, read from entries of the house's record.

namespace pointhouse::gateway {
namespace {

ledger::HouseEntry entry(std::uint64_t sequence, std::string kind, std::string content)
{
    return {
        .sequence = ledger::HouseSequence{sequence},
        .kind = std::move(kind),
        .content = std::move(content)};
}

const std::string of_request = R"("request":{"id":"a-1","digest":"d1"}})";

TEST(RequestRecord, WhatCameOfNoRequestIsPassedOver)
{
    RequestRecord record;
    record.apply(entry(1, "net_paid", R"({"window":"2026-06"})"));
    record.apply(entry(2, "document_sent", R"({"to":"\"request\":{\"id\":\"a-1\"}"})"));
    record.apply(entry(3, "document_sent", R"({"to":{"request":{"id":"a-1","digest":"d"}}})"));
    EXPECT_EQ(record.find("a-1"), nullptr);
}

TEST(RequestRecord, AnActAndItsAnswer)
{
    RequestRecord record;
    record.apply(entry(1, "net_paid", R"({"window":"2026-06",)" + of_request));
    ASSERT_NE(record.find("a-1"), nullptr);
    EXPECT_EQ(record.find("a-1")->digest, "d1");
    EXPECT_FALSE(record.find("a-1")->is_answered);
    record.apply(
        entry(2, "request_answered", R"({"command":"settle paid","answer":"{}",)" + of_request));
    EXPECT_TRUE(record.find("a-1")->is_answered);
    EXPECT_EQ(record.find("a-1")->answer, "{}");
    EXPECT_EQ(record.find("a-2"), nullptr);
}

TEST(RequestRecord, AnAnswerThatIsMadeAgain)
{
    RequestRecord record;
    record.apply(entry(1, "request_answered", R"({"command":"settle invoices",)" + of_request));
    EXPECT_TRUE(record.find("a-1")->is_answered);
    EXPECT_FALSE(record.find("a-1")->answer);
}

TEST(RequestRecord, AProposalAndAPermission)
{
    RequestRecord record;
    record.apply(entry(7, "proposal_made", R"({"what":"documents",)" + of_request));
    EXPECT_EQ(record.find("a-1")->prepared, ledger::HouseSequence{7});
    EXPECT_FALSE(record.find("a-1")->is_permission);
    record.apply(entry(8, "proposal_made", R"({"what":"settlement_act",)" + of_request));
    EXPECT_EQ(record.find("a-1")->prepared, ledger::HouseSequence{8});
    EXPECT_TRUE(record.find("a-1")->is_permission);
    record.apply(
        entry(9, "request_joined", R"({"waits_for":4,"is_permission":false,)" + of_request));
    EXPECT_EQ(record.find("a-1")->prepared, ledger::HouseSequence{4});
    EXPECT_FALSE(record.find("a-1")->is_permission);
}

TEST(RequestRecord, AnApprovalWhoseAnswerWasLost)
{
    RequestRecord record;
    record.apply(entry(3, "documents_approved", R"({"proposal":2,)" + of_request));
    EXPECT_EQ(record.find("a-1")->approved, ledger::HouseSequence{2});
    EXPECT_FALSE(record.find("a-1")->is_answered);
}

} // namespace
} // namespace pointhouse::gateway
