#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "partners/registry.hpp"

namespace pointhouse::partners {

/// With the most points that a message may carry the product stays far inside 64 bits.
inline constexpr ledger::Micro price_max{1'000'000'000};

/// What is wrong with a founding, a contract or a tariff on its own; none when the house can live
/// with it. In words for the person who wrote it.
[[nodiscard]] std::optional<std::string> fault_of(const Registry::Founding& founding);
[[nodiscard]] std::optional<std::string> fault_of(const PartnerContract& contract);
[[nodiscard]] std::optional<std::string> fault_of(const ledger::Tariff& tariff);
[[nodiscard]] std::optional<std::string> fault_of(const VatTerms& row);
[[nodiscard]] std::optional<std::string> fault_of(const PromotionTerms& promotion);
[[nodiscard]] std::optional<std::string> fault_of(const SettlementTerms& terms);

/// Why a tariff is none for a prepaid partner.
[[nodiscard]] std::optional<std::string> fault_of_prepayment(const ledger::Tariff& tariff);
/// Why the house cannot keep what the tariff promises members.
[[nodiscard]] std::optional<std::string> fault_of_promise(
    const ledger::Tariff& tariff, const Registry::Founding& founding);

/// What a contract takes for granted that this house does not have.
[[nodiscard]] std::optional<std::string> fault_of(
    const HouseTable& expected,
    const Registry::Founding& founding,
    const ledger::HouseTerms& terms);
/// The house's terms with what the table names; `from` is when a new term of inactivity begins.
[[nodiscard]] ledger::HouseTerms changed(
    ledger::HouseTerms terms, const HouseTable& table, ledger::Day from);
/// A message of operators about a member that terms may ask two people for. None: no such one.
[[nodiscard]] std::optional<ledger::MessageType> find_member_act(std::string_view name);
/// What is wrong with terms of the house.
[[nodiscard]] std::optional<std::string> fault_of(const ledger::HouseTerms& terms);

/// What is wrong with the names of the house's programs.
[[nodiscard]] std::optional<std::string> fault_of_programs(
    const std::vector<std::string>& programs);
/// Why a contract cannot name a program; none: the house has it, or the contract names none.
[[nodiscard]] std::optional<std::string> fault_of_program(
    std::string_view program, const std::vector<std::string>& programs);

/// The EN 16931 category that goes with a treatment; none when the treatment is unknown.
[[nodiscard]] std::optional<std::string_view> category_of(std::string_view treatment);

} // namespace pointhouse::partners
