#include "net_draft.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "entry_fields.hpp"
#include "ledger/invariant.hpp"
#include "register_lines.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Account;
using ledger::AccountLine;
using ledger::Minor;

bool NetDraft::Part::is_too_little(Minor minimum) const
{
    const auto claim = claims.net().count;
    if (is_nothing()) return false;
    // Where rates differ so that what is worth a cent to one is worth a debt to the other, it
    // waits.
    if (is_foreign() && (claim == 0 || (claim < 0) != (foreign.count < 0))) return true;
    return std::abs(claim) < minimum.count;
}

void NetDraft::add(const IssuedDocument& issued)
{
    if (issued.document.window > key_.window || issued.document.program != key_.program) return;
    // What is wholly credited in another currency may leave a cent of its claim.
    const Minor open = issued.open();
    if (open.count == 0 && issued.open_claim().count == 0) return;
    const Minor owed = open.count == 0 ? issued.document.owed_by_partner() : open;
    const bool is_gross = netting_.method == NettingMethod::gross;
    auto& part = parts_[{issued.document.partner, is_gross && owed.count < 0}];
    // The currency of before a change is settled first: else it might wait for ever.
    if (!part.documents.empty() && part.newest().currency != issued.document.currency) return;
    settlement::add(part.claims, issued, issued.open_claim());
    part.foreign -= issued.open();
    part.documents.push_back(&issued);
}

std::string NetDraft::finish()
{
    if (netting_.rate && netting_.method == NettingMethod::gross)
        return "what is paid gross is paid in the currency of the documents";
    std::erase_if(
        parts_, [&](const auto& each) { return each.second.is_too_little(netting_.minimum); });
    return netting_.rate ? convert_all() : std::string{};
}

/// Nets in the currency in which they are paid, the house's own among them.
std::string NetDraft::convert_all()
{
    NetPositions nets;
    for (const auto& [side, part] : parts_) {
        if (part.is_foreign()) continue;
        nets[side.first] = part.claims.net();
        nets[the_house] -= part.claims.net();
    }
    const auto converted = convert(nets, *netting_.rate);
    if (!converted) return "the nets are too large at this rate";
    for (auto& [side, part] : parts_) {
        if (part.is_foreign()) continue;
        part.converted = converted->nets.at(side.first);
        if (part.converted.count == 0 && part.claims.net().count != 0)
            return fmt::format(
                "the net of {}, {}, is nothing in {}: carry it forward with --minimum",
                terms_.partner(side.first).name,
                ledger::format_minor(part.claims.net(), terms_.currency),
                netting_.rate->to.code);
    }
    rounded_apart_ = converted->exchange_result;
    return {};
}

/// What a payment of the net bears as its end-to-end id: SEPA takes 35 of its characters.
std::string NetDraft::reference_of(const Side& side) const
{
    constexpr std::string_view carried =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    const auto& partner = terms_.partner(side.first);
    const auto stem = reference_stem(key_);
    std::string_view direction;
    if (netting_.method == NettingMethod::gross) direction = side.second ? "-OUT" : "-IN";
    auto reference = fmt::format("{}-{}{}", stem, partner.name, direction);
    const bool is_carried = partner.name.find_first_not_of(carried) == std::string::npos;
    if (is_carried && reference.size() <= 35) return reference;
    return fmt::format("{}-P.{}{}", stem, partner.partner.value(), direction);
}

void NetDraft::add_row(json::array& nets, const Side& side, const Part& part) const
{
    const auto& partner = terms_.partner(side.first);
    json::object row{
        {"partner", partner.partner.value()},
        {"id", partner.name},
        {"net_minor", part.is_nothing() ? 0 : part.claims.net().count},
        {"reference", reference_of(side)}};
    if (part.is_foreign()) {
        row.emplace("foreign_minor", part.foreign.count);
        row.emplace("pay_in", part.newest().currency.code);
        row.emplace("rate_id", part.newest().booked->rate_id);
    } else if (netting_.rate) {
        row.emplace("foreign_minor", part.converted.count);
    }
    nets.push_back(std::move(row));
}

NewEntry NetDraft::entry() const
{
    std::vector<const IssuedDocument*> documents;
    json::array nets;
    std::vector<AccountLine> lines;
    for (const auto& [side, part] : parts_) {
        std::ranges::copy(part.documents, std::back_inserter(documents));
        add_row(nets, side, part);
        if (!part.is_nothing()) continue;
        // Nothing will be paid: the documents cancel out now, whatever their rates were.
        std::ranges::copy(
            lines_of_payment(side.first, part.claims, part.claims.net(), true),
            std::back_inserter(lines));
        lines.push_back({.account = Account::cash_operating, .amount = part.claims.net().count});
        lines.push_back({.account = Account::exchange, .amount = -part.claims.net().count});
    }
    std::ranges::sort(documents, {}, &IssuedDocument::entry);
    json::array numbers;
    for (const auto* issued : documents) {
        json::object row{{"number", issued->document.number}, {"owed_minor", issued->open().count}};
        if (issued->document.booked) row.emplace("claim_minor", issued->open_claim().count);
        numbers.push_back(std::move(row));
    }
    to_micro(lines, terms_.currency);
    json::object content{
        {"window", ledger::format_month(key_.window)},
        {"method", name_of(netting_.method)},
        {"minimum_minor", netting_.minimum.count},
        {"documents", std::move(numbers)},
        {"nets", std::move(nets)}};
    add_program(content, key_);
    if (netting_.rate) {
        content.emplace("pay_in", netting_.rate->to.code);
        content.emplace("rate_id", netting_.rate->id);
        content.emplace("rounded_apart_minor", rounded_apart_.count);
    }
    if (!lines.empty()) content.emplace("lines_micro", lines_object(lines, terms_));
    return {.kind = "window_netted", .content = json::serialize(content)};
}

} // namespace pointhouse::settlement
