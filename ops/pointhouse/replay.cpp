#include "replay.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <utility>

#include "replay_file.hpp"
#include "replay_plan.hpp"
#include "replay_player.hpp"
#include "replay_progress.hpp"
#include "replay_summary.hpp"

namespace pointhouse::ops {
namespace {

ReplayPlan read_plan(const ReplayOptions& options)
{
    PlanBuilder builder{options.redeem_at};
    for_each_purchase_row(
        options.file, [&builder](PurchaseRow&& row) { builder.add(std::move(row)); });
    return builder.finish();
}

/// Stops the house that `setup` started, also when the replay throws.
class StopAtEnd {
public:
    explicit StopAtEnd(HouseSetup* setup) : setup_{setup} {}
    ~StopAtEnd()
    {
        try {
            if (setup_ != nullptr) setup_->stop();
        } catch (const std::exception& failure) {
            fmt::print(stderr, "the house did not stop cleanly: {}\n", failure.what());
        }
    }
    StopAtEnd(const StopAtEnd&) = delete;
    StopAtEnd& operator=(const StopAtEnd&) = delete;

private:
    HouseSetup* setup_;
};

ledger::Time first_time_of(const ReplayPlan& plan)
{
    ledger::Time first = ledger::Time::max();
    for (const MemberPlan& member : plan.members)
        first = std::min(first, member.baskets.front().occurred_at);
    return plan.members.empty() ? ledger::Time{} : first;
}

} // namespace

int run_replay(const ReplayOptions& options)
{
    const auto plan = read_plan(options);
    ServedHouse house{.url = options.url, .certificates = options.certificates};
    if (options.setup != nullptr)
        house = options.setup->start(plan.partners, plan.currency, first_time_of(plan));
    const StopAtEnd stop{options.setup};

    ReplayPlayer player{plan, {.house = house}};
    Progress progress{plan.baskets};
    const auto summary = player.play(progress);
    fmt::print(
        "{}", options.json ? summary_as_json(plan, summary) : summary_as_table(plan, summary));
    return summary.complete() ? 0 : 1;
}

} // namespace pointhouse::ops
