#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <boost/json/array.hpp>

#include "net_balance.hpp"

namespace pointhouse::settlement {

/// A net while it is made: which documents, and what each payment comes to.
class NetDraft {
public:
    NetDraft(NetKey key, const NettingTerms& netting, const ledger::Terms& terms)
        : key_{std::move(key)}, netting_{netting}, terms_{terms}
    {}

    /// Takes what is open of a document, when it belongs to the program, and to the window or an
    /// earlier one, and is in the currency of the first that the payment settles: others wait for
    /// the next window. Pre: documents come in the order in which they were issued.
    void add(const IssuedDocument& issued);
    /// What is too little is carried forward. Why the rest cannot be netted; empty: it can.
    [[nodiscard]] std::string finish();
    /// Pre: it is finished.
    [[nodiscard]] NewEntry entry() const;

private:
    /// What one payment settles.
    struct Part {
        Balance claims{};          // in the house's currency
        ledger::Minor foreign{};   // above zero: the house pays; of documents in another currency
        ledger::Minor converted{}; // where all nets are paid in another currency
        std::vector<const IssuedDocument*> documents{};
        [[nodiscard]] const Document& newest() const { return documents.back()->document; }
        [[nodiscard]] bool is_foreign() const { return newest().booked.has_value(); }
        /// Nothing is paid: its documents cancel out.
        [[nodiscard]] bool is_nothing() const
        {
            return is_foreign() ? foreign.count == 0 : claims.net().count == 0;
        }
        [[nodiscard]] bool is_too_little(ledger::Minor minimum) const;
    };
    /// A partner, and gross whether the house pays.
    using Side = std::pair<ledger::PartnerId, bool>;

    [[nodiscard]] std::string convert_all();
    [[nodiscard]] std::string reference_of(const Side& side) const;
    void add_row(boost::json::array& nets, const Side& side, const Part& part) const;

    NetKey key_;
    const NettingTerms& netting_;
    const ledger::Terms& terms_;
    std::map<Side, Part> parts_;
    ledger::Minor rounded_apart_{};
};

} // namespace pointhouse::settlement
