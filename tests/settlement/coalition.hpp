#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ledger/position.hpp"
#include "ledger/terms.hpp"
#include "settlement/settlement.hpp"

namespace pointhouse::settlement {

/// Which charges bear 21 % VAT in the worked month.
enum class VatMode : std::uint8_t { all_flows, fee_only };

/// A small house with hand-made positions: the tariffs, the contracts and the books' rows of a
/// window, priced by the ledger itself.
class Coalition {
public:
    Coalition();

    /// Registers a partner with one tariff of the worked month's prices and its VAT rules.
    ledger::PartnerId add_partner(std::string_view id, std::string_view name, VatMode mode);
    ledger::PartnerId add_charity(std::string_view id, std::string_view name);
    /// Publishes a tariff; its version is returned and `tariff.version` ignored.
    ledger::TariffVersion add_tariff(ledger::Tariff tariff);
    void add_vat(ledger::PartnerId partner, std::string_view charge, std::int32_t basis_points);

    // The positions, by tariff versions of issuer and redeemer.
    using Version = ledger::TariffVersion;
    void issue(Version lot, std::int64_t points);
    void redeem(Version lot, Version redeemer, std::int64_t points);
    void refund(Version lot, Version redeemer, std::int64_t points);
    void donate(Version lot, ledger::PartnerId charity, std::int64_t points);
    void refund_donation(Version lot, ledger::PartnerId charity, std::int64_t points);
    void claw_back(Version lot, std::int64_t points);
    void expire(Version lot, std::int64_t points);
    void incur_debt(Version lot, std::int64_t points, ledger::DebtKind kind = {});
    void recover(Version lot, Version debt, std::int64_t points);
    /// A debt that a redeemer bears, and its recovery.
    void incur_debt_at(Version lot, Version redeemer, std::int64_t points);
    void recover_for(Version lot, Version debt, Version redeemer, std::int64_t points);

    /// Ends the window: what was posted so far belongs before the next one.
    void close_window();

    [[nodiscard]] const ledger::Terms& terms() const { return terms_; }
    [[nodiscard]] ledger::Terms& terms() { return terms_; }
    [[nodiscard]] Contracts& contracts() { return contracts_; }
    [[nodiscard]] const std::vector<ledger::PositionRow>& rows() const { return rows_; }
    [[nodiscard]] std::vector<ledger::PositionRow>& rows() { return rows_; }
    /// What of them is of earlier months.
    [[nodiscard]] std::vector<ledger::EarlierPosition>& earlier() { return earlier_; }
    [[nodiscard]] WindowFigures figures() const;
    /// Settles the open rows as the closed window June 2026 of Europe/Amsterdam.
    [[nodiscard]] Settlement settled() const;
    /// Settles them as another closed month, of UTC.
    [[nodiscard]] Settlement settled_as(ledger::Month month) const;

private:
    void post(const ledger::Entry& entry, ledger::PartnerId charity = {});

    ledger::Terms terms_;
    Contracts contracts_;
    std::vector<ledger::PositionRow> before_;
    std::vector<ledger::PositionRow> rows_;
    std::vector<ledger::EarlierPosition> earlier_;
};

/// The worked month, June 2026, without what issue B adds (blocks, pending points, expiry): TNK is
/// postpaid, L0 stays open.
struct June {
    explicit June(VatMode mode, ledger::Share prefund_share = {});

    Coalition coalition;
    ledger::PartnerId grocer;
    ledger::PartnerId fuel;
    ledger::PartnerId bookshop;
    ledger::PartnerId charity;
};

} // namespace pointhouse::settlement
