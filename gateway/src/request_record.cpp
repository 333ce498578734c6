#include "gateway/request_record.hpp"

#include <cstdint>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace pointhouse::gateway {

namespace json = boost::json;

namespace {

std::string_view text_at(const json::object& content, std::string_view key)
{
    return content.at(key).as_string();
}

} // namespace

void RequestRecord::apply(const ledger::HouseEntry& entry)
{
    // Most entries came of no request: they are not read for it.
    if (entry.content.find(R"("request":{)") == std::string::npos) return;
    const auto content = json::parse(entry.content).as_object();
    const auto* const named = content.if_contains("request");
    if (!named || !named->is_object()) return;
    const auto& request = named->as_object();
    auto& outcome = outcomes_[std::string{text_at(request, "id")}];
    outcome.digest = text_at(request, "digest");
    if (entry.kind == "request_answered") {
        outcome.is_answered = true;
        if (content.contains("answer")) outcome.answer = text_at(content, "answer");
    } else if (entry.kind == "request_joined") {
        outcome.prepared =
            ledger::HouseSequence{content.at("waits_for").to_number<std::uint64_t>()};
        outcome.is_permission = content.at("is_permission").as_bool();
    } else if (entry.kind == "proposal_made") {
        outcome.prepared = entry.sequence;
        outcome.is_permission = text_at(content, "what") == "settlement_act";
    } else if (const auto* approved = content.if_contains("proposal")) {
        outcome.approved = ledger::HouseSequence{approved->to_number<std::uint64_t>()};
    }
}

const RequestOutcome* RequestRecord::find(std::string_view message_id) const
{
    const auto found = outcomes_.find(message_id);
    return found == outcomes_.end() ? nullptr : &found->second;
}

} // namespace pointhouse::gateway
