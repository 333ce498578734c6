#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ledger/invariant.hpp"
#include "settlement/bank_import.hpp"
#include "settlement/bank_statement.hpp"

using namespace pointhouse;

// Any bytes as a bank statement: read whole, so that it adds up, or refused in words. What is read
// can be imported, and again changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto statements = settlement::parse_camt053(text);
    if (!statements) {
        ledger::invariant(!statements.error().words.empty(), "a refusal has words");
        return 0;
    }

    settlement::BankBook book;
    for (const settlement::BankStatement& statement : *statements) {
        ledger::Wide sum = statement.opening.amount.count;
        for (const settlement::BankRow& row : statement.rows) sum += row.amount.count;
        ledger::invariant(sum == statement.closing.amount.count, "a statement adds up");

        auto imported = settlement::import_statement(book, statement);
        if (!imported) continue;
        settlement::take(book, std::move(*imported));
        const auto again = settlement::import_statement(book, statement);
        ledger::invariant(again && again->is_repeated, "a statement is imported once");
    }
    return 0;
}
