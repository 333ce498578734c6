#include "replay_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <zlib.h>

namespace pointhouse::ops {
namespace {

constexpr std::size_t line_bytes_max = 4096;
constexpr std::size_t text_bytes_max = 100;
constexpr std::int64_t amount_minor_max = 1'000'000'000'000;

enum Column : std::uint8_t {
    column_occurred_at,
    column_member,
    column_partner,
    column_basket,
    column_amount_minor,
    column_currency,
    column_kind,
    column_channel,
    column_category,
    column_count,
};

using Fields = std::array<std::string, column_count>;

/// Splits a line at its commas; a field may stand in double quotes (RFC 4180).
Fields split(std::string_view line)
{
    Fields fields;
    std::size_t count = 0;
    for (std::size_t at = 0; at <= line.size(); ++at, ++count) {
        if (count == column_count) throw FileFault{"there are more than 9 fields"};
        auto& field = fields.at(count);
        if (at < line.size() && line[at] == '"') {
            for (++at; at < line.size(); ++at) {
                if (line[at] != '"') {
                    field += line[at];
                } else if (line.substr(at, 2) == "\"\"") {
                    field += line[at++];
                } else {
                    break;
                }
            }
            if (at == line.size()) throw FileFault{"a quoted field has no end on its line"};
            ++at;
            if (at < line.size() && line[at] != ',') {
                throw FileFault{"a quoted field is followed by more than a comma"};
            }
        } else {
            const auto end = std::min(line.find(',', at), line.size());
            field = line.substr(at, end - at);
            at = end;
        }
    }
    if (count < column_count) throw FileFault{fmt::format("there are {} fields, not 9", count)};
    return fields;
}

bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr std::string_view member_punctuation = "._:@+-";
constexpr std::string_view partner_punctuation = "._-";

void check_member(std::string_view member)
{
    const auto allowed = [](char c) {
        return is_letter_or_digit(c) || member_punctuation.contains(c);
    };
    if (member.empty() || member.size() > 64 || !std::ranges::all_of(member, allowed)) {
        throw FileFault{fmt::format(
            "member '{}' is not 1 to 64 letters, digits or any of {}", member, member_punctuation)};
    }
}

/// A partner's id stands in certificates and in names of folders.
void check_partner(std::string_view partner)
{
    const auto allowed = [](char c) {
        return is_letter_or_digit(c) || partner_punctuation.contains(c);
    };
    if (partner.empty() || partner.size() > 32 || !is_letter_or_digit(partner.front()) ||
        !std::ranges::all_of(partner, allowed)) {
        throw FileFault{fmt::format(
            "partner '{}' is not 1 to 32 letters, digits or any of {}, the first a letter or digit",
            partner,
            partner_punctuation)};
    }
}

void check_text(std::string_view field, std::string_view value)
{
    const auto control = [](char c) { return (c >= 0 && c < ' ') || c == 127; };
    if (value.size() > text_bytes_max) {
        throw FileFault{fmt::format("{} is longer than {} bytes", field, text_bytes_max)};
    }
    if (std::ranges::any_of(value, control)) {
        throw FileFault{fmt::format("{} has a control character", field)};
    }
}

std::int64_t parse_amount(std::string_view text)
{
    std::int64_t amount = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc{} || stop != text.data() + text.size() || amount < -amount_minor_max ||
        amount > amount_minor_max) {
        throw FileFault{fmt::format("amount_minor '{}' is not a whole number in range", text)};
    }
    return amount;
}

RowKind parse_kind(std::string_view text, std::int64_t amount_minor)
{
    if (text == "purchase") {
        if (amount_minor < 0) throw FileFault{"a purchase has an amount below zero"};
        return RowKind::purchase;
    }
    if (text == "return") {
        if (amount_minor >= 0) throw FileFault{"a return has an amount that is not below zero"};
        return RowKind::goods_return;
    }
    if (text == "redemption") {
        if (amount_minor == 0) throw FileFault{"a redemption has the amount zero"};
        return RowKind::redemption;
    }
    if (text == "offer") return RowKind::offer;
    throw FileFault{fmt::format("kind '{}' is none of purchase, return, redemption, offer", text)};
}

/// Lines of a plain or gzipped file, without their ends.
class LineReader {
public:
    explicit LineReader(const std::filesystem::path& file)
        : file_{::gzopen(file.c_str(), "rb"), ::gzclose}
    {
        if (file_ == nullptr) throw FileFault{fmt::format("{}: cannot be opened", file.string())};
        ::gzbuffer(file_.get(), 256 * 1024);
    }

    /// None at the end of the file. Throws FileFault.
    std::optional<std::string_view> next()
    {
        if (::gzgets(file_.get(), line_.data(), static_cast<int>(line_.size())) == nullptr) {
            int code = Z_OK;
            const char* reason = ::gzerror(file_.get(), &code);
            if (code == Z_BUF_ERROR) {
                throw FileFault{"the file ends in the middle of its gzip data"};
            }
            if (code != Z_OK && code != Z_STREAM_END) throw FileFault{reason};
            return std::nullopt;
        }
        std::string_view line{line_.data()};
        if (!line.ends_with('\n') && line.size() + 1 == line_.size()) {
            throw FileFault{fmt::format("the line is longer than {} bytes", line_bytes_max)};
        }
        if (line.ends_with('\n')) line.remove_suffix(1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }

private:
    std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
    std::array<char, line_bytes_max + 2> line_{};
};

} // namespace

PurchaseRow parse_purchase_row(std::string_view line)
{
    auto fields = split(line);
    const auto time = ledger::parse_time(fields[column_occurred_at]);
    if (!time) {
        throw FileFault{fmt::format(
            "occurred_at '{}' is not a time like 2026-06-02T10:00:00Z",
            fields[column_occurred_at])};
    }
    check_member(fields[column_member]);
    check_partner(fields[column_partner]);
    check_text("basket", fields[column_basket]);
    if (fields[column_basket].empty()) throw FileFault{"the basket is missing"};
    const auto amount = parse_amount(fields[column_amount_minor]);
    const auto& currency = fields[column_currency];
    if (currency.size() != 3 ||
        !std::ranges::all_of(currency, [](char c) { return c >= 'A' && c <= 'Z'; })) {
        throw FileFault{fmt::format("currency '{}' is not three capital letters", currency)};
    }
    check_text("channel", fields[column_channel]);
    check_text("category", fields[column_category]);
    return {
        .occurred_at = *time,
        .member = std::move(fields[column_member]),
        .partner = std::move(fields[column_partner]),
        .basket = std::move(fields[column_basket]),
        .amount_minor = amount,
        .currency = currency,
        .kind = parse_kind(fields[column_kind], amount),
        .channel = std::move(fields[column_channel]),
        .category = std::move(fields[column_category]),
    };
}

void for_each_purchase_row(
    const std::filesystem::path& file, const std::function<void(PurchaseRow&&)>& row)
{
    LineReader reader{file};
    std::size_t number = 1;
    try {
        const auto header = reader.next();
        if (!header) throw FileFault{"the file is empty"};
        if (*header != purchases_header) {
            throw FileFault{fmt::format("the header is not {}", purchases_header)};
        }
        ++number;
        for (auto line = reader.next(); line; line = reader.next(), ++number) {
            row(parse_purchase_row(*line));
        }
        if (number == 2) throw FileFault{"no purchase follows the header"};
    } catch (const FileFault& fault) {
        throw FileFault{fmt::format("{}: line {}: {}", file.string(), number, fault.what())};
    }
}

} // namespace pointhouse::ops
