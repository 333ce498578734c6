#include "partners/registry.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "contract_rules.hpp"
#include "house_entries.hpp"
#include "ledger/invariant.hpp"
#include "registry_state.hpp"

namespace pointhouse::partners {

Registry::Registry(ledger::HouseRecord& record) : state_{std::make_unique<State>(record)}
{
    state_->replay();
}

Registry::~Registry() = default;

void Registry::hold()
{
    state_->record.hold();
}

void Registry::write_held()
{
    try {
        state_->record.write_held();
    } catch (const ledger::StoreFailure&) {
        state_->replay_again();
        throw;
    }
}

void Registry::drop_held()
{
    const auto head = state_->record.head();
    state_->record.drop_held();
    if (state_->record.head() != head) state_->replay_again();
}

bool Registry::is_holding() const
{
    return state_->record.is_holding();
}

Registry::Accepted<void> Registry::found(const Founding& founding, Act act)
{
    if (state_->founding) return refused("the house is founded already");
    if (auto fault = fault_of(founding)) return refused(std::move(*fault));
    state_->commit(kind::house_founded, to_json(founding), act);
    return {};
}

const Registry::Founding& Registry::founding() const
{
    ledger::invariant(
        state_->founding.has_value(), "the house is founded before it is asked about");
    return *state_->founding;
}

Registry::Accepted<void> Registry::change_currency(std::string_view currency, Act act)
{
    if (!state_->founding) return refused("the house is not founded yet");
    if (state_->founding->production) return refused("a production house keeps its currency");
    if (!state_->contracts.empty()) return refused("a house with partners keeps its currency");
    auto founding = *state_->founding;
    founding.currency = currency;
    if (auto fault = fault_of(founding)) return refused(std::move(*fault));
    state_->commit(kind::currency_changed, {{"currency", currency}}, act);
    return {};
}

Registry::Accepted<ledger::PartnerId> Registry::add(const PartnerContract& contract, Act act)
{
    if (!state_->founding) return refused("the house is not founded yet");
    if (auto fault = fault_of(contract)) return refused(std::move(*fault));
    if (auto fault = fault_of(contract.house, *state_->founding, terms()->house)) {
        return refused(std::move(*fault));
    }
    if (contract.house.programs && *contract.house.programs != programs()) {
        return refused("house: this house has other programs");
    }
    if (auto fault = fault_of_program(contract.settlement.program, programs())) {
        return refused(std::move(*fault));
    }
    if (find_contract(contract.terms.name)) {
        return refused(fmt::format("id: {} is registered already", contract.terms.name));
    }
    if (const auto waiting = state_->waiting_contract(contract.terms.name); act.prepares && waiting)
        return refused(fmt::format(
            "id: a contract of {} waits for approval already, under {}",
            contract.terms.name,
            waiting->value()));
    for (const auto& tariff : contract.tariffs) {
        if (auto fault = fault_of_promise(tariff, *state_->founding)) {
            return refused(std::move(*fault));
        }
    }
    for (const auto& promotion : contract.promotions) {
        if (auto fault = fault_among_others(promotion)) return refused(std::move(*fault));
    }

    auto numbered = contract;
    const ledger::PartnerId partner{static_cast<std::uint32_t>(state_->contracts.size() + 1)};
    numbered.terms.partner = partner;
    auto version = static_cast<std::uint32_t>(terms()->tariffs.size());
    for (auto& tariff : numbered.tariffs) tariff.version = ledger::TariffVersion{++version};
    state_->commit(kind::partner_added, to_json(numbered), act);
    return partner;
}

Registry::Accepted<ledger::TariffVersion> Registry::set_tariff(
    ledger::PartnerId partner, const ledger::Tariff& tariff, Act act)
{
    if (partner.is_none() || partner.value() > state_->contracts.size()) {
        return refused("there is no such partner");
    }
    if (auto fault = fault_of(tariff)) return refused(std::move(*fault));

    const auto& contract = state_->contracts[partner.value() - 1];
    if (auto fault = fault_of_promise(tariff, *state_->founding)) return refused(std::move(*fault));
    if (contract.terms.billing == ledger::Billing::prepaid) {
        if (auto fault = fault_of_prepayment(tariff)) return refused(std::move(*fault));
    }
    const auto& calendar = *terms()->calendar;
    const auto first_day = calendar.day_of(act.at) + contract.notice_days;
    if (contract.notice_days > 0 && tariff.valid_from < calendar.start_of(first_day)) {
        return refused(fmt::format(
            "from: {} has {} days' notice of a tariff; not before {}",
            contract.terms.name,
            contract.notice_days,
            ledger::format_day(first_day)));
    }
    if (!contract.tariffs.empty() && tariff.valid_from <= contract.tariffs.back().valid_from) {
        return refused(fmt::format(
            "from: {} has a tariff from {} on; a further one begins later",
            contract.terms.name,
            ledger::format_time(contract.tariffs.back().valid_from)));
    }
    if (auto fault = fault_of_closed_window(tariff.valid_from)) return refused(std::move(*fault));

    auto numbered = tariff;
    numbered.version =
        ledger::TariffVersion{static_cast<std::uint32_t>(terms()->tariffs.size() + 1)};
    state_->commit(
        kind::tariff_set,
        {{"partner", partner.value()}, {"id", contract.terms.name}, {"tariff", to_json(numbered)}},
        act);
    return numbered.version;
}

// What begins in a month that is closed would change what was settled.
std::optional<std::string> Registry::fault_of_closed_window(ledger::Time from) const
{
    const auto month = terms()->calendar->month_of(from);
    if (state_->closed_windows.empty() || month > state_->closed_windows.rbegin()->first)
        return std::nullopt;
    return fmt::format("from: the window {} is closed", ledger::format_month(month));
}

Registry::Accepted<void> Registry::set_vat(
    ledger::PartnerId partner, std::span<const VatTerms> rows, Act act)
{
    if (partner.is_none() || partner.value() > state_->contracts.size())
        return refused("there is no such partner");
    const auto& name = state_->contracts[partner.value() - 1].terms.name;
    auto known = state_->contracts[partner.value() - 1].vat;
    boost::json::array added;
    for (const auto& row : rows) {
        if (auto fault = fault_of(row)) return refused("vat: " + *fault);
        if (auto fault = fault_of_closed_window(row.valid_from)) return refused(std::move(*fault));
        for (const auto& flow : row.flows) {
            const auto* last = row_in_force(known, flow, ledger::Time::max());
            if (last == nullptr || row.valid_from > last->valid_from) continue;
            return refused(fmt::format(
                "from: {} has VAT on {} from {} on; what follows begins later",
                name,
                flow,
                ledger::format_day(terms()->calendar->day_of(last->valid_from))));
        }
        known.push_back(row);
        added.push_back(to_json(row));
    }
    if (added.empty()) return refused("vat: one row or more");
    state_->commit(
        kind::vat_set,
        {{"partner", partner.value()}, {"id", name}, {"vat", std::move(added)}},
        act);
    return {};
}

void Registry::certificate_issued(const CertificateTerms& certificate, Act act)
{
    ledger::invariant(
        !certificate.serial.empty() && !state_->certificates.contains(certificate.serial),
        "a certificate's serial number is new");
    state_->commit(kind::certificate_issued, to_json(certificate), act);
}

Registry::Accepted<void> Registry::revoke_certificate(std::string_view serial, Act act)
{
    const auto found = state_->certificates.find(serial);
    if (found == state_->certificates.end()) {
        return refused(fmt::format("the house issued no certificate {}", serial));
    }
    if (found->second.revoked) {
        return refused(fmt::format("certificate {} is revoked already", serial));
    }
    state_->commit(kind::certificate_revoked, {{"serial", serial}}, act);
    return {};
}

const std::map<std::string, CertificateTerms, std::less<>>& Registry::certificates() const
{
    return state_->certificates;
}

void Registry::window_closed(ledger::Month month, ledger::Sequence cut, Act act)
{
    ledger::invariant(!is_closed(month), "a window closes once");
    state_->commit(
        kind::window_closed, {{"window", ledger::format_month(month)}, {"cut", cut.value()}}, act);
}

bool Registry::is_closed(ledger::Month month) const
{
    return state_->closed_windows.contains(month);
}

std::shared_ptr<const ledger::Terms> Registry::terms() const
{
    const std::lock_guard lock{state_->mutex};
    return state_->published;
}

std::shared_ptr<const ledger::Terms> Registry::terms_at(ledger::HouseSequence sequence) const
{
    const std::lock_guard lock{state_->mutex};
    const auto& marks = state_->marks;
    const auto after = std::ranges::upper_bound(marks, sequence, {}, &TermsMark::as_of);
    if (after == marks.begin()) return nullptr;
    const auto& mark = *std::prev(after);

    const auto& published = state_->published;
    if (published->as_of == mark.as_of) return published;
    auto& earlier = state_->earlier;
    if (earlier && earlier->as_of == mark.as_of) return earlier;

    auto terms = *published;
    terms.as_of = mark.as_of;
    terms.currency = mark.currency;
    terms.partners.resize(mark.partners);
    terms.tariffs.resize(mark.tariffs);
    terms.promotions.resize(mark.promotions);
    terms.house = mark.house;
    const auto is_later = [&](std::uint32_t place) { return place >= mark.tariffs; };
    for (auto& partner : terms.partners) {
        std::erase_if(partner.tariffs, is_later);
        std::erase_if(partner.blocks, is_later);
        const std::size_t place = partner.partner.value() - 1;
        const bool has_moved = mark.claims && place < mark.claims->size();
        const auto exit = state_->exits.find(partner.partner);
        if (exit != state_->exits.end() && exit->second > mark.as_of) partner.leaves_at.reset();
        partner.moved = has_moved ? (*mark.claims)[place] : ledger::ClaimMoves{};
    }
    earlier = std::make_shared<const ledger::Terms>(std::move(terms));
    return earlier;
}

std::vector<ledger::AccountLine> Registry::money_of(ledger::HouseSequence sequence) const
{
    const std::lock_guard lock{state_->mutex};
    const auto found = state_->money.find(sequence);
    return found == state_->money.end() ? std::vector<ledger::AccountLine>{} : found->second;
}

std::vector<ledger::HouseSequence> Registry::entries_with_money() const
{
    std::vector<ledger::HouseSequence> entries;
    for (const auto& [entry, lines] : state_->money) entries.push_back(entry);
    return entries;
}

const std::optional<ImportedOpening>& Registry::opening() const
{
    return state_->opening;
}

const std::vector<PromotionTerms>& Registry::promotions() const
{
    return state_->promotions;
}

const PartnerContract* Registry::find_contract(std::string_view id) const
{
    const auto found = std::ranges::find(
        state_->contracts, id, [](const PartnerContract& contract) -> std::string_view {
            return contract.terms.name;
        });
    return found == state_->contracts.end() ? nullptr : &*found;
}

const Company& Registry::house_company() const
{
    return state_->house_company;
}

const std::vector<PartnerContract>& Registry::contracts() const
{
    return state_->contracts;
}

const std::vector<std::string>& Registry::programs() const
{
    return state_->programs;
}

const VatTerms* Registry::find_vat(
    ledger::PartnerId partner, std::string_view flow, ledger::Time at) const
{
    if (partner.is_none() || partner.value() > state_->contracts.size()) return nullptr;
    return row_in_force(state_->contracts[partner.value() - 1].vat, flow, at);
}

} // namespace pointhouse::partners
