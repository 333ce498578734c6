#include "store/postgres_bound.hpp"

#include "postgres_connection.hpp"

namespace pointhouse::ledger {

std::chrono::nanoseconds time_postgres_copies(
    const std::string& address, int batch, std::int64_t rows)
{
    using std::string_literals::operator""s;
    constexpr std::size_t row_bytes = 40;
    std::string copied = "PGCOPY\n\377\r\n\0"s + std::string(8, '\0');
    for (int row = 0; row < batch; ++row) {
        copied += "\0\1\0\0\0"s; // one column, its length
        copied += static_cast<char>(row_bytes);
        for (std::size_t place = 0; place < row_bytes; ++place)
            copied += static_cast<char>(static_cast<std::size_t>(row) * row_bytes + place);
    }
    copied += "\377\377"s;

    PostgresConnection connection{address};
    connection.execute("DROP TABLE IF EXISTS public.copy_only;"
                       "CREATE TABLE public.copy_only (bytes bytea NOT NULL)");
    const auto started = std::chrono::steady_clock::now();
    for (std::int64_t done = 0; done < rows; done += batch) {
        connection.begin_copy_in("COPY public.copy_only FROM STDIN (FORMAT binary)");
        connection.put_copied(copied);
        connection.end_copy_in();
    }
    const auto ended = std::chrono::steady_clock::now();
    connection.execute("DROP TABLE public.copy_only");
    return ended - started;
}

} // namespace pointhouse::ledger
