#include "ledger/journal_export.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>
#include <vector>

#include "books_projector.hpp"
#include "journal_snapshot.hpp"

namespace pointhouse::ledger {
namespace {

// Text is handed over in pieces of about this size.
constexpr std::size_t piece_bytes = 65'536;

/// Beancount wants accounts opened before their first use; no posting is older.
constexpr std::string_view opening_day = "1970-01-01";

std::vector<PositionRow> positions_of(const Record& record, const Terms& terms)
{
    std::vector<PositionRow> positions;
    positions.reserve(record.entries.size());
    for (const Entry& entry : record.entries) {
        ControlTotals totals;
        totals.add(entry, record.counterparty);
        positions.push_back(position_of(totals.priced(terms).front(), {}, terms));
    }
    return positions;
}

/// The lines of a whole posting: one per account, unit and side.
std::vector<AccountLine> lines_of(std::span<const PositionRow> positions, const Terms& terms)
{
    std::vector<AccountLine> lines;
    for (const PositionRow& position : positions) {
        for (const AccountLine& line : lines_of(position, terms)) {
            const auto same = std::ranges::find_if(lines, [&](const AccountLine& other) {
                return other.account == line.account && other.partner == line.partner &&
                       other.issuer == line.issuer && (other.amount > 0) == (line.amount > 0);
            });
            if (same == lines.end())
                lines.push_back(line);
            else
                same->amount += line.amount;
        }
    }
    return lines;
}

/// One line per account and unit, in the order in which they came; none that comes to nothing.
std::vector<AccountLine> netted(std::span<const AccountLine> lines)
{
    std::vector<AccountLine> net;
    for (const AccountLine& line : lines) {
        const auto same = std::ranges::find_if(net, [&](const AccountLine& other) {
            return other.account == line.account && other.partner == line.partner &&
                   other.issuer == line.issuer;
        });
        if (same == net.end())
            net.push_back(line);
        else
            same->amount += line.amount;
    }
    std::erase_if(net, [](const AccountLine& line) { return line.amount == 0; });
    return net;
}

/// Who sent a message; the house itself what its clock brought about.
std::string sender_of(const Record& record, const Terms& terms)
{
    return record.partner.is_none() ? "house" : exported_partner(record.partner, terms);
}

/// Who a line of the CSV is about: who sent it, or whose points a member brought along.
std::string partner_of(const Record& record, const AccountLine& line, const Terms& terms)
{
    const PartnerId partner = record.type == MessageType::opening ? line.issuer : record.partner;
    return partner.is_none() ? "" : exported_partner(partner, terms);
}

/// The part of an account's name that says which points of a member it holds; empty: none of one.
std::string_view member_account(Account account)
{
    switch (account) {
    case Account::members_active: return "active";
    case Account::members_pending: return "pending";
    case Account::members_held: return "held";
    case Account::members_debt: return "debt";
    case Account::issued:
    case Account::redeemed:
    case Account::clawback:
    case Account::recovery:
    case Account::unbilled:
    case Account::accrued_redemption:
    case Account::deferred_revenue:
    case Account::service_fee:
    case Account::redemption_margin:
    case Account::accrued_breakage_share:
    case Account::breakage:
    case Account::prepaid_block:
    case Account::prepaid_fee:
    case Account::cash_trust:
    case Account::cash_operating:
    case Account::receivable:
    case Account::payable:
    case Account::vat_output:
    case Account::vat_input:
    case Account::rounding:
    case Account::write_off:
    case Account::collateral:
    case Account::exchange:
    case Account::bank_charges:
    case Account::members_expired:
    case Account::transit: break;
    }
    return {};
}

/// A CSV field, quoted where it must be.
std::string quoted(std::string field)
{
    if (field.find_first_of("\",\r\n") == std::string::npos) return field;
    for (std::size_t at = 0; (at = field.find('"', at)) != std::string::npos; at += 2)
        field.insert(at, 1, '"');
    return '"' + field + '"';
}

class Writer {
public:
    Writer(const ExportOptions& options, const std::function<void(std::string_view)>& write)
        : options_{options}, write_{write}
    {}

    void posting(const Record& record, std::span<const AccountLine> gross, const Terms& terms)
    {
        const std::vector<AccountLine> lines = netted(gross);
        if (lines.empty()) return;
        ++postings_;
        if (!has_header_) header(terms);
        const std::string day = format_day(terms.calendar->day_of(record.posted_at));
        switch (options_.format) {
        case ExportFormat::hledger: hledger(record, lines, day, terms); break;
        case ExportFormat::beancount: beancount(record, lines, day, terms); break;
        case ExportFormat::csv: csv(record, lines, day, terms); break;
        }
        if (text_.size() >= piece_bytes) flush();
    }

    /// Their number.
    std::uint64_t finish()
    {
        // An empty house has no terms to take a currency from; CSV has its header all the same.
        if (!has_header_ && options_.format == ExportFormat::csv) text_ += csv_header;
        flush();
        return postings_;
    }

private:
    static constexpr std::string_view csv_header =
        "sequence,date,posted_at,partner,message_id,type,member,account,unit,debit,credit\n";

    void flush()
    {
        if (!text_.empty()) write_(text_);
        text_.clear();
    }

    template <class... Parts>
    void add(fmt::format_string<Parts...> form, Parts&&... parts)
    {
        fmt::format_to(std::back_inserter(text_), form, std::forward<Parts>(parts)...);
    }

    void header(const Terms& terms)
    {
        has_header_ = true;
        const std::string& currency = terms.currency.code;
        switch (options_.format) {
        case ExportFormat::hledger:
            add("; Pointhouse journal. Points of an issuer are the commodity \"P.<issuer>\".\n"
                "decimal-mark .\ncommodity 1000.000000 {}\n\n",
                currency);
            break;
        case ExportFormat::beancount:
            add("; Pointhouse journal. Points of an issuer are the commodity P.<issuer>.\n"
                "option \"title\" \"Pointhouse\"\noption \"operating_currency\" \"{}\"\n\n",
                currency);
            break;
        case ExportFormat::csv: text_ += csv_header; break;
        }
    }

    [[nodiscard]] std::string account(
        const AccountLine& line, const Record& record, const Terms& terms) const
    {
        const std::string_view of_member = member_account(line.account);
        if (!options_.by_member || of_member.empty())
            return exported_account(options_.format, line.account, line.partner, terms);
        if (options_.format != ExportFormat::beancount)
            return fmt::format("member:{}:{}", record.member.value(), of_member);
        std::string part{of_member};
        part.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(part.front())));
        return fmt::format("Equity:Points:Member:M{}:{}", record.member.value(), part);
    }

    [[nodiscard]] static std::string amount(const AccountLine& line, std::int64_t count)
    {
        return line.issuer.is_none() ? format_micro(Micro{count}) : fmt::format("{}", count);
    }

    // The code in brackets is the posting's sequence.
    void hledger(
        const Record& record,
        std::span<const AccountLine> lines,
        const std::string& day,
        const Terms& terms)
    {
        for (const auto& line : lines) {
            const std::string name = account(line, record, terms);
            if (declared_.insert(name).second) add("account {}\n", name);
            if (line.issuer.is_none()) continue;
            const std::string unit = exported_unit(options_.format, line.issuer, terms);
            if (declared_.insert(unit).second) add("commodity 1000. {}\n", unit);
        }
        add("{} * ({}) {} | {}{}{}\n",
            day,
            record.sequence.value(),
            sender_of(record, terms),
            name_of(record.type),
            record.message_id.empty() ? "" : " ",
            record.message_id);
        for (const auto& line : lines)
            add("    {}  {} {}\n",
                account(line, record, terms),
                amount(line, line.amount),
                exported_unit(options_.format, line.issuer, terms));
        add("\n");
    }

    void beancount(
        const Record& record,
        std::span<const AccountLine> lines,
        const std::string& day,
        const Terms& terms)
    {
        for (const auto& line : lines) {
            const std::string name = account(line, record, terms);
            if (declared_.insert(name).second) add("{} open {}\n", opening_day, name);
        }
        add("{} * \"{}\" \"{}{}{}\"\n  sequence: {}\n",
            day,
            record.partner.is_none() ? "house" : terms.partner(record.partner).name,
            name_of(record.type),
            record.message_id.empty() ? "" : " ",
            record.message_id,
            record.sequence.value());
        for (const auto& line : lines)
            add("  {}  {} {}\n",
                account(line, record, terms),
                amount(line, line.amount),
                exported_unit(options_.format, line.issuer, terms));
        add("\n");
    }

    void csv(
        const Record& record,
        std::span<const AccountLine> lines,
        const std::string& day,
        const Terms& terms)
    {
        for (const auto& line : lines) {
            const bool is_debit = line.amount > 0;
            add("{},{},{},{},{},{},{},{},{},{},{}\n",
                record.sequence.value(),
                day,
                format_time(record.posted_at),
                partner_of(record, line, terms),
                record.message_id,
                name_of(record.type),
                record.member.value(),
                quoted(account(line, record, terms)),
                quoted(exported_unit(options_.format, line.issuer, terms)),
                is_debit ? amount(line, line.amount) : "",
                is_debit ? "" : amount(line, -line.amount));
        }
    }

    const ExportOptions& options_;
    const std::function<void(std::string_view)>& write_;
    std::string text_;
    std::set<std::string> declared_; // accounts and units that the file knows
    bool has_header_ = false;
    std::uint64_t postings_ = 0;
};

} // namespace

std::uint64_t for_each_posting(
    JournalReader& journal,
    const TermsHistory& terms,
    const std::function<void(const PostingLines&)>& posting,
    const JournalPart& part)
{
    const JournalSnapshot snapshot{journal};
    books::TermsSeen terms_seen{terms};
    std::uint64_t postings = 0;
    std::uint64_t next = 1;
    Record record;
    journal.for_each_block(part.from, [&](const JournalReader::BlockRow& row) {
        if (row.first > part.through) return false;
        // Only the whole journal is known to begin with its first record.
        if (next == 1 && part.from.value() > 1) next = row.first.value();
        const BlockView block = books::checked_block(row.bytes, Sequence{next});
        for (std::uint32_t index = 0; index < block.count(); ++index) {
            if (!block.read(index, record))
                throw StoreFailure{fmt::format(
                    "journal: record {} cannot be read", block.sequence_of(index).value())};
            const bool is_house_entry = record.type == MessageType::house_entry;
            if (record.entries.empty() && !is_house_entry) continue;
            const Terms& seen = terms_seen.at(record.terms);
            const auto positions = positions_of(record, seen);
            const auto lines =
                is_house_entry ? terms.money_of(record.terms) : lines_of(positions, seen);
            if (lines.empty()) continue;
            posting(
                {.window = block.header().window,
                 .record = record,
                 .lines = lines,
                 .positions = positions,
                 .terms = seen});
            ++postings;
        }
        next += block.count();
        return true;
    });
    return postings;
}

std::uint64_t export_journal(
    JournalReader& journal,
    const TermsHistory& terms,
    const ExportOptions& options,
    const std::function<void(std::string_view)>& write)
{
    Writer writer{options, write};
    for_each_posting(journal, terms, [&](const PostingLines& posting) {
        writer.posting(posting.record, posting.lines, posting.terms);
    });
    return writer.finish();
}

} // namespace pointhouse::ledger
