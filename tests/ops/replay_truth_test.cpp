// The plan and rule R(T), played against a house in memory, give what the data sets' independent
// truth says. The data sets are not part of the project; without them this says so and skips.

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>
#include <zlib.h>

#include <gtest/gtest.h>

#include "replay_plan.hpp"

namespace pointhouse::ops {
namespace {

using Row = std::vector<std::string>;

const std::filesystem::path data = POINTHOUSE_SHARED_DATA;

/// The rows of a truth file, plain or gzipped, as comma-joined lines without the header, sorted.
std::vector<std::string> read_truth(const std::string& name)
{
    auto path = data / "truth" / (name + ".csv");
    if (!std::filesystem::exists(path)) path += ".gz";
    std::vector<std::string> lines;
    gzFile file = ::gzopen(path.c_str(), "rb");
    if (file == nullptr) throw std::runtime_error{path.string() + " cannot be read"};
    std::array<char, 1024> line{};
    while (::gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
        lines.emplace_back(line.data());
        while (lines.back().ends_with('\n') || lines.back().ends_with('\r')) {
            lines.back().pop_back();
        }
    }
    ::gzclose(file);
    lines.erase(lines.begin());
    std::ranges::sort(lines);
    return lines;
}

ReplayPlan plan_of(const std::string& name, std::optional<std::int64_t> redeem_at)
{
    PlanBuilder builder{redeem_at};
    for_each_purchase_row(
        data / (name + ".csv.gz"), [&](PurchaseRow&& row) { builder.add(std::move(row)); });
    return builder.finish();
}

std::string month_of(ledger::Time time)
{
    return ledger::format_time(time).substr(0, 7);
}

/// Lots of one member, drawn oldest first. Debt does not occur: rule R(T) skips returns.
struct Lots {
    std::deque<std::pair<std::uint32_t, std::int64_t>> open; // issuer, points
    std::int64_t available = 0;
};

struct Played {
    std::map<std::pair<std::string, std::uint32_t>, std::array<std::int64_t, 4>> by_partner_month;
    std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, std::int64_t> matrix;
    std::vector<std::string> redemptions;
};

void redeem(const ReplayMessage& message, const ReplayPlan& plan, Lots& lots, Played& played)
{
    const auto& planned = *message.planned;
    const auto month = month_of(planned.occurred_at);
    ASSERT_GE(lots.available, message.points);
    lots.available -= message.points;
    for (auto left = message.points; left > 0;) {
        auto& [issuer, points] = lots.open.front();
        const auto drawn = std::min(points, left);
        played.matrix[{month, issuer, planned.partner}] += drawn;
        points -= drawn;
        left -= drawn;
        if (points == 0) lots.open.pop_front();
    }
    played.redemptions.push_back(
        ledger::format_time(planned.occurred_at) + "," + std::string{message.member} + "," +
        plan.partners[planned.partner] + "," + planned.basket + "," +
        std::to_string(message.points));
}

Played play(const ReplayPlan& plan)
{
    Played played;
    std::vector<MemberCourse> courses;
    for (const auto& member : plan.members) courses.emplace_back(plan, member);
    std::vector<Lots> lots(courses.size());
    for (const auto end : month_ends(plan)) {
        for (std::size_t member = 0; member < courses.size(); ++member) {
            while (const auto message = courses[member].next(end)) {
                const auto& planned = *message->planned;
                const auto points = planned.amount_minor / 100;
                const auto month = month_of(planned.occurred_at);
                EXPECT_LT(planned.occurred_at, end);
                auto& sums = played.by_partner_month[{month, planned.partner}];
                if (message->kind == ReplayMessage::Kind::accrual) {
                    sums[0] += 1;
                    sums[1] += points;
                    lots[member].available += points;
                    if (points > 0) lots[member].open.emplace_back(planned.partner, points);
                } else if (message->kind == ReplayMessage::Kind::clawback) {
                    sums[2] += 1;
                    sums[3] += points;
                } else if (message->kind == ReplayMessage::Kind::redemption_of_points) {
                    redeem(*message, plan, lots[member], played);
                }
                courses[member].answered(*message, lots[member].available);
            }
        }
    }
    return played;
}

/// partner,issued,own_points_redeemed_anywhere,redeemed_here,outstanding
std::vector<std::string> lines_by_partner(const ReplayPlan& plan, const Played& played)
{
    std::vector<std::array<std::int64_t, 3>> sums(plan.partners.size());
    for (const auto& [key, of_month] : played.by_partner_month) sums[key.second][0] += of_month[1];
    for (const auto& [key, points] : played.matrix) {
        const auto& [month, issuer, redeemer] = key;
        sums[issuer][1] += points;
        sums[redeemer][2] += points;
    }
    std::vector<std::string> lines;
    for (std::size_t partner = 0; partner < sums.size(); ++partner) {
        const auto& [issued, own_redeemed, redeemed_here] = sums[partner];
        std::string line = plan.partners[partner];
        for (const auto sum : {issued, own_redeemed, redeemed_here, issued - own_redeemed}) {
            line += "," + std::to_string(sum);
        }
        lines.push_back(line);
    }
    std::ranges::sort(lines);
    return lines;
}

struct DataSet {
    std::string name;
    std::int64_t redeem_at = 0;
};

class ReplayTruth : public testing::TestWithParam<DataSet> {
protected:
    void SetUp() override
    {
        if (!std::filesystem::exists(data)) GTEST_SKIP() << "there is no " << data;
    }
};

TEST_P(ReplayTruth, BaseRuleEarnsAndClawsBackByPartnerAndMonth)
{
    const auto plan = plan_of(GetParam().name, std::nullopt);

    std::vector<std::string> lines;
    for (const auto& [key, sums] : play(plan).by_partner_month) {
        std::string line = key.first + "," + plan.partners[key.second];
        for (const auto sum : sums) line += "," + std::to_string(sum);
        lines.push_back(line + "," + std::to_string(sums[1] - sums[3]));
    }
    std::ranges::sort(lines);
    EXPECT_EQ(lines, read_truth(GetParam().name + "_points_partner_month"));
}

TEST_P(ReplayTruth, RedeemingAtABalanceGivesTheRedemptionsAndTheMatrix)
{
    const auto plan = plan_of(GetParam().name, GetParam().redeem_at);
    const auto stem = GetParam().name + "_r" + std::to_string(GetParam().redeem_at);

    auto played = play(plan);

    std::ranges::sort(played.redemptions);
    EXPECT_EQ(played.redemptions, read_truth(stem + "_redemptions"));
    std::vector<std::string> lines;
    for (const auto& [key, points] : played.matrix) {
        const auto& [month, issuer, redeemer] = key;
        lines.push_back(
            month + "," + plan.partners[issuer] + "," + plan.partners[redeemer] + "," +
            std::to_string(points));
    }
    std::ranges::sort(lines);
    EXPECT_EQ(lines, read_truth(stem + "_settlement"));
    EXPECT_EQ(lines_by_partner(plan, played), read_truth(stem + "_partners"));
}

TEST_P(ReplayTruth, MessageIdsAreDistinctPerPartnerAndInForm)
{
    const auto plan = plan_of(GetParam().name, GetParam().redeem_at);
    std::vector<std::string> ids;
    for (const auto& member : plan.members) {
        MemberCourse course{plan, member};
        while (const auto message = course.next(ledger::Time::max())) {
            ids.push_back(
                std::to_string(message->planned->partner) + " " + message->message_id(plan));
            course.answered(*message, std::int64_t{1'000'000}); // redeems each time it may
        }
    }
    const auto sent = ids.size();
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    EXPECT_EQ(ids.size(), sent);
}

INSTANTIATE_TEST_SUITE_P(
    DataSets,
    ReplayTruth,
    testing::Values(
        DataSet{"slice_birmingham_2016q2", 1000},
        DataSet{"slice_online_retail_2011q1", 1000},
        DataSet{"online_retail", 2000}),
    [](const auto& set) { return set.param.name; });

} // namespace
} // namespace pointhouse::ops
