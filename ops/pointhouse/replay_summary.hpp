#pragma once

#include <string>

#include "replay_plan.hpp"
#include "replay_player.hpp"

namespace pointhouse::ops {

/// For people: a table, and what went wrong, each line ended.
[[nodiscard]] std::string summary_as_table(const ReplayPlan& plan, const ReplaySummary& summary);

/// {"rows","skipped":{…},"members","partners","messages","booked":{…},"already_booked",
/// "refused":{code: count},"sent_again","points":{"earned","clawed_back","redeemed"},"seconds",
/// "per_second","complete","stopped"}: one line.
[[nodiscard]] std::string summary_as_json(const ReplayPlan& plan, const ReplaySummary& summary);

} // namespace pointhouse::ops
