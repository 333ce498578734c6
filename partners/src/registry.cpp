#include "partners/registry.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "contract_rules.hpp"
#include "house_entries.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::partners {
namespace {

namespace json = boost::json;

std::unexpected<ContractFault> refused(std::string reason)
{
    return std::unexpected(ContractFault{std::move(reason)});
}

/// How much of the terms there was at one entry. Partners and tariffs only grow, so that earlier
/// terms are a prefix of the present ones, in the currency of that time.
struct TermsMark {
    ledger::HouseSequence as_of;
    ledger::Currency currency;
    std::size_t partners = 0;
    std::size_t tariffs = 0;
};

} // namespace

struct Registry::State {
    explicit State(ledger::HouseRecord& of_house) : record{of_house} {}

    void replay();
    void commit(std::string_view kind, const json::object& content, Act act);

    ledger::HouseRecord& record;
    std::optional<Founding> founding;
    std::vector<PartnerContract> contracts;
    std::map<std::string, CertificateTerms, std::less<>> certificates;
    std::map<ledger::Month, ledger::Sequence> closed_windows;

    // What other threads read.
    mutable std::mutex mutex;
    std::shared_ptr<const ledger::Terms> published;
    std::vector<TermsMark> marks;                         // ascending
    mutable std::shared_ptr<const ledger::Terms> earlier; // the last that was asked for

private:
    using Apply = void (State::*)(const json::object&);
    struct Kind {
        std::string_view name;
        Apply apply;
        bool changes_terms;
    };
    static const std::array<Kind, 7> kinds;

    void apply(const ledger::HouseEntry& entry);
    void apply_founding(const json::object& content);
    void apply_currency(const json::object& content);
    void apply_partner(const json::object& content);
    void apply_tariff(const json::object& content);
    void apply_certificate(const json::object& content);
    void apply_revocation(const json::object& content);
    void apply_window(const json::object& content);
    void take_tariff(const ledger::Tariff& tariff);
    void publish();

    ledger::Terms terms; // the writer's own copy
};

constexpr std::array<Registry::State::Kind, 7> Registry::State::kinds{
    {{kind::house_founded, &State::apply_founding, true},
     {kind::currency_changed, &State::apply_currency, true},
     {kind::partner_added, &State::apply_partner, true},
     {kind::tariff_set, &State::apply_tariff, true},
     {kind::certificate_issued, &State::apply_certificate, false},
     {kind::certificate_revoked, &State::apply_revocation, false},
     {kind::window_closed, &State::apply_window, false}}};

void Registry::State::replay()
{
    for (const auto& entry : record.entries()) {
        try {
            apply(entry);
        } catch (const std::exception& failure) {
            throw std::runtime_error{fmt::format(
                "entry {} of the house's record ({}) cannot be read: {}",
                entry.sequence.value(),
                entry.kind,
                failure.what())};
        }
    }
    publish();
}

void Registry::State::commit(std::string_view kind, const json::object& content, Act act)
{
    const auto& entry = record.append(act.at, kind, act.actor, json::serialize(content));
    const std::lock_guard lock{mutex};
    apply(entry);
    if (terms.as_of == entry.sequence) publish();
}

void Registry::State::apply(const ledger::HouseEntry& entry)
{
    const auto* known = std::ranges::find(kinds, entry.kind, &Kind::name);
    if (known == kinds.end()) return;
    (this->*known->apply)(json::parse(entry.content).as_object());
    if (!known->changes_terms) return;
    terms.as_of = entry.sequence;
    marks.push_back(
        {.as_of = entry.sequence,
         .currency = terms.currency,
         .partners = terms.partners.size(),
         .tariffs = terms.tariffs.size()});
}

void Registry::State::publish()
{
    // Shared: decisions in flight keep the terms that they started with.
    if (founding) published = std::make_shared<const ledger::Terms>(terms);
}

void Registry::State::apply_founding(const json::object& content)
{
    founding = founding_from(content);
    terms.currency = ledger::find_currency(founding->currency).value();
    terms.face_value = ledger::parse_micro(founding->face_value).value();
    terms.late_window_days = founding->late_window_days;
    terms.calendar = std::make_shared<const ledger::Calendar>(founding->time_zone);
}

void Registry::State::apply_currency(const json::object& content)
{
    founding.value().currency = text_in(content, "currency");
    terms.currency = ledger::find_currency(founding->currency).value();
}

void Registry::State::apply_partner(const json::object& content)
{
    auto contract = contract_from(content);
    if (contract.terms.partner.value() != contracts.size() + 1) {
        throw std::invalid_argument{"the partner's number is not the next one"};
    }
    terms.partners.push_back(contract.terms);
    for (const auto& tariff : contract.tariffs) take_tariff(tariff);
    contracts.push_back(std::move(contract));
}

void Registry::State::apply_tariff(const json::object& content)
{
    const ledger::PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    const auto tariff = tariff_from(content.at("tariff").as_object(), partner);
    take_tariff(tariff);
    contracts.at(partner.value() - 1).tariffs.push_back(tariff);
}

void Registry::State::take_tariff(const ledger::Tariff& tariff)
{
    if (tariff.version.value() != terms.tariffs.size() + 1) {
        throw std::invalid_argument{"the tariff's version is not the next one"};
    }
    const auto place = static_cast<std::uint32_t>(terms.tariffs.size());
    terms.partners.at(tariff.partner.value() - 1).tariffs.push_back(place);
    terms.tariffs.push_back(tariff);
}

void Registry::State::apply_certificate(const json::object& content)
{
    auto certificate = certificate_from(content);
    auto serial = certificate.serial;
    certificates.insert_or_assign(std::move(serial), std::move(certificate));
}

void Registry::State::apply_revocation(const json::object& content)
{
    const auto found = certificates.find(text_in(content, "serial"));
    if (found == certificates.end()) throw std::invalid_argument{"no such certificate"};
    found->second.revoked = true;
}

void Registry::State::apply_window(const json::object& content)
{
    const auto month = ledger::parse_month(text_in(content, "window")).value();
    closed_windows.insert_or_assign(
        month, ledger::Sequence{content.at("cut").to_number<std::uint64_t>()});
}

Registry::Registry(ledger::HouseRecord& record) : state_{std::make_unique<State>(record)}
{
    state_->replay();
}

Registry::~Registry() = default;

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
    if (auto fault = fault_of(contract.house, *state_->founding)) return refused(std::move(*fault));
    if (find_contract(contract.terms.name)) {
        return refused(fmt::format("id: {} is registered already", contract.terms.name));
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
    if (!contract.tariffs.empty() && tariff.valid_from <= contract.tariffs.back().valid_from) {
        return refused(fmt::format(
            "from: {} has a tariff from {} on; a further one begins later",
            contract.terms.name,
            ledger::format_time(contract.tariffs.back().valid_from)));
    }
    const auto month = terms()->calendar->month_of(tariff.valid_from);
    if (!state_->closed_windows.empty() && month <= state_->closed_windows.rbegin()->first) {
        return refused(fmt::format("from: the window {} is closed", ledger::format_month(month)));
    }

    auto numbered = tariff;
    numbered.version =
        ledger::TariffVersion{static_cast<std::uint32_t>(terms()->tariffs.size() + 1)};
    state_->commit(
        kind::tariff_set,
        {{"partner", partner.value()}, {"id", contract.terms.name}, {"tariff", to_json(numbered)}},
        act);
    return numbered.version;
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
    for (auto& partner : terms.partners) {
        std::erase_if(partner.tariffs, [&](std::uint32_t place) { return place >= mark.tariffs; });
    }
    earlier = std::make_shared<const ledger::Terms>(std::move(terms));
    return earlier;
}

const PartnerContract* Registry::find_contract(std::string_view id) const
{
    const auto found = std::ranges::find(
        state_->contracts, id, [](const PartnerContract& contract) -> std::string_view {
            return contract.terms.name;
        });
    return found == state_->contracts.end() ? nullptr : &*found;
}

const std::vector<PartnerContract>& Registry::contracts() const
{
    return state_->contracts;
}

const VatTerms* Registry::find_vat(
    ledger::PartnerId partner, std::string_view flow, ledger::Time at) const
{
    if (partner.is_none() || partner.value() > state_->contracts.size()) return nullptr;
    const VatTerms* in_force = nullptr;
    for (const auto& row : state_->contracts[partner.value() - 1].vat) {
        if (row.valid_from > at || std::ranges::find(row.flows, flow) == row.flows.end()) continue;
        if (!in_force || row.valid_from > in_force->valid_from) in_force = &row;
    }
    return in_force;
}

} // namespace pointhouse::partners
