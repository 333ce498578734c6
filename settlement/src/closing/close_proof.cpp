#include "settlement/close_proof.hpp"

#include <fmt/format.h>
#include <limits>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/bank_json.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::HouseEntry;
using ledger::HouseSequence;
using ledger::Month;

namespace {

Month window_at(const json::object& content)
{
    return ledger::parse_month(std::string_view{content.at("window").as_string()}).value();
}

/// The windows whose money an entry is of, as the register stands before it.
std::set<Month> windows_of(
    const HouseEntry& entry, const json::object& content, const Register& before)
{
    if (entry.kind == "window_netted") return {window_at(content)};
    if (entry.kind == "document_issued") {
        const auto& document = content.at("document").as_object();
        const auto* corrects = document.if_contains("corrects");
        if (corrects && !corrects->is_null()) return {};
        return {window_at(document)};
    }
    if (entry.kind == "bank_matched") {
        const auto match = match_from_json(json::serialize(content.at("match")));
        return match && match->write_off ? before.windows_of(*match) : std::set<Month>{};
    }
    if (entry.kind == "match_reversed") {
        const HouseSequence matched{content.at("match_entry").to_number<std::uint64_t>()};
        const auto found = before.matches().find(matched);
        return found == before.matches().end() ? std::set<Month>{}
                                               : before.windows_of(found->second);
    }
    if (entry.kind == "window_reopened" || entry.kind == "window_soft_closed" ||
        entry.kind == "window_hard_closed")
        return {window_at(content)};
    return {};
}

} // namespace

CloseProof::CloseProof(
    std::vector<HouseEntry> entries,
    HouseSequence opening,
    const BroughtAlong& brought_along,
    ledger::Currency currency)
    : entries_{std::move(entries)}, opening_{opening}, brought_along_{brought_along},
      currency_{std::move(currency)},
      figures_{.through = ledger::Sequence{std::numeric_limits<std::uint64_t>::max()}}
{
    for (const auto& entry : entries_) {
        if (entry.kind != "window_hard_closed") continue;
        const auto content = json::parse(entry.content).as_object();
        closes_.push_back(
            {.entry = &entry,
             .window = window_at(content),
             .through = ledger::Sequence{content.at("through").to_number<std::uint64_t>()},
             .documents_through =
                 HouseSequence{content.at("documents_through").to_number<std::uint64_t>()},
             .checks = json::serialize(content.at("checks"))});
    }
}

void CloseProof::add(const ledger::PostingLines& posting)
{
    while (proved_ < closes_.size() && closes_[proved_].through < posting.record.sequence)
        prove_next();
    if (proved_ < closes_.size()) figures_.add(posting);
}

void CloseProof::prove_next()
{
    const auto& close = closes_[proved_++];
    fold_through(close.documents_through);
    auto figures = figures_;
    figures.through = close.through;
    const auto checklist = close_checklist(
        documents_,
        close.window,
        figures,
        opening_ <= close.documents_through ? brought_along_ : BroughtAlong{},
        currency_);
    if (fault_ || json::serialize(checks_json(checklist)) == close.checks) return;
    fault_ = fmt::format(
        "entry {} of the house's record closed {} on other figures than the journal gives",
        close.entry->sequence.value(),
        ledger::format_month(close.window));
}

void CloseProof::fold_through(HouseSequence sequence)
{
    for (; folded_ < entries_.size() && entries_[folded_].sequence <= sequence; ++folded_) {
        if (!fault_) fault_ = fault_of(entries_[folded_]);
        documents_.apply(entries_[folded_]);
    }
}

std::optional<std::string> CloseProof::fault_of(const HouseEntry& entry) const
{
    const bool has_hard_close =
        !closes_.empty() && closes_.front().entry->sequence < entry.sequence;
    if (!has_hard_close) return std::nullopt;
    for (const auto window :
         windows_of(entry, json::parse(entry.content).as_object(), documents_)) {
        if (documents_.closings().state_of(window) == CloseState::hard)
            return fmt::format(
                "entry {} of the house's record, {}, is of {}, which was hard-closed before",
                entry.sequence.value(),
                entry.kind,
                ledger::format_month(window));
    }
    return std::nullopt;
}

std::optional<std::string> CloseProof::fault()
{
    while (proved_ < closes_.size()) prove_next();
    if (has_closes()) fold_through(HouseSequence{std::numeric_limits<std::uint64_t>::max()});
    return fault_;
}

} // namespace pointhouse::settlement
