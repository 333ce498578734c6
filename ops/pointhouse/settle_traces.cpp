#include "settle_traces.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "answers.hpp"
#include "gateway/projector.hpp"
#include "settlement/line_trace.hpp"
#include "settlement/report_table.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using ledger::Micro;
using ledger::PricedEntry;
using settlement::Document;
using settlement::Report;
using settlement::ReportCell;
using settlement::ReportTable;

struct Options {
    std::string number;
    std::size_t line = 0;
    std::string partner;
    std::string message;
    std::optional<std::uint64_t> record;
    bool as_csv = false;
};

CommandResult rendered(const Report& report, const Options& options, const Invocation& typed)
{
    if (typed.json) return done(settlement::report_json(report) + "\n");
    return done(
        options.as_csv ? settlement::report_csv(report) : settlement::report_in_words(report));
}

/// What both commands need of the house, taken on its thread.
struct Books {
    explicit Books(House& house)
        : terms{house.registry().terms()}, end{house.ledger().head()}, books{house.books()},
          projector{house.projector()}
    {}

    std::shared_ptr<const ledger::Terms> terms;
    ledger::Sequence end;
    ledger::Books& books;
    gateway::Projector& projector;

    [[nodiscard]] std::string name_of(ledger::PartnerId partner) const
    {
        return partner.is_none() ? "" : terms->partner(partner).name;
    }
    /// The cells of an entry that both tables have.
    [[nodiscard]] std::vector<ReportCell> cells_of(const PricedEntry& entry) const
    {
        return {
            static_cast<std::int64_t>(entry.sequence.value()),
            entry.number,
            std::string{ledger::name_of(entry.position.kind)},
            name_of(entry.sender),
            entry.message_id,
            ledger::format_time(entry.occurred_at),
            ledger::format_time(entry.posted_at)};
    }
};

const std::vector<std::string> entry_columns{
    "record", "entry", "kind", "partner", "message_id", "occurred_at", "posted_at"};

std::vector<std::string> with_entry_columns(
    std::vector<std::string> before, const std::vector<std::string>& after)
{
    before.insert(before.end(), entry_columns.begin(), entry_columns.end());
    before.insert(before.end(), after.begin(), after.end());
    return before;
}

/// From the lines of one document to all that they are the sum of.
class Trace {
public:
    Trace(const Books& books, const Document& document, std::size_t only_line)
        : books_{books}, document_{document}, only_line_{only_line}, sums_(document.lines.size())
    {
        entries_.name = "entries";
        entries_.columns = with_entry_columns({"line"}, {"points", "amount"});
    }

    void add(const PricedEntry& entry)
    {
        for (const auto& part : parts_on(document_, entry.position, *books_.terms)) {
            auto& sum = sums_[part.line];
            ++sum.entries;
            sum.points += part.points;
            sum.exact += part.amount;
            const std::size_t number = part.line + 1;
            if (only_line_ != 0 && number != only_line_) continue;
            std::vector<ReportCell> row{static_cast<std::int64_t>(number)};
            std::ranges::move(books_.cells_of(entry), std::back_inserter(row));
            row.emplace_back(part.points);
            row.emplace_back(part.amount);
            entries_.rows.push_back(std::move(row));
        }
    }

    /// In another currency only the document as a whole says what it is worth in the house's.
    Report report()
    {
        ReportTable lines{
            .name = "lines",
            .columns =
                {"line", "flow", "tariff", "entries", "points", "ledger", "billed", "difference"},
            .rows = {}};
        Micro ledger;
        Micro billed;
        for (std::size_t place = 0; place < sums_.size(); ++place) {
            const auto& line = document_.lines[place];
            const auto& sum = sums_[place];
            ledger += sum.exact;
            billed += line.exact;
            std::vector<ReportCell> row{
                static_cast<std::int64_t>(place + 1),
                std::string{name_of(line.charge)},
                std::int64_t{line.tariff.value()},
                sum.entries,
                sum.points,
                sum.exact};
            if (document_.booked) {
                row.resize(row.size() + 2);
            } else {
                row.emplace_back(line.exact);
                row.emplace_back(sum.exact - line.exact);
                agrees_ = agrees_ && sum.exact == line.exact;
            }
            lines.rows.push_back(std::move(row));
        }
        if (document_.booked) billed = document_.booked->exact;
        agrees_ = agrees_ && ledger == billed;
        ReportTable control{
            .name = "control",
            .columns = {"document", "ledger", "billed", "difference"},
            .rows = {{document_.number, ledger, billed, ledger - billed}}};
        return {
            .name = "trace",
            .facts =
                {{"document", document_.number},
                 {"window", ledger::format_month(document_.window)},
                 {"currency", books_.terms->currency.code}},
            .tables = {std::move(lines), std::move(control), std::move(entries_)}};
    }
    [[nodiscard]] bool agrees() const { return agrees_; }

private:
    struct Sum {
        std::int64_t entries = 0;
        std::int64_t points = 0;
        Micro exact{};
    };
    const Books& books_;
    const Document& document_;
    std::size_t only_line_;
    std::vector<Sum> sums_;
    ReportTable entries_;
    bool agrees_ = true;
};

void require_entries(const Document& document, std::size_t line)
{
    if (document.corrects)
        throw CommandFailure{fmt::format(
            "{} corrects {}: people agreed on it, and no entry moved it; that one is traced",
            document.number,
            document.corrects->number)};
    if (document.is_prepaid())
        throw CommandFailure{
            fmt::format("{} is over points bought ahead: no entry moved it", document.number)};
    if (line > document.lines.size())
        throw CommandFailure{
            fmt::format("{} has {} lines", document.number, document.lines.size())};
}

CommandStep trace(House& house, const Options& options, const Invocation& typed)
{
    const auto* issued = house.documents().find(options.number);
    if (!issued) throw CommandFailure{fmt::format("there is no document {}", options.number)};
    require_entries(issued->document, options.line);
    return [books = Books{house}, document = issued->document, options, typed](Console& console) {
        books.projector.wait_for(books.end, console);
        Trace made{books, document, options.line};
        books.books.for_each_priced_entry(
            document.window, document.partner, [&](const PricedEntry& entry) { made.add(entry); });
        auto result = rendered(made.report(), options, typed);
        result.exit_code = made.agrees() ? 0 : 1;
        return result;
    };
}

/// The documents on which entries may stand.
std::vector<Document> documents_of(House& house)
{
    std::vector<Document> documents;
    for (const auto* issued : house.documents().documents())
        if (!issued->document.corrects && !issued->document.is_prepaid())
            documents.push_back(issued->document);
    return documents;
}

/// Where a share stands: the document, and the line from 1. None: on no issued document.
std::pair<const Document*, std::int64_t> place_of(
    const std::vector<Document>& documents,
    ledger::Month window,
    const settlement::LineShare& share)
{
    const auto& [partner, type, tariff, charge] = share.line;
    for (const auto& document : documents) {
        if (document.window != window || document.partner != partner || document.supply != type)
            continue;
        for (std::size_t place = 0; place < document.lines.size(); ++place)
            if (document.lines[place].tariff == tariff && document.lines[place].charge == charge)
                return {&document, static_cast<std::int64_t>(place + 1)};
    }
    return {nullptr, 0};
}

/// From a message to the lines that it is on. What is on no document yet has an empty one.
CommandStep billed(House& house, const Options& options, const Invocation& typed)
{
    if (options.record.has_value() == !options.message.empty())
        throw CommandFailure{"either a --record of the journal, or a --message of a --partner"};
    ledger::Sequence record{options.record.value_or(0)};
    if (!options.message.empty()) {
        const auto sender = require_partner(house, options.partner).partner;
        ledger::Outcome outcome;
        if (!house.ledger().find_outcome(sender, options.message, outcome))
            throw CommandFailure{fmt::format(
                "the house knows no message {} of {}", options.message, options.partner)};
        record = outcome.record.sequence;
    }
    return [books = Books{house}, documents = documents_of(house), record, options, typed](
               Console& console) {
        books.projector.wait_for(books.end, console);
        ReportTable table{
            .name = "entries",
            .columns = with_entry_columns(
                {},
                {"window", "points", "amount", "document", "line", "billed_to", "flow", "tariff"}),
            .rows = {}};
        const auto add = [&](const PricedEntry& entry) {
            for (const auto& share : settlement::line_shares(entry.position, *books.terms)) {
                auto row = books.cells_of(entry);
                row.emplace_back(ledger::format_month(entry.position.window));
                row.emplace_back(share.points);
                row.emplace_back(share.amount);
                const auto [document, line] = place_of(documents, entry.position.window, share);
                row.emplace_back(document ? document->number : std::string{});
                row.emplace_back(document ? ReportCell{line} : ReportCell{});
                row.emplace_back(books.name_of(share.line.partner));
                row.emplace_back(std::string{name_of(share.line.charge)});
                row.emplace_back(std::int64_t{share.line.tariff.value()});
                table.rows.push_back(std::move(row));
            }
        };
        books.books.for_each_priced_entry(record, add);
        return rendered(
            {.name = "billed",
             .facts = {{"currency", books.terms->currency.code}},
             .tables = {std::move(table)}},
            options,
            typed);
    };
}

} // namespace

void declare_settle_traces(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(settle, invocation, options);
    auto& tracing =
        declare("trace", "Every entry of the ledger behind the lines of an issued document", trace);
    tracing.add_option("NUMBER", options->number, "Of the document")->required();
    tracing.add_option("--line", options->line, "Entries of this line alone, from 1");
    tracing.add_flag("--csv", options->as_csv, "As CSV");
    auto& billing = declare("billed", "The documents and lines that a message is on", billed);
    billing.add_option("--partner", options->partner, "Who sent it");
    billing.add_option("--message", options->message, "Its message id");
    billing.add_option("--record", options->record, "Its record in the journal instead");
    billing.add_flag("--csv", options->as_csv, "As CSV");
}

} // namespace pointhouse::ops
