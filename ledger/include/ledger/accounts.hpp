#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/position.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

/// The house's chart of accounts. Those marked (partner) exist once for each partner.
enum class Account : std::uint8_t {
    // in points, one commodity per issuer
    issued,         // (partner) granted by the issuer
    redeemed,       // (partner) taken by the redeemer or charity, less refunds
    clawback,       // (partner) taken back by the issuer
    recovery,       // (partner) lots given for debts, against debts repaid
    members_active, // open lots of all members
    members_debt,   // what members owe
    // in money
    unbilled,           // (partner) owed by the issuer, not yet invoiced
    accrued_redemption, // (partner) owed to the redeemer or charity, not yet invoiced
    deferred_revenue,   // the points liability
    service_fee,
    redemption_margin,
    accrued_breakage_share, // (partner) owed to the issuer of points that expired, not yet credited
    breakage,               // what the operator keeps of them
    // in money, where an issuer paid ahead
    prepaid_block, // (partner) price of the points that its blocks still have
    prepaid_fee,   // (partner) and their service fee
    // in money, moved by the house's own record
    cash_trust,     // what secures the points liability and the blocks
    cash_operating, // the operator's own
    receivable,     // (partner) invoiced, VAT included, not yet paid
    payable,        // (partner) owed by documents, not yet paid out
    vat_output,
    vat_input,
    rounding,
    // in points again
    members_pending, // lots of all members that are not available yet
    members_held,    // and those set aside by partners
    members_expired, // what came to its end unspent
    transit,         // lots on their way from one member to another
    // in money again
    write_off,  // residuals of payments that are not worth a letter
    collateral, // (partner) held as security for what it is to pay
    exchange,   // what rounding and rates make or lose between currencies
    bank_charges,
};
inline constexpr Account last_account = Account::bank_charges;

/// One side of an entry. A debit is above zero, a credit below; never zero.
struct AccountLine {
    Account account = Account::issued;
    PartnerId partner{}; // none where the account is not a partner's
    PartnerId issuer{};  // whose points; none: money, in micro-units
    std::int64_t amount = 0;
    friend bool operator==(const AccountLine&, const AccountLine&) = default;
};

/// The lines of a position, or of one entry written as a position. Points balance for each issuer,
/// money balances. Pure.
[[nodiscard]] std::vector<AccountLine> lines_of(const PositionRow& position, const Terms& terms);

/// "issued:GRO", "members:active", "revenue:service_fee".
[[nodiscard]] std::string account_name(Account account, PartnerId partner, const Terms& terms);
/// What such a name stands for. `partner` is none where the account is not a partner's.
struct NamedAccount {
    Account account = Account::issued;
    PartnerId partner{};
};
/// None: there is no such account, or no such partner.
[[nodiscard]] std::optional<NamedAccount> find_account(std::string_view name, const Terms& terms);
[[nodiscard]] bool is_in_money(Account account);
/// The unit that a line counts in: "P.GRO", or the code of the house's currency.
[[nodiscard]] std::string unit_name(PartnerId issuer, const Terms& terms);

/// What an account holds in one unit.
struct TrialBalanceRow {
    std::string account;
    std::string unit;
    std::int64_t debits = 0;
    std::int64_t credits = 0;
    friend bool operator==(const TrialBalanceRow&, const TrialBalanceRow&) = default;
};

/// Sums positions by account and unit, in the order of their names. Pure.
[[nodiscard]] std::vector<TrialBalanceRow> trial_balance(
    std::span<const PositionRow> positions, const Terms& terms);

} // namespace pointhouse::ledger
