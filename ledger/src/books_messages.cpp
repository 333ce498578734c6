#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "books_rows.hpp"
#include "ledger/books.hpp"

namespace pointhouse::ledger {
namespace {

std::int64_t number_in(const Value& cell)
{
    return std::get<std::int64_t>(cell);
}

MemberNumber member_in(const Value& cell)
{
    return MemberNumber{static_cast<std::uint64_t>(number_in(cell))};
}

} // namespace

void Books::for_each_message(
    Month window, PartnerId partner, const std::function<void(const BookedMessage&)>& message)
{
    const std::array<Parameter, 1> cells{std::int64_t{partner.value()}};
    read_messages(window, "partner = $1 AND refusal = 0 ORDER BY sequence", cells, message);
}

void Books::for_each_message(Month window, const std::function<void(const BookedMessage&)>& message)
{
    // Partner 0: what the house and its operators did. With the sign no index of the partner is
    // used: rows are read in the order in which they lie.
    read_messages(window, "+partner > 0 AND refusal = 0", {}, message);
}

void Books::read_messages(
    Month window,
    std::string_view which,
    std::span<const Parameter> cells,
    const std::function<void(const BookedMessage&)>& message)
{
    store_.read([&](Transaction& transaction) {
        const auto windows = books::read_windows(transaction);
        if (std::ranges::find(windows, window, &books::WindowRow::month) == windows.end()) return;
        BookedMessage booked;
        transaction.for_each(
            fmt::format(
                "SELECT partner, type, message_id, member, occurred_at, posted_at, points,"
                " amount_minor FROM {} WHERE {}",
                books::posting_table(window),
                which),
            cells,
            [&](const Row& row) {
                booked.partner = PartnerId{static_cast<std::uint32_t>(number_in(row[0]))};
                booked.type = static_cast<MessageType>(number_in(row[1]));
                booked.message_id = std::get<std::string>(row[2]);
                booked.member = member_in(row[3]);
                booked.occurred_at = time_of_micros(number_in(row[4]));
                booked.posted_at = time_of_micros(number_in(row[5]));
                booked.points = Points{number_in(row[6])};
                booked.amount_minor = number_in(row[7]);
                message(booked);
            });
    });
}

std::vector<Merge> Books::merges()
{
    std::vector<Merge> merges;
    store_.read([&](Transaction& transaction) {
        merges.clear();
        const std::array<Parameter, 1> cells{std::int64_t{std::to_underlying(MessageType::merge)}};
        for (const auto& window : books::read_windows(transaction)) {
            transaction.for_each(
                fmt::format(
                    "SELECT member, other_member FROM {} WHERE type = $1 AND refusal = 0"
                    " ORDER BY sequence",
                    books::posting_table(window.month)),
                cells,
                [&](const Row& row) {
                    merges.push_back({.from = member_in(row[0]), .into = member_in(row[1])});
                });
        }
    });
    return merges;
}

} // namespace pointhouse::ledger
