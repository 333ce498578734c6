#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "partners/registry.hpp"

namespace pointhouse::partners {

// The registry's entries in the house's record: kinds and JSON content, as HOUSE_RECORD.md has
// them. What was written once must be read for ever: keys are added, never renamed.

namespace kind {
inline constexpr std::string_view house_founded = "house_founded";
inline constexpr std::string_view currency_changed = "currency_changed";
inline constexpr std::string_view partner_added = "partner_added";
inline constexpr std::string_view tariff_set = "tariff_set";
inline constexpr std::string_view vat_set = "vat_set";
inline constexpr std::string_view company_set = "company_set";
inline constexpr std::string_view logo_set = "logo_set";
inline constexpr std::string_view logo_withdrawn = "logo_withdrawn";
inline constexpr std::string_view settlement_terms_set = "settlement_terms_set";
inline constexpr std::string_view partner_leaves = "partner_leaves";
inline constexpr std::string_view promotion_agreed = "promotion_agreed";
inline constexpr std::string_view block_bought = "block_bought";
inline constexpr std::string_view opening_imported = "opening_imported";
inline constexpr std::string_view proposal_made = "proposal_made";
inline constexpr std::string_view proposal_rejected = "proposal_rejected";
inline constexpr std::string_view certificate_issued = "certificate_issued";
inline constexpr std::string_view certificate_revoked = "certificate_revoked";
inline constexpr std::string_view window_closed = "window_closed";
inline constexpr std::string_view house_terms_set = "house_terms_set";
inline constexpr std::string_view message_approved = "message_approved";
} // namespace kind

[[nodiscard]] boost::json::object to_json(const Registry::Founding& founding);
[[nodiscard]] boost::json::object to_json(const PartnerContract& contract);
[[nodiscard]] boost::json::object to_json(const ledger::Tariff& tariff);
[[nodiscard]] boost::json::object to_json(const Company& company);
[[nodiscard]] boost::json::object to_json(const SettlementTerms& terms);
[[nodiscard]] boost::json::object to_json(const PromotionTerms& promotion);
[[nodiscard]] boost::json::object to_json(const CertificateTerms& certificate);
[[nodiscard]] boost::json::object to_json(const ledger::HouseTerms& terms);
/// ["close","merge"], and back.
[[nodiscard]] boost::json::array names_of(std::span<const ledger::MessageType> acts);
[[nodiscard]] std::vector<ledger::MessageType> member_acts_from(const boost::json::array& names);

/// The same back. Throw an exception of some kind when a key is missing or of the wrong type.
[[nodiscard]] Registry::Founding founding_from(const boost::json::object& content);
[[nodiscard]] PartnerContract contract_from(const boost::json::object& content);
[[nodiscard]] ledger::Tariff tariff_from(
    const boost::json::object& content, ledger::PartnerId partner);
[[nodiscard]] Company company_from(const boost::json::object& content);
/// The file of a `logo_set`.
[[nodiscard]] std::string logo_from(const boost::json::object& content);
[[nodiscard]] boost::json::object to_json(const VatTerms& row);
[[nodiscard]] std::vector<VatTerms> vat_rows_from(
    const boost::json::array& rows, ledger::PartnerId partner);
[[nodiscard]] SettlementTerms settlement_terms_from(const boost::json::object& content);
[[nodiscard]] PromotionTerms promotion_from(const boost::json::object& content);
[[nodiscard]] CertificateTerms certificate_from(const boost::json::object& content);
[[nodiscard]] ledger::HouseTerms house_terms_from(const boost::json::object& content);
[[nodiscard]] std::vector<std::string> programs_from(const boost::json::value& names);

/// A key's text.
[[nodiscard]] std::string_view text_in(const boost::json::object& content, std::string_view key);

} // namespace pointhouse::partners
