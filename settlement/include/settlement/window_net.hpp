#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/exchange.hpp"

namespace pointhouse::settlement {

/// Which net: of a window, and of one program of the house. What is owed under one program is never
/// offset by what is owed under another.
struct NetKey {
    ledger::Month window{};
    std::string program{}; // empty: of partners whose contracts name none

    NetKey() = default;
    /// A window is the key of its net where the house has no programs.
    // NOLINTNEXTLINE(google-explicit-constructor)
    NetKey(ledger::Month month, std::string of = {}) : window{month}, program{std::move(of)} {}
    friend auto operator<=>(const NetKey&, const NetKey&) = default;
};

/// "2026-06", "2026-06 travel".
[[nodiscard]] std::string name_of(const NetKey& key);
/// What ids of its payments begin with: "PH-2026-06", "PH-2026-06.travel". The dot is in no month
/// and ends a word, so that no partner's name makes one the other.
[[nodiscard]] std::string reference_stem(const NetKey& key);

/// How the documents of a window are paid. The house is one side of each, so that each pair's
/// difference (bilateral) and the difference of all through the house (multilateral) are the same
/// amounts; gross, a partner pays all that it owes and gets all that it is owed.
enum class NettingMethod : std::uint8_t { gross, bilateral, multilateral };

[[nodiscard]] std::string_view name_of(NettingMethod method) noexcept;
[[nodiscard]] std::optional<NettingMethod> find_netting_method(std::string_view name) noexcept;

/// How documents are to be netted.
struct NettingTerms {
    ledger::Minor minimum{}; // nets closer to zero wait for the next window
    NettingMethod method = NettingMethod::multilateral;
    std::optional<ExchangeRate> rate{}; // nets are paid in its `to`, not in the house's currency
};

/// Money of a partner's net that came in (below zero) or went out (above).
struct NetPaid {
    ledger::PartnerId partner{};
    ledger::Minor paid{};               // in the currency of the payment
    std::string evidence{};             // the bank's row, or what a person said
    std::optional<ExchangeRate> rate{}; // of the day, from the house's currency; none: the net's
};

/// Who did not pay, and who bears a loss with others.
struct PayerInDefault {
    NetKey net{};
    ledger::PartnerId partner{};
    std::string reason{};
    std::set<ledger::PartnerId> mutualised{}; // whose contracts share such a loss
    /// What its collateral is worth to a debt in another currency: the rate of the day, from the
    /// house's currency; none: that of its net.
    std::optional<ExchangeRate> rate{};
};

/// A net that is paid in another currency: converted once.
struct ForeignNet {
    ExchangeRate rate{}; // from the house's currency
    ledger::Minor net{};
    ledger::Minor settled{};
    /// The documents are in that currency: the rate is the one of the newest, and a payment is
    /// booked at that of its day.
    bool is_of_documents = false;
    [[nodiscard]] ledger::Minor open() const { return net - settled; }
};

/// How a partner's net of a window is paid; gross, one of its two payments.
struct NetPayment {
    ledger::Minor net{};     // above zero: the house pays the partner
    ledger::Minor settled{}; // of it, paid and matched with the bank's statement; same sign
    std::string reference{}; // on the payment: "PH-2026-06-GRO", "PH-2026-06.travel-GRO"
    /// Its documents stand in one account, the receivables or the payables: what the first payment
    /// sees to.
    bool is_on_one_side = false;
    ledger::Minor carried{}; // of the first net, what a default left to the next window; same sign
    std::optional<ForeignNet> foreign{}; // none: paid in the house's currency

    /// What is to be paid yet, in the currency of the payment.
    [[nodiscard]] ledger::Minor due() const { return foreign ? foreign->open() : open(); }
    /// Nothing is left, in either currency.
    [[nodiscard]] bool is_settled() const { return open().count == 0 && due().count == 0; }
    /// ISO 4217; empty: the house's own.
    [[nodiscard]] std::string_view currency() const
    {
        return foreign ? std::string_view{foreign->rate.to.code} : std::string_view{};
    }
    [[nodiscard]] ledger::Minor open() const { return net - settled; }
    /// The net before any default.
    [[nodiscard]] ledger::Minor agreed() const { return net + carried; }
};

/// The netting of one window, or of a program in it: which documents, and what each partner pays or
/// gets.
struct WindowNet {
    ledger::HouseSequence entry{};
    NettingMethod method = NettingMethod::multilateral;
    std::vector<std::string> documents{}; // numbers
    /// Gross, a partner may have two: what it pays, then what it gets.
    std::multimap<ledger::PartnerId, NetPayment> payments{};

    [[nodiscard]] bool is_settled() const;
    [[nodiscard]] bool are_pay_ins_settled() const;
    /// The partner's payment; gross, the one in that direction. Null: there is none.
    [[nodiscard]] const NetPayment* find(ledger::PartnerId partner, bool is_pay_out) const;
};

/// What the payments of a window come to. The house adds its share to the pay-ins, or keeps it.
/// Once all is settled, nothing is left in between.
struct Clearing {
    ledger::Minor due_in{}; // from partners, zero or more
    ledger::Minor due_out{};
    ledger::Minor paid_in{}; // of it, until now
    ledger::Minor paid_out{};
    [[nodiscard]] ledger::Minor house_share() const { return due_out - due_in; }
    /// paid_in + house_share − paid_out: zero after settlement.
    [[nodiscard]] ledger::Minor left() const { return paid_in + house_share() - paid_out; }
};

[[nodiscard]] Clearing clearing_of(const WindowNet& net);

/// The pay-outs of a window in one currency as they were first written; written once more they are
/// the same.
struct PaymentFile {
    std::string currency{}; // ISO 4217; empty: the house's own
    std::string message_id{};
    ledger::Time created_at{};
    ledger::Day execute_on = 0;
    std::map<ledger::PartnerId, ledger::Minor> amounts{};
    std::int32_t issues = 0;            // how often it left the house
    std::vector<std::string> reasons{}; // of the second issue and later ones
};

} // namespace pointhouse::settlement
