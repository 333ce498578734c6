#include "gateway/settlement_source.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "gateway/projector.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::gateway {

settlement::Contracts contracts_of(const partners::Registry& registry, const ledger::Terms& terms)
{
    settlement::Contracts contracts{.house = {.id = "house", .name = "Pointhouse"}};
    for (const auto& contract : registry.contracts()) {
        if (contracts.partners.size() == terms.partners.size()) break;
        const auto& name = contract.terms.name;
        contracts.partners.push_back(
            {.id = name, .name = contract.display_name.empty() ? name : contract.display_name});
        for (const auto& row : contract.vat) {
            for (const auto& flow : row.flows) {
                contracts.vat.push_back(
                    {.partner = contract.terms.partner,
                     .charge = flow,
                     .valid_from = row.valid_from,
                     .treatment = row.treatment,
                     .category = row.category,
                     .rate_basis_points = row.rate_basis_points});
            }
        }
    }
    return contracts;
}

namespace {

/// A closed window is settled by the terms that it was closed under, so that settling it again
/// gives the same bytes.
std::shared_ptr<const ledger::Terms> terms_of(House& house, ledger::Month month)
{
    const auto closing = house.closing_of(month);
    return closing ? house.registry().terms_at(*closing) : house.registry().terms();
}

} // namespace

LegalParties legal_parties_of(const partners::Registry& registry)
{
    const bool is_sandbox = !registry.founding().production;
    const auto party =
        [&](std::string_view id, std::string_view name, const partners::Company& of) {
            if (is_sandbox && of == partners::Company{})
                return settlement::sandbox_party(std::string{id}, std::string{name});
            return settlement::LegalParty{
                .id = std::string{id},
                .name = of.name.empty() ? std::string{name} : of.name,
                .street = of.street,
                .city = of.city,
                .postal_code = of.postal_code,
                .country = of.country,
                .vat_id = of.vat_id,
                .registration = of.registration,
                .endpoint_scheme = of.endpoint_scheme,
                .endpoint = of.endpoint,
                .iban = of.iban,
                .bic = of.bic,
                .email = of.email};
        };
    LegalParties parties{
        .house = party("house", "Pointhouse", registry.house_company()), .partners = {}};
    for (const auto& contract : registry.contracts()) {
        const auto& name = contract.display_name;
        const auto& id = contract.terms.name;
        parties.partners.push_back(party(id, name.empty() ? id : name, contract.company));
    }
    return parties;
}

SettlementSource::SettlementSource(House& house, ledger::Month month)
    : books_{house.books()}, projector_{house.projector()}
{
    auto& points = house.ledger();
    house.tend();
    terms_ = terms_of(house, month);
    contracts_ = contracts_of(house.registry(), *terms_);
    parties_ = legal_parties_of(house.registry());
    dates_ = house.documents().calendar().dates_of(month);
    const auto& windows = points.windows();
    const auto found = std::ranges::find(windows, month, &ledger::Window::month);
    if (found == windows.end())
        throw HouseFailure{fmt::format("the house has no window {}", ledger::format_month(month))};
    window_ = {
        .month = month,
        .from = terms_->calendar->start_of(month),
        .to = terms_->calendar->start_of(month.next()),
        .state = house.registry().is_closed(month) ? settlement::WindowState::closed
                                                   : settlement::WindowState::open};
    end_ = found->drained.is_none() ? points.head() : found->drained;
}

settlement::Settlement SettlementSource::settle(Console& console) const
{
    projector_.wait_for(end_, console);
    const auto before = books_.positions_before(window_.month);
    const auto rows = books_.positions(window_.month);
    const auto house = books_.house_lines(window_.month, *terms_);
    return settlement::settle(
        {.window = window_,
         .positions = {.before = before, .window = rows, .house = house},
         .terms = *terms_,
         .contracts = contracts_});
}

std::vector<settlement::Document> SettlementSource::drafts(
    const settlement::Settlement& settlement) const
{
    return settlement::drafts(
        settlement, parties_.house, parties_.partners, dates_.due_on - dates_.last);
}

} // namespace pointhouse::gateway
