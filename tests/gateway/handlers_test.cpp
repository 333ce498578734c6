#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "clearing.hpp"
#include "ledger/time.hpp"
#include "pointhouse/v1/answers.pb.h"
#include "pointhouse/v1/messages.pb.h"
#include "pointhouse/v1/settlement.pb.h"
#include "problems.hpp"
#include "wire_house.hpp"

namespace pointhouse::gateway {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds patience{10};

std::string accrual(
    const std::string& id, std::int64_t points, const std::string& member = "card-1")
{
    return R"({"message_id":")" + id + R"(","member":")" + member +
           R"(","occurred_at":"2026-06-02T10:00:00Z","points":)" + std::to_string(points) + "}";
}

std::string typed(const std::string& type, const std::string& message)
{
    return R"({"type":")" + type + "\"," + message.substr(1);
}

class ClearingTest : public testing::Test {
protected:
    ClearingTest()
        : clearing_{
              io_.get_executor(),
              ledger_,
              wire_key(),
              {.position_of =
                   [](ledger::PartnerId partner) {
                       return R"({"closing":)" + std::to_string(partner.value()) + "}";
                   },
               .propose =
                   [this](const ledger::Message& message, std::string_view name) {
                       prepared_.append(message.message_id).append(" by ").append(name).append(";");
                       return proposal_;
                   }}}
    {}

    /// Sends one request and runs the loop until it is answered.
    TestExchange& send(TestExchange& exchange)
    {
        clearing_.begin(exchange);
        run();
        EXPECT_EQ(exchange.finished, 1);
        return exchange;
    }

    void run()
    {
        io_.restart();
        io_.run();
    }

    /// During a commit, on its thread: begins a request and waits until it was handed over.
    void hand_over_meanwhile(TestExchange& exchange)
    {
        std::promise<void> taken;
        boost::asio::post(io_, [&] {
            clearing_.begin(exchange);
            boost::asio::post(io_, [&] { taken.set_value(); }); // behind the hand-over
        });
        EXPECT_EQ(taken.get_future().wait_for(patience), std::future_status::ready);
    }

    TestExchange post(
        RouteId route, const std::string& body, const Caller& caller = grocer_caller())
    {
        TestExchange exchange{route, body, caller};
        send(exchange);
        return exchange;
    }

    TestExchange get(
        RouteId route,
        const std::string& argument = "",
        const std::string& query = "",
        const Caller& caller = grocer_caller())
    {
        TestExchange exchange{route, "", caller};
        exchange.body_type = MediaType::none;
        exchange.answer_type = MediaType::json;
        exchange.arguments[0] = argument;
        exchange.query = query;
        send(exchange);
        return exchange;
    }

    static std::string code_of(const Exchange& exchange)
    {
        return std::string{json::parse(exchange.answer).at("code").as_string()};
    }

    static std::vector<json::value> lines_of(const std::string& text)
    {
        std::vector<json::value> lines;
        std::istringstream stream{text};
        for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
        return lines;
    }

    boost::asio::io_context io_{1};
    FakeLedger ledger_;
    std::string prepared_; // what was laid by for approval
    ledger::Result<ledger::HouseSequence, Fault> proposal_{ledger::HouseSequence{12}};
    Clearing clearing_;
};

TEST_F(ClearingTest, AnswersAnAccrual)
{
    const auto exchange = post(RouteId::accruals, accrual("m-1", 84));

    EXPECT_EQ(exchange.status, 201);
    EXPECT_FALSE(exchange.is_problem);
    EXPECT_FALSE(exchange.replayed);
    const auto answer = json::parse(exchange.answer);
    EXPECT_EQ(answer.at("member"), "card-1");
    EXPECT_EQ(answer.at("points"), 84);
    EXPECT_EQ(answer.at("balance").at("available"), 84);
}

TEST_F(ClearingTest, RepeatsAnswersByteByByte)
{
    ledger_.refusals["m-late"] = ledger::Refusal::late_window_closed;
    for (const MediaType type : {MediaType::json, MediaType::protobuf}) {
        for (const std::string id : {"m-1", "m-late", "m-2"}) {
            TestExchange first{RouteId::accruals, accrual(id, 84), grocer_caller()};
            TestExchange again{RouteId::accruals, accrual(id, 84), grocer_caller()};
            first.answer_type = again.answer_type = type;
            send(first);
            send(again);
            EXPECT_EQ(first.answer, again.answer);
            EXPECT_EQ(first.status, again.status);
            EXPECT_EQ(first.is_problem, again.is_problem);
            EXPECT_TRUE(again.replayed);
        }
    }
}

TEST_F(ClearingTest, RefusesAReusedIdWithOtherContent)
{
    post(RouteId::accruals, accrual("m-1", 84));
    const auto other = post(RouteId::accruals, accrual("m-1", 85));
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(code_of(other), "message_id_reused");
    EXPECT_FALSE(other.replayed);
    EXPECT_EQ(post(RouteId::accruals, accrual("m-1", 84), bookshop_caller()).status, 201);
}

TEST_F(ClearingTest, AnswersEveryRefusalOfTheLedger)
{
    post(RouteId::accruals, accrual("m-0", 100));
    for (int number = 1; number <= static_cast<int>(ledger::last_refusal); ++number) {
        const auto refusal = static_cast<ledger::Refusal>(number);
        const std::string id = "r-" + std::to_string(number);
        ledger_.refusals[id] = refusal;

        const auto refused = post(RouteId::redemptions, accrual(id, 1));

        EXPECT_TRUE(refused.is_problem);
        EXPECT_EQ(code_of(refused), ledger::code_of(refusal));
        EXPECT_EQ(refused.status, status_of(ledger::code_of(refusal)));
        EXPECT_EQ(json::parse(refused.answer).at("message_id").as_string(), id);
        EXPECT_EQ(refused.retry_after_seconds > 0, refused.status == 503);
    }
}

TEST_F(ClearingTest, CommitsWhatArrivesInOneTurnTogether)
{
    std::vector<std::unique_ptr<TestExchange>> exchanges;
    for (int index = 0; index < 50; ++index) {
        exchanges.push_back(std::make_unique<TestExchange>(
            RouteId::accruals, accrual("m-" + std::to_string(index), 1), grocer_caller()));
        clearing_.begin(*exchanges.back());
        EXPECT_EQ(exchanges.back()->finished, 0) << "answered before it was durable";
    }
    run();
    EXPECT_EQ(ledger_.commits, std::vector<std::size_t>{50});
    for (const auto& exchange : exchanges) {
        EXPECT_EQ(exchange->finished, 1);
        EXPECT_EQ(exchange->status, 201);
    }
}

TEST_F(ClearingTest, TakesRequestsThatArriveWhileItAnswers)
{
    // As a connection does that has the next request in its buffer already.
    TestExchange first{RouteId::accruals, accrual("m-1", 1), grocer_caller()};
    TestExchange second{RouteId::accruals, accrual("m-2", 2), grocer_caller()};
    TestExchange beside{RouteId::accruals, accrual("m-3", 4), grocer_caller()};
    first.on_finish = [&] { clearing_.begin(second); };
    clearing_.begin(first);
    clearing_.begin(beside);
    run();
    EXPECT_EQ(ledger_.commits, (std::vector<std::size_t>{2, 1}));
    EXPECT_EQ(second.finished, 1);
    EXPECT_EQ(json::parse(beside.answer).at("points"), 4);
    EXPECT_EQ(json::parse(second.answer).at("balance").at("available"), 7);
}

TEST_F(ClearingTest, TakesRequestsWhileItCommitsIntoTheNextCommit)
{
    TestExchange first{RouteId::accruals, accrual("m-1", 1), grocer_caller()};
    TestExchange second{RouteId::accruals, accrual("m-2", 2), grocer_caller()};
    TestExchange third{RouteId::accruals, accrual("m-3", 4), grocer_caller()};
    ledger_.while_committing = [&] {
        std::promise<void> taken;
        boost::asio::post(io_, [&] {
            clearing_.begin(second);
            clearing_.begin(third);
            EXPECT_EQ(first.finished, 0); // nobody is answered before the commit is over
            taken.set_value();
        });
        EXPECT_EQ(taken.get_future().wait_for(patience), std::future_status::ready)
            << "the loop stood still during a commit";
    };
    clearing_.begin(first);
    run();
    EXPECT_EQ(ledger_.commits, (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(json::parse(first.answer).at("balance").at("available"), 1);
    EXPECT_EQ(json::parse(third.answer).at("balance").at("available"), 7);
}

TEST_F(ClearingTest, LetsWhatComesJoinWhatWaitsBehindACommit)
{
    TestExchange first{RouteId::accruals, accrual("m-1", 1), grocer_caller()};
    TestExchange second{RouteId::accruals, accrual("m-2", 2), grocer_caller()};
    TestExchange third{RouteId::accruals, accrual("m-3", 4), grocer_caller()};
    ledger_.while_committing = [&] {
        hand_over_meanwhile(second);
        hand_over_meanwhile(third);
    };
    clearing_.begin(first);
    run();
    EXPECT_EQ(ledger_.commits, (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(json::parse(third.answer).at("balance").at("available"), 7);
}

TEST_F(ClearingTest, CommitsWhileItAnswersWhatWasCommitted)
{
    TestExchange first{RouteId::accruals, accrual("m-1", 1), grocer_caller()};
    TestExchange second{RouteId::accruals, accrual("m-2", 2), grocer_caller()};
    std::promise<void> second_commit;
    first.on_finish = [&] {
        EXPECT_EQ(second_commit.get_future().wait_for(patience), std::future_status::ready)
            << "the writer waited for the answers of the last commit";
    };
    ledger_.while_committing = [&] {
        hand_over_meanwhile(second);
        ledger_.while_committing = [&] { second_commit.set_value(); };
    };
    clearing_.begin(first);
    run();
    EXPECT_EQ(ledger_.commits, (std::vector<std::size_t>{1, 1}));
    EXPECT_EQ(json::parse(second.answer).at("balance").at("available"), 3);
}

TEST_F(ClearingTest, AnswersAReadBeforeTheNextCommit)
{
    TestExchange first{RouteId::accruals, accrual("m-1", 1), grocer_caller()};
    TestExchange read{RouteId::member, "", grocer_caller()};
    read.arguments[0] = "card-1";
    TestExchange second{RouteId::accruals, accrual("m-2", 2), grocer_caller()};
    std::atomic<bool> has_second_begun = false;
    first.on_finish = [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{50}); // time enough to begin wrongly
        EXPECT_FALSE(has_second_begun);
    };
    ledger_.while_committing = [&] {
        hand_over_meanwhile(second);
        ledger_.while_committing = [&] { has_second_begun = true; };
    };
    clearing_.begin(first);
    clearing_.begin(read);
    run();
    EXPECT_EQ(ledger_.commits, (std::vector<std::size_t>{1, 1}));
    EXPECT_EQ(json::parse(read.answer).at("balance").at("available"), 1);
    EXPECT_TRUE(has_second_begun);
    EXPECT_EQ(json::parse(second.answer).at("balance").at("available"), 3);
}

TEST_F(ClearingTest, LetsAReadSeeTheMessageBeforeIt)
{
    TestExchange message{RouteId::accruals, accrual("m-1", 84), grocer_caller()};
    TestExchange read{RouteId::member, "", grocer_caller()};
    read.arguments[0] = "card-1";
    clearing_.begin(message);
    clearing_.begin(read);
    run();
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(json::parse(read.answer).at("balance").at("available"), 84);
}

TEST_F(ClearingTest, ComesToAnEndWhereAReadJoinsAReadThatWaits)
{
    TestExchange message{RouteId::accruals, accrual("m-1", 84), grocer_caller()};
    TestExchange read{RouteId::member, "", grocer_caller()};
    TestExchange waiting{RouteId::member, "", grocer_caller()};
    TestExchange joining{RouteId::member, "", grocer_caller()};
    for (TestExchange* const exchange : {&read, &waiting, &joining})
        exchange->arguments[0] = "card-1";
    ledger_.while_committing = [&] { hand_over_meanwhile(waiting); };
    read.on_finish = [&] { clearing_.begin(joining); };
    clearing_.begin(message);
    clearing_.begin(read);
    run(); // and returns: nothing is left that it would wait for
    EXPECT_EQ(ledger_.commits, (std::vector<std::size_t>{1}));
    EXPECT_EQ(waiting.finished, 1);
    EXPECT_EQ(joining.finished, 1);
}

TEST_F(ClearingTest, CommitsNothingOfAMalformedMessage)
{
    const auto exchange = post(RouteId::accruals, R"({"message_id":"m-1","points":"x"})");
    EXPECT_EQ(exchange.status, 400);
    EXPECT_EQ(code_of(exchange), "malformed");
    EXPECT_EQ(json::parse(exchange.answer).at("message_id"), "m-1");
    EXPECT_TRUE(ledger_.commits.empty());
}

TEST_F(ClearingTest, SaysThatItIsBusyWhenTheLedgerIs)
{
    ledger_.is_unavailable = true;
    const auto exchange = post(RouteId::accruals, accrual("m-1", 1));
    EXPECT_EQ(exchange.status, 503);
    EXPECT_EQ(code_of(exchange), "overloaded");
    EXPECT_GT(exchange.retry_after_seconds, 0);
}

TEST_F(ClearingTest, RefusesBeforeAnyWorkWhatIsBeyondItsBound)
{
    std::string batch;
    for (int index = 0; index < 10'000; ++index) batch += typed("accrual", accrual("m", 1)) + "\n";
    std::vector<std::unique_ptr<TestExchange>> exchanges;
    int overloaded = 0;
    for (int index = 0; index < 5; ++index) {
        exchanges.push_back(
            std::make_unique<TestExchange>(RouteId::batches, batch, grocer_caller()));
        clearing_.begin(*exchanges.back());
        if (exchanges.back()->finished == 1) ++overloaded;
    }
    EXPECT_EQ(overloaded, 2);
    EXPECT_EQ(exchanges.back()->status, 503);
    EXPECT_GT(exchanges.back()->retry_after_seconds, 0);
    ledger_.is_unavailable = true; // the fake's look-up is slow
    run();
    EXPECT_EQ(ledger_.commits, std::vector<std::size_t>{30'000});
    EXPECT_EQ(exchanges.front()->status, 200);
}

TEST_F(ClearingTest, LeaksNothingOfAnUnforeseenFailure)
{
    ledger_.commit_throws = true;
    const auto exchange = post(RouteId::accruals, accrual("m-1", 1));
    EXPECT_EQ(exchange.status, 500);
    EXPECT_EQ(code_of(exchange), "internal");
    EXPECT_EQ(exchange.answer.find("secret"), std::string::npos);

    ledger_.commit_throws = false;
    EXPECT_EQ(post(RouteId::accruals, accrual("m-1", 1)).status, 201);
}

TEST_F(ClearingTest, ForbidsOperatorsToSendMessages)
{
    for (const RouteId route :
         {RouteId::accruals,
          RouteId::redemptions,
          RouteId::reversals,
          RouteId::clawbacks,
          RouteId::donations,
          RouteId::members,
          RouteId::batches,
          RouteId::quotes}) {
        const auto exchange = post(route, accrual("m-1", 1), operator_caller());
        EXPECT_EQ(exchange.status, 403);
        EXPECT_EQ(code_of(exchange), "forbidden");
    }
    EXPECT_TRUE(ledger_.commits.empty());
}

TEST_F(ClearingTest, AnswersABatchItemByItem)
{
    ledger_.refusals["m-late"] = ledger::Refusal::late_window_closed;
    const std::string body =
        typed("accrual", accrual("m-1", 100)) + "\n" + typed("redemption", accrual("m-2", 40)) +
        "\r\n" + "{\"type\":\"accrual\",\"message_id\":\"m-3\"}\n" + "not json\n" + "\n  \n" +
        typed("accrual", accrual("m-1", 100)) + "\n" + typed("accrual", accrual("m-1", 101)) +
        "\n" + typed("accrual", accrual("m-late", 1)) + "\n" +
        typed("redemption", accrual("m-4", 1000)) + "\n" +
        typed("redemption", accrual("m-5", 1, "nobody")); // no newline at the end

    const auto exchange = post(RouteId::batches, body);

    EXPECT_EQ(exchange.status, 200);
    EXPECT_EQ(exchange.answer_body_type, MediaType::json_lines);
    const auto results = lines_of(exchange.answer);
    ASSERT_EQ(results.size(), 9U);
    const std::vector<int> statuses{201, 201, 400, 400, 201, 422, 422, 422, 404};
    for (std::size_t index = 0; index < results.size(); ++index) {
        EXPECT_EQ(results[index].at("status"), statuses[index]) << index;
        EXPECT_EQ(results[index].as_object().contains("answer"), statuses[index] == 201);
        EXPECT_EQ(results[index].as_object().contains("problem"), statuses[index] != 201);
        EXPECT_EQ(results[index].at("replayed"), index == 4);
    }
    EXPECT_EQ(results[0].at("answer"), results[4].at("answer"));
    EXPECT_EQ(results[2].at("problem").at("message_id"), "m-3");
    EXPECT_EQ(results[5].at("problem").at("code"), "message_id_reused");
    EXPECT_EQ(results[8].at("problem").at("code"), "member_unknown");
    EXPECT_EQ(ledger_.commits, std::vector<std::size_t>{7});

    // The single answer is the batch's.
    const auto single = post(RouteId::accruals, accrual("m-1", 100));
    EXPECT_EQ(json::parse(single.answer), results[0].at("answer"));
}

TEST_F(ClearingTest, AnswersABatchAsOneDocumentWhenAsked)
{
    TestExchange exchange{
        RouteId::batches,
        typed("accrual", accrual("m-1", 1)) + "\n" + typed("accrual", accrual("m-2", 2)),
        grocer_caller()};
    exchange.answer_type = MediaType::json;
    send(exchange);
    EXPECT_EQ(exchange.answer_body_type, MediaType::json);
    EXPECT_EQ(json::parse(exchange.answer).at("results").as_array().size(), 2U);
}

TEST_F(ClearingTest, RefusesABatchWithoutMessagesOrWithTooMany)
{
    EXPECT_EQ(post(RouteId::batches, "").status, 400);
    EXPECT_EQ(post(RouteId::batches, "\n\r\n  \n").status, 400);
    std::string many;
    for (int index = 0; index < 10'001; ++index) many += "{}\n";
    EXPECT_EQ(post(RouteId::batches, many).status, 413);
    EXPECT_TRUE(ledger_.commits.empty());
    many.resize(many.size() - 3);
    const auto most = post(RouteId::batches, many);
    EXPECT_EQ(most.status, 200);
    EXPECT_EQ(lines_of(most.answer).size(), 10'000U);
}

TEST_F(ClearingTest, SpeaksProtobuf)
{
    v1::Batch batch;
    auto& first = *batch.add_messages()->mutable_accrual();
    first.set_message_id("m-1");
    first.set_member("card-1");
    first.set_occurred_at_micros(ledger::micros_of(*ledger::parse_time("2026-06-02T10:00:00Z")));
    first.set_points(84);
    batch.add_messages()->mutable_accrual()->set_message_id("m-2");
    *batch.add_messages() = batch.messages(0);

    TestExchange exchange{RouteId::batches, batch.SerializeAsString(), grocer_caller()};
    send(exchange.in(MediaType::protobuf));
    EXPECT_EQ(exchange.answer_body_type, MediaType::protobuf);
    v1::BatchResult result;
    ASSERT_TRUE(result.ParseFromString(exchange.answer));
    ASSERT_EQ(result.results_size(), 3);
    EXPECT_EQ(result.results(0).status(), 201);
    EXPECT_EQ(result.results(0).accrual().balance().available(), 84);
    EXPECT_EQ(result.results(1).status(), 400);
    EXPECT_EQ(result.results(1).problem().message_id(), "m-2");
    EXPECT_FALSE(result.results(1).has_accrual());
    EXPECT_TRUE(result.results(2).replayed());
    EXPECT_EQ(
        result.results(2).accrual().SerializeAsString(),
        result.results(0).accrual().SerializeAsString());

    // The same message as JSON is the same message.
    const auto in_json = post(RouteId::accruals, accrual("m-1", 84));
    EXPECT_EQ(in_json.status, 201);
    EXPECT_TRUE(in_json.replayed);

    TestExchange single{RouteId::accruals, first.SerializeAsString(), grocer_caller()};
    send(single.in(MediaType::protobuf));
    EXPECT_TRUE(single.replayed);
    EXPECT_EQ(single.answer, result.results(0).accrual().SerializeAsString());
}

TEST_F(ClearingTest, QuotesWithoutBooking)
{
    post(RouteId::accruals, accrual("m-1", 100));
    const auto quote = post(RouteId::quotes, typed("redemption", accrual("m-2", 40)));
    EXPECT_EQ(quote.status, 200);
    EXPECT_EQ(json::parse(quote.answer).at("balance").at("available"), 60);
    EXPECT_EQ(
        json::parse(get(RouteId::member, "card-1").answer).at("balance").at("available"), 100);

    const auto refused = post(RouteId::quotes, typed("redemption", accrual("m-3", 101)));
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(post(RouteId::quotes, accrual("m-3", 101)).status, 400);
    EXPECT_EQ(ledger_.commits.size(), 1U);
}

TEST_F(ClearingTest, ShowsAMember)
{
    post(RouteId::accruals, accrual("m-1", 84));
    post(RouteId::accruals, accrual("m-2", 16), bookshop_caller());
    const auto shown = get(RouteId::member, "card-1");
    EXPECT_EQ(shown.status, 200);
    EXPECT_EQ(shown.answer, golden("member.json", shown.answer));
    EXPECT_EQ(post(RouteId::member_lookup, R"({"member":"card-1"})").answer, shown.answer);
    EXPECT_EQ(get(RouteId::member, "card-1", "", operator_caller()).answer, shown.answer);

    for (const std::string absent : {"card-2", "", "a b", "../x", "\xFF"}) {
        const auto unknown = get(RouteId::member, absent);
        EXPECT_EQ(unknown.status, 404) << absent;
        EXPECT_EQ(code_of(unknown), "member_unknown");
    }
    EXPECT_EQ(post(RouteId::member_lookup, R"({"member":"card-2"})").status, 404);
    EXPECT_EQ(post(RouteId::member_lookup, R"({"member":"a b"})").status, 400);
}

TEST_F(ClearingTest, ShowsAPartnerItsOwnEntriesAlone)
{
    post(RouteId::accruals, accrual("g-1", 50));
    post(RouteId::accruals, accrual("b-1", 30), bookshop_caller());
    post(RouteId::redemptions, accrual("b-2", 70), bookshop_caller());
    post(RouteId::redemptions, accrual("b-3", 7000), bookshop_caller()); // refused

    const auto of_grocer = get(RouteId::member_entries, "card-1");
    EXPECT_EQ(of_grocer.answer, golden("entries_of_grocer.json", of_grocer.answer));
    EXPECT_EQ(of_grocer.answer.find("b-"), std::string::npos);
    EXPECT_EQ(of_grocer.answer.find("BOE"), std::string::npos);

    const auto of_bookshop = get(RouteId::member_entries, "card-1", "", bookshop_caller());
    EXPECT_EQ(of_bookshop.answer, golden("entries_of_bookshop.json", of_bookshop.answer));
    EXPECT_EQ(of_bookshop.answer.find("GRO"), std::string::npos);

    const auto of_operator = get(RouteId::member_entries, "card-1", "", operator_caller());
    EXPECT_EQ(of_operator.answer, golden("entries_of_operator.json", of_operator.answer));
    EXPECT_EQ(json::parse(of_operator.answer).at("entries").as_array().size(), 3U);
}

TEST_F(ClearingTest, PagesThroughEntries)
{
    for (int index = 0; index < 45; ++index) {
        post(RouteId::accruals, accrual("g-" + std::to_string(index), 1));
        post(RouteId::accruals, accrual("b-" + std::to_string(index), 1), bookshop_caller());
    }
    for (const std::string limit : {"", "limit=1", "limit=7", "limit=45", "limit=100"}) {
        std::vector<std::string> seen;
        std::string cursor;
        for (int page = 0; page < 50; ++page) {
            std::string query = limit;
            if (!cursor.empty()) query += (query.empty() ? "cursor=" : "&cursor=") + cursor;
            const auto answer = json::parse(get(RouteId::member_entries, "card-1", query).answer);
            for (const auto& entry : answer.at("entries").as_array())
                seen.emplace_back(entry.at("message_id").as_string());
            if (answer.at("next_cursor").is_null()) break;
            cursor = answer.at("next_cursor").as_string();
        }
        ASSERT_EQ(seen.size(), 45U) << limit;
        for (int index = 0; index < 45; ++index)
            EXPECT_EQ(seen[static_cast<std::size_t>(index)], "g-" + std::to_string(44 - index));
    }
}

TEST_F(ClearingTest, RefusesWrongQueriesByName)
{
    post(RouteId::accruals, accrual("m-1", 1));
    post(RouteId::accruals, accrual("m-2", 1));
    const auto page = json::parse(get(RouteId::member_entries, "card-1", "limit=1").answer);
    const std::string cursor{page.at("next_cursor").as_string()};
    const std::string changed =
        cursor.substr(0, 10) + (cursor[10] == 'A' ? "B" : "A") + cursor.substr(11);
    for (const auto& [query, name] : std::vector<std::pair<std::string, std::string>>{
             {"limit=0", "limit"},
             {"limit=101", "limit"},
             {"limit=-1", "limit"},
             {"limit=1x", "limit"},
             {"limit=99999999999999999999", "limit"},
             {"limit=", "limit"},
             {"limit", "limit"},
             {"limit=1&limit=2", "limit"},
             {"cursor=x", "cursor"},
             {"cursor=" + changed, "cursor"},
             {"partner=BOE", "partner"},
             {"sort=asc", "query"},
             {"&", "query"},
             {"limit=1&", ""},
         }) {
        const auto exchange = get(RouteId::member_entries, "card-1", query);
        if (name.empty()) {
            EXPECT_EQ(exchange.status, 200) << query;
            continue;
        }
        EXPECT_EQ(exchange.status, 400) << query;
        const std::string detail{json::parse(exchange.answer).at("detail").as_string()};
        EXPECT_TRUE(detail.starts_with(name + ": ")) << query << ": " << detail;
    }
    // A cursor is its partner's own.
    EXPECT_EQ(get(RouteId::member_entries, "card-1", "cursor=" + cursor).status, 200);
    EXPECT_EQ(
        get(RouteId::member_entries, "card-1", "cursor=" + cursor, bookshop_caller()).status, 400);
    EXPECT_EQ(
        get(RouteId::member_entries, "card-1", "cursor=" + cursor, operator_caller()).status, 400);
}

TEST_F(ClearingTest, RepeatsTheFrozenOutcomeOfAMessage)
{
    ledger_.refusals["m-late"] = ledger::Refusal::late_window_closed;
    post(RouteId::accruals, accrual("m-1", 84));
    post(RouteId::accruals, accrual("m-late", 84));
    const auto redemption = post(RouteId::redemptions, accrual("m-2", 4));

    const auto booked = get(RouteId::message, "m-1");
    EXPECT_EQ(booked.status, 200);
    EXPECT_EQ(booked.answer, golden("outcome.json", booked.answer));
    const auto again = json::parse(get(RouteId::message, "m-2").answer);
    EXPECT_EQ(again.at("status"), 201);
    EXPECT_EQ(again.at("answer"), json::parse(redemption.answer));
    const auto refused = get(RouteId::message, "m-late");
    EXPECT_EQ(refused.status, 200);
    EXPECT_FALSE(refused.is_problem);
    EXPECT_EQ(json::parse(refused.answer).at("problem").at("code"), "late_window_closed");

    // Another partner's message is as absent as none.
    const auto foreign = get(RouteId::message, "m-1", "", bookshop_caller());
    EXPECT_EQ(foreign.status, 404);
    EXPECT_EQ(foreign.answer, get(RouteId::message, "m-9", "", bookshop_caller()).answer);
    EXPECT_EQ(get(RouteId::message, "a b").status, 404);
}

TEST_F(ClearingTest, LetsOperatorsNameThePartner)
{
    post(RouteId::accruals, accrual("m-1", 84));
    EXPECT_EQ(get(RouteId::message, "m-1", "partner=GRO", operator_caller()).status, 200);
    EXPECT_EQ(get(RouteId::message, "m-1", "partner=BOE", operator_caller()).status, 404);
    EXPECT_EQ(get(RouteId::message, "m-1", "partner=XXX", operator_caller()).status, 400);
    EXPECT_EQ(get(RouteId::message, "m-1", "", operator_caller()).status, 404) << "not its own";
    EXPECT_EQ(get(RouteId::message, "m-1", "partner=GRO").status, 400);
    EXPECT_EQ(get(RouteId::message, "m-1", "limit=5").status, 400);
    EXPECT_EQ(
        get(RouteId::position, "", "partner=BOE", operator_caller()).answer, R"({"closing":2})");
    EXPECT_EQ(get(RouteId::position).answer, R"({"closing":1})");
    EXPECT_EQ(get(RouteId::position, "", "partner=BOE").status, 400);
}

TEST_F(ClearingTest, Echoes)
{
    EXPECT_EQ(get(RouteId::echo).answer, R"({"partner":"GRO","time":"2026-06-02T10:00:01Z"})");
    EXPECT_EQ(
        get(RouteId::echo, "", "", operator_caller()).answer,
        R"({"operator":"anna","time":"2026-06-02T10:00:01Z"})");
}

TEST_F(ClearingTest, AHoldIsNamedByItsPartnerAlone)
{
    post(RouteId::accruals, accrual("m-1", 84));
    const std::string body =
        R"({"message_id":"h-1","member":"card-1","occurred_at":"2026-06-02T10:00:00Z","points":50,)"
        R"("expires_in_seconds":600})";
    const auto made = post(RouteId::holds, body);
    ASSERT_EQ(made.status, 201) << made.answer;
    const auto hold = json::parse(made.answer);
    EXPECT_EQ(hold.at("state"), "open");
    EXPECT_EQ(hold.at("points"), 50);
    EXPECT_EQ(hold.at("expires_at"), "2026-06-02T10:10:01Z");
    const std::string id{hold.at("hold_id").as_string()};

    const auto seen = get(RouteId::hold, id);
    EXPECT_EQ(seen.status, 200);
    EXPECT_EQ(json::parse(seen.answer).at("state"), "open");
    for (const std::string& foreign :
         {id, std::string{"h_AAAAAAAAAAAAAAAAAAAAAA"}, std::string{"x"}})
        EXPECT_EQ(code_of(get(RouteId::hold, foreign, "", bookshop_caller())), "hold_unknown");
    EXPECT_EQ(code_of(get(RouteId::hold, id, "", operator_caller())), "hold_unknown");

    TestExchange release{
        RouteId::hold_release,
        R"({"message_id":"l-1","occurred_at":"2026-06-02T10:00:00Z"})",
        grocer_caller()};
    release.arguments[0] = id;
    send(release);
    EXPECT_EQ(release.status, 200) << release.answer;
    EXPECT_EQ(json::parse(release.answer).at("hold_id").as_string(), id);
    EXPECT_EQ(json::parse(release.answer).at("state"), "released");
}

TEST_F(ClearingTest, OperatorsAloneDoWhatOperatorsDo)
{
    post(RouteId::accruals, accrual("m-1", 84));
    const std::string body = R"({"message_id":"o-1","reason":"asked for"})";
    const auto change = [&](RouteId route, const std::string& text, const Caller& caller) {
        TestExchange exchange{route, text, caller};
        exchange.arguments[0] = "card-1";
        send(exchange);
        return exchange;
    };
    EXPECT_EQ(code_of(change(RouteId::member_block, body, grocer_caller())), "forbidden");
    const auto blocked = change(RouteId::member_block, body, operator_caller());
    EXPECT_EQ(blocked.status, 201) << blocked.answer;
    EXPECT_EQ(json::parse(blocked.answer).at("member"), "card-1");
    EXPECT_TRUE(change(RouteId::member_block, body, operator_caller()).replayed);
    const auto bare = change(RouteId::member_close, R"({"message_id":"o-2"})", operator_caller());
    EXPECT_NE(bare.answer.find("reason: is required"), std::string::npos) << bare.answer;
    const auto batch = post(
        RouteId::batches, R"({"type":"close","message_id":"o-3","member":"card-1","reason":"x"})");
    EXPECT_NE(batch.answer.find("is not a type of message"), std::string::npos) << batch.answer;
}

TEST_F(ClearingTest, AReinstatementWaitsForASecondOperator)
{
    post(RouteId::accruals, accrual("m-1", 84));
    const auto reinstate = [&](const std::string& text, MediaType type = MediaType::json) {
        TestExchange exchange{RouteId::member_reinstate, text, operator_caller()};
        exchange.in(type).arguments[0] = "card-1";
        send(exchange);
        return exchange;
    };
    const std::string body =
        R"({"message_id":"o-1","occurred_at":"2026-06-02T10:00:00Z","points":5,)"
        R"("expires_on":"2026-12-31","reason":"asked for"})";
    const auto waiting = reinstate(body);
    EXPECT_EQ(waiting.status, 202);
    EXPECT_EQ(waiting.answer, R"({"proposal":12,"message_id":"o-1","state":"waiting"})");
    EXPECT_EQ(prepared_, "o-1 by anna;");

    v1::Reinstatement sent;
    sent.set_message_id("o-1");
    sent.set_occurred_at_micros(ledger::micros_of(*ledger::parse_time("2026-06-02T10:00:00Z")));
    sent.set_points(5);
    sent.set_expires_on("2026-12-31");
    sent.set_reason("asked for");
    const auto in_protobuf = reinstate(sent.SerializeAsString(), MediaType::protobuf);
    EXPECT_EQ(in_protobuf.status, 202) << in_protobuf.answer;
    v1::ProposalAnswer answer;
    ASSERT_TRUE(answer.ParseFromString(in_protobuf.answer));
    EXPECT_EQ(answer.proposal(), 12);
    EXPECT_EQ(answer.state(), "waiting");
    sent.set_expires_on("tomorrow");
    const auto wrong = reinstate(sent.SerializeAsString(), MediaType::protobuf);
    EXPECT_EQ(wrong.status, 400);

    proposal_ = std::unexpected(Fault{"proposal_rejected", "proposal 12 was turned down by bob"});
    const auto rejected = reinstate(body);
    EXPECT_EQ(rejected.status, 422);
    EXPECT_EQ(code_of(rejected), "proposal_rejected");
}

TEST_F(ClearingTest, WhatThePathSaysIsNotInTheBody)
{
    for (const auto& [route, body] :
         {std::pair{
              RouteId::hold_capture,
              R"({"message_id":"c-1","occurred_at":"2026-06-02T10:00:00Z","hold_id":"h_1"})"},
          std::pair{
              RouteId::accrual_release,
              R"({"message_id":"c-2","occurred_at":"2026-06-02T10:00:00Z","accrual":"m-1"})"}}) {
        const auto exchange = post(route, body);
        EXPECT_EQ(exchange.status, 400) << exchange.answer;
        EXPECT_NE(exchange.answer.find("is in the path"), std::string::npos) << exchange.answer;
    }
    const auto bare = post(
        RouteId::batches,
        R"({"type":"capture","message_id":"c-3","occurred_at":"2026-06-02T10:00:00Z"})");
    EXPECT_NE(bare.answer.find("hold_id: is required"), std::string::npos) << bare.answer;
}

TEST_F(ClearingTest, DescribesEveryRoute)
{
    const auto exchange = get(RouteId::openapi);
    EXPECT_EQ(exchange.status, 200);
    const auto document = json::parse(exchange.answer);
    EXPECT_EQ(document.at("openapi"), "3.1.0");
    for (const auto& [path, method] :
         {std::pair{"/v1/accruals", "post"},
          std::pair{"/v1/redemptions", "post"},
          std::pair{"/v1/reversals", "post"},
          std::pair{"/v1/clawbacks", "post"},
          std::pair{"/v1/donations", "post"},
          std::pair{"/v1/transfers", "post"},
          std::pair{"/v1/holds", "post"},
          std::pair{"/v1/holds/{hold_id}", "get"},
          std::pair{"/v1/holds/{hold_id}/capture", "post"},
          std::pair{"/v1/holds/{hold_id}/release", "post"},
          std::pair{"/v1/accruals/{message_id}/release", "post"},
          std::pair{"/v1/members/{member}/block", "post"},
          std::pair{"/v1/members/{member}/unblock", "post"},
          std::pair{"/v1/members/{member}/close", "post"},
          std::pair{"/v1/members/{member}/merge", "post"},
          std::pair{"/v1/members/{member}/identifiers", "post"},
          std::pair{"/v1/members/{member}/reinstate", "post"},
          std::pair{"/v1/adjustments", "post"},
          std::pair{"/v1/documents", "get"},
          std::pair{"/v1/documents/{number}", "get"},
          std::pair{"/v1/documents/{number}/answer", "post"},
          std::pair{"/v1/statements/{window}", "get"},
          std::pair{"/v1/disputes", "get"},
          std::pair{"/v1/disputes", "post"},
          std::pair{"/v1/disputes/{dispute}", "get"},
          std::pair{"/v1/disputes/{dispute}/answer", "post"},
          std::pair{"/v1/disputes/{dispute}/escalate", "post"},
          std::pair{"/v1/reconciliation/{period}", "get"},
          std::pair{"/v1/reconciliation/{period}", "post"},
          std::pair{"/v1/members", "post"},
          std::pair{"/v1/batches", "post"},
          std::pair{"/v1/quotes", "post"},
          std::pair{"/v1/members/lookup", "post"},
          std::pair{"/v1/members/{member}", "get"},
          std::pair{"/v1/members/{member}/entries", "get"},
          std::pair{"/v1/messages/{message_id}", "get"},
          std::pair{"/v1/position", "get"},
          std::pair{"/v1/echo", "get"},
          std::pair{"/openapi.json", "get"}})
        EXPECT_TRUE(document.at("paths").at(path).as_object().contains(method)) << path;
    EXPECT_EQ(document.at("paths").as_object().size(), 37U);
}

TEST_F(ClearingTest, ReadsInProtobuf)
{
    post(RouteId::accruals, accrual("m-1", 84));
    const auto read = [&](RouteId route, auto answer, const std::string& argument) {
        TestExchange exchange{route, "", grocer_caller()};
        exchange.in(MediaType::protobuf).arguments[0] = argument;
        send(exchange);
        EXPECT_EQ(exchange.answer_body_type, MediaType::protobuf);
        EXPECT_TRUE(answer.ParseFromString(exchange.answer));
        return answer;
    };
    EXPECT_EQ(read(RouteId::member, v1::MemberAnswer{}, "card-1").balance().available(), 84);
    EXPECT_EQ(read(RouteId::member_entries, v1::EntriesAnswer{}, "card-1").entries_size(), 1);
    EXPECT_EQ(read(RouteId::message, v1::Result{}, "m-1").accrual().points(), 84);
    EXPECT_EQ(read(RouteId::echo, v1::EchoAnswer{}, "").partner(), "GRO");
    EXPECT_EQ(read(RouteId::position, v1::Position{}, "").closing(), 1);
    EXPECT_EQ(read(RouteId::member, v1::Problem{}, "nobody").code(), "member_unknown");
}

} // namespace
} // namespace pointhouse::gateway
