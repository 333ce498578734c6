#include "metrics.hpp"

#include <cstdint>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <unistd.h>

#include "gateway/projector.hpp"

namespace pointhouse::gateway {

namespace {

struct Figure {
    std::string_view name;
    std::string_view type; // "counter" or "gauge"
    std::string_view help;
};

template <class Value>
void append(std::string& out, const Figure& figure, Value value)
{
    fmt::format_to(
        std::back_inserter(out),
        "# HELP {} {}\n# TYPE {} {}\n{} {}\n",
        figure.name,
        figure.help,
        figure.name,
        figure.type,
        figure.name,
        value);
}

double seconds_of(std::uint64_t micros)
{
    return static_cast<double>(micros) / 1e6;
}

void append_ledger(std::string& out, const ledger::LedgerCounters& counters)
{
    append(
        out,
        {"pointhouse_ledger_records_total",
         "counter",
         "Durable records of the journal, of all starts."},
        counters.records);
    append(
        out,
        {"pointhouse_ledger_replayed_total",
         "counter",
         "Messages answered from the journal again."},
        counters.replayed);
    append(
        out,
        {"pointhouse_ledger_commits_total", "counter", "Durable commits since the start."},
        counters.commits);
    append(
        out,
        {"pointhouse_ledger_commit_failures_total",
         "counter",
         "Commits that did not become durable."},
        counters.commit_failures);
    append(
        out,
        {"pointhouse_ledger_commit_last_seconds", "gauge", "How long the last commit took."},
        seconds_of(counters.commit_micros_last));
    append(
        out,
        {"pointhouse_ledger_commit_max_seconds", "gauge", "The longest commit since the start."},
        seconds_of(counters.commit_micros_max));
    append(
        out,
        {"pointhouse_ledger_members_cached", "gauge", "Members in memory."},
        counters.members_cached);
    append(
        out,
        {"pointhouse_ledger_members_dirty", "gauge", "Members whose row is not written back yet."},
        counters.members_dirty);
}

void append_books(std::string& out, const Projector& projector)
{
    const auto lag = projector.lag();
    append(
        out,
        {"pointhouse_books_lag_records", "gauge", "Records of the journal that the books lack."},
        lag.records);
    append(
        out,
        {"pointhouse_books_lag_seconds",
         "gauge",
         "Since the last moment of which the books hold the whole journal."},
        lag.seconds);
    append(
        out,
        {"pointhouse_books_failing", "gauge", "1 while the projector cannot write."},
        projector.fault().empty() ? 0 : 1);
}

void append_disputes(std::string& out, House& house)
{
    const auto& calendar = *house.registry().terms()->calendar;
    const auto today = calendar.day_of(house.ledger().house_time());
    std::size_t open = 0;
    std::size_t due_soon = 0;
    for (const auto& [id, dispute] : house.documents().disputes()) {
        open += dispute.is_open() ? 1 : 0;
        due_soon += dispute.is_due_soon(today) ? 1 : 0;
    }
    append(out, {"pointhouse_disputes_open", "gauge", "Disputes that are not decided."}, open);
    append(
        out,
        {"pointhouse_disputes_due_soon",
         "gauge",
         "Open disputes whose last day to act is near; then they end by themselves."},
        due_soon);
}

std::uint64_t resident_bytes()
{
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    std::ifstream{"/proc/self/statm"} >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

std::string metrics_text(House& house, const TransportCounters& transport)
{
    std::string out;
    append_ledger(out, house.ledger().counters());
    append_books(out, house.projector());
    append_disputes(out, house);
    append_metrics(out, transport);
    append(
        out,
        {"process_resident_memory_bytes", "gauge", "Resident memory of the process."},
        resident_bytes());
    return out;
}

} // namespace pointhouse::gateway
