#include "house_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/serialize.hpp>

#include "house_entries.hpp"
#include "partners/base64.hpp"

namespace pointhouse::partners {

std::string text_of(const ledger::Terms& terms)
{
    auto text = fmt::format(
        "as of {} {} {} face {} late {} zone {} grace {} inactive {} from {} kept {} approval {}"
        " of {}\n",
        terms.as_of.value(),
        terms.currency.code,
        terms.currency.minor_digits,
        terms.face_value.count(),
        terms.late_window_days,
        terms.calendar->time_zone(),
        terms.house.refund_grace_days,
        terms.house.inactivity_months,
        terms.house.inactivity_from,
        terms.house.activity_kept_from.value(),
        terms.house.approval_above ? terms.house.approval_above->count() : -1,
        boost::json::serialize(names_of(terms.house.approval_of)));
    for (const auto& partner : terms.partners) {
        text += fmt::format(
            "partner {} {} {}{}{} debt {} excess {} tariffs {} blocks {} prepaid {} limit {}"
            " next {} opening {} {}",
            partner.partner.value(),
            partner.name,
            partner.roles.issuer ? "i" : "-",
            partner.roles.redeemer ? "r" : "-",
            partner.roles.charity ? "c" : "-",
            fmt::format(
                "{}/{}/{}",
                partner.debt_shares.issuer,
                partner.debt_shares.redeemer,
                partner.debt_shares.house),
            partner.excess_clawbacks_allowed,
            fmt::join(partner.tariffs, " "),
            fmt::join(partner.blocks, " "),
            partner.billing == ledger::Billing::prepaid,
            partner.credit_limit ? ledger::format_micro(*partner.credit_limit) : "none",
            partner.on_short == ledger::OnShort::next_block,
            partner.moved.unbilled_price.count() * 7 + partner.moved.unbilled_fee.count(),
            partner.moved.receivable.count());
        for (const auto& row : partner.vat) {
            text +=
                fmt::format(" vat {} {} {}", ledger::micros_of(row.valid_from), row.price, row.fee);
        }
        text += '\n';
    }
    for (const auto& tariff : terms.tariffs) {
        text += fmt::format(
            "tariff of {}: {}\n", tariff.partner.value(), boost::json::serialize(to_json(tariff)));
    }
    for (const auto& promotion : terms.promotions) {
        text += fmt::format(
            "promotion {} {} {} {} {}:",
            promotion.id.value(),
            promotion.name,
            promotion.from,
            promotion.to,
            promotion.cap.count());
        for (const auto& [partner, share] : promotion.funders) {
            text += fmt::format(" {} {}", partner.value(), share);
        }
        text += '\n';
    }
    return text;
}

std::string text_of(const Registry& registry)
{
    auto text =
        boost::json::serialize(to_json(registry.founding())) + '\n' + text_of(*registry.terms());
    for (const auto& contract : registry.contracts()) {
        text += boost::json::serialize(to_json(contract)) + '\n';
        for (const auto& row : contract.vat) {
            text += fmt::format("vat of {}\n", row.partner.value());
        }
    }
    for (const auto& proposal : registry.proposals()) {
        text += fmt::format(
            "waits {} {} {} {}\n",
            proposal.id.value(),
            proposal.actor,
            proposal.summary,
            proposal.content);
    }
    for (const auto entry : registry.entries_with_money()) {
        for (const auto& line : registry.money_of(entry)) {
            text += fmt::format(
                "money {} {} {} {}\n",
                entry.value(),
                static_cast<int>(line.account),
                line.partner.value(),
                line.amount);
        }
    }
    for (const auto& [serial, certificate] : registry.certificates()) {
        text += fmt::format(
            "{} {} revoked {}\n",
            serial,
            boost::json::serialize(to_json(certificate)),
            certificate.revoked);
    }
    text += fmt::format("logo {}\n", as_base64(registry.logo().png()));
    for (auto month = ledger::Month{2026, 1}; month < ledger::Month{2027, 1};
         month = month.next()) {
        text += registry.is_closed(month) ? "closed " : "open ";
    }
    return text;
}

} // namespace pointhouse::partners
