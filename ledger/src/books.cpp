#include "ledger/books.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "books_projector.hpp"
#include "books_rows.hpp"

namespace pointhouse::ledger {

namespace {

// Blocks hold from one record to 65,536: this bounds the transaction when they are large.
constexpr std::uint64_t postings_per_transaction_max = 65'536;

std::vector<PositionRow> read_positions(
    Transaction& transaction, const std::string& sql, std::string_view month)
{
    std::vector<PositionRow> positions;
    const std::array<Parameter, 1> parameters{month};
    transaction.for_each(
        sql, parameters, [&](const Row& row) { positions.push_back(books::position_from(row)); });
    return positions;
}

std::vector<PositionRow> read_positions_of(Transaction& transaction, Month window)
{
    static const std::string sql = fmt::format(
        "SELECT {0} FROM position WHERE month = $1 ORDER BY {0}",
        fmt::join(books::position_columns, ", "));
    return read_positions(transaction, sql, format_month(window));
}

/// The lines of the house's own entries, and the newest of these.
void read_house_lines(Transaction& transaction, const Terms& terms, WindowSum& sum)
{
    const std::string month = format_month(sum.month);
    const std::array<Parameter, 1> cells{std::string_view{month}};
    transaction.for_each(
        "SELECT account, amount_micro, entry FROM house_line WHERE month = $1"
        " ORDER BY sequence, number",
        cells,
        [&](const Row& row) {
            const auto account = find_account(std::get<std::string>(row[0]), terms);
            if (!account) throw StoreFailure{"the books hold an account that there is not"};
            sum.house.push_back(
                {.account = account->account,
                 .partner = account->partner,
                 .issuer = {},
                 .amount = std::get<std::int64_t>(row[1])});
            const auto entry = static_cast<std::uint64_t>(std::get<std::int64_t>(row[2]));
            sum.last_entry = std::max(sum.last_entry, HouseSequence{entry});
        });
}

} // namespace

/// What the projector knows of its own tables.
struct Books::State {
    std::vector<books::WindowRow> windows;
    books::Projector::Written written;
};

Books::Books(Store& store, const TermsHistory& terms)
    : store_{store}, terms_{terms}, state_{std::make_unique<State>()}
{
    books::Projection found;
    State state;
    store_.transact([&](Transaction& transaction) {
        books::create_projection(transaction);
        found = books::read_projection(transaction);
        if (found.format == books::books_format) {
            state.windows = books::read_windows(transaction);
            // Views hold no rows that could be compared with the journal, so they are never old.
            books::create_views(transaction, state.windows);
            const auto rows_of = [&](std::string_view table) {
                return transaction.run(fmt::format("SELECT * FROM {}", table), {}).size();
            };
            state.written = {.partners = rows_of("partner"), .tariffs = rows_of("tariff")};
            return;
        }
        // No version wrote another format yet: such a value is damage, not age.
        if (found.format != 0)
            throw StoreFailure{fmt::format(
                "projection, format is {} and not {}", found.format, books::books_format)};
        books::create_schema(transaction);
        found.sequence = Sequence{};
        state = {};
    });
    *state_ = std::move(state);
    projected_ = found.sequence.value();
}

Books::~Books() = default;

Sequence Books::projected() const
{
    return Sequence{projected_};
}

void Books::clear()
{
    store_.transact([&](Transaction& transaction) {
        books::drop_schema(transaction);
        books::create_schema(transaction);
    });
    *state_ = {};
    projected_ = 0;
}

std::uint64_t Books::project(JournalReader& journal, std::size_t blocks_max)
{
    const Sequence head = journal.head();
    if (head < projected())
        throw StoreFailure{fmt::format(
            "the books contain {} and the journal ends at {}", projected().value(), head.value())};
    if (head == projected()) return 0;

    std::uint64_t postings = 0;
    Sequence through;
    State after;
    store_.transact([&](Transaction& transaction) {
        books::Projector projector{transaction, terms_, state_->windows, state_->written};
        std::uint64_t next = projected_ + 1;
        std::size_t blocks = 0;
        journal.for_each_block(Sequence{next}, [&](const JournalReader::BlockRow& row) {
            next += projector.project(row.bytes, Sequence{next});
            return ++blocks < blocks_max && projector.postings() < postings_per_transaction_max;
        });
        through = Sequence{next - 1};
        projector.finish(through);
        postings = projector.postings();
        after = {.windows = projector.windows(), .written = projector.written()};
    });
    *state_ = std::move(after);
    projected_ = through.value();
    return postings;
}

bool Books::index_drained_window()
{
    const auto is_due = [](const books::WindowRow& window) {
        return !window.drained.is_none() && window.indexes < books::indexes_of_window;
    };
    const auto window = std::ranges::find_if(state_->windows, is_due);
    if (window == state_->windows.end()) return false;
    store_.transact([&](Transaction& transaction) {
        books::create_window_index(transaction, *window, window->indexes);
    });
    ++window->indexes;
    return true;
}

std::vector<PositionRow> Books::positions(Month window)
{
    std::vector<PositionRow> positions;
    store_.read(
        [&](Transaction& transaction) { positions = read_positions_of(transaction, window); });
    return positions;
}

std::vector<AccountLine> Books::house_lines(Month window, const Terms& terms)
{
    WindowSum sum;
    store_.read([&](Transaction& transaction) {
        sum = {.month = window};
        read_house_lines(transaction, terms, sum);
    });
    return std::move(sum.house);
}

WindowSums Books::sums(std::span<const Month> windows, const Terms& terms)
{
    WindowSums sums;
    store_.read([&](Transaction& transaction) {
        sums = {.through = books::read_projection(transaction).sequence};
        for (const auto month : windows) {
            auto& sum = sums.windows.emplace_back(
                WindowSum{.month = month, .positions = read_positions_of(transaction, month)});
            read_house_lines(transaction, terms, sum);
        }
    });
    return sums;
}

std::vector<PositionRow> Books::positions_before(Month window)
{
    // All months of a position in one row. PostgreSQL sums BIGINTs to NUMERIC.
    static const std::string sql = [] {
        const std::span columns{books::position_columns};
        const auto keys = fmt::format("{}", fmt::join(columns.subspan(1, 9), ", "));
        std::string select = "SELECT NULL, " + keys;
        for (const auto column : columns.subspan(10))
            select += fmt::format(", CAST(SUM({}) AS BIGINT)", column);
        return fmt::format(
            "{} FROM position WHERE month < $1 GROUP BY {} ORDER BY {}", select, keys, keys);
    }();
    std::vector<PositionRow> positions;
    store_.read([&](Transaction& transaction) {
        positions = read_positions(transaction, sql, format_month(window));
    });
    return positions;
}

} // namespace pointhouse::ledger
