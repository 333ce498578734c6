#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/money.hpp"
#include "ledger/time.hpp"
#include "partners/registry.hpp"

// toml++ is included here alone: its other half is compiled into the library.
#include <toml++/toml.h>

namespace pointhouse::partners {

/// The first thing that is wrong in a file; what follows from it is not kept.
class FirstFault {
public:
    void note(const toml::source_region& where, std::string_view key, std::string_view why);
    [[nodiscard]] bool is_noted() const { return reason_.has_value(); }
    /// Pre: one is noted.
    [[nodiscard]] ContractFault fault() const { return {reason_.value()}; }

private:
    std::optional<std::string> reason_;
};

/// Takes the keys of one table. What is missing or of the wrong type is noted as the fault and read
/// as none, so that a reader needs to look at the fault only at its end. The table and the fault
/// outlive the reader.
class TableReader {
public:
    TableReader(const toml::table& table, FirstFault& fault) : table_{table}, fault_{fault} {}

    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key);
    [[nodiscard]] std::optional<std::int32_t> small_integer(std::string_view key);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    /// A decimal in quotes, e.g. "0.0095".
    [[nodiscard]] std::optional<ledger::Micro> decimal(std::string_view key);
    /// A day in quotes, e.g. "2026-06-30".
    [[nodiscard]] std::optional<ledger::Day> day(std::string_view key);
    [[nodiscard]] const toml::table* table(std::string_view key);
    /// Whether the key has a table; then `table` reads it.
    [[nodiscard]] bool has_table(std::string_view key) const
    {
        const auto* node = table_.get(key);
        return node != nullptr && node->is_table();
    }
    /// The tables under [[key]], in their order.
    [[nodiscard]] std::vector<const toml::table*> tables(std::string_view key);

    /// The table's keys in the order in which the file has them.
    [[nodiscard]] std::vector<std::string> keys_as_written() const;

    /// Notes what the value of `key`, or the want of it, is the fault of.
    void refuse(std::string_view key, std::string_view why);
    /// The key must be there.
    void require(std::string_view key);
    /// Notes the first key that nobody has asked for.
    void refuse_unknown();

private:
    const toml::node* take(std::string_view key);

    const toml::table& table_;
    FirstFault& fault_;
    std::set<std::string, std::less<>> known_;
};

} // namespace pointhouse::partners
