#include "settlement/partner_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <ranges>

#include <openssl/evp.h>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::MessageType;

constexpr std::string_view format_name = "pointhouse-reconciliation";
constexpr std::int64_t format_version = 1;
constexpr std::size_t line_bytes_max = 512;
// The bounds of the wire: what is beyond them was never booked.
constexpr std::size_t text_max = 64;
constexpr std::int64_t points_max = 1'000'000'000;
constexpr std::int64_t amount_minor_max = 1'000'000'000'000;

constexpr std::array reconciled_types{
    MessageType::accrual,
    MessageType::redemption,
    MessageType::reversal,
    MessageType::clawback,
    MessageType::donation,
    MessageType::capture,
    MessageType::transfer};

constexpr std::array<std::string_view, 8> header_fields{
    "record", "format", "version", "author", "partner", "window", "day", "currency"};
constexpr std::array<std::string_view, 8> detail_fields{
    "record", "message_id", "type", "member", "occurred_at", "booked_on", "points", "amount_minor"};
constexpr std::array<std::string_view, 5> trailer_fields{
    "record", "count", "points", "amount_minor", "sha256"};
constexpr std::size_t fields_max = 8;

// Only saves copying a text that grows.
constexpr std::size_t detail_bytes_usual = 96;

/// SHA-256 over lines as they come.
class LineHash {
public:
    LineHash()
    {
        ledger::invariant(
            context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
            "SHA-256 is available");
    }

    void add(std::string_view text)
    {
        ledger::invariant(
            EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1, "SHA-256 takes bytes");
    }

    [[nodiscard]] std::string finish()
    {
        std::array<unsigned char, 32> digest{};
        ledger::invariant(
            EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1, "SHA-256 ends");
        std::string text;
        for (const auto byte : digest) text += fmt::format("{:02x}", byte);
        return text;
    }

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

std::string_view name_of(FileAuthor author)
{
    return author == FileAuthor::house ? "house" : "partner";
}

/// Which bytes a text may have.
using Alphabet = std::array<bool, 256>;

/// Letters, digits, and these.
constexpr Alphabet alphabet_with(std::string_view others)
{
    Alphabet alphabet{};
    for (unsigned char letter = 'a'; letter <= 'z'; ++letter) alphabet.at(letter) = true;
    for (unsigned char letter = 'A'; letter <= 'Z'; ++letter) alphabet.at(letter) = true;
    for (unsigned char digit = '0'; digit <= '9'; ++digit) alphabet.at(digit) = true;
    for (const char letter : others) alphabet.at(static_cast<unsigned char>(letter)) = true;
    return alphabet;
}

constexpr Alphabet id_alphabet = alphabet_with("._:-");
constexpr Alphabet member_alphabet = alphabet_with("._:@+-");

bool is_text_of(const Alphabet& alphabet, std::string_view text)
{
    return !text.empty() && text.size() <= text_max && std::ranges::all_of(text, [&](char letter) {
        return alphabet[static_cast<unsigned char>(letter)];
    });
}

std::optional<MessageType> find_type(std::string_view name)
{
    const auto found = std::ranges::find(
        reconciled_types, name, [](MessageType type) { return ledger::name_of(type); });
    return found == reconciled_types.end() ? std::nullopt : std::optional{*found};
}

/// Digits alone, and no zero before others: one spelling for each number.
std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t max)
{
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_plain =
        !text.empty() && text.front() != '-' && (text.front() != '0' || text.size() == 1);
    if (error != std::errc{} || stop != text.data() + text.size() || !is_plain || number > max)
        return std::nullopt;
    return number;
}

/// Appends details to a text. Files have millions of them, and most are of the day of the one
/// before.
class DetailWriter {
public:
    explicit DetailWriter(std::string& text) : text_{text} {}

    void add(const ReconciliationRow& row)
    {
        text_ += "D,";
        text_ += row.message_id;
        text_ += ',';
        text_ += ledger::name_of(row.type);
        text_ += ',';
        text_ += row.member;
        text_ += ',';
        add_time(row.occurred_at);
        text_ += ',';
        add_day(row.booked_on, booked_on_);
        text_ += ',';
        add_number(row.points);
        text_ += ',';
        add_number(row.amount_minor);
        text_ += '\n';
    }

private:
    /// A day and how it is written.
    struct WrittenDay {
        ledger::Day day = ledger::never;
        std::string text{};
    };

    void add_day(ledger::Day day, WrittenDay& last)
    {
        if (last.text.empty() || last.day != day) last = {day, ledger::format_day(day)};
        text_ += last.text;
    }

    /// As ledger::format_time.
    void add_time(ledger::Time time)
    {
        const auto day = std::chrono::floor<std::chrono::days>(time);
        const std::chrono::hh_mm_ss of_day{time - day};
        add_day(static_cast<ledger::Day>(day.time_since_epoch().count()), occurred_on_);
        text_ += 'T';
        add_two_digits(of_day.hours().count());
        text_ += ':';
        add_two_digits(of_day.minutes().count());
        text_ += ':';
        add_two_digits(of_day.seconds().count());
        if (const auto micros = of_day.subseconds().count(); micros != 0)
            fmt::format_to(std::back_inserter(text_), ".{:06}", micros);
        text_ += 'Z';
    }

    void add_two_digits(std::int64_t number)
    {
        text_ += static_cast<char>('0' + number / 10);
        text_ += static_cast<char>('0' + number % 10);
    }

    void add_number(std::int64_t number)
    {
        std::array<char, 24> digits{};
        const auto [end, error] =
            std::to_chars(digits.data(), digits.data() + digits.size(), number);
        ledger::invariant(error == std::errc{}, "a number of 64 bits has at most 20 digits");
        text_.append(digits.data(), end);
    }

    std::string& text_;
    WrittenDay occurred_on_{};
    WrittenDay booked_on_{};
};

/// Reads one line after the other; the first fault ends it.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_{text}
    {
        const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
        file_.rows.reserve(std::min(lines, file_rows_max));
    }

    std::expected<PartnerFile, FileFault> read()
    {
        if (rest_.empty())
            return std::unexpected(FileFault{
                .line = 0, .field = {}, .reason = "the file is empty, which is never agreement"});
        const bool is_whole = next_line() && header() && details() && trailer() && end();
        if (!is_whole) return std::unexpected(fault_);
        return std::move(file_);
    }

private:
    bool fail(std::string_view field, std::string reason)
    {
        fault_ = {.line = line_, .field = std::string{field}, .reason = std::move(reason)};
        return false;
    }

    bool next_line()
    {
        ++line_;
        const auto end = rest_.find('\n');
        text_ = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        if (text_.ends_with('\r')) text_.remove_suffix(1);
        if (text_.size() > line_bytes_max)
            return fail("", fmt::format("must be at most {} bytes long", line_bytes_max));
        if (!split())
            return fail("", "must be of visible ASCII characters, without blanks and quotes");
        return true;
    }

    /// False: the line has what would end a text early or hide in a terminal: quotes, tabs, a byte
    /// order mark.
    bool split()
    {
        count_ = 0;
        std::size_t start = 0;
        const auto end_field = [&](std::size_t end) {
            if (count_ < fields_max) fields_[count_] = text_.substr(start, end - start);
            ++count_;
            start = end + 1;
        };
        for (std::size_t place = 0; place < text_.size(); ++place) {
            const char letter = text_[place];
            if (letter <= ' ' || letter > '~' || letter == '"') return false;
            if (letter == ',') end_field(place);
        }
        end_field(text_.size());
        return true;
    }

    bool has_fields(std::span<const std::string_view> names, std::string_view what)
    {
        if (count_ == names.size()) return true;
        return fail(
            "", fmt::format("a {} has {} fields, this line has {}", what, names.size(), count_));
    }

    bool header()
    {
        if (fields_[0] != "H") return fail("record", "the first line must be the header, H");
        if (!has_fields(header_fields, "header")) return false;
        if (fields_[1] != format_name)
            return fail("format", fmt::format("must be {}", format_name));
        if (whole_number(fields_[2], format_version) != format_version)
            return fail("version", fmt::format("must be {}", format_version));
        auto& header = file_.header;
        if (fields_[3] != "house" && fields_[3] != "partner")
            return fail("author", "must be house or partner");
        header.author = fields_[3] == "house" ? FileAuthor::house : FileAuthor::partner;
        if (!is_text_of(id_alphabet, fields_[4])) return fail("partner", "must be a partner's id");
        header.partner = fields_[4];
        const auto window = ledger::parse_month(fields_[5]);
        if (!window) return fail("window", "must be a month, written 2026-06");
        header.period.window = *window;
        if (!fields_[6].empty()) {
            header.period.day = ledger::parse_day(fields_[6]);
            if (!header.period.day) return fail("day", "must be a day, written 2026-06-14");
            if (!fields_[6].starts_with(fields_[5]))
                return fail("day", "must be a day of the window");
        }
        const auto is_capital = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
        if (fields_[7].size() != 3 || !std::ranges::all_of(fields_[7], is_capital))
            return fail("currency", "must be the code of a currency, written EUR");
        header.currency = fields_[7];
        return true;
    }

    bool details()
    {
        while (!rest_.empty()) {
            if (!next_line()) return false;
            if (fields_[0] == "T") return true;
            if (fields_[0] != "D") return fail("record", "must be D, a detail, or T, the trailer");
            if (!has_fields(detail_fields, "detail") || !detail()) return false;
            if (file_.rows.size() > file_rows_max)
                return fail(
                    "",
                    fmt::format("a file has at most {} details; write one a day", file_rows_max));
        }
        ++line_;
        return fail("record", "the trailer, T, is missing: the file is cut short");
    }

    bool detail()
    {
        ReconciliationRow row{.line = line_};
        if (!is_text_of(id_alphabet, fields_[1]))
            return fail("message_id", "must be 1 to 64 of [A-Za-z0-9._:-]");
        row.message_id = fields_[1];
        const auto type = find_type(fields_[2]);
        if (!type)
            return fail(
                "type",
                "must be accrual, redemption, capture, donation, transfer, reversal or clawback");
        row.type = *type;
        // A message that names another one has no member of its own.
        const bool may_be_silent = !ledger::names_member(*type) && fields_[3].empty();
        if (!may_be_silent && !is_text_of(member_alphabet, fields_[3]))
            return fail("member", "must be 1 to 64 of [A-Za-z0-9._:@+-]");
        row.member = fields_[3];
        const auto occurred_at = ledger::parse_time(fields_[4]);
        if (!occurred_at)
            return fail("occurred_at", "must be a time, written 2026-06-14T10:00:00Z");
        row.occurred_at = *occurred_at;
        const auto booked_on = ledger::parse_day(fields_[5]);
        if (!booked_on) return fail("booked_on", "must be a day, written 2026-06-14");
        row.booked_on = *booked_on;
        const auto points = whole_number(fields_[6], points_max);
        if (!points)
            return fail("points", fmt::format("must be a whole number from 0 to {}", points_max));
        row.points = *points;
        const auto amount = whole_number(fields_[7], amount_minor_max);
        if (!amount)
            return fail(
                "amount_minor",
                fmt::format("must be a whole number from 0 to {}", amount_minor_max));
        row.amount_minor = *amount;
        count_in(std::move(row));
        return true;
    }

    void count_in(ReconciliationRow row)
    {
        auto& totals = file_.totals;
        ++totals.count;
        totals.points += row.points;
        totals.amount_minor += row.amount_minor;
        hash_.add(text_);
        hash_.add("\n");
        file_.rows.push_back(std::move(row));
    }

    bool trailer()
    {
        if (!has_fields(trailer_fields, "trailer")) return false;
        const auto& totals = file_.totals;
        const std::array<std::int64_t, 3> sums{totals.count, totals.points, totals.amount_minor};
        for (std::size_t place = 0; place < sums.size(); ++place) {
            const std::string_view name = trailer_fields.at(place + 1);
            const std::string_view stated = fields_.at(place + 1);
            const auto number = whole_number(stated, INT64_MAX);
            if (!number) return fail(name, "must be a whole number");
            if (*number != sums.at(place))
                return fail(
                    name, fmt::format("says {}, the details have {}", stated, sums.at(place)));
        }
        file_.totals.hash = hash_.finish();
        if (fields_[4] != totals.hash)
            return fail("sha256", fmt::format("is not that of the details, {}", totals.hash));
        if (file_.rows.empty())
            return fail("count", "the file has no details, which is never agreement");
        return true;
    }

    bool end()
    {
        if (rest_.empty()) return true;
        ++line_;
        return fail("", "nothing may follow the trailer");
    }

    std::string_view rest_;
    std::string_view text_; // the line that is being read, without its end
    std::size_t line_ = 0;
    std::array<std::string_view, fields_max> fields_{};
    std::size_t count_ = 0; // of the line's fields, also of those beyond the last
    LineHash hash_;
    PartnerFile file_;
    FileFault fault_;
};

} // namespace

bool ReconciliationPeriod::contains(ledger::Day booked_on) const
{
    if (day) return booked_on == *day;
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{booked_on}}};
    return static_cast<int>(date.year()) == window.year &&
           static_cast<unsigned>(date.month()) == static_cast<unsigned>(window.month);
}

std::string format_period(const ReconciliationPeriod& period)
{
    return period.day ? ledger::format_day(*period.day) : ledger::format_month(period.window);
}

bool is_reconciled(MessageType type)
{
    return std::ranges::find(reconciled_types, type) != reconciled_types.end();
}

std::string partner_file(const FileHeader& header, std::span<const ReconciliationRow> rows)
{
    ledger::invariant(rows.size() <= file_rows_max, "a file has at most so many details");
    std::vector<const ReconciliationRow*> sorted;
    sorted.reserve(rows.size());
    for (const auto& row : rows) sorted.push_back(&row);
    std::ranges::sort(sorted, {}, [](const ReconciliationRow* row) {
        return std::pair<ledger::Day, std::string_view>{row->booked_on, row->message_id};
    });

    std::string text = fmt::format(
        "H,{},{},{},{},{},{},{}\n",
        format_name,
        format_version,
        name_of(header.author),
        header.partner,
        ledger::format_month(header.period.window),
        header.period.day ? ledger::format_day(*header.period.day) : "",
        header.currency);
    const auto header_bytes = text.size();
    text.reserve(header_bytes + rows.size() * detail_bytes_usual);
    DetailWriter writer{text};
    FileTotals totals;
    for (const auto* const row : sorted) {
        writer.add(*row);
        ++totals.count;
        totals.points += row->points;
        totals.amount_minor += row->amount_minor;
    }
    LineHash hash;
    hash.add(std::string_view{text}.substr(header_bytes));
    text += fmt::format(
        "T,{},{},{},{}\n", totals.count, totals.points, totals.amount_minor, hash.finish());
    return text;
}

std::expected<PartnerFile, FileFault> parse_partner_file(std::string_view text)
{
    return Reader{text}.read();
}

} // namespace pointhouse::settlement
