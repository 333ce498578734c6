#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ledger/time.hpp"

namespace pointhouse::ops {

enum class RowKind : std::uint8_t { purchase, goods_return, redemption, offer };

/// One row of a purchases file (CONTRACT.md, "Files"), checked.
struct PurchaseRow {
    ledger::Time occurred_at;
    std::string member;
    std::string partner;
    std::string basket;
    std::int64_t amount_minor =
        0; // purchase: zero or more; return: below zero; redemption: not zero
    std::string currency;
    RowKind kind = RowKind::purchase;
    std::string channel;  // may be empty
    std::string category; // may be empty
};

/// A file that is not in the form; what() names the line.
class FileFault : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline constexpr std::string_view purchases_header =
    "occurred_at,member,partner,basket,amount_minor,currency,kind,channel,category";

/// Reads one line (no line end) as a row. Throws FileFault without the line's number.
[[nodiscard]] PurchaseRow parse_purchase_row(std::string_view line);

/// Calls `row` for each row of the file, plain or gzipped, with its line number (the header is line
/// 1). Throws FileFault when the file cannot be read, is cut short, or has a line that is not in
/// the form; what `row` throws as FileFault gets the line's number, too.
void for_each_purchase_row(
    const std::filesystem::path& file, const std::function<void(PurchaseRow&&)>& row);

} // namespace pointhouse::ops
