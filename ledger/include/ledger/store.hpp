#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pointhouse::ledger {

using Bytes = std::vector<std::byte>;
/// A cell read from a table.
using Value = std::variant<std::monostate, std::int64_t, std::string, Bytes>;
using Row = std::vector<Value>;
/// A cell or parameter on its way to a table; refers to the caller's memory.
using Parameter =
    std::variant<std::monostate, std::int64_t, std::string_view, std::span<const std::byte>>;

/// The database could not. `unknown` says that a commit may or may not have happened;
/// `out_of_reach` that nothing was asked of it, which says nothing of what it holds.
class StoreFailure : public std::runtime_error {
public:
    explicit StoreFailure(
        const std::string& what, bool outcome_unknown = false, bool was_not_reached = false)
        : std::runtime_error{what}, unknown{outcome_unknown}, out_of_reach{was_not_reached}
    {}
    bool unknown;
    bool out_of_reach;
};

/// An open database transaction. Ends when `Store::transact` or `Store::read` returns. One thread.
/// Statements are of the shared subset of SQLite and PostgreSQL, parameters $1, $2, …; they are
/// prepared once per store and text. Throws StoreFailure.
class Transaction {
public:
    virtual ~Transaction() = default;
    virtual std::vector<Row> run(std::string_view sql, std::span<const Parameter> parameters) = 0;
    /// Calls `row` for each row without holding them all.
    virtual void for_each(
        std::string_view sql,
        std::span<const Parameter> parameters,
        const std::function<void(const Row&)>& row) = 0;
    /// Runs a statement once for every `width` of `cells`, in order, and calls `row` with the place
    /// of that run and each row of it. In PostgreSQL they share round trips.
    virtual void for_each_of(
        std::string_view sql,
        std::size_t width,
        std::span<const Parameter> cells,
        const std::function<void(std::size_t place, const Row&)>& row)
    {
        for (std::size_t place = 0; place * width < cells.size(); ++place)
            for_each(sql, cells.subspan(place * width, width), [&](const Row& found) {
                row(place, found);
            });
    }
    /// Several statements without parameters: schema.
    virtual void script(std::string_view sql) = 0;
    /// Appends many rows to a table, fast; `cells` holds them row by row.
    virtual void append(
        std::string_view table,
        std::span<const std::string_view> columns,
        std::span<const Parameter> cells) = 0;
};

/// The cold port to durable state: registry, identities, books, settlement. One writer a store.
/// (The hot one is `Journal`.)
class Store {
public:
    virtual ~Store() = default;
    /// Commits when `work` returns, rolls back when it throws. May run `work` again after a
    /// conflict, so `work` must have no other effects. Durable when it returns.
    virtual void transact(const std::function<void(Transaction&)>& work) = 0;
    /// A consistent snapshot for reading, on a connection of its own: any thread.
    virtual void read(const std::function<void(Transaction&)>& work) = 0;
    /// The database's own check of its pages, indexes and CHECKs; empty when sound. Reads that
    /// begin after it see what the file holds now. Any thread.
    [[nodiscard]] virtual std::string integrity_fault() = 0;
};

} // namespace pointhouse::ledger
