#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace json = boost::json;

Permitted ask_permission(gateway::House& house, const std::string& act, const Invocation& typed)
{
    if (!is_production(house)) return {};
    if (const auto* asked = house.documents().find_permission(act)) {
        if (asked->is_given) return {.waiting = {}, .by = asked->proposal};
        auto waiting = refused(fmt::format(
            "\"{}\" waits for another operator: pointhouse approve {}",
            act,
            asked->proposal.value()));
        waiting.proposal = asked->proposal.value();
        return {.waiting = std::move(waiting)};
    }
    const auto id = house.registry().propose_settlement(
        "settlement_act", act, json::serialize(json::object{{"act", act}}), house.act());
    return {.waiting = await_approval(house, id, false, typed)};
}

partners::Registry::Act permitted_act(gateway::House& house, const Permitted& permitted)
{
    auto act = house.act();
    act.permitted_by = permitted.by;
    return act;
}

void record_permitted(
    gateway::House& house, const settlement::NewEntry& entry, const Permitted& permitted)
{
    if (permitted.by.is_none()) return house.record(entry);
    auto content = json::parse(entry.content).as_object();
    content.emplace("permitted_by", permitted.by.value());
    house.record({.kind = entry.kind, .content = json::serialize(content)});
}

} // namespace pointhouse::ops
