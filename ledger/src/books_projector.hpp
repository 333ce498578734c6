#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "books_rows.hpp"
#include "ledger/block.hpp"
#include "ledger/ids.hpp"
#include "ledger/store.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger::books {

/// The terms that records name, kept while they stay the same.
class TermsSeen {
public:
    explicit TermsSeen(const TermsHistory& history) : history_{history} {}
    /// The terms that the record's decision saw.
    const Terms& at(HouseSequence sequence);
    /// The newest of them so far, which knows all that the others do; null: none was seen.
    [[nodiscard]] const Terms* newest() const { return newest_.get(); }

private:
    const TermsHistory& history_;
    std::shared_ptr<const Terms> current_;
    HouseSequence current_at_{};
    std::shared_ptr<const Terms> newest_;
};

/// The windows of a journal, found by reading its records in order.
class WindowsSeen {
public:
    explicit WindowsSeen(std::vector<WindowRow> windows) : windows_{std::move(windows)} {}
    /// A block of `month` starts at `first`. True when the window is new.
    bool enter(Month month, Sequence first);
    /// The window that the record marks; null: it is no marker. Pre: its window was entered.
    const WindowRow* pass(const Record& record);
    [[nodiscard]] const std::vector<WindowRow>& all() const { return windows_; }

private:
    std::vector<WindowRow> windows_; // oldest first
};

/// Reads the block and checks its hash, and that it starts at `expected`. Throws StoreFailure.
[[nodiscard]] BlockView checked_block(std::span<const std::byte> bytes, Sequence expected);

/// Copies of blocks, for as long as rows of them refer to their texts: a server answers each
/// statement by a round trip, so the rows of many small blocks go in one.
class HeldBlocks {
public:
    /// As `checked_block`.
    BlockView hold(std::span<const std::byte> bytes, Sequence expected);
    void let_go();
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    std::vector<Bytes> blocks_;
    std::size_t bytes_ = 0;
};

/// Writes blocks into the books, inside one transaction.
class Projector {
public:
    struct Written {
        std::size_t partners = 0;
        std::size_t tariffs = 0;
    };

    Projector(
        Transaction& transaction,
        const TermsHistory& terms,
        std::vector<WindowRow> windows,
        Written written)
        : transaction_{transaction}, history_{terms}, terms_{terms}, windows_{std::move(windows)},
          written_{written}
    {}

    /// The block that starts at `first`. How many records it has.
    std::uint32_t project(std::span<const std::byte> bytes, Sequence first);
    /// Writes what the blocks came to: positions, windows, partners, tariffs, the sequence reached.
    void finish(Sequence through);

    [[nodiscard]] std::uint64_t postings() const { return postings_; }
    [[nodiscard]] const std::vector<WindowRow>& windows() const { return windows_.all(); }
    [[nodiscard]] Written written() const { return written_; }

private:
    void enter_window(const BlockHeader& header);
    void add(const Record& record);
    void flush_rows();
    void flush_positions();
    void flush_house_lines();
    void flush_terms();

    Transaction& transaction_;
    const TermsHistory& history_;
    TermsSeen terms_;
    WindowsSeen windows_;
    Written written_;
    std::uint64_t postings_ = 0;

    HeldBlocks held_;
    Month month_{};
    std::string posting_table_;
    std::string entry_table_;
    Record record_;
    std::vector<Parameter> posting_cells_;
    std::vector<Parameter> entry_cells_;
    ControlTotals totals_;
    std::vector<HouseLine> house_lines_;
    bool views_are_old_ = false;
    std::vector<Month> windows_changed_;
};

} // namespace pointhouse::ledger::books
