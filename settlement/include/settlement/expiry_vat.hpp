#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "ledger/position.hpp"
#include "ledger/terms.hpp"
#include "settlement/report_table.hpp"
#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// Points that expired and what was paid for them, by issuer and row of VAT. What the operator of a
/// scheme keeps of points that nobody spent is consideration for what it supplied to whoever bought
/// them (Bundesfinanzhof, 26 June 2019, V R 64/17): where the price was taxed it is taxed already;
/// where it was not, it is from the expiry on, and holds the tax. What goes back to the issuer is
/// taxed by the row of its credit note.
class ExpiryVat {
public:
    /// Passes over what is no breakage, and what the house itself pays to bring points back.
    void add(const ledger::PositionRow& row);
    /// By window, issuer, part and rate; of one issuer alone, where one is given. Of a window the
    /// row in force at its end counts, as on its documents. Amounts are rounded once per tariff, as
    /// on their lines.
    [[nodiscard]] ReportTable table(
        const ledger::Terms& terms,
        const Contracts& contracts,
        std::optional<ledger::PartnerId> issuer) const;

private:
    struct Sum {
        std::int64_t points = 0;
        ledger::Micro retained{};
        ledger::Micro shared{};
    };
    struct Key {
        ledger::Month window{};
        ledger::PartnerId issuer{};
        ledger::TariffVersion tariff{};
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    std::map<Key, Sum> sums_;
};

} // namespace pointhouse::settlement
