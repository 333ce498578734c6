#include "books_projector.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger::books {

namespace {

// Rows are handed to the database while their cells are still in the processor's cache.
constexpr std::size_t cells_held_max = 8'192;
constexpr std::size_t block_bytes_held_max = 65'536;

} // namespace

const Terms& TermsSeen::at(HouseSequence sequence)
{
    if (current_ == nullptr || current_at_ != sequence) {
        current_ = history_.terms_at(sequence);
        invariant(current_ != nullptr, "the house's record knows the terms of every decision");
        current_at_ = sequence;
        if (newest_ == nullptr || newest_->as_of < current_->as_of) newest_ = current_;
    }
    return *current_;
}

bool WindowsSeen::enter(Month month, Sequence first)
{
    const auto place = std::ranges::lower_bound(windows_, month, {}, &WindowRow::month);
    if (place != windows_.end() && place->month == month) return false;
    windows_.insert(place, {.month = month, .first = first});
    return true;
}

const WindowRow* WindowsSeen::pass(const Record& record)
{
    // Markers come in order: the n-th cut ends the n-th window, and the n-th drained follows it.
    if (record.type == MessageType::cut) {
        const auto open = std::ranges::find(windows_, Sequence{}, &WindowRow::cut);
        invariant(open != windows_.end(), "a cut ends an open window");
        open->cut = record.sequence;
        return &*open;
    }
    if (record.type == MessageType::drained) {
        const auto cut = std::ranges::find(windows_, Sequence{}, &WindowRow::drained);
        invariant(
            cut != windows_.end() && !cut->cut.is_none(), "only a window that was cut is drained");
        cut->drained = record.sequence;
        return &*cut;
    }
    return nullptr;
}

BlockView checked_block(std::span<const std::byte> bytes, Sequence expected)
{
    auto block = BlockView::parse(bytes, BlockView::Check::hash);
    if (!block)
        throw StoreFailure{
            fmt::format("journal: block at {}: {}", expected.value(), block.error().reason)};
    if (block->header().first != expected)
        throw StoreFailure{fmt::format(
            "journal: a block at {} where {} should follow",
            block->header().first.value(),
            expected.value())};
    return *block;
}

BlockView HeldBlocks::hold(std::span<const std::byte> bytes, Sequence expected)
{
    bytes_ += bytes.size();
    return checked_block(blocks_.emplace_back(bytes.begin(), bytes.end()), expected);
}

void HeldBlocks::let_go()
{
    blocks_.clear();
    bytes_ = 0;
}

std::uint32_t Projector::project(std::span<const std::byte> bytes, Sequence first)
{
    const BlockView block = held_.hold(bytes, first);
    enter_window(block.header());
    for (std::uint32_t index = 0; index < block.count(); ++index) {
        if (!block.read(index, record_))
            throw StoreFailure{
                fmt::format("journal: record {} cannot be read", block.sequence_of(index).value())};
        add(record_);
        if (posting_cells_.size() + entry_cells_.size() > cells_held_max) flush_rows();
    }
    if (held_.bytes() >= block_bytes_held_max) {
        flush_rows();
        held_.let_go();
    }
    return block.count();
}

void Projector::enter_window(const BlockHeader& header)
{
    if (header.window == month_) return;
    flush_rows();
    flush_positions();
    month_ = header.window;
    posting_table_ = posting_table(month_);
    entry_table_ = entry_table(month_);
    if (!windows_.enter(month_, header.first)) return;
    create_window_tables(transaction_, {.month = month_, .first = header.first});
    windows_changed_.push_back(month_);
    views_are_old_ = true;
}

void Projector::add(const Record& record)
{
    ++postings_;
    append_posting(record, posting_cells_);
    if (is_house_step(record.type)) {
        if (record.type == MessageType::house_entry)
            take_house_lines(record, month_, history_, terms_.at(record.terms), house_lines_);
        if (const auto* window = windows_.pass(record)) windows_changed_.push_back(window->month);
        return;
    }
    const Terms& terms = terms_.at(record.terms);
    for (std::size_t number = 0; number < record.entries.size(); ++number) {
        append_entry(record, number, terms, entry_cells_);
        totals_.add(record.entries[number], record.counterparty);
    }
}

void Projector::flush_rows()
{
    if (!posting_cells_.empty())
        transaction_.append(posting_table_, posting_columns, posting_cells_);
    if (!entry_cells_.empty()) transaction_.append(entry_table_, entry_columns, entry_cells_);
    posting_cells_.clear();
    entry_cells_.clear();
}

void Projector::flush_positions()
{
    const Terms* terms = terms_.newest();
    if (terms == nullptr) return;
    for (const auto& total : totals_.priced(*terms))
        add_to_position(transaction_, position_of(total, month_, *terms));
    totals_.clear();
}

void Projector::flush_house_lines()
{
    std::vector<Parameter> cells;
    for (const HouseLine& line : house_lines_) append_house_line(line, cells);
    if (!cells.empty()) transaction_.append("house_line", house_line_columns, cells);
    house_lines_.clear();
}

void Projector::flush_terms()
{
    const Terms* terms = terms_.newest();
    if (terms == nullptr) return;
    std::vector<Parameter> cells;
    for (; written_.partners < terms->partners.size(); ++written_.partners)
        append_partner(terms->partners[written_.partners], cells);
    transaction_.append("partner", partner_columns, cells);
    cells.clear();
    for (; written_.tariffs < terms->tariffs.size(); ++written_.tariffs)
        append_tariff(terms->tariffs[written_.tariffs], cells);
    transaction_.append("tariff", tariff_columns, cells);
}

void Projector::finish(Sequence through)
{
    flush_rows();
    flush_positions();
    flush_house_lines();
    flush_terms();
    for (const auto& window : windows_.all())
        if (std::ranges::find(windows_changed_, window.month) != windows_changed_.end())
            write_window(transaction_, window);
    if (views_are_old_) create_views(transaction_, windows_.all());
    write_projection(transaction_, through);
}

} // namespace pointhouse::ledger::books
