#include "position_source.hpp"

#include "gateway/settlement_source.hpp"
#include "ledger/block.hpp"
#include "settlement/rendering.hpp"

namespace pointhouse::gateway {

PositionSource::PositionSource(House& house)
    : house_{house}, books_{house.books()}, journal_{house.open_reader()}
{}

std::string PositionSource::operator()(ledger::PartnerId partner)
{
    refresh();
    return settlement::partner_json(*settled_, partner);
}

ledger::Month PositionSource::open_window() const
{
    const auto& windows = house_.ledger().windows();
    if (!windows.empty() && windows.back().cut.is_none()) return windows.back().month;
    return house_.registry().terms()->calendar->month_of(house_.ledger().house_time());
}

void PositionSource::read_books(ledger::Month month)
{
    // The projector may commit between two reads: read again until nothing moved.
    while (!is_read_ || projected_ != books_.projected() || month_ != month) {
        projected_ = books_.projected();
        month_ = month;
        before_ = books_.positions_before(month);
        window_ = books_.positions(month);
        is_read_ = true;
        settled_.reset();
    }
}

void PositionSource::refresh()
{
    auto& points = house_.ledger();
    const auto terms = house_.registry().terms();
    read_books(open_window());
    if (settled_ && head_ == points.head() && terms_ == terms->as_of) return;

    auto before = before_;
    auto window = window_;
    std::vector<ledger::ControlTotal> totals;
    const auto add_block = [&](const ledger::JournalReader::BlockRow& row) {
        const auto block = ledger::BlockView::parse(row.bytes, ledger::BlockView::Check::frame);
        if (!block || !block->read_totals(totals))
            throw ledger::StoreFailure{"a block of the journal cannot be read"};
        auto& rows = block->header().window < month_ ? before : window;
        for (const auto& total : totals)
            rows.push_back(ledger::position_of(total, block->header().window, *terms));
        return true;
    };
    if (projected_ < points.head())
        journal_->for_each_block(ledger::Sequence{projected_.value() + 1}, add_block);

    const auto contracts = contracts_of(house_.registry(), *terms);
    settled_ = std::make_unique<const settlement::Settlement>(settlement::settle(
        {.window =
             {.month = month_,
              .from = terms->calendar->start_of(month_),
              .to = terms->calendar->start_of(month_.next()),
              .state = settlement::WindowState::open},
         .positions = {.before = before, .window = window},
         .terms = *terms,
         .contracts = contracts}));
    head_ = points.head();
    terms_ = terms->as_of;
}

} // namespace pointhouse::gateway
