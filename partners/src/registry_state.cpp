#include "registry_state.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
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

/// What came of a request says so, wherever it was made.
std::string with_request(std::string_view content, const Registry::Act& act)
{
    if (!act.request) return std::string{content};
    auto named = json::parse(content).as_object();
    named.emplace(
        "request", json::object{{"id", act.request->id}, {"digest", act.request->digest}});
    return json::serialize(named);
}

std::int32_t rate_in_force(
    const std::vector<VatTerms>& rows, std::string_view flow, ledger::Time at)
{
    // A price that holds the tax is all that is owed.
    const auto* row = row_in_force(rows, flow, at);
    return row && !row->is_gross ? row->rate_basis_points : 0;
}

// VAT on price and fee, from each day on which either changes.
std::vector<ledger::IssuerVat> issuer_vat(const std::vector<VatTerms>& rows)
{
    std::vector<ledger::IssuerVat> vat;
    vat.reserve(rows.size());
    for (const auto& row : rows) vat.push_back({.valid_from = row.valid_from});
    std::ranges::sort(vat, {}, &ledger::IssuerVat::valid_from);
    const auto same = std::ranges::unique(vat, {}, &ledger::IssuerVat::valid_from);
    vat.erase(same.begin(), same.end());
    for (auto& at : vat) {
        at.price = rate_in_force(rows, "price", at.valid_from);
        at.fee = rate_in_force(rows, "fee", at.valid_from);
    }
    return vat;
}

} // namespace

const VatTerms* row_in_force(
    const std::vector<VatTerms>& rows, std::string_view flow, ledger::Time at)
{
    const VatTerms* in_force = nullptr;
    for (const auto& row : rows) {
        if (row.valid_from > at || std::ranges::find(row.flows, flow) == row.flows.end()) continue;
        if (!in_force || row.valid_from > in_force->valid_from) in_force = &row;
    }
    return in_force;
}

constexpr std::array<Registry::State::Kind, 20> Registry::State::kinds{
    {{kind::house_founded, &State::apply_founding, true},
     {kind::currency_changed, &State::apply_currency, true},
     {kind::partner_added, &State::apply_partner, true},
     {kind::tariff_set, &State::apply_tariff, true},
     {kind::vat_set, &State::apply_vat, true},
     {kind::company_set, &State::apply_company, false},
     {kind::logo_set, &State::apply_logo, false},
     {kind::logo_withdrawn, &State::apply_logo_withdrawal, false},
     {kind::settlement_terms_set, &State::apply_settlement_terms, false},
     {kind::partner_leaves, &State::apply_exit, true},
     {kind::promotion_agreed, &State::apply_promotion, true},
     {kind::block_bought, &State::apply_block, true},
     {kind::opening_imported, &State::apply_opening, true},
     {kind::proposal_made, &State::apply_proposal, false},
     {kind::proposal_rejected, &State::apply_rejection, false},
     {kind::certificate_issued, &State::apply_certificate, false},
     {kind::certificate_revoked, &State::apply_revocation, false},
     {kind::window_closed, &State::apply_window, false},
     {kind::house_terms_set, &State::apply_house_terms, true},
     {kind::message_approved, &State::apply_message, false}}};

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

void Registry::State::replay_again()
{
    const std::lock_guard lock{mutex};
    static_cast<RegistryFold&>(*this) = {};
    replay();
}

void Registry::State::commit(std::string_view kind, json::object content, Act act)
{
    if (!act.approves.is_none()) content.emplace("proposal", act.approves.value());
    if (!act.permitted_by.is_none()) content.emplace("permitted_by", act.permitted_by.value());
    if (act.prepares) {
        const auto summary = fmt::format("{} {}", kind, text_in(content, "id"));
        content = {{"what", kind}, {"summary", summary}, {"content", std::move(content)}};
        kind = kind::proposal_made;
    }
    append(kind, json::serialize(content), act);
}

const ledger::HouseEntry& Registry::State::append(
    std::string_view kind, std::string_view content, Act act)
{
    const auto head = record.head();
    try {
        record.append(act.at, kind, act.actor, with_request(content, act));
    } catch (const ledger::StoreFailure&) {
        // Only the answer was lost, or that of an entry before: it is in the record.
        if (record.head() != head) replay_again();
        throw;
    }
    const auto& entry = record.entries().back();
    const std::lock_guard lock{mutex};
    apply(entry);
    if (terms.as_of == entry.sequence) publish();
    return entry;
}

void Registry::State::apply(const ledger::HouseEntry& entry)
{
    const auto content = json::parse(entry.content).as_object();
    entry_ = &entry;
    const auto* known = std::ranges::find(kinds, entry.kind, &Kind::name);
    const bool is_known = known != kinds.end();
    if (is_known) (this->*known->apply)(content);
    // What settlement writes is its own; the money in it is the ledger's to book.
    const auto* lines = is_known ? nullptr : content.if_contains("lines_micro");
    if (lines) {
        take_money(lines->as_object());
        const auto* fee = content.if_contains("fee_micro");
        move_claims(ledger::Micro{fee ? fee->to_number<std::int64_t>() : 0});
    }
    if (const auto* proposal = content.if_contains("proposal"))
        decide(ledger::HouseSequence{proposal->to_number<std::uint64_t>()}, content);
    if (is_known ? !known->changes_terms : !lines) return;
    terms.as_of = entry.sequence;
    marks.push_back(
        {.as_of = entry.sequence,
         .currency = terms.currency,
         .partners = terms.partners.size(),
         .tariffs = terms.tariffs.size(),
         .promotions = terms.promotions.size(),
         .claims = newest_claims,
         .house = terms.house});
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
    // Four eyes on every adjustment, until its people leave small ones to one of them.
    if (!founding->production) return;
    terms.house.approval_above = ledger::Points{0};
    // What cannot be undone by the same hand.
    terms.house.approval_of = {ledger::MessageType::close, ledger::MessageType::merge};
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
    contract.terms.vat = issuer_vat(contract.vat);
    terms.partners.push_back(contract.terms);
    for (const auto& tariff : contract.tariffs) take_tariff(tariff);
    contracts.push_back(std::move(contract));
    for (const auto& promotion : contracts.back().promotions) {
        if (is_agreed(promotion)) take_promotion(promotion);
    }
}

// Every funder has signed it. Two that differ under one id never come into the record.
bool Registry::State::is_agreed(const PromotionTerms& promotion) const
{
    if (terms.find_promotion(promotion.id)) return false;
    return std::ranges::all_of(promotion.funders, [&](const auto& funder) {
        const auto has_signed = [&](const PartnerContract& contract) {
            return contract.terms.name == funder.first &&
                   std::ranges::find(contract.promotions, promotion) != contract.promotions.end();
        };
        return std::ranges::any_of(contracts, has_signed);
    });
}

std::optional<ledger::HouseSequence> Registry::State::waiting_contract(std::string_view id) const
{
    for (const auto& [proposal, waiting] : proposals) {
        if (waiting.kind != kind::partner_added) continue;
        if (text_in(json::parse(waiting.content).as_object(), "id") == id) return proposal;
    }
    return std::nullopt;
}

bool Registry::State::was_revoked(std::string_view operator_name) const
{
    const auto subject = fmt::format("operator:{}", operator_name);
    bool had_one = false;
    for (const auto& [serial, certificate] : certificates) {
        if (certificate.subject != subject) continue;
        if (!certificate.revoked) return false;
        had_one = true;
    }
    return had_one;
}

void Registry::State::apply_promotion(const json::object& content)
{
    take_promotion(promotion_from(content.at("promotion").as_object()));
}

void Registry::State::take_promotion(const PromotionTerms& promotion)
{
    ledger::Promotion agreed{
        .id = ledger::PromotionId{static_cast<std::uint32_t>(terms.promotions.size() + 1)},
        .name = promotion.id,
        .funders = {},
        .from = promotion.from,
        .to = promotion.to,
        .cap = ledger::Points{promotion.cap_points}};
    for (const auto& [name, share] : promotion.funders) {
        const auto* funder = terms.find_partner(name);
        if (!funder) throw std::invalid_argument{"a funder is no partner"};
        agreed.funders.push_back({.partner = funder->partner, .share = share});
    }
    terms.promotions.push_back(std::move(agreed));
    promotions.push_back(promotion);
}

void Registry::State::apply_company(const json::object& content)
{
    const auto partner = content.at("partner").to_number<std::uint32_t>();
    auto company = company_from(content.at("company").as_object());
    (partner == 0 ? house_company : contracts.at(partner - 1).company) = std::move(company);
}

void Registry::State::apply_vat(const json::object& content)
{
    const ledger::PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    auto& contract = contracts.at(partner.value() - 1);
    std::ranges::copy(
        vat_rows_from(content.at("vat").as_array(), partner), std::back_inserter(contract.vat));
    contract.terms.vat = issuer_vat(contract.vat);
    terms.partners.at(partner.value() - 1).vat = contract.terms.vat;
}

void Registry::State::apply_settlement_terms(const json::object& content)
{
    auto& contract = contracts.at(content.at("partner").to_number<std::uint32_t>() - 1);
    contract.settlement = settlement_terms_from(content.at("settlement").as_object());
}

void Registry::State::apply_exit(const json::object& content)
{
    const ledger::PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    const auto day = ledger::parse_day(text_in(content, "on")).value();
    auto& leaving = terms.partners.at(partner.value() - 1);
    leaving.leaves_at = terms.calendar->start_of(day);
    contracts.at(partner.value() - 1).terms.leaves_at = leaving.leaves_at;
    exits.emplace(partner, entry_->sequence);
}

void Registry::State::apply_block(const json::object& content)
{
    const ledger::PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    take_block(tariff_from(content.at("tariff").as_object(), partner));
    auto& contract = contracts.at(partner.value() - 1);
    contract.sold_blocks.push_back(contract.blocks.back().version);
    take_money(content.at("lines_micro").as_object());
}

void Registry::State::apply_proposal(const json::object& content)
{
    proposals.emplace(
        entry_->sequence,
        Proposal{
            .id = entry_->sequence,
            .kind = std::string{text_in(content, "what")},
            .actor = entry_->actor,
            .at = entry_->at,
            .summary = std::string{text_in(content, "summary")},
            .content = json::serialize(content.at("content")),
            .digest = {}});
    auto& proposal = proposals.at(entry_->sequence);
    const auto& what = content.at("content").as_object();
    if (const auto* digest = what.if_contains("digest")) proposal.digest = digest->as_string();
    if (const auto* message_id = what.if_contains("message_id")) {
        waiting_messages.emplace(
            entry_->sequence,
            MessageProposal{
                .kind = proposal.kind,
                .message_id = std::string{message_id->as_string()},
                .summary = proposal.summary,
                .digest = proposal.digest});
    }
}

void Registry::State::apply_rejection(const json::object& content)
{
    const ledger::HouseSequence proposal{content.at("proposal").to_number<std::uint64_t>()};
    waiting_messages.erase(proposal);
}

void Registry::State::decide(ledger::HouseSequence proposal, const json::object& content)
{
    const auto node = proposals.extract(proposal);
    if (node.empty()) return;
    const auto& waited = node.mapped();
    DecidedProposal now{
        .kind = waited.kind,
        .summary = waited.summary,
        .prepared_by = waited.actor,
        .prepared_at = waited.at,
        .digest = waited.digest,
        .message_id = {},
        .is_approved = entry_->kind != kind::proposal_rejected,
        .decided_by = entry_->actor,
        .decided_at = entry_->at,
        .reason = {}};
    const auto what = json::parse(waited.content).as_object();
    if (what.contains("message_id")) now.message_id = text_in(what, "message_id");
    if (!now.is_approved && content.contains("reason")) now.reason = text_in(content, "reason");
    decided.emplace(proposal, std::move(now));
}

void Registry::State::apply_message(const json::object& content)
{
    const ledger::HouseSequence proposal{content.at("proposal").to_number<std::uint64_t>()};
    approved_messages.insert(waiting_messages.extract(proposal));
}

void Registry::State::apply_house_terms(const json::object& content)
{
    const auto before = terms.house;
    const auto kept_from = before.activity_kept_from;
    terms.house = house_terms_from(content);
    terms.house.activity_kept_from = kept_from;
    // The older form does not say it.
    if (!content.contains("approval_of")) terms.house.approval_of = before.approval_of;
    if (const auto* named = content.if_contains("programs")) programs = programs_from(*named);
    if (kept_from.is_none() && terms.house.inactivity_months != 0) {
        terms.house.activity_kept_from = entry_->sequence;
    }
}

void Registry::State::apply_opening(const json::object& content)
{
    ImportedOpening imported{
        .entry = entry_->sequence,
        .proposal = ledger::HouseSequence{content.at("proposal").to_number<std::uint64_t>()},
        .as_of = ledger::parse_day(text_in(content, "as_of")).value(),
        .digest = std::string{text_in(content, "digest")},
        .tariffs = {}};
    const auto partner_of = [](const json::object& row) {
        return ledger::PartnerId{row.at("partner").to_number<std::uint32_t>()};
    };
    for (const auto& value : content.at("tariffs").as_array()) {
        const auto& row = value.as_object();
        const auto& made = row.if_contains("tariff");
        const auto version =
            made ? tariff_from(made->as_object(), partner_of(row)).version
                 : ledger::TariffVersion{row.at("version").to_number<std::uint32_t>()};
        if (made) number_tariff(tariff_from(made->as_object(), partner_of(row)));
        const auto price = ledger::parse_micro(text_in(row, "issue_price")).value();
        imported.tariffs.emplace(std::pair{partner_of(row), price}, version);
    }
    for (const auto& value : content.at("blocks").as_array()) {
        const auto& row = value.as_object();
        take_block(tariff_from(row.at("tariff").as_object(), partner_of(row)));
    }
    take_money(content.at("balances_micro").as_object());
    move_claims({});
    opening = std::move(imported);
}

void Registry::State::take_money(const json::object& lines)
{
    auto& taken = money[entry_->sequence];
    for (const auto& [name, amount] : lines) {
        const auto account = ledger::find_account(name, terms);
        if (!account) throw std::invalid_argument{"no such account"};
        if (amount == 0) continue;
        taken.push_back(
            {.account = account->account,
             .partner = account->partner,
             .issuer = {},
             .amount = amount.to_number<std::int64_t>()});
    }
}

// Of what an entry takes from the unbilled, `fee` is service fee; the rest is price.
void Registry::State::move_claims(ledger::Micro fee)
{
    for (const auto& line : money.at(entry_->sequence)) {
        if (line.partner.is_none()) continue;
        auto& moved = terms.partners.at(line.partner.value() - 1).moved;
        const ledger::Micro amount{line.amount};
        if (line.account == ledger::Account::receivable) moved.receivable += amount;
        if (line.account != ledger::Account::unbilled) continue;
        moved.unbilled_fee -= fee;
        moved.unbilled_price += amount + fee;
    }
    auto claims = std::make_shared<std::vector<ledger::ClaimMoves>>();
    for (const auto& partner : terms.partners) claims->push_back(partner.moved);
    newest_claims = std::move(claims);
}

void Registry::State::take_block(const ledger::Tariff& block)
{
    number_tariff(block);
    terms.partners.at(block.partner.value() - 1).blocks.push_back(block.version.value() - 1);
    contracts.at(block.partner.value() - 1).blocks.push_back(block);
}

void Registry::State::apply_tariff(const json::object& content)
{
    const ledger::PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    const auto tariff = tariff_from(content.at("tariff").as_object(), partner);
    take_tariff(tariff);
    contracts.at(partner.value() - 1).tariffs.push_back(tariff);
}

void Registry::State::number_tariff(const ledger::Tariff& tariff)
{
    if (tariff.version.value() != terms.tariffs.size() + 1) {
        throw std::invalid_argument{"the tariff's version is not the next one"};
    }
    terms.tariffs.push_back(tariff);
}

void Registry::State::take_tariff(const ledger::Tariff& tariff)
{
    number_tariff(tariff);
    const auto place = tariff.version.value() - 1;
    terms.partners.at(tariff.partner.value() - 1).tariffs.push_back(place);
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

} // namespace pointhouse::partners
