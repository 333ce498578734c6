#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/command.hpp"
#include "gateway/house.hpp"
#include "ledger/books.hpp"
#include "settlement/reconciliation.hpp"

namespace pointhouse::gateway {

class MemberNumbers; // member_numbers.hpp

/// What one partner's record is compared with. Made on the house's thread, asked on any other one.
class ReconciliationSource {
public:
    /// Throws HouseFailure when the house knows no such window. `members` are those that other
    /// sources ask, too; none: its own.
    ReconciliationSource(
        House& house,
        ledger::PartnerId partner,
        const settlement::ReconciliationPeriod& period,
        std::shared_ptr<MemberNumbers> members = nullptr);

    using Rows = std::vector<settlement::ReconciliationRow>;

    /// The house's own file. Waits for the books. Throws HouseFailure when it would be too large,
    /// ledger::StoreFailure, Interrupted.
    [[nodiscard]] std::string house_file(Console& console) const;
    /// Reads a file of either author and compares it. Throws as above.
    [[nodiscard]] std::expected<settlement::Reconciliation, settlement::FileFault> reconcile(
        std::string_view text, Console& console) const;

    /// The same of rows that the books have, for who asks about many partners: all of the window,
    /// this partner's alone.
    [[nodiscard]] std::string house_file(Rows window) const;
    [[nodiscard]] std::expected<settlement::Reconciliation, settlement::FileFault> reconcile(
        std::string_view text, Rows window) const;
    /// Appends what a message is in a file; nothing when it is in none.
    static void append_row(
        const ledger::BookedMessage& booked, const ledger::Calendar& calendar, Rows& rows);

private:
    [[nodiscard]] settlement::FileHeader header() const;
    [[nodiscard]] std::optional<settlement::FileFault> fault_of(
        const settlement::FileHeader& found) const;
    [[nodiscard]] Rows rows_of(ledger::Month window) const;
    /// Puts the references in by which a file names members.
    void name_members(std::span<settlement::ReconciliationRow> rows) const;
    /// Appends the rows of other windows that details of the file name.
    void add_other_windows(Rows& house, const Rows& partner) const;
    void find_members(settlement::PartnerFile& file) const;
    /// Puts those into whom members were merged in their place.
    void follow_merges(Rows& house, Rows& partner) const;

    ledger::PartnerId partner_;
    settlement::ReconciliationPeriod period_;
    ledger::Sequence end_;
    std::vector<ledger::Month> windows_; // all that there are, oldest first
    std::shared_ptr<const ledger::Terms> terms_;
    ledger::Books& books_;
    Projector& projector_;
    std::shared_ptr<MemberNumbers> members_;
    std::array<std::byte, 16> wire_key_;
};

} // namespace pointhouse::gateway
