#include "problems.hpp"

#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "ledger/result.hpp"
#include "openapi.hpp"
#include "pointhouse/v1/answers.pb.h"
#include "wire_house.hpp"

namespace pointhouse::gateway {
namespace {

TEST(Problems, KnowEveryRefusalOfTheLedger)
{
    for (int number = 1; number <= static_cast<int>(ledger::last_refusal); ++number) {
        const auto refusal = static_cast<ledger::Refusal>(number);
        const std::string_view code = code_of(refusal);
        const Problem& problem = problem_of(code);
        const bool is_frozen_status = problem.status == 422 || problem.status == 409;
        // What was frozen is never to be sent again under the same id.
        if (is_frozen(refusal)) {
            EXPECT_TRUE(is_frozen_status) << code;
            EXPECT_NE(problem.retry, Retry::same_id) << code;
        } else {
            EXPECT_TRUE(!is_frozen_status || refusal == ledger::Refusal::message_id_reused) << code;
        }
    }
}

TEST(Problems, AreTheClosedListOfTheContract)
{
    const std::set<std::string> contract{"400 malformed",           "401 certificate_refused",
                                         "403 forbidden",           "404 member_unknown",
                                         "404 message_unknown",     "404 hold_unknown",
                                         "404 document_unknown",    "404 dispute_unknown",
                                         "404 window_unknown",      "404 proposal_unknown",
                                         "404 route_unknown",       "405 method_not_allowed",
                                         "406 not_acceptable",      "409 hold_not_open",
                                         "409 dispute_not_open",    "411 length_required",
                                         "413 too_large",           "415 media_type_unsupported",
                                         "422 dispute_refused",     "422 settlement_refused",
                                         "422 proposal_rejected",   "422 insufficient_points",
                                         "422 message_id_reused",   "422 reversal_exceeds_original",
                                         "422 late_window_closed",  "422 occurred_in_future",
                                         "422 issuer_unfunded",     "422 funding_not_agreed",
                                         "422 role_not_allowed",    "422 member_blocked",
                                         "422 member_closed",       "422 currency_unsupported",
                                         "422 points_out_of_range", "422 limit_exceeded",
                                         "422 identifier_taken",    "422 already_merged",
                                         "429 rate_limited",        "500 internal",
                                         "503 overloaded"};
    std::set<std::string> ours;
    for (const Problem& problem : problems())
        ours.insert(std::to_string(problem.status) + " " + std::string{problem.code});
    EXPECT_EQ(ours, contract);
}

TEST(Problems, AreRfc9457InJson)
{
    std::string text;
    append_problem(text, "malformed", "member: must be \"x\"\n", "m-1");
    EXPECT_EQ(text, golden("problem.json", text));

    const auto body = boost::json::parse(text).as_object();
    EXPECT_EQ(body.at("type"), "urn:pointhouse:problem:malformed");
    EXPECT_EQ(body.at("status"), 400);
    EXPECT_EQ(body.at("detail"), "member: must be \"x\"\n");
    EXPECT_EQ(body.at("retry"), "never");
    EXPECT_EQ(body.at("message_id"), "m-1");
}

TEST(Problems, LeaveOutTheMessageIdThatIsNotKnown)
{
    for (const Problem& problem : problems()) {
        std::string text;
        append_problem(text, problem.code, "why");
        const auto body = boost::json::parse(text).as_object();
        EXPECT_EQ(body.size(), 6U) << text;
        EXPECT_EQ(body.at("code").as_string(), problem.code);
        EXPECT_EQ(body.at("title").as_string(), problem.title);
        EXPECT_EQ(body.at("retry").as_string(), name_of(problem.retry));
    }
}

TEST(Problems, AnswerInTheEncodingOfTheClient)
{
    TestExchange json{RouteId::accruals, "", grocer_caller()};
    json.answer = "left over";
    answer_problem(json, "too_large", "body: is larger than 1 MiB", "m-1");
    EXPECT_EQ(json.status, 413);
    EXPECT_TRUE(json.is_problem);
    EXPECT_EQ(json.answer_body_type, MediaType::json);
    EXPECT_EQ(boost::json::parse(json.answer).at("code"), "too_large");

    TestExchange protobuf{RouteId::accruals, "", grocer_caller()};
    protobuf.in(MediaType::protobuf);
    answer_problem(protobuf, "too_large", "body: is larger than 1 MiB", "m-1");
    EXPECT_EQ(protobuf.status, 413);
    EXPECT_TRUE(protobuf.is_problem);
    EXPECT_EQ(protobuf.answer_body_type, MediaType::protobuf);
    v1::Problem problem;
    ASSERT_TRUE(problem.ParseFromString(protobuf.answer));
    EXPECT_EQ(problem.code(), "too_large");
    EXPECT_EQ(problem.status(), 413);
    EXPECT_EQ(problem.retry(), "never");
    EXPECT_EQ(problem.type(), "urn:pointhouse:problem:too_large");
    EXPECT_EQ(problem.message_id(), "m-1");
}

TEST(OpenApi, DescribesEveryProblem)
{
    const auto document = boost::json::parse(openapi_document());
    const auto& schema = document.at_pointer("/components/schemas/Problem/properties/code/enum");
    std::set<std::string> described;
    for (const auto& code : schema.as_array()) described.insert(std::string{code.as_string()});
    std::set<std::string> ours;
    for (const Problem& problem : problems()) {
        ours.emplace(problem.code);
        const std::string response = "Problem" + std::to_string(problem.status);
        const auto& text =
            document.at_pointer("/components/responses/" + response + "/description");
        EXPECT_NE(text.as_string().find(problem.code), std::string::npos) << problem.code;
    }
    EXPECT_EQ(described, ours);
}

} // namespace
} // namespace pointhouse::gateway
