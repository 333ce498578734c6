#pragma once

#include <span>

#include <boost/json.hpp>

#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// What the lines and the VAT of statements and documents have in common as JSON.

[[nodiscard]] boost::json::array details_json(std::span<const LineDetail> details);
[[nodiscard]] boost::json::array vat_json(std::span<const VatTotal> totals);
[[nodiscard]] boost::json::object preceding_json(const Preceding& document);
/// `earlier`, where something is of an earlier month.
void add_earlier(boost::json::object& object, std::span<const EarlierPart> parts);
/// `tax_point`, where it is not the end of the period.
void add_tax_point(boost::json::object& object, const VatRate& rate);

} // namespace pointhouse::settlement
