#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "ledger/accounts.hpp"
#include "partners/registry.hpp"

namespace pointhouse::partners {

[[nodiscard]] inline std::unexpected<ContractFault> refused(std::string reason)
{
    return std::unexpected(ContractFault{std::move(reason)});
}

/// The row of a flow that is in force at a time; null: none.
[[nodiscard]] const VatTerms* row_in_force(
    const std::vector<VatTerms>& rows, std::string_view flow, ledger::Time at);

/// An entry from which on the house has another logo, or none.
struct LogoChange {
    ledger::HouseSequence entry{};
    Logo logo{};
};

/// How much of the terms there was at one entry. Partners and tariffs only grow, so that earlier
/// terms are a prefix of the present ones, in the currency and with the house's terms of that
/// time.
struct TermsMark {
    ledger::HouseSequence as_of;
    ledger::Currency currency;
    std::size_t partners = 0;
    std::size_t tariffs = 0;
    std::size_t promotions = 0;
    /// By partner − 1; shared with the marks before, as few entries move money. Null: nothing
    /// moved.
    std::shared_ptr<const std::vector<ledger::ClaimMoves>> claims{};
    ledger::HouseTerms house;
};

/// What the registry holds in memory: all of it follows from the entries.
struct RegistryFold {
    std::optional<Registry::Founding> founding;
    std::vector<PartnerContract> contracts;
    std::vector<std::string> programs;
    Company house_company;
    std::vector<LogoChange> logos;          // of the house, oldest first
    std::vector<PromotionTerms> promotions; // in force, as in the terms
    std::map<ledger::HouseSequence, Proposal> proposals;
    std::map<ledger::HouseSequence, DecidedProposal> decided; // of those that wait no more
    std::map<ledger::HouseSequence, MessageProposal> waiting_messages;
    std::map<ledger::HouseSequence, MessageProposal> approved_messages;
    std::map<ledger::HouseSequence, std::vector<ledger::AccountLine>> money; // by entry
    std::optional<ImportedOpening> opening;
    std::map<std::string, CertificateTerms, std::less<>> certificates;
    std::map<ledger::Month, ledger::Sequence> closed_windows;
    std::map<ledger::PartnerId, ledger::HouseSequence> exits; // the entries that say so

    // What other threads read.
    std::shared_ptr<const ledger::Terms> published;
    std::vector<TermsMark> marks;                         // ascending
    mutable std::shared_ptr<const ledger::Terms> earlier; // the last that was asked for

    ledger::Terms terms; // the writer's own copy
    std::shared_ptr<const std::vector<ledger::ClaimMoves>> newest_claims;
};

/// The fold, and how each kind of entry changes it.
struct Registry::State : RegistryFold {
    explicit State(ledger::HouseRecord& of_house) : record{of_house} {}

    void replay();
    /// The same once more from nothing: entries that were held are gone.
    void replay_again();
    void commit(std::string_view kind, boost::json::object content, Act act);
    const ledger::HouseEntry& append(std::string_view kind, std::string_view content, Act act);

    ledger::HouseRecord& record;
    mutable std::mutex mutex; // guards what other threads read

    [[nodiscard]] bool is_agreed(const PromotionTerms& promotion) const;
    /// The proposal that brings a contract of that id; none: none waits.
    [[nodiscard]] std::optional<ledger::HouseSequence> waiting_contract(std::string_view id) const;
    /// Whether an operator had certificates and has none in force any more.
    [[nodiscard]] bool was_revoked(std::string_view operator_name) const;

private:
    using Apply = void (State::*)(const boost::json::object&);
    struct Kind {
        std::string_view name;
        Apply apply;
        bool changes_terms;
    };
    static const std::array<Kind, 20> kinds;

    void apply(const ledger::HouseEntry& entry);
    void decide(ledger::HouseSequence proposal, const boost::json::object& content);
    void apply_founding(const boost::json::object& content);
    void apply_currency(const boost::json::object& content);
    void apply_partner(const boost::json::object& content);
    void apply_tariff(const boost::json::object& content);
    void apply_company(const boost::json::object& content);
    void apply_logo(const boost::json::object& content);
    void apply_logo_withdrawal(const boost::json::object& content);
    void apply_settlement_terms(const boost::json::object& content);
    void apply_vat(const boost::json::object& content);
    void apply_exit(const boost::json::object& content);
    void apply_promotion(const boost::json::object& content);
    void apply_block(const boost::json::object& content);
    void apply_opening(const boost::json::object& content);
    void apply_proposal(const boost::json::object& content);
    void apply_rejection(const boost::json::object& content);
    void apply_certificate(const boost::json::object& content);
    void apply_revocation(const boost::json::object& content);
    void apply_window(const boost::json::object& content);
    void apply_house_terms(const boost::json::object& content);
    void apply_message(const boost::json::object& content);
    void number_tariff(const ledger::Tariff& tariff);
    void take_tariff(const ledger::Tariff& tariff);
    void take_block(const ledger::Tariff& block);
    void take_promotion(const PromotionTerms& promotion);
    void take_money(const boost::json::object& lines);
    void move_claims(ledger::Micro fee);
    void publish();

    const ledger::HouseEntry* entry_ = nullptr; // that is being applied
};

} // namespace pointhouse::partners
