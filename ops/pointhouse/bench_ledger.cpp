#include "bench_ledger.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <malloc.h>
#include <random>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "bench_gateway_report.hpp"
#include "gateway/backup.hpp"
#include "gateway/house.hpp"
#include "gateway/projector.hpp"
#include "ledger/invariant.hpp"
#include "store/postgres_bound.hpp"

namespace pointhouse::ops {
namespace {

using SteadyClock = std::chrono::steady_clock;
using ledger::Disposition;
using ledger::MessageType;
using ledger::Points;

constexpr std::int64_t points_per_accrual = 100;
constexpr std::uint64_t told_of_books = 100'000; // postings
constexpr double books_patience = 120;           // seconds

double seconds_since(SteadyClock::time_point start)
{
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

/// A number from a file of /proc: "VmRSS:" in self/status, "write_bytes:" in self/io.
double own_figure(const char* file, std::string_view name)
{
    std::ifstream in{std::string{"/proc/"} + file};
    std::string word;
    while (in >> word) {
        double value = 0;
        if (word == name && in >> value) return value;
    }
    return 0;
}

/// Processor time of this thread.
double cpu_seconds()
{
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Messages of random members: nine accruals of ten, and redemptions that take a member back to
/// where its lots are about `lots` on average over time.
class RandomTraffic {
public:
    explicit RandomTraffic(const BenchLedgerOptions& options)
        : options_{options}, held_(static_cast<std::size_t>(options.members)),
          submissions_(static_cast<std::size_t>(options.batch)), texts_(submissions_.size())
    {}

    struct Next {
        std::size_t member;
        std::int64_t lots_taken; // none: an accrual
    };

    Next next()
    {
        const auto member =
            static_cast<std::size_t>(random_() % static_cast<std::uint64_t>(options_.members));
        // Nine accruals on average between two redemptions, and nine after one at any moment.
        const std::int64_t kept = std::max(0, options_.lots - 9);
        if (held_[member] > kept && random_() % 10 == 0) {
            const std::int64_t taken = held_[member] - kept;
            held_[member] = static_cast<std::uint16_t>(kept);
            return {.member = member, .lots_taken = taken};
        }
        ++held_[member];
        return {.member = member, .lots_taken = 0};
    }

    [[nodiscard]] std::size_t lots_of(std::size_t member) const { return held_[member]; }

    std::span<ledger::Submission> batch(std::size_t size)
    {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        for (std::size_t place = 0; place < size; ++place) {
            const Next chosen = next();
            Texts& texts = texts_[place];
            texts.message_id = fmt::format("{:016x}-{}", random_(), ++sent_);
            texts.member = fmt::format("member-{:08}", chosen.member);
            ledger::Message& message = submissions_[place].message;
            message = {};
            message.type = chosen.lots_taken == 0 ? MessageType::accrual : MessageType::redemption;
            message.partner = ledger::PartnerId{
                static_cast<std::uint32_t>(random_() % static_cast<unsigned>(options_.partners)) +
                1};
            message.message_id = texts.message_id;
            message.member = texts.member;
            message.occurred_at = now;
            message.points =
                Points{points_per_accrual * std::max<std::int64_t>(1, chosen.lots_taken)};
        }
        return std::span{submissions_}.first(size);
    }

private:
    struct Texts {
        std::string message_id;
        std::string member;
    };

    const BenchLedgerOptions& options_;
    // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): the same in each run, for the sake of comparison
    std::mt19937_64 random_{20'261'121};
    std::uint64_t sent_ = 0;
    std::vector<std::uint16_t> held_;
    std::vector<ledger::Submission> submissions_;
    std::vector<Texts> texts_;
};

/// A folder that goes when the bench ends, however it ends.
class BenchFolder {
public:
    BenchFolder(const std::filesystem::path& parent, std::string store)
        : path_{parent / fmt::format("pointhouse-bench-{}", ::getpid())}, store_{std::move(store)}
    {}
    ~BenchFolder()
    {
        std::error_code ignored; // a folder left behind costs space, nothing else
        try {
            if (is_made_) gateway::discard_house(path_, store_);
        } catch (const std::exception& failure) {
            std::fprintf(stderr, "the bench's house stays: %s\n", failure.what());
        }
        std::filesystem::remove_all(path_, ignored);
    }
    /// From now on there is a house to remove.
    void is_made() { is_made_ = true; }
    BenchFolder(const BenchFolder&) = delete;
    BenchFolder& operator=(const BenchFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    std::string store_;
    bool is_made_ = false;
};

struct Measurement {
    double per_second = 0;
    double cpu_micros = 0;            // of the ledger's thread, per posting
    double bytes_per_posting = 0;     // of the whole house: journal, index, books
    double own_bytes_per_posting = 0; // of the ledger's thread: the journal
    double longest_commit_ms = 0;
};

class LedgerBench {
public:
    explicit LedgerBench(const BenchLedgerOptions& options)
        : options_{options}, folder_{options.folder, options.store}, traffic_{options}
    {}

    std::vector<BenchRow> run()
    {
        make_house();
        {
            gateway::House house{folder_.path()};
            static_cast<void>(house.projector());
            post(house, options_.small, "small journal");
        }
        report_measurement("small", false);
        {
            gateway::House house{folder_.path()};
            static_cast<void>(house.projector());
            post(house, options_.postings - posted_, "large journal");
        }
        report_measurement("large", true);
        report_against_small();
        report_replay();
        is_postgres() ? report_copy_bound() : report_bound();
        return std::move(rows_);
    }

private:
    void make_house()
    {
        gateway::make_house(
            {.data = folder_.path(),
             .store = options_.store,
             .currency = "EUR",
             .time_zone = "UTC",
             .shards = options_.shards});
        folder_.is_made();
        std::ofstream{gateway::HouseFolder{folder_.path()}.config()} << fmt::format(
            "store = \"{}\"\ncached_members_max = {}\n", options_.store, options_.cached_members);
        gateway::House house{folder_.path()};
        for (int partner = 0; partner < options_.partners; ++partner) {
            const auto contract = partners::standard_contract(fmt::format("brand-{}", partner + 1));
            const auto added = house.registry().add(contract, house.act());
            if (!added) throw gateway::HouseFailure{added.error().reason};
        }
        house.tend();
    }

    Measurement post(gateway::House& house, std::int64_t postings, const char* stage)
    {
        ledger::Ledger& points = house.ledger();
        house.tend();
        const double bytes = own_figure("self/io", "write_bytes:");
        const double own_bytes = own_figure("thread-self/io", "write_bytes:");
        Measurement measured;
        double seconds = 0; // in commits: making up messages is not the ledger's work
        double cpu = 0;
        std::int64_t left = postings;
        for (int batches = 0; left > 0; ++batches) {
            const auto batch = traffic_.batch(
                static_cast<std::size_t>(std::min<std::int64_t>(left, options_.batch)));
            const double cpu_before = cpu_seconds();
            const auto started = SteadyClock::now();
            points.commit(batch);
            const double commit_seconds = seconds_since(started);
            seconds += commit_seconds;
            cpu += cpu_seconds() - cpu_before;
            measured.longest_commit_ms =
                std::max(measured.longest_commit_ms, commit_seconds * 1000);
            for (const ledger::Submission& submission : batch) {
                const ledger::Outcome& outcome = submission.outcome;
                if (outcome.disposition != Disposition::decided || outcome.record.refusal)
                    throw gateway::HouseFailure{"a posting of the bench was not booked"};
            }
            left -= static_cast<std::int64_t>(batch.size());
            posted_ += static_cast<std::int64_t>(batch.size());
            if (!options_.json && batches % 64 == 0)
                std::fprintf(stderr, "\r%s: %lld postings", stage, static_cast<long long>(posted_));
        }
        if (!options_.json) std::fprintf(stderr, "\r%60s\r", "");
        const auto count = static_cast<double>(postings);
        measured.per_second = count / seconds;
        measured.cpu_micros = cpu * 1e6 / count;
        measured.bytes_per_posting = (own_figure("self/io", "write_bytes:") - bytes) / count;
        measured.own_bytes_per_posting =
            (own_figure("thread-self/io", "write_bytes:") - own_bytes) / count;
        return measured;
    }

    void report(std::string_view name, std::string_view size, double value, const char* unit)
    {
        rows_.push_back(
            {.name = fmt::format("ledger.{}.{}", is_postgres() ? "postgres" : "sqlite", name) +
                     (size == "large" ? std::string{} : fmt::format(".{}", size)),
             .value = value,
             .unit = unit,
             .bound = std::nullopt,
             .bound_name = {},
             .parameters = {
                 {"members", options_.members},
                 {"lots", options_.lots},
                 {"postings_before", posted_},
                 {"measured", options_.measured},
                 {"batch", options_.batch}}});
    }

    void measure(gateway::House& house, std::string_view size, std::int64_t postings)
    {
        const std::string rate = std::to_string(options_.batch);
        const Measurement measured = post(house, postings, "measuring");
        report(rate, size, measured.per_second, "postings/s");
        (size == "small" ? small_rate_ : large_rate_) = measured.per_second;
        report("cpu", size, measured.cpu_micros, "us/posting");
        report("bytes", size, measured.bytes_per_posting, "bytes/posting");
        report("journal_bytes", size, measured.own_bytes_per_posting, "bytes/posting");
        report("longest_commit", size, measured.longest_commit_ms, "ms");
        report("books_lag", size, static_cast<double>(house.projector().lag().records), "postings");
    }

    /// How fast the books take in what they lack while nothing is posted.
    void report_books(const gateway::Projector& projector)
    {
        const std::uint64_t lacking = projector.lag().records;
        if (lacking < told_of_books) return; // too few to tell a speed from
        const auto started = SteadyClock::now();
        std::uint64_t left = lacking;
        while (left > 0 && seconds_since(started) < books_patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
            left = projector.lag().records;
            if (!options_.json)
                std::fprintf(
                    stderr, "\rbooks: %llu postings left  ", static_cast<unsigned long long>(left));
        }
        if (!options_.json) std::fprintf(stderr, "\r%60s\r", "");
        report(
            "books",
            "large",
            static_cast<double>(lacking - left) / seconds_since(started),
            "postings/s");
        rows_.back().bound = large_rate_;
        rows_.back().bound_name = "posted";
    }

    /// Opens the house afresh, with nobody in memory, and measures with the projector running.
    void report_measurement(std::string_view size, bool is_large)
    {
        ::malloc_trim(0); // what the closed house left behind is not this one's
        const auto opening = SteadyClock::now();
        gateway::House house{folder_.path()};
        static_cast<void>(house.ledger());
        report("ready", size, seconds_since(opening), "s");
        static_cast<void>(house.projector());
        if (is_large) measure(house, "cold", options_.warm);
        measure(house, size, options_.measured);
        report("resident", size, own_figure("self/status", "VmRSS:") / 1024, "MiB");
        report("resident_peak", size, own_figure("self/status", "VmHWM:") / 1024, "MiB");
        if (is_large) report_books(house.projector());
    }

    /// How much of its first speed a ledger keeps.
    void report_against_small()
    {
        report("kept", "large", large_rate_, "postings/s");
        rows_.back().bound = small_rate_;
        rows_.back().bound_name = "with a small journal";
    }

    /// A house ends without warning, as by kill -9, and starts again: how fast it replays what was
    /// not written back.
    void report_replay()
    {
        const pid_t child = ::fork();
        ledger::invariant(child >= 0, "a process can be forked");
        if (child == 0) {
            int status = 1;
            try {
                gateway::House house{folder_.path()};
                post(house, options_.replayed, "to be replayed");
                status = 0;
            } catch (const std::exception& failure) {
                std::fprintf(stderr, "%s\n", failure.what());
            }
            ::_exit(status);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            throw gateway::HouseFailure{"the house that was to be killed did not get so far"};
        gateway::House house{folder_.path()};
        const auto opening = SteadyClock::now();
        static_cast<void>(house.ledger());
        const double seconds = seconds_since(opening);
        report("replay", "large", static_cast<double>(options_.replayed) / seconds, "records/s");
        rows_.back().bound = large_rate_;
        rows_.back().bound_name = "posted";
    }

    [[nodiscard]] bool is_postgres() const { return options_.store != "sqlite"; }

    void report_copy_bound()
    {
        const std::chrono::duration<double> seconds =
            ledger::time_postgres_copies(options_.store, options_.batch, options_.measured);
        const double bound = static_cast<double>(options_.measured) / seconds.count();
        for (BenchRow& row : rows_)
            if (row.unit == "postings/s" && !row.bound)
                row.bound = bound, row.bound_name = "COPY only";
    }

    /// What the disk and the bookkeeping of lots alone allow, with as many lots in memory as the
    /// ledger's members hold: no index, hash, identity or database.
    void report_bound()
    {
        constexpr std::size_t record_bytes = 40;
        using LotBytes = std::array<std::uint64_t, 4>;
        struct Held {
            std::vector<LotBytes> lots;
            std::size_t first = 0;
        };
        std::vector<Held> members(static_cast<std::size_t>(options_.members));
        for (std::size_t member = 0; member < members.size(); ++member) {
            const std::size_t lots = traffic_.lots_of(member);
            members[member].lots.reserve(lots + lots / 4 + 2); // with room, as the ledger's have
            members[member].lots.resize(lots, LotBytes{0, points_per_accrual});
        }
        std::vector<std::byte> block(record_bytes * static_cast<std::size_t>(options_.batch));
        const std::filesystem::path file = folder_.path() / "bound";
        const int handle = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ledger::invariant(handle >= 0, "the bound's file opens");
        double seconds = 0;
        std::int64_t done = 0;
        std::vector<RandomTraffic::Next> chosen(static_cast<std::size_t>(options_.batch));
        while (done < options_.measured) {
            for (RandomTraffic::Next& next : chosen) next = traffic_.next();
            const auto started = SteadyClock::now();
            for (std::size_t place = 0; place < chosen.size(); ++place) {
                const RandomTraffic::Next& next = chosen[place];
                Held& held = members[next.member];
                for (std::int64_t taken = 0; taken < next.lots_taken; ++taken)
                    if (held.first < held.lots.size()) ++held.first;
                if (held.first == held.lots.size()) held.lots.clear(), held.first = 0;
                if (next.lots_taken == 0)
                    held.lots.push_back(
                        {static_cast<std::uint64_t>(done), points_per_accrual, 0, 0});
                const std::size_t at = record_bytes * place;
                std::copy_n(reinterpret_cast<const std::byte*>(&next), sizeof next, &block[at]);
            }
            const auto written = ::write(handle, block.data(), block.size());
            ledger::invariant(
                written == static_cast<ssize_t>(block.size()) && ::fdatasync(handle) == 0,
                "the bound's file takes a block");
            seconds += seconds_since(started);
            done += options_.batch;
        }
        const double bound = static_cast<double>(done) / seconds;
        ::close(handle);
        for (BenchRow& row : rows_)
            if (row.unit == "postings/s" && !row.bound)
                row.bound = bound, row.bound_name = "append+fdatasync";
    }

    const BenchLedgerOptions& options_;
    BenchFolder folder_;
    RandomTraffic traffic_;
    std::int64_t posted_ = 0;
    double small_rate_ = 0; // postings a second
    double large_rate_ = 0;
    std::vector<BenchRow> rows_;
};

} // namespace

int run_bench_ledger(const BenchLedgerOptions& options)
{
    const std::vector<BenchRow> rows = LedgerBench{options}.run();
    std::fputs((options.json ? bench_as_json(rows) : bench_as_table(rows)).c_str(), stdout);
    return 0;
}

} // namespace pointhouse::ops
