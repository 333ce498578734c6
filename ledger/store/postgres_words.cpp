#include "postgres_words.hpp"

#include <regex>

namespace pointhouse::ledger {

std::string in_postgres_words(std::string_view script)
{
    static const std::regex number{"\\bINTEGER\\b"};
    static const std::regex bytes{"\\bBLOB\\b"};
    static const std::regex clustered{"\\bWITHOUT ROWID\\b"};
    static const std::regex guard{"CREATE TRIGGER IF NOT EXISTS (\\w+) (BEFORE \\w+ ON \\w+)\\s+"
                                  "BEGIN SELECT RAISE\\(ABORT, '[^']*'\\); END;"};
    std::string sql{script};
    sql = std::regex_replace(sql, number, "BIGINT");
    sql = std::regex_replace(sql, bytes, "BYTEA");
    sql = std::regex_replace(sql, clustered, "");
    return std::regex_replace(
        sql,
        guard,
        "CREATE OR REPLACE TRIGGER $1 $2 FOR EACH ROW EXECUTE FUNCTION "
        "pointhouse.refuse_change();");
}

} // namespace pointhouse::ledger
