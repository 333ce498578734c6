#include "gateway/settlement_source.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "gateway/projector.hpp"
#include "settlement/document_currency.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::gateway {

settlement::Contracts contracts_of(const partners::Registry& registry, const ledger::Terms& terms)
{
    settlement::Contracts contracts{.house = {.id = "house", .name = "Pointhouse"}};
    for (const auto& contract : registry.contracts()) {
        if (contracts.partners.size() == terms.partners.size()) break;
        const auto& name = contract.terms.name;
        contracts.partners.push_back(
            {.id = name,
             .name = contract.display_name.empty() ? name : contract.display_name,
             .program = contract.settlement.program});
        for (const auto& row : contract.vat) {
            for (const auto& flow : row.flows) {
                contracts.vat.push_back(
                    {.partner = contract.terms.partner,
                     .charge = flow,
                     .valid_from = row.valid_from,
                     .treatment = row.treatment,
                     .category = row.category,
                     .rate_basis_points = row.rate_basis_points,
                     .is_gross = row.is_gross,
                     .tax_point = settlement::find_tax_point(row.tax_point).value()});
            }
        }
    }
    return contracts;
}

void take_issue_days(
    settlement::Contracts& contracts,
    const settlement::Register& documents,
    ledger::Month month,
    const ledger::Calendar& calendar,
    ledger::Day today)
{
    contracts.issued_at = calendar.start_of(today);
    for (const auto* issued : documents.documents_of(month)) {
        const auto& document = issued->document;
        if (document.corrects) continue;
        for (const auto& line : document.lines)
            contracts.issued.emplace(
                settlement::StatementLineKey{
                    document.partner, document.supply, line.tariff, line.charge},
                calendar.start_of(document.issued_on));
    }
}

namespace {

/// A closed window is settled by the terms that it was closed under, so that settling it again
/// gives the same bytes.
std::shared_ptr<const ledger::Terms> terms_of(House& house, ledger::Month month)
{
    const auto closing = house.closing_of(month);
    return closing ? house.registry().terms_at(*closing) : house.registry().terms();
}

/// Whether a document of another window has the block.
bool is_billed_elsewhere(
    const settlement::Register& documents, ledger::TariffVersion block, ledger::Month month)
{
    return std::ranges::any_of(documents.documents(), [&](const auto* issued) {
        const auto& document = issued->document;
        return document.is_prepaid() && !document.corrects && document.window != month &&
               document.lines.front().tariff == block;
    });
}

/// Blocks that were sold in the window, or that a second operator approved only after the window of
/// their sale was closed: each is on one document.
std::vector<settlement::SoldBlock> blocks_sold_in(
    House& house, ledger::Month month, const ledger::Terms& terms)
{
    const auto& registry = house.registry();
    const auto& documents = house.documents();
    std::vector<settlement::SoldBlock> sold;
    for (const auto& contract : registry.contracts()) {
        for (const auto version : contract.sold_blocks) {
            if (version.value() > terms.tariffs.size()) continue; // bought later
            const auto& block = terms.tariff(version);
            const auto own = terms.calendar->month_of(block.valid_from);
            const bool is_late = own < month && documents.is_issued(own);
            if (own != month && !is_late) continue;
            if (is_billed_elsewhere(documents, version, month)) continue;
            const auto* row = registry.find_vat(block.partner, "block", block.valid_from);
            settlement::VatRate vat{.category = "O"};
            if (row)
                vat = {
                    .category = row->category,
                    .basis_points = row->rate_basis_points,
                    .is_gross = row->is_gross};
            sold.push_back(
                {.partner = block.partner,
                 .tariff = version,
                 .points = block.block,
                 .price = block.issue_price,
                 .fee = block.service_fee,
                 .sold_on = terms.calendar->day_of(block.valid_from),
                 .vat = vat});
        }
    }
    return sold;
}

/// Documents of a window that two people said yes to: its approved drafts, or what of them is
/// issued while others wait for another approval.
std::vector<settlement::Document> approved_documents(
    const settlement::Register& documents, ledger::Month month)
{
    const auto* drafts = documents.drafts_of(month);
    if (drafts && drafts->is_approved) return drafts->documents;
    std::vector<settlement::Document> approved;
    for (const auto* issued : documents.documents_of(month))
        if (!issued->document.corrects) approved.push_back(issued->document);
    return approved;
}

/// Approved documents belong to the programs that they were approved for, whatever contracts say
/// since.
void take_approved_programs(
    settlement::Contracts& contracts, const settlement::Register& documents, ledger::Month month)
{
    for (const auto& draft : approved_documents(documents, month))
        contracts.partners.at(draft.partner.value() - 1).program = draft.program;
}

/// At which rates documents are converted: that of the window's last day, or the newest before it;
/// once they are approved, those that they were approved with.
std::map<ledger::PartnerId, std::optional<settlement::ExchangeRate>> rates_of(
    House& house, ledger::Month month, const ledger::Terms& terms)
{
    const auto& documents = house.documents();
    const auto last_day = terms.calendar->day_of(terms.calendar->start_of(month.next())) - 1;
    std::map<ledger::PartnerId, std::optional<settlement::ExchangeRate>> rates;
    for (const auto& contract : house.registry().contracts()) {
        const auto& currency = contract.settlement.currency;
        if (currency.empty() || currency == terms.currency.code) continue;
        rates.emplace(
            contract.terms.partner, documents.find_rate(terms.currency.code, currency, last_day));
    }
    const auto* drafts = documents.drafts_of(month);
    if (drafts && drafts->is_approved) rates.clear();
    for (const auto& draft : approved_documents(documents, month))
        if (draft.booked)
            rates[draft.partner] =
                documents.stored_rate(draft.booked->rate_id, draft.currency.code);
    return rates;
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
    const auto& windows = points.windows();
    const auto found = std::ranges::find(windows, month, &ledger::Window::month);
    if (found == windows.end())
        throw HouseFailure{fmt::format("the house has no window {}", ledger::format_month(month))};
    terms_ = terms_of(house, month);
    contracts_ = contracts_of(house.registry(), *terms_);
    take_approved_programs(contracts_, house.documents(), month);
    made_on_ = terms_->calendar->day_of(points.house_time());
    take_issue_days(contracts_, house.documents(), month, *terms_->calendar, made_on_);
    parties_ = legal_parties_of(house.registry());
    house_accounts_ = house.registry().house_company().accounts;
    for (const auto& contract : house.registry().contracts())
        partner_accounts_.push_back(contract.company.accounts);
    const auto& calendar = house.documents().calendar();
    for (const auto& contract : house.registry().contracts()) {
        const auto place = contract.terms.partner.value() - 1;
        const auto& program = place < contracts_.partners.size()
                                  ? contracts_.partners.at(place).program
                                  : contract.settlement.program;
        objection_days_.push_back(partners::objection_days_of(contract.company)
                                      .value_or(calendar.terms_of(month, program).objection_days));
        const auto dates = calendar.dates_of(month, program);
        payment_days_.push_back(dates.due_on - dates.last);
    }
    blocks_ = blocks_sold_in(house, month, *terms_);
    rates_ = rates_of(house, month, *terms_);
    for (const auto* issued : house.documents().documents()) {
        const auto& document = issued->document;
        if (document.corrects || document.window >= month) continue;
        for (const auto& line : document.lines)
            billed_.emplace(
                std::pair{
                    document.window,
                    settlement::StatementLineKey{
                        document.partner, document.supply, line.tariff, line.charge}},
                settlement::Preceding{.number = document.number, .issued_on = document.issued_on});
    }
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
    // First, so that an open window's positions have all of it.
    const auto earlier = books_.earlier_positions(window_.month, *terms_->calendar);
    const auto before = books_.positions_before(window_.month);
    const auto rows = books_.positions(window_.month);
    const auto house = books_.house_lines(window_.month, *terms_);
    return settlement::settle(
        {.window = window_,
         .positions = {.before = before, .window = rows, .earlier = earlier, .house = house},
         .terms = *terms_,
         .contracts = contracts_});
}

/// Whoever sells in another currency is paid on its account in that, where it has one.
void SettlementSource::name_account(settlement::Document& draft) const
{
    const bool is_houses = draft.supply == settlement::StatementType::issuance;
    const auto& accounts =
        is_houses ? house_accounts_ : partner_accounts_.at(draft.partner.value() - 1);
    const auto found = accounts.find(draft.currency.code);
    if (found == accounts.end()) return;
    draft.seller.iban = found->second.iban;
    draft.seller.bic = found->second.bic;
}

/// What is undone is told with the document that billed it, where one did.
void SettlementSource::name_billing_documents(settlement::Document& draft) const
{
    for (auto& line : draft.lines) {
        const settlement::StatementLineKey key{
            draft.partner, draft.supply, line.tariff, line.charge};
        for (auto& part : line.earlier) {
            const auto found = billed_.find({part.origin, key});
            if (part.undoes && found != billed_.end()) part.billed_on = found->second;
        }
    }
}

std::vector<settlement::Document> SettlementSource::drafts(
    const settlement::Settlement& settlement) const
{
    auto made = settlement::drafts(settlement, parties_.house, parties_.partners, payment_days_);
    for (const auto& block : blocks_) {
        auto invoice = settlement::block_invoice(
            block,
            window_.month,
            terms_->currency,
            parties_.house,
            parties_.partners.at(block.partner.value() - 1));
        if (invoice.total != ledger::Minor{}) made.push_back(std::move(invoice));
    }
    for (auto& draft : made) {
        name_billing_documents(draft);
        draft.program = contracts_.partners.at(draft.partner.value() - 1).program;
        if (settlement::is_self_billed(draft.kind))
            draft.objection_days = objection_days_.at(draft.partner.value() - 1);
        const auto rate = rates_.find(draft.partner);
        if (rate == rates_.end()) continue;
        if (!rate->second)
            throw HouseFailure{fmt::format(
                "no rate of {} for {} is recorded until the end of {}: pointhouse fx set",
                terms_->currency.code,
                terms_->partner(draft.partner).name,
                ledger::format_month(window_.month))};
        auto foreign = settlement::in_currency(draft, *rate->second);
        if (!foreign) {
            throw HouseFailure{fmt::format(
                "what {} owes or is owed for {} comes to more in {} than a document can, at {}",
                terms_->partner(draft.partner).name,
                ledger::format_month(window_.month),
                rate->second->to.code,
                rate->second->id)};
        }
        draft = std::move(*foreign);
        name_account(draft);
    }
    return made;
}

std::vector<settlement::Document> SettlementSource::too_small(
    const settlement::Settlement& settlement) const
{
    return settlement::too_small(settlement, parties_.house, parties_.partners);
}

} // namespace pointhouse::gateway
