#pragma once

#include <optional>
#include <vector>

#include "net_balance.hpp"
#include "settlement/payer_default.hpp"

namespace pointhouse::settlement {

/// How a default is taken, before it is written. Amounts without another word are in the house's
/// currency.
struct Register::DefaultPlan {
    /// So much of a document's part in the net is open again; in the sign of what is owed.
    struct Reopened {
        const IssuedDocument* issued = nullptr;
        ledger::Minor owed{};  // in the currency of the document
        ledger::Minor claim{}; // what that was booked with
    };
    /// A payment of the net afterwards.
    struct Change {
        NamedNet net{};
        ledger::Minor left{};    // of its net
        ledger::Minor settled{}; // by this
        bool is_on_one_side = false;
        std::optional<ledger::Minor> foreign_left{}; // of documents in another currency
        ledger::Minor foreign_settled{};
        /// What is then left of it in the currency of the payment.
        [[nodiscard]] ledger::Minor foreign() const;
    };
    /// The default of who is invoiced in another currency, in that.
    struct ForeignPart {
        ExchangeRate rate{};
        ledger::Minor set_off{};
        ledger::Minor covered{}; // by collateral
        ledger::Minor reopened{};
    };

    DefaultCover cover{};
    ledger::Minor set_off{}; // against what the house was to pay the partner in the same window
    std::optional<ForeignPart> foreign{};
    std::vector<Reopened> reopened{};
    std::vector<Change> changes{};
    std::vector<ledger::AccountLine> lines{}; // in minor units

    /// `owed` is in the currency of the documents. The newest first, those of the account in which
    /// the net stands before others.
    void reopen(
        const std::vector<const IssuedDocument*>& documents,
        ledger::Month window,
        ledger::Minor owed);
    /// Books what is open again to the accounts where its documents stand; `left` is what of the
    /// payment stays open, in the sign of the net.
    void book_reopened(const NamedNet& net, const Balance& balance, ledger::Minor left);
};

} // namespace pointhouse::settlement
