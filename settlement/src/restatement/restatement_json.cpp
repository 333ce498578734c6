#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "../json_parts.hpp"
#include "moved_figures.hpp"
#include "settlement/restatement.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;

namespace {

std::string_view text_in(const json::object& content, std::string_view key)
{
    return content.at(key).as_string();
}

template <class Number>
Number number_in(const json::object& content, std::string_view key)
{
    return content.at(key).to_number<Number>();
}

ledger::Month month_in(const json::object& content, std::string_view key)
{
    return ledger::parse_month(text_in(content, key)).value();
}

template <class Named, std::size_t count>
Named named_in(
    const json::object& content, std::string_view key, const std::array<Named, count>& all)
{
    for (const Named each : all)
        if (name_of(each) == text_in(content, key)) return each;
    throw std::runtime_error{"a restatement has no such " + std::string{key}};
}

constexpr std::array types{
    StatementType::issuance,
    StatementType::redemption,
    StatementType::donation,
    StatementType::breakage};
constexpr std::array charges{
    Charge::price, Charge::fee, Charge::reimbursement, Charge::donation, Charge::breakage_shared};

json::object with(json::object object, const RestatedAmount& amount)
{
    object.emplace("points", amount.points);
    object.emplace("exact_micro", amount.exact.count());
    return object;
}

RestatedAmount amount_from(const json::object& content)
{
    return {
        .points = number_in<std::int64_t>(content, "points"),
        .exact = ledger::Micro{number_in<std::int64_t>(content, "exact_micro")}};
}

json::array figures_json(const std::map<ledger::PartnerId, PartnerFigures>& rows)
{
    json::array array;
    for (const auto& [partner, figures] : rows) {
        json::object row{{"partner", partner.value()}};
        for (const auto& [name, field] : moved_figures)
            if (figures.*field != 0) row.emplace(name, figures.*field);
        array.push_back(std::move(row));
    }
    return array;
}

std::map<ledger::PartnerId, PartnerFigures> figures_from(const json::array& array)
{
    std::map<ledger::PartnerId, PartnerFigures> rows;
    for (const auto& each : array) {
        const auto& content = each.as_object();
        const ledger::PartnerId partner{number_in<std::uint32_t>(content, "partner")};
        PartnerFigures figures{.partner = partner};
        for (const auto& [name, field] : moved_figures)
            if (const auto* found = content.if_contains(name))
                figures.*field = found->to_number<std::int64_t>();
        rows.emplace(partner, figures);
    }
    return rows;
}

json::object line_json(const RestatedLineKey& key, const RestatedLine& line)
{
    json::array parts;
    for (const auto& [cause, part] : line.parts) {
        json::object object{{"posted_in", ledger::format_month(cause.posted_in)}};
        if (!cause.correction.empty()) object.emplace("correction", cause.correction);
        if (!part.document.empty()) object.emplace("document", part.document);
        parts.push_back(with(std::move(object), part.amount));
    }
    auto object = with(
        {{"partner", key.partner.value()},
         {"statement", name_of(key.type)},
         {"tariff", key.tariff.value()},
         {"flow", name_of(key.charge)},
         {"vat_category", line.vat.category},
         {"vat_rate_basis_points", line.vat.basis_points}},
        line.closed);
    if (line.vat.is_gross) object.emplace("vat_included", true);
    add_tax_point(object, line.vat);
    if (!parts.empty()) object.emplace("parts", std::move(parts));
    return object;
}

RestatedLine line_from(const json::object& content)
{
    RestatedLine line{
        .vat =
            {.category = std::string{text_in(content, "vat_category")},
             .basis_points = number_in<std::int32_t>(content, "vat_rate_basis_points"),
             .is_gross = content.contains("vat_included"),
             .tax_point = content.contains("tax_point")
                              ? find_tax_point(text_in(content, "tax_point")).value()
                              : TaxPoint::period_end},
        .closed = amount_from(content),
        .parts = {}};
    const auto* parts = content.if_contains("parts");
    if (!parts) return line;
    const auto text_of = [](const json::object& part, std::string_view key) {
        return part.contains(key) ? std::string{text_in(part, key)} : std::string{};
    };
    for (const auto& each : parts->as_array()) {
        const auto& part = each.as_object();
        line.parts.emplace(
            RestatementCause{
                .posted_in = month_in(part, "posted_in"),
                .correction = text_of(part, "correction")},
            RestatedPart{.amount = amount_from(part), .document = text_of(part, "document")});
    }
    return line;
}

} // namespace

json::object restatement_json(const Restatement& restatement)
{
    json::array lines;
    for (const auto& [key, line] : restatement.lines) lines.push_back(line_json(key, line));
    return {
        {"window", ledger::format_month(restatement.window)},
        {"version", restatement.version},
        {"through", restatement.through.value()},
        {"documents_through", restatement.documents_through.value()},
        {"made_at", ledger::format_time(restatement.made_at)},
        {"lines", std::move(lines)},
        {"closed", figures_json(restatement.closed)},
        {"restated", figures_json(restatement.restated)}};
}

Restatement restatement_from(const json::object& content)
{
    Restatement restatement{
        .window = month_in(content, "window"),
        .version = number_in<std::int32_t>(content, "version"),
        .through = ledger::Sequence{number_in<std::uint64_t>(content, "through")},
        .documents_through =
            ledger::HouseSequence{number_in<std::uint64_t>(content, "documents_through")},
        .closed = figures_from(content.at("closed").as_array()),
        .restated = figures_from(content.at("restated").as_array()),
        .made_at = ledger::parse_time(text_in(content, "made_at")).value()};
    for (const auto& each : content.at("lines").as_array()) {
        const auto& line = each.as_object();
        restatement.lines.emplace(
            RestatedLineKey{
                .partner = ledger::PartnerId{number_in<std::uint32_t>(line, "partner")},
                .type = named_in(line, "statement", types),
                .tariff = ledger::TariffVersion{number_in<std::uint32_t>(line, "tariff")},
                .charge = named_in(line, "flow", charges)},
            line_from(line));
    }
    return restatement;
}

} // namespace pointhouse::settlement
