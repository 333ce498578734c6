#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/accounts.hpp"
#include "ledger/house_record.hpp"
#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "partners/company.hpp"
#include "partners/logo.hpp"
#include "partners/settlement_terms.hpp"

namespace pointhouse::partners {

/// How one flow of a partner is taxed from a date on: a row of data (DESIGN section 4).
struct VatTerms {
    ledger::PartnerId partner;
    ledger::Time valid_from;
    std::vector<std::string> flows; // price, fee, reimbursement, donation, breakage_shared, block
    std::string treatment;          // "taxed", "out_of_scope", …
    std::string category;           // EN 16931 code, "S"
    std::int32_t rate_basis_points = 0;
    bool is_gross = false;               // the tariff's prices of these flows hold the tax
    std::string tax_point{"period_end"}; // or "issue", "payment": of the document
};
/// As contract files say it: "net" or "gross".
[[nodiscard]] constexpr std::string_view price_form_of(const VatTerms& row)
{
    return row.is_gross ? "gross" : "net";
}

/// A certificate that the house's CA issued, as registered.
struct CertificateTerms {
    std::string serial;  // hexadecimal, lower case
    std::string subject; // "partner:GRO" or "operator:anna"
    ledger::Time not_after;
    bool revoked = false;
};

/// An agreement of several partners on who funds a promotion. It is in force once the contract of
/// every funder has it, word for word, or once two operators have approved it.
struct PromotionTerms {
    std::string id;
    /// Partner id and integer share, 1 or more, in the order of the agreement: members spend the
    /// lots of one accrual in this order.
    std::vector<std::pair<std::string, std::int32_t>> funders;
    ledger::Day from = 0;
    ledger::Day to = 0;          // inclusive
    std::int64_t cap_points = 0; // zero: none
    friend bool operator==(const PromotionTerms&, const PromotionTerms&) = default;

    [[nodiscard]] bool is_funded_by(std::string_view partner) const;
};

/// The [house] table of a terms file. A contract takes it for granted: `add` refuses one that is
/// written for another house. `propose_house_terms` changes what can change, the last five.
struct HouseTable {
    std::optional<std::string> currency;
    std::optional<std::string> time_zone;
    std::optional<ledger::Micro> face_value;
    std::optional<std::int32_t> late_window_days;
    std::optional<std::int32_t> refund_grace_days{};
    std::optional<std::int32_t> inactivity_months{};     // 0: none
    std::optional<std::int64_t> approval_above_points{}; // -1: none
    std::optional<std::vector<ledger::MessageType>> approval_of{};
    std::optional<std::vector<std::string>> programs{};
};

/// What a contract file says of one partner; `add` and `set_tariff` turn it into house entries.
struct PartnerContract {
    ledger::PartnerTerms terms;
    std::string display_name;
    Company company{};
    SettlementTerms settlement{};
    std::int32_t notice_days = 0; // a further tariff is published so many days before it begins
    std::vector<ledger::Tariff> tariffs;              // dated, by valid_from, ascending
    std::vector<ledger::Tariff> blocks;               // as bought, oldest first; not of a file
    std::vector<ledger::TariffVersion> sold_blocks{}; // those of them that this house sold
    std::vector<VatTerms> vat;
    std::vector<PromotionTerms> promotions; // those that this partner funds
    HouseTable house;
};

/// Why a contract or a command on it is not accepted, in words for the person who wrote it.
struct ContractFault {
    std::string reason;
};

/// Points that a partner buys ahead, paid in full.
struct BlockPurchase {
    ledger::Points points{};
    std::optional<ledger::Micro> price{}; // per point; none: of the dated tariff
    std::optional<ledger::Micro> fee{};
    ledger::Time at{}; // whose dated tariff gives all other terms
};

/// What one operator prepared and another has to approve.
struct Proposal {
    ledger::HouseSequence id; // its entry
    /// "promotion", "opening", "house_terms"; a message of an operator: "adjustment",
    /// "reinstatement", "block", "unblock", "merge", "close"; or the kind of entry that it becomes:
    /// "partner_added", "tariff_set", "vat_set", "block_bought", "company_set", "logo_set",
    /// "logo_withdrawn".
    std::string kind;
    std::string actor; // who prepared it
    ledger::Time at;
    std::string summary;
    std::string content; // JSON, as the kind has it
    std::string digest;  // of the file that it came from; empty: of none
};

/// An operator's message that waits for another operator, or was approved. What it says is in a
/// file of this digest, because it names a member.
struct MessageProposal {
    std::string kind; // "adjustment", "merge", as the message's type
    std::string message_id;
    std::string summary;
    std::string digest;
};

/// What became of a proposal that waits no more.
struct DecidedProposal {
    std::string kind;
    std::string summary;
    std::string prepared_by;
    ledger::Time prepared_at;
    std::string digest;
    std::string message_id; // of a message; empty: it is none
    bool is_approved = false;
    std::string decided_by;
    ledger::Time decided_at;
    std::string reason; // of a rejection
};

/// The opening that was imported: the entry that has its money, and the file with its lots.
struct ImportedOpening {
    ledger::HouseSequence entry;
    ledger::HouseSequence proposal;
    ledger::Day as_of = 0;
    std::string digest; // SHA-256 of the file, hexadecimal
    /// The tariff version of opening lots of an issuer at a price.
    std::map<std::pair<ledger::PartnerId, ledger::Micro>, ledger::TariffVersion> tariffs;
};

/// An operator's request that a client may send again: its message id, and the digest of what it
/// asks for.
struct RequestId {
    std::string id;
    std::string digest; // SHA-256, hexadecimal
    friend bool operator==(const RequestId&, const RequestId&) = default;
};

struct Opening; // partners/opening.hpp

/// The registry of partners, contracts, tariffs and certificates: a fold over the house's own
/// record, kept in memory. A change is judged, then appended to the record, then applied as replay
/// applies it (kinds and keys: HOUSE_RECORD.md). One thread; `terms` and `terms_at` from any.
class Registry final : public ledger::TermsHistory {
public:
    /// Replays the house's record, which must outlive the registry. Entries of kinds that are not
    /// the registry's are passed over. Throws std::runtime_error naming an entry that cannot be
    /// read.
    explicit Registry(ledger::HouseRecord& record);
    ~Registry() override;

    /// Who acts, and when: written into the record.
    struct Act {
        std::string_view actor;
        ledger::Time at;
        ledger::Day today = 0; // the house's, where terms begin with it
        /// `add`, `set_tariff`, `set_vat` and `buy_block` only prepare: it is the newest proposal
        /// then.
        bool prepares = false;
        ledger::HouseSequence approves{}; // the proposal that it puts in force
        /// The proposal of an act that two people permitted, which this uses up.
        ledger::HouseSequence permitted_by{};
        /// What it came of, written into its entries; null: no request.
        const RequestId* request = nullptr;
    };

    template <class T>
    using Accepted = ledger::Result<T, ContractFault>;

    /// What is changed from now on is one: all of it is durable once `write_held` returns, or none
    /// of it happened. `write_held` throws StoreFailure; the registry is then what the record has.
    void hold();
    void write_held();
    void drop_held();
    [[nodiscard]] bool is_holding() const;

    /// The house's founding entry: currency, time zone, face value, kind of house. Once.
    struct Founding {
        std::string currency = "EUR";
        std::string time_zone = "UTC";
        std::string face_value = "0.010000";
        std::int32_t late_window_days = 60;
        bool production = false;
        std::size_t shards = 1; // of the journal, for good
    };
    Accepted<void> found(const Founding& founding, Act act);
    /// Pre: the house is founded.
    [[nodiscard]] const Founding& founding() const;
    /// A sandbox with no partners and no messages may change its currency (`replay --setup`).
    Accepted<void> change_currency(std::string_view currency, Act act);

    /// Numbers the partner and its tariffs; numbers already in the contract are passed over.
    Accepted<ledger::PartnerId> add(const PartnerContract& contract, Act act);
    /// Publishes a further tariff: dated after all that the partner has, and after every closed
    /// window.
    Accepted<ledger::TariffVersion> set_tariff(
        ledger::PartnerId partner, const ledger::Tariff& tariff, Act act);

    /// Says how flows are taxed from a day on, as when the law changes a rate: dated after what the
    /// partner has for these flows, and after every closed window.
    Accepted<void> set_vat(ledger::PartnerId partner, std::span<const VatTerms> rows, Act act);

    /// Changes who a partner is before the law and to its bank; none: the house.
    Accepted<void> set_company(ledger::PartnerId partner, const Company& company, Act act);
    /// Gives the house a logo for what it issues from now on; its own form is judged, not what a
    /// reader makes of it.
    Accepted<void> set_logo(std::string_view png, Act act);
    /// The house has none from now on.
    Accepted<void> withdraw_logo(std::string_view reason, Act act);
    /// Changes how a partner is invoiced and paid; all of it, from now on.
    Accepted<void> set_settlement_terms(
        ledger::PartnerId partner, const SettlementTerms& terms, Act act);

    /// The partner leaves on a day to come: activity of that day and later grants no points of it
    /// and takes none. Points that members have are spent until they expire. For ever.
    Accepted<void> leave(ledger::PartnerId partner, ledger::Day on, Act act);

    /// Registers a block that a prepaid partner bought and paid: it becomes a tariff version of its
    /// own. Price and fee of all its points are whole minor units.
    Accepted<ledger::TariffVersion> buy_block(
        ledger::PartnerId partner, const BlockPurchase& purchase, Act act);

    /// Prepares what a second operator then approves. Refused when it could not be approved now.
    Accepted<ledger::HouseSequence> propose_promotion(const PromotionTerms& promotion, Act act);
    /// `digest` is that of the file which the opening was read from. Once in the life of a house;
    /// while it waits, the same file gets the same proposal.
    Accepted<ledger::HouseSequence> propose_opening(
        const Opening& opening, std::string_view digest, Act act);
    /// Prepares the change of what the table names; the rest stays as it is.
    Accepted<ledger::HouseSequence> propose_house_terms(const HouseTable& table, Act act);
    /// Prepares a message. The same once more gets the same proposal, whatever became of it; other
    /// content under its id is refused.
    Accepted<ledger::HouseSequence> propose_message(const MessageProposal& message, Act act);
    /// Messages that were approved, whether booked yet or not, by the proposals they were.
    [[nodiscard]] const std::map<ledger::HouseSequence, MessageProposal>& approved_messages() const;
    /// Prepares an act of settlement: `what` is its kind, `content` JSON that its own fold reads.
    /// Approved, it is an entry of kind `<what>_approved` that names the proposal.
    ledger::HouseSequence propose_settlement(
        std::string_view what, std::string_view summary, std::string_view content, Act act);
    /// Appends an entry of a kind that is not the registry's. Where its content has `lines_micro`,
    /// it moves money, and the ledger books it.
    const ledger::HouseEntry& append(std::string_view kind, std::string_view content, Act act);
    /// What waits, oldest first.
    [[nodiscard]] std::vector<Proposal> proposals() const;
    /// Puts it in force. Nobody approves what he prepared, but in a sandbox, `as_both`.
    Accepted<void> approve(ledger::HouseSequence proposal, bool as_both, Act act);
    /// Turns it down, or takes it back: it waits no more and never comes into force.
    Accepted<void> reject(ledger::HouseSequence proposal, std::string_view reason, Act act);
    /// Null: it waits, or there never was one.
    [[nodiscard]] const DecidedProposal* find_decided(ledger::HouseSequence proposal) const;
    /// None: the house did not move in from elsewhere, or not yet.
    [[nodiscard]] const std::optional<ImportedOpening>& opening() const;
    /// Promotions in force, in the order in which they came into it.
    [[nodiscard]] const std::vector<PromotionTerms>& promotions() const;
    /// The entries that move money, oldest first.
    [[nodiscard]] std::vector<ledger::HouseSequence> entries_with_money() const;

    /// Pre: the serial number is new.
    void certificate_issued(const CertificateTerms& certificate, Act act);
    Accepted<void> revoke_certificate(std::string_view serial, Act act);
    [[nodiscard]] const std::map<std::string, CertificateTerms, std::less<>>& certificates() const;

    /// A window that the finance team closed, and its end in the journal. Pre: not closed yet.
    void window_closed(ledger::Month month, ledger::Sequence cut, Act act);
    [[nodiscard]] bool is_closed(ledger::Month month) const;

    /// The terms in force; their `as_of` is the entry that changed them last. Null before the
    /// founding.
    [[nodiscard]] std::shared_ptr<const ledger::Terms> terms() const;
    /// The terms as they were when `sequence` was the last entry. Null before the founding.
    [[nodiscard]] std::shared_ptr<const ledger::Terms> terms_at(
        ledger::HouseSequence sequence) const override;
    [[nodiscard]] std::vector<ledger::AccountLine> money_of(
        ledger::HouseSequence sequence) const override;
    /// Null when there is none; valid until the next change.
    [[nodiscard]] const PartnerContract* find_contract(std::string_view id) const;
    [[nodiscard]] const std::vector<PartnerContract>& contracts() const; // by PartnerId, from 1
    /// Whose money stands for itself; none: the house is one.
    [[nodiscard]] const std::vector<std::string>& programs() const;
    /// Of the house itself.
    [[nodiscard]] const Company& house_company() const;
    /// Of the house, in force; and as it was when `sequence` was the last entry.
    [[nodiscard]] Logo logo() const;
    [[nodiscard]] Logo logo_at(ledger::HouseSequence sequence) const;
    /// The partner's VAT row for a flow at a date; null when none is set.
    [[nodiscard]] const VatTerms* find_vat(
        ledger::PartnerId partner, std::string_view flow, ledger::Time at) const;

private:
    struct State;
    Accepted<void> agree_promotion(const Proposal& proposal, Act act);
    Accepted<void> import_opening(const Proposal& proposal, Act act);
    /// A program that a contract names stays; none: all of them do.
    [[nodiscard]] std::optional<std::string> fault_of_closed_window(ledger::Time from) const;
    [[nodiscard]] std::optional<std::string> fault_of_programs_left(
        const std::vector<std::string>& left) const;
    Accepted<void> change_house_terms(const Proposal& proposal, Act act);
    Accepted<void> change_logo(const Proposal& proposal, Act act);
    Accepted<void> change_contract(const Proposal& proposal, Act act);
    [[nodiscard]] std::optional<std::string> fault_among_others(
        const PromotionTerms& promotion) const;

    std::unique_ptr<State> state_;
};

/// The standard contract of the sandbox (CONTRACT.md, Files): issue price 0.0100, fee 0.0010,
/// reimbursement 0.0095, prefund share 1, VAT 21 % on all flows, no expiry, from 1970 on; all roles
/// but charity.
[[nodiscard]] PartnerContract standard_contract(std::string_view id);

/// Reads `partner add ID --terms FILE.toml`: the [[partner]] table with that id
/// (ops/manual/terms.md). A fault names line and key. Dates are days of `calendar`.
[[nodiscard]] ledger::Result<PartnerContract, ContractFault> parse_contract(
    std::string_view toml, std::string_view id, const ledger::Calendar& calendar);

/// Reads `house set-terms FILE.toml`: the [house] table of a file that may hold partners, too.
[[nodiscard]] ledger::Result<HouseTable, ContractFault> parse_house_terms(
    std::string_view toml, const ledger::Calendar& calendar);

/// Reads `promotion add FILE.toml`: every [[promotion]] of a file that may hold partners, too.
[[nodiscard]] ledger::Result<std::vector<PromotionTerms>, ContractFault> parse_promotions(
    std::string_view toml, const ledger::Calendar& calendar);

/// Reads `partner set-company ID FILE.toml` and `house set-company FILE.toml`: one [company] table.
[[nodiscard]] ledger::Result<Company, ContractFault> parse_company(
    std::string_view toml, const ledger::Calendar& calendar);

/// Reads `partner set-settlement ID FILE.toml`: one [settlement] table.
[[nodiscard]] ledger::Result<SettlementTerms, ContractFault> parse_settlement_terms(
    std::string_view toml, const ledger::Calendar& calendar);

/// Reads `partner set-vat ID FILE.toml`: one or more [[vat]] tables. Their partner is none.
[[nodiscard]] ledger::Result<std::vector<VatTerms>, ContractFault> parse_vat(
    std::string_view toml, const ledger::Calendar& calendar);

/// Reads `partner set-tariff ID FILE.toml`: one [tariff] table, with every price in it.
[[nodiscard]] ledger::Result<ledger::Tariff, ContractFault> parse_tariff(
    std::string_view toml, const ledger::Calendar& calendar);

} // namespace pointhouse::partners
