#include "partners/program_history.hpp"

#include <boost/json/parse.hpp>

#include "house_entries.hpp"

namespace pointhouse::partners {

std::vector<ProgramChange> program_changes(std::span<const ledger::HouseEntry> entries)
{
    std::vector<ProgramChange> changes;
    for (const auto& entry : entries) {
        const bool is_first = entry.kind == kind::partner_added;
        if (!is_first && entry.kind != kind::settlement_terms_set) continue;
        const auto content = boost::json::parse(entry.content).as_object();
        const auto* const terms = content.if_contains("settlement");
        changes.push_back(
            {.entry = entry.sequence,
             .at = entry.at,
             .partner = ledger::PartnerId{content.at("partner").to_number<std::uint32_t>()},
             .program = terms ? settlement_terms_from(terms->as_object()).program : "",
             .is_first = is_first});
    }
    return changes;
}

} // namespace pointhouse::partners
