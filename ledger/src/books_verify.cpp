#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "books_projector.hpp"
#include "books_rows.hpp"
#include "journal_snapshot.hpp"
#include "ledger/books.hpp"

namespace pointhouse::ledger {
namespace {

using books::WindowRow;

/// Thrown to leave the comparison at the first difference.
struct Fault {
    std::string words;
};

std::string text_of(const Value& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *number);
    if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("'{}'", *text);
    return std::holds_alternative<Bytes>(value) ? "bytes" : "null";
}

std::string text_of(const Parameter& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *number);
    if (const auto* text = std::get_if<std::string_view>(&value)) return fmt::format("'{}'", *text);
    return "null";
}

bool is_same(const Value& stored, const Parameter& expected)
{
    if (const auto* number = std::get_if<std::int64_t>(&expected)) {
        const auto* found = std::get_if<std::int64_t>(&stored);
        return found != nullptr && *found == *number;
    }
    if (const auto* text = std::get_if<std::string_view>(&expected)) {
        const auto* found = std::get_if<std::string>(&stored);
        return found != nullptr && *found == *text;
    }
    return std::holds_alternative<std::monostate>(stored);
}

/// A table and the columns of it that are compared; the first `keys` of them name a row.
struct TableShape {
    std::string table;
    std::span<const std::string_view> columns;
    std::size_t keys = 1;
};

template <class Cells>
std::string row_name(const TableShape& shape, const Cells& cells)
{
    std::string name = shape.table;
    for (std::size_t column = 0; column < shape.keys; ++column)
        name += fmt::format(", {} {}", shape.columns[column], text_of(cells[column]));
    return name;
}

bool is_same_key(const TableShape& shape, const Row& row, std::span<const Parameter> expected)
{
    for (std::size_t column = 0; column < shape.keys; ++column)
        if (!is_same(row[column], expected[column])) return false;
    return true;
}

/// Compares rows as they are read, in the order of their keys, with the cells they should have.
class Comparison {
public:
    Comparison(const TableShape& shape, std::span<const Parameter> expected)
        : shape_{shape}, left_{expected}
    {}

    void next(const Row& row)
    {
        if (left_.empty()) throw Fault{row_name(shape_, row) + ": a row too many"};
        const auto expected = left_.first(shape_.columns.size());
        if (!is_same_key(shape_, row, expected))
            throw Fault{fmt::format(
                "{}: expected, but found {}", row_name(shape_, expected), row_name(shape_, row))};
        for (std::size_t column = 0; column < expected.size(); ++column) {
            if (!is_same(row[column], expected[column])) {
                throw Fault{fmt::format(
                    "{}: column {} is {} and should be {}",
                    row_name(shape_, row),
                    shape_.columns[column],
                    text_of(row[column]),
                    text_of(expected[column]))};
            }
        }
        left_ = left_.subspan(expected.size());
    }

    void finish() const
    {
        if (!left_.empty()) throw Fault{row_name(shape_, left_) + ": missing"};
    }

private:
    const TableShape& shape_;
    std::span<const Parameter> left_;
};

void compare(
    Transaction& transaction,
    const TableShape& shape,
    std::string_view where,
    std::span<const Parameter> range,
    std::span<const Parameter> expected)
{
    const auto keys = shape.columns.first(shape.keys);
    const std::string sql = fmt::format(
        "SELECT {} FROM {}{} ORDER BY {}",
        fmt::join(shape.columns, ", "),
        shape.table,
        where,
        fmt::join(keys, ", "));
    Comparison comparison{shape, expected};
    transaction.for_each(sql, range, [&](const Row& row) { comparison.next(row); });
    comparison.finish();
}

constexpr std::uint64_t records_compared_at_once = 4096;

/// Recomputes the books block by block, up to what they say they contain.
class Recomputation {
public:
    Recomputation(Transaction& transaction, const TermsHistory& terms)
        : transaction_{transaction}, history_{terms}, terms_{terms}
    {}

    /// The block that begins at `first`. How many records it has.
    std::uint32_t check(std::span<const std::byte> bytes, Sequence first)
    {
        if (records_held_ >= records_compared_at_once) {
            compare_rows();
            held_.let_go();
        }
        const BlockView block = held_.hold(bytes, first);
        const Month month = block.header().window;
        if (month != month_) compare_rows();
        month_ = month;
        if (records_held_ == 0) first_held_ = first;
        records_held_ += block.count();

        windows_.enter(month, first);
        ControlTotals totals;
        for (std::uint32_t index = 0; index < block.count(); ++index) {
            if (!block.read(index, record_))
                throw Fault{fmt::format(
                    "journal: record {} cannot be read", block.sequence_of(index).value())};
            add(record_, totals);
        }
        add_positions(month, totals);
        return block.count();
    }

    void finish()
    {
        compare_rows();
        compare_counts();
        compare_windows();
        compare_positions();
        compare_house_lines();
        compare_terms();
    }

private:
    struct Count {
        std::int64_t postings = 0;
        std::int64_t entries = 0;
    };

    void add(const Record& record, ControlTotals& totals)
    {
        books::append_posting(record, posting_cells_);
        if (is_house_step(record.type)) {
            if (record.type == MessageType::house_entry)
                books::take_house_lines(
                    record, month_, history_, terms_.at(record.terms), house_lines_);
            windows_.pass(record);
            return;
        }
        const Terms& terms = terms_.at(record.terms);
        for (std::size_t number = 0; number < record.entries.size(); ++number) {
            books::append_entry(record, number, terms, entry_cells_);
            totals.add(record.entries[number], record.counterparty);
        }
    }

    void add_positions(Month month, const ControlTotals& totals)
    {
        if (terms_.newest() == nullptr) return;
        for (const auto& total : totals.priced(*terms_.newest())) {
            const PositionRow position = position_of(total, month, *terms_.newest());
            PositionRow key = position;
            key.points = Points{};
            key.money = {};
            std::vector<Parameter> cells;
            books::append_position(key, {}, cells);
            std::vector<std::int64_t> place{month.year, month.month};
            for (std::size_t column = 1; column < 10; ++column)
                place.push_back(std::get<std::int64_t>(cells[column]));
            auto& sum = positions_.try_emplace(std::move(place), key).first->second;
            sum.points += position.points;
            sum.money.issuer += position.money.issuer;
            sum.money.counterparty += position.money.counterparty;
            sum.money.liability += position.money.liability;
            sum.money.fee += position.money.fee;
            sum.money.margin += position.money.margin;
        }
    }

    void compare_rows()
    {
        if (records_held_ == 0) return;
        const auto first = static_cast<std::int64_t>(first_held_.value());
        const std::array<Parameter, 2> range{
            first, first + static_cast<std::int64_t>(records_held_) - 1};
        constexpr std::string_view where = " WHERE sequence BETWEEN $1 AND $2";
        compare(
            transaction_,
            {books::posting_table(month_), books::posting_columns},
            where,
            range,
            posting_cells_);
        compare(
            transaction_,
            {books::entry_table(month_), books::entry_columns, 2},
            where,
            range,
            entry_cells_);
        auto& count = counts_[month_];
        count.postings += static_cast<std::int64_t>(records_held_);
        count.entries +=
            static_cast<std::int64_t>(entry_cells_.size() / books::entry_columns.size());
        posting_cells_.clear();
        entry_cells_.clear();
        records_held_ = 0;
    }

    // What stands outside the sequences of its window's blocks was compared with nothing yet.
    void compare_counts()
    {
        const auto compare_count = [&](const std::string& table, std::int64_t expected) {
            const auto rows = transaction_.run(fmt::format("SELECT count(*) FROM {}", table), {});
            const Value& found = rows.front().front();
            if (!is_same(found, expected))
                throw Fault{fmt::format(
                    "{}: has {} rows and should have {}", table, text_of(found), expected)};
        };
        for (const auto& [month, count] : counts_) {
            compare_count(books::posting_table(month), count.postings);
            compare_count(books::entry_table(month), count.entries);
        }
    }

    void compare_windows()
    {
        static constexpr std::array<std::string_view, 4> columns{
            "month", "first", "cut", "drained"};
        std::vector<std::string> months;
        for (const auto& window : windows_.all()) months.push_back(format_month(window.month));
        std::vector<Parameter> cells;
        for (std::size_t index = 0; index < months.size(); ++index) {
            const WindowRow& window = windows_.all()[index];
            cells.emplace_back(std::string_view{months[index]});
            for (const Sequence sequence : {window.first, window.cut, window.drained})
                cells.emplace_back(static_cast<std::int64_t>(sequence.value()));
        }
        compare(transaction_, {"settlement_window", columns}, "", {}, cells);
    }

    void compare_positions()
    {
        std::vector<std::string> months;
        months.reserve(positions_.size());
        for (const auto& [key, position] : positions_)
            months.push_back(format_month(position.window));
        std::vector<Parameter> cells;
        std::size_t index = 0;
        for (const auto& [key, position] : positions_)
            books::append_position(position, months[index++], cells);
        compare(transaction_, {"position", books::position_columns, 10}, "", {}, cells);
    }

    void compare_house_lines()
    {
        std::vector<Parameter> cells;
        for (const auto& line : house_lines_) books::append_house_line(line, cells);
        compare(transaction_, {"house_line", books::house_line_columns, 2}, "", {}, cells);
    }

    void compare_terms()
    {
        std::vector<Parameter> partners;
        std::vector<Parameter> tariffs;
        if (const Terms* terms = terms_.newest()) {
            for (const auto& partner : terms->partners) books::append_partner(partner, partners);
            for (const auto& tariff : terms->tariffs) books::append_tariff(tariff, tariffs);
        }
        compare(transaction_, {"partner", books::partner_columns}, "", {}, partners);
        compare(transaction_, {"tariff", books::tariff_columns}, "", {}, tariffs);
    }

    Transaction& transaction_;
    const TermsHistory& history_;
    books::TermsSeen terms_;
    std::vector<books::HouseLine> house_lines_;
    Month month_{}; // of the blocks that are held
    books::HeldBlocks held_;
    Sequence first_held_{};
    std::uint64_t records_held_ = 0;
    books::WindowsSeen windows_{{}};
    Record record_;
    std::vector<Parameter> posting_cells_;
    std::vector<Parameter> entry_cells_;
    std::map<Month, Count> counts_;
    std::map<std::vector<std::int64_t>, PositionRow> positions_; // by their key columns
};

void compare_books(Transaction& transaction, JournalReader& journal, const TermsHistory& terms)
{
    const books::Projection projection = books::read_projection(transaction);
    if (projection.format != books::books_format)
        throw Fault{"projection: not the format of these books"};
    const Sequence head = journal.head();
    if (projection.sequence > head)
        throw Fault{fmt::format(
            "projection: sequence is {} and the journal ends at {}",
            projection.sequence.value(),
            head.value())};

    Recomputation recomputation{transaction, terms};
    std::uint64_t next = 1;
    if (next <= projection.sequence.value())
        journal.for_each_block(Sequence{next}, [&](const JournalReader::BlockRow& row) {
            next += recomputation.check(row.bytes, Sequence{next});
            return next <= projection.sequence.value();
        });
    if (next != projection.sequence.value() + 1)
        throw Fault{fmt::format(
            "projection: sequence is {} and no block ends there", projection.sequence.value())};
    recomputation.finish();
}

} // namespace

std::optional<std::string> Books::first_fault(JournalReader& journal)
{
    try {
        // It finds what no query shows, as an index unlike its table, but names no row: so it is
        // said last.
        const std::string unsound = store_.integrity_fault();
        store_.read([&](Transaction& transaction) {
            // After the books' own snapshot, so that the journal is never the older of the two.
            const JournalSnapshot snapshot{journal};
            compare_books(transaction, journal, terms_);
        });
        if (!unsound.empty()) return "books: " + unsound;
    } catch (const Fault& fault) {
        return "books: " + fault.words;
    } catch (const StoreFailure& failure) {
        if (failure.out_of_reach) throw;
        return std::string{"books: "} + failure.what();
    }
    return std::nullopt;
}

} // namespace pointhouse::ledger
