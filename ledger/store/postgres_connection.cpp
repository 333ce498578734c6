#include "postgres_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

constexpr int binary = 1;

template <class Integer>
void append_big_endian(std::string& bytes, Integer value)
{
    for (int shift = (sizeof(Integer) - 1) * 8; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xffU));
}

std::uint64_t big_endian(const char* bytes, int size)
{
    std::uint64_t value = 0;
    for (int place = 0; place < size; ++place)
        value = value << 8U | static_cast<unsigned char>(bytes[place]);
    return value;
}

/// One dimension, no NULLs.
std::string array_header(PostgresType element, std::size_t count)
{
    std::string bytes;
    append_big_endian<std::int32_t>(bytes, 1);
    append_big_endian<std::int32_t>(bytes, 0);
    append_big_endian(bytes, static_cast<std::int32_t>(element));
    append_big_endian(bytes, static_cast<std::int32_t>(count));
    append_big_endian<std::int32_t>(bytes, 1);
    return bytes;
}

constexpr Oid int64_array = 1016;
constexpr Oid bytes_array = 1001;

/// What the server's defaults must not decide. A commit that the server would answer before it is
/// durable breaks the house's first promise; one that it would cut short is never known.
constexpr const char* session_settings = R"sql(
SET client_encoding = 'UTF8';
SET client_min_messages = 'warning';
SET default_transaction_isolation = 'read committed';
SET statement_timeout = 0;
SET jit = off;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') IN ('off', 'local');
)sql";

} // namespace

PostgresParameters& PostgresParameters::add(std::int64_t value)
{
    std::string bytes;
    append_big_endian(bytes, value);
    cells_.push_back(
        {.type = static_cast<Oid>(PostgresType::int64),
         .bytes = bytes.size(),
         .inside = std::move(bytes)});
    return *this;
}

PostgresParameters& PostgresParameters::add(std::string_view text)
{
    cells_.push_back(
        {.type = static_cast<Oid>(PostgresType::text),
         .outside = text.data(),
         .bytes = text.size()});
    return *this;
}

PostgresParameters& PostgresParameters::add(std::span<const std::byte> bytes)
{
    cells_.push_back(
        {.type = static_cast<Oid>(PostgresType::bytes),
         .outside = reinterpret_cast<const char*>(bytes.data()),
         .bytes = bytes.size()});
    return *this;
}

PostgresParameters& PostgresParameters::add_null()
{
    cells_.push_back({.is_null = true});
    return *this;
}

PostgresParameters& PostgresParameters::add(const Parameter& parameter)
{
    return std::visit(
        [this](const auto& cell) -> PostgresParameters& {
            if constexpr (std::is_same_v<std::decay_t<decltype(cell)>, std::monostate>)
                return add_null();
            else
                return add(cell);
        },
        parameter);
}

PostgresParameters& PostgresParameters::add_array(std::span<const std::int64_t> values)
{
    std::string bytes = array_header(PostgresType::int64, values.size());
    for (const std::int64_t value : values) {
        append_big_endian<std::int32_t>(bytes, sizeof value);
        append_big_endian(bytes, value);
    }
    cells_.push_back({.type = int64_array, .bytes = bytes.size(), .inside = std::move(bytes)});
    return *this;
}

PostgresParameters& PostgresParameters::add_array(
    std::span<const std::span<const std::byte>> values)
{
    std::string bytes = array_header(PostgresType::bytes, values.size());
    for (const auto value : values) {
        append_big_endian(bytes, static_cast<std::int32_t>(value.size()));
        bytes.append(reinterpret_cast<const char*>(value.data()), value.size());
    }
    cells_.push_back({.type = bytes_array, .bytes = bytes.size(), .inside = std::move(bytes)});
    return *this;
}

PostgresParameters::Sent PostgresParameters::sent() const
{
    Sent sent;
    for (const Cell& cell : cells_) {
        // An empty view may have a null pointer, which libpq would take for NULL.
        const char* bytes = cell.outside != nullptr ? cell.outside : cell.inside.data();
        sent.values.push_back(cell.is_null ? nullptr : bytes);
        sent.lengths.push_back(static_cast<int>(cell.bytes));
        sent.formats.push_back(binary);
    }
    return sent;
}

std::vector<Oid> PostgresParameters::types() const
{
    std::vector<Oid> types;
    types.reserve(cells_.size());
    for (const Cell& cell : cells_) types.push_back(cell.type);
    return types;
}

namespace {

/// A NUMERIC, which is what PostgreSQL's sums of BIGINTs are: digits of base 10,000, the first of
/// weight 10,000^weight. Whole numbers are numbers, as in SQLite; others are text.
Value value_of_numeric(const char* bytes)
{
    const auto field = [bytes](int place) {
        return static_cast<std::int16_t>(big_endian(bytes + std::ptrdiff_t{2} * place, 2));
    };
    constexpr int header_fields = 4;
    constexpr std::int16_t negative = 0x4000;
    const int digits = field(0);
    const int weight = field(1);
    const int decimals = field(3);
    const auto digit = [&](int power) {
        const int place = weight - power;
        return place >= 0 && place < digits ? field(header_fields + place) : std::int16_t{0};
    };
    std::string whole;
    for (int power = std::max(weight, 0); power >= 0; --power)
        whole += fmt::format("{:04}", digit(power));
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    if (field(2) == negative) whole.insert(0, 1, '-');
    std::int64_t number = 0;
    const char* const end = whole.data() + whole.size();
    const auto read = std::from_chars(whole.data(), end, number);
    if (decimals == 0 && read.ec == std::errc{} && read.ptr == end) return number;
    std::string fraction;
    for (int power = -1; static_cast<int>(fraction.size()) < decimals; --power)
        fraction += fmt::format("{:04}", digit(power));
    fraction.resize(static_cast<std::size_t>(decimals));
    return fraction.empty() ? whole : fmt::format("{}.{}", whole, fraction);
}

} // namespace

std::int64_t PostgresResult::int64(int row, int column) const
{
    const char* bytes = PQgetvalue(result_.get(), row, column);
    switch (const int size = PQgetlength(result_.get(), row, column)) {
    case 8: return static_cast<std::int64_t>(big_endian(bytes, size));
    case 4: return static_cast<std::int32_t>(big_endian(bytes, size));
    case 2: return static_cast<std::int16_t>(big_endian(bytes, size));
    default: throw StoreFailure{fmt::format("PostgreSQL: a number of {} bytes", size)};
    }
}

std::string_view PostgresResult::text(int row, int column) const
{
    return {
        PQgetvalue(result_.get(), row, column),
        static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::span<const std::byte> PostgresResult::bytes(int row, int column) const
{
    const auto view = text(row, column);
    return std::as_bytes(std::span{view});
}

Value PostgresResult::value(int row, int column) const
{
    if (is_null(row, column)) return std::monostate{};
    constexpr Oid name_type = 19;
    constexpr Oid int16_type = 21;
    constexpr Oid varchar_type = 1043;
    constexpr Oid numeric_type = 1700;
    switch (const Oid type = PQftype(result_.get(), column)) {
    case static_cast<Oid>(PostgresType::int64):
    case static_cast<Oid>(PostgresType::int32):
    case int16_type: return int64(row, column);
    case static_cast<Oid>(PostgresType::text):
    case name_type:
    case varchar_type: return std::string{text(row, column)};
    case static_cast<Oid>(PostgresType::bytes): {
        const auto view = bytes(row, column);
        return Bytes{view.begin(), view.end()};
    }
    case numeric_type: return value_of_numeric(PQgetvalue(result_.get(), row, column));
    default:
        throw StoreFailure{fmt::format(
            "PostgreSQL: column {} has a type ({}) that the store does not read",
            PQfname(result_.get(), column),
            type)};
    }
}

PostgresFailure PostgresResult::failure() const
{
    const char* state = PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(result_.get(), PG_DIAG_MESSAGE_PRIMARY);
    if (message == nullptr) message = PQresultErrorMessage(result_.get());
    return {
        fmt::format("PostgreSQL: {}{}{}", message, state == nullptr ? "" : " ", state ? state : ""),
        state == nullptr ? std::string{} : state};
}

PostgresConnection::PostgresConnection(const std::string& address, Patience patience)
    : patience_{patience}
{
    // What the address says itself comes later and wins. Several hosts: the one that takes writes.
    constexpr std::array<const char*, 9> names{
        "connect_timeout",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "application_name",
        "target_session_attrs",
        "dbname",
        nullptr};
    const std::array<const char*, 9> values{
        "3", "2", "1", "3", "5000", "pointhouse", "read-write", address.c_str(), nullptr};
    connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
    if (PQstatus(handle()) != CONNECTION_OK) {
        std::string words = PQerrorMessage(handle());
        while (words.ends_with('\n')) words.pop_back();
        throw PostgresFailure{"PostgreSQL: " + words, {}};
    }
    PQsetNoticeReceiver(
        handle(),
        [](void* counter, const PGresult* notice) {
            const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
            if (severity != nullptr && std::strcmp(severity, "WARNING") == 0)
                ++*static_cast<std::uint64_t*>(counter);
        },
        &warnings_);
    if (PQsetnonblocking(handle(), 1) != 0) fail("open");
    execute(session_settings);
}

void PostgresConnection::limit_idle_transactions(std::chrono::milliseconds limit)
{
    execute(fmt::format("SET idle_in_transaction_session_timeout = {}", limit.count()));
}

PostgresConnection::Deadline PostgresConnection::deadline() const
{
    if (!patience_) return std::nullopt;
    return std::chrono::steady_clock::now() + *patience_;
}

void PostgresConnection::fail(std::string_view action)
{
    std::string words = PQerrorMessage(handle());
    while (words.ends_with('\n')) words.pop_back();
    throw PostgresFailure{
        fmt::format("PostgreSQL: cannot {}: {}", action, is_late_ ? "no answer in time" : words),
        {}};
}

void PostgresConnection::wait(bool for_writing, const Deadline& deadline)
{
    pollfd waiting{
        .fd = PQsocket(handle()),
        .events = static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN),
        .revents = 0};
    if (waiting.fd < 0) fail("wait");
    while (true) {
        int left = -1;
        if (deadline) {
            const auto time = std::chrono::ceil<std::chrono::milliseconds>(
                *deadline - std::chrono::steady_clock::now());
            left = std::max(0, static_cast<int>(time.count()));
        }
        const int ready = ::poll(&waiting, 1, left);
        if (ready > 0) return;
        if (ready < 0 && errno == EINTR) continue;
        is_late_ = ready == 0;
        fail("wait");
    }
}

void PostgresConnection::flush(const Deadline& deadline)
{
    while (true) {
        const int left = PQflush(handle());
        if (left < 0) fail("send");
        if (left == 0) return;
        wait(true, deadline);
        // The server may be busy telling us something before it reads on.
        if (PQconsumeInput(handle()) == 0) fail("read");
    }
}

PostgresResult PostgresConnection::next(const Deadline& deadline)
{
    while (PQisBusy(handle()) != 0) {
        wait(false, deadline);
        if (PQconsumeInput(handle()) == 0) fail("read");
    }
    return PostgresResult{PQgetResult(handle())};
}

PostgresResult PostgresConnection::only()
{
    const Deadline until = deadline();
    flush(until);
    PostgresResult last{nullptr};
    std::optional<PostgresFailure> failure;
    while (true) {
        PostgresResult result = next(until);
        if (!result.exists()) break;
        const ExecStatusType status = result.status();
        if (status == PGRES_FATAL_ERROR && !failure) failure = result.failure();
        last = std::move(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) break;
    }
    if (failure) throw PostgresFailure{*failure};
    if (is_broken()) fail("read");
    return last;
}

PostgresResult PostgresConnection::execute(const std::string& script)
{
    if (PQsendQuery(handle(), script.c_str()) == 0) fail("send");
    return only();
}

PostgresResult PostgresConnection::run(const std::string& sql, const PostgresParameters& parameters)
{
    const auto types = parameters.types();
    const auto sent = parameters.sent();
    const int is_sent = PQsendQueryParams(
        handle(),
        sql.c_str(),
        parameters.count(),
        types.data(),
        sent.values.data(),
        sent.lengths.data(),
        sent.formats.data(),
        binary);
    if (is_sent == 0) fail("send");
    return only();
}

void PostgresConnection::prepare(
    const std::string& name, const std::string& sql, std::span<const Oid> types)
{
    const int count = static_cast<int>(types.size());
    if (PQsendPrepare(handle(), name.c_str(), sql.c_str(), count, types.data()) == 0) fail("send");
    only();
}

void PostgresConnection::queue(const std::string& name, const PostgresParameters& parameters)
{
    const auto sent = parameters.sent();
    const int is_sent = PQsendQueryPrepared(
        handle(),
        name.c_str(),
        parameters.count(),
        sent.values.data(),
        sent.lengths.data(),
        sent.formats.data(),
        binary);
    if (is_sent == 0) fail("send");
}

PostgresResult PostgresConnection::run_prepared(
    const std::string& name, const PostgresParameters& parameters)
{
    queue(name, parameters);
    return only();
}

void PostgresConnection::enter_pipeline()
{
    if (PQenterPipelineMode(handle()) != 1) fail("begin a pipeline");
}

void PostgresConnection::leave_pipeline()
{
    if (PQexitPipelineMode(handle()) != 1) fail("end a pipeline");
}

std::vector<PostgresResult> PostgresConnection::answers(std::size_t queued)
{
    const Deadline until = deadline();
    if (PQpipelineSync(handle()) != 1) fail("send");
    flush(until);
    std::vector<PostgresResult> results;
    while (results.size() < queued) {
        PostgresResult result = next(until);
        if (is_broken()) fail("read");
        if (result.exists()) results.push_back(std::move(result));
    }
    while (true) {
        const PostgresResult result = next(until);
        if (is_broken()) fail("read");
        if (result.exists() && result.status() == PGRES_PIPELINE_SYNC) return results;
    }
}

void PostgresConnection::begin_copy_in(const std::string& sql)
{
    if (PQsendQuery(handle(), sql.c_str()) == 0) fail("send");
    invariant(only().status() == PGRES_COPY_IN, "the statement copies rows in");
}

void PostgresConnection::put_copied(std::string_view bytes)
{
    while (true) {
        const int taken = PQputCopyData(handle(), bytes.data(), static_cast<int>(bytes.size()));
        if (taken > 0) return;
        if (taken < 0) fail("copy");
        wait(true, deadline());
    }
}

void PostgresConnection::end_copy_in()
{
    if (PQputCopyEnd(handle(), nullptr) != 1) fail("copy");
    only();
}

void PostgresConnection::begin_copy_out(const std::string& sql)
{
    if (PQsendQuery(handle(), sql.c_str()) == 0) fail("send");
    invariant(only().status() == PGRES_COPY_OUT, "the statement copies rows out");
}

bool PostgresConnection::next_copied(std::string& bytes)
{
    while (true) {
        char* row = nullptr;
        const int size = PQgetCopyData(handle(), &row, 1);
        if (size > 0) {
            bytes.assign(row, static_cast<std::size_t>(size));
            PQfreemem(row);
            return true;
        }
        if (size == 0) {
            wait(false, deadline());
            if (PQconsumeInput(handle()) == 0) fail("read");
            continue;
        }
        if (size == -2) fail("copy");
        only();
        return false;
    }
}

bool PostgresConnection::in_transaction() const
{
    const auto status = PQtransactionStatus(handle());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void PostgresConnection::roll_back() noexcept
{
    if (is_broken() || !in_transaction()) return;
    try {
        execute("ROLLBACK");
    } catch (const StoreFailure&) {
        // The server rolls back what its connection left behind.
        is_late_ = true;
    }
}

} // namespace pointhouse::ledger
