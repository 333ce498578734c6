#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/house_record.hpp"
#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::partners {

/// How one flow of a partner is taxed from a date on: a row of data (DESIGN section 4).
struct VatTerms {
    ledger::PartnerId partner;
    ledger::Time valid_from;
    std::vector<std::string> flows; // price, fee, reimbursement, donation, breakage_shared, block
    std::string treatment;          // "taxed", "out_of_scope", …
    std::string category;           // EN 16931 code, "S"
    std::int32_t rate_basis_points = 0;
};

/// A certificate that the house's CA issued, as registered.
struct CertificateTerms {
    std::string serial;      // hexadecimal, lower case
    std::string subject;     // "partner:GRO" or "operator:anna"
    ledger::Time not_after;
    bool revoked = false;
};

/// What a contract file says of one partner; `add` and `set_tariff` turn it into house entries.
struct PartnerContract {
    ledger::PartnerTerms terms;
    std::string display_name;
    std::string billing = "postpaid";
    std::vector<ledger::Tariff> tariffs;
    std::vector<VatTerms> vat;
};

/// Why a contract or a command on it is not accepted, in words for the person who wrote it.
struct ContractFault {
    std::string reason;
};

/// The registry of partners, contracts, tariffs and certificates: a fold over the house's own record,
/// kept in memory. Changes append to the record first. One thread; `terms()` may be shared.
class Registry final : public ledger::TermsHistory {
public:
    /// Replays the house's record. The record must outlive the registry.
    explicit Registry(ledger::HouseRecord& record);
    ~Registry() override;

    /// Who acts, and when: written into the record.
    struct Act {
        std::string_view actor;
        ledger::Time at;
    };

    template <class T>
    using Accepted = ledger::Result<T, ContractFault>;

    /// The house's founding entry: currency, time zone, face value, kind of house. Once.
    struct Founding {
        std::string currency = "EUR";
        std::string time_zone = "UTC";
        std::string face_value = "0.010000";
        std::int32_t late_window_days = 60;
        bool production = false;
    };
    Accepted<void> found(const Founding& founding, Act act);
    [[nodiscard]] const Founding& founding() const;
    /// A sandbox with no partners and no messages may change its currency (`replay --setup`).
    Accepted<void> change_currency(std::string_view currency, Act act);

    Accepted<ledger::PartnerId> add(const PartnerContract& contract, Act act);
    /// Publishes a further tariff, dated from `valid_from` on, not before any published one.
    Accepted<ledger::TariffVersion> set_tariff(
        ledger::PartnerId partner, const ledger::Tariff& tariff, Act act);

    void certificate_issued(const CertificateTerms& certificate, Act act);
    Accepted<void> revoke_certificate(std::string_view serial, Act act);
    [[nodiscard]] const std::map<std::string, CertificateTerms, std::less<>>& certificates() const;

    /// A window that the finance team closed, and its end in the journal.
    void window_closed(ledger::Month month, ledger::Sequence cut, Act act);
    [[nodiscard]] bool is_closed(ledger::Month month) const;

    [[nodiscard]] std::shared_ptr<const ledger::Terms> terms() const;
    [[nodiscard]] std::shared_ptr<const ledger::Terms> terms_at(
        ledger::HouseSequence sequence) const override;
    [[nodiscard]] const PartnerContract* find_contract(std::string_view id) const;
    [[nodiscard]] const std::vector<PartnerContract>& contracts() const; // by PartnerId, from 1
    /// The partner's VAT row for a flow at a date; null when none is set.
    [[nodiscard]] const VatTerms* find_vat(
        ledger::PartnerId partner, std::string_view flow, ledger::Time at) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The standard contract of the sandbox (CONTRACT.md, Files): issue price 0.0100, fee 0.0010,
/// reimbursement 0.0095, prefund share 1, VAT 21 % on all flows, no expiry, from 1970 on; all roles
/// but charity.
[[nodiscard]] PartnerContract standard_contract(std::string_view id);

/// Reads `partner add ID --terms FILE.toml` (form: a [[partner]] table per partner, see
/// ops/manual/terms.md). Names line and key of what is wrong.
[[nodiscard]] ledger::Result<PartnerContract, ContractFault> parse_contract(
    std::string_view toml, std::string_view id, const ledger::Calendar& calendar);

/// Reads `partner set-tariff ID FILE.toml`: one [tariff] table.
[[nodiscard]] ledger::Result<ledger::Tariff, ContractFault> parse_tariff(
    std::string_view toml, const ledger::Calendar& calendar);

} // namespace pointhouse::partners
