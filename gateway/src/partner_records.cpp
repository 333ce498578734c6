#include "partner_records.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "answers.hpp"
#include "gateway/reconciliation_source.hpp"
#include "pointhouse/v1/settlement.pb.h"
#include "problems.hpp"
#include "reports.hpp"

namespace pointhouse::gateway {
namespace {

using settlement::ReconciliationPeriod;

/// 2026-06 or 2026-06-14.
std::optional<ReconciliationPeriod> read_period(std::string_view text)
{
    constexpr std::size_t month_length = std::string_view{"2026-06"}.size();
    if (const auto month = ledger::parse_month(text))
        return ReconciliationPeriod{.window = *month, .day = {}};
    const auto day = ledger::parse_day(text);
    const auto month = ledger::parse_month(text.substr(0, month_length));
    if (!day || !month) return std::nullopt;
    return ReconciliationPeriod{.window = *month, .day = day};
}

LongWork write_file(std::shared_ptr<const ReconciliationSource> source)
{
    return [source = std::move(source)](Console& console) -> WorkEnd {
        return CommandResult{.exit_code = 0, .output = source->house_file(console)};
    };
}

/// `file` lies in the connection's buffer until the exchange is finished.
LongWork compare(
    std::shared_ptr<const ReconciliationSource> source, std::string_view file, std::string partner)
{
    return [source = std::move(source), file, partner = std::move(partner)](
               Console& console) -> WorkEnd {
        const auto found = source->reconcile(file, console);
        if (!found)
            return CommandResult{
                .exit_code = 1,
                .complaint = settlement::in_words(found.error()),
                .code = "malformed"};
        return CommandResult{
            .exit_code = 0, .output = settlement::reconciliation_json(*found, partner)};
    };
}

} // namespace

bool PartnerRecords::begin(Exchange& exchange, ledger::PartnerId partner) const
{
    const auto period = read_period(exchange.arguments[0]);
    if (!period) {
        answer_problem(
            exchange, "malformed", "period: must be a month or a day, 2026-06 or 2026-06-14");
        return true;
    }
    if (!house_.knows_window(period->window)) {
        answer_problem(exchange, "window_unknown", "period: the house has no such window");
        return true;
    }
    const bool is_comparing = exchange.route == RouteId::reconciliation_compare;
    const bool is_taken = desk_.take(
        exchange,
        [&exchange, partner, period = *period, is_comparing](House& house) -> CommandStep {
            auto source = std::make_shared<const ReconciliationSource>(house, partner, period);
            if (!is_comparing) return write_file(std::move(source));
            const auto& name = house.registry().terms()->partner(partner).name;
            return compare(std::move(source), exchange.body, name);
        },
        [is_comparing](Exchange& answered, const CommandResult& result) {
            if (result.exit_code != 0)
                return answer_problem(answered, result.code, result.complaint);
            if (is_comparing) {
                v1::Reconciliation form;
                return answer_report(answered, 200, result.output, form);
            }
            answered.status = 200;
            answered.answer_body_type = MediaType::csv;
            answered.answer = result.output;
        });
    if (is_taken) return false;
    answer_overloaded(exchange);
    return true;
}

} // namespace pointhouse::gateway
