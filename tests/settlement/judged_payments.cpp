// What judges outside hold against their own computation:
//   judged_payments cases SEED COUNT            nettings, conversions, defaults: a line of JSON
//   each judged_payments orders SEED COUNT FOLDER    payment files judged_payments import FILE...
//   statements read one after another: a line of JSON each
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <random>
#include <span>

#include <boost/json.hpp>

#include "settlement/apportionment.hpp"
#include "settlement/bank_import.hpp"
#include "settlement/exchange.hpp"
#include "settlement/netting.hpp"
#include "settlement/payer_default.hpp"
#include "settlement/payment_file.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Minor;
using ledger::PartnerId;

json::object amounts_json(const std::map<PartnerId, Minor>& amounts)
{
    json::object object;
    for (const auto& [party, amount] : amounts)
        object.emplace(fmt::to_string(party.value()), amount.count);
    return object;
}

json::object plan_json(const PaymentPlan& plan)
{
    json::array payments;
    for (const Payment& payment : plan.payments)
        payments.push_back(
            json::array{payment.payer.value(), payment.payee.value(), payment.amount.count});
    return {{"moved", plan.moved.count}, {"payments", std::move(payments)}};
}

json::object default_json(const NetPositions& nets, const DefaultTerms& terms)
{
    json::object object{
        {"payer", terms.payer.value()},
        {"paid_in", terms.paid_in.count},
        {"collateral", terms.collateral.count},
        {"mutualised", terms.mutualised}};
    const auto cover = cover_default(nets, terms);
    if (!cover) {
        object.emplace("refused", true);
        return object;
    }
    object.emplace("collateral_drawn", cover->collateral_drawn.count);
    object.emplace("receivable", cover->receivable.count);
    object.emplace("loss_shares", amounts_json(cover->loss_shares));
    object.emplace("house_bears", cover->house_bears.count);
    object.emplace("nets", amounts_json(cover->nets));
    return object;
}

json::object case_json(std::mt19937_64& random)
{
    const auto below = [&random](std::uint64_t limit) {
        return static_cast<std::int64_t>(random() % limit);
    };
    std::vector<Obligation> obligations;
    json::array owed;
    for (std::int64_t left = below(30); left > 0; --left) {
        const Obligation obligation{
            .debtor = PartnerId{static_cast<std::uint32_t>(below(6))},
            .creditor = PartnerId{static_cast<std::uint32_t>(below(6))},
            .amount = Minor{below(10'000'000)}};
        owed.push_back(json::array{
            obligation.debtor.value(), obligation.creditor.value(), obligation.amount.count});
        obligations.push_back(obligation);
    }
    const NetPositions nets = net_positions(obligations).value();
    const ExchangeRate rate{
        .from = {"EUR", 2},
        .to = {"GBP", 2},
        .numerator = 1 + below(2'000'000),
        .denominator = 1'000'000};
    const ConvertedPositions converted = convert(nets, rate).value();
    std::vector<std::int64_t> weights(1 + random() % 9);
    for (std::int64_t& weight : weights) weight = 1 + below(1'000'000);
    const Minor total{below(2'000'000'000) - 1'000'000'000};
    json::array parts;
    for (const Minor part : largest_remainder(total, weights).value()) parts.push_back(part.count);
    const DefaultTerms terms{
        .payer = PartnerId{static_cast<std::uint32_t>(1 + below(5))},
        .paid_in = Minor{below(3) * below(1'000'000)},
        .collateral = Minor{below(3) * below(1'000'000)},
        .mutualised = below(2) == 0};
    return {
        {"obligations", std::move(owed)},
        {"nets", amounts_json(nets)},
        {"gross", plan_json(gross_payments(obligations).value())},
        {"bilateral", plan_json(bilateral_payments(obligations).value())},
        {"house", plan_json(payments_through_house(nets).value())},
        {"direct", plan_json(direct_payments(nets).value())},
        {"rate", json::array{rate.numerator, rate.denominator}},
        {"converted", amounts_json(converted.nets)},
        {"exchange_result", converted.exchange_result.count},
        {"default", default_json(nets, terms)},
        {"unwound", amounts_json(unwind(obligations, terms.payer).value())},
        {"total", total.count},
        {"weights", json::value_from(weights)},
        {"parts", std::move(parts)},
    };
}

void write_cases(std::uint64_t seed, int count)
{
    std::mt19937_64 random{seed};
    for (; count > 0; --count) fmt::print("{}\n", json::serialize(case_json(random)));
}

PaymentOrder random_order(std::mt19937_64& random, int number)
{
    const std::vector<std::string> ibans{
        "NL91ABNA0417164300", "DE89370400440532013000", "BE68539007547034", "NO9386011117947"};
    const std::vector<std::string> names{
        "Bäckerei & Söhne", "Ελλάδα <A.E.>", "O'Neill; \"Shops\"", "日本", "Ņ_Ķ|x"};
    PaymentOrder order{
        .message_id = fmt::format("PH-2026-06-{}", number),
        .created_at = ledger::time_of_micros(static_cast<std::int64_t>(random() % (1ULL << 51U))),
        .execute_on = static_cast<ledger::Day>(20'000 + random() % 1'000),
        .currency = {"EUR", 2},
        .debtor = {.name = names[random() % names.size()], .iban = ibans[random() % ibans.size()]},
        .batch_booking = random() % 2 == 0};
    // Another currency than the euro needs the bank of both sides.
    const std::vector<ledger::Currency> currencies{{"EUR", 2}, {"EUR", 2}, {"SEK", 2}, {"JPY", 0}};
    order.currency = currencies[random() % currencies.size()];
    const bool is_foreign = order.currency.code != "EUR";
    if (is_foreign || random() % 2 == 0) order.debtor.bic = "ABNANL2A";
    for (std::uint64_t left = 1 + random() % 20; left > 0; --left) {
        CreditTransfer transfer{
            .end_to_end_id = fmt::format("PH-2026-06-{}-{}", number, left),
            .amount = Minor{1 + static_cast<std::int64_t>(random() % 99'999'999'999)},
            .creditor = {
                .name = names[random() % names.size()], .iban = ibans[random() % ibans.size()]}};
        if (is_foreign || random() % 3 == 0) transfer.creditor.bic = "DEUTDEFF500";
        if (random() % 3 == 0) {
            transfer.creditor.town = "Łódź";
            transfer.creditor.country = "PL";
        }
        for (std::uint64_t document = random() % 12; document > 0; --document)
            transfer.documents.push_back(fmt::format("SB-{}-2026-{}", left, document));
        if (random() % 5 == 0) transfer.creditor_reference = "RF18539007547034";
        order.transfers.push_back(std::move(transfer));
    }
    return order;
}

void write_orders(std::uint64_t seed, int count, const std::filesystem::path& folder)
{
    std::mt19937_64 random{seed};
    for (; count > 0; --count) {
        std::ofstream file{folder / fmt::format("pain001-{}.xml", count), std::ios::binary};
        file << pain001(random_order(random, count)).value();
    }
}

json::object imported_json(BankBook& book, const BankStatement& statement)
{
    auto imported = import_statement(book, statement);
    if (!imported) return {{"id", statement.id}, {"refused", imported.error().words}};
    json::array added;
    for (const BankBook::Row& row : imported->added) added.push_back(row.row.amount.count);
    json::object object{
        {"id", statement.id}, {"repeated", imported->is_repeated}, {"added", std::move(added)}};
    take(book, std::move(*imported));
    json::array gaps;
    for (const StatementGap& gap : find_gaps(book, statement.account))
        gaps.push_back(json::array{
            gap.first_missing.value_or(0),
            gap.last_missing.value_or(0),
            gap.balance_difference.count});
    object.emplace("gaps", std::move(gaps));
    object.emplace("unexplained", unexplained_balance(book, statement.account).count);
    return object;
}

void import_files(std::span<char* const> files)
{
    BankBook book;
    for (const char* path : files) {
        std::ifstream file{path, std::ios::binary};
        const std::string xml{std::istreambuf_iterator<char>{file}, {}};
        json::object object{{"file", path}};
        const auto statements = parse_camt053(xml);
        if (statements) {
            json::array results;
            for (const BankStatement& statement : *statements)
                results.push_back(imported_json(book, statement));
            object.emplace("statements", std::move(results));
        } else {
            object.emplace("refused", statements.error().words);
        }
        fmt::print("{}\n", json::serialize(object));
    }
}

} // namespace
} // namespace pointhouse::settlement

int main(int count, char** values)
{
    using namespace pointhouse::settlement;
    const std::span<char*> arguments{values, static_cast<std::size_t>(count)};
    const std::string_view command = count > 1 ? arguments[1] : "";
    if (command == "cases" && count == 4)
        write_cases(std::stoull(arguments[2]), std::stoi(arguments[3]));
    else if (command == "orders" && count == 5)
        write_orders(std::stoull(arguments[2]), std::stoi(arguments[3]), arguments[4]);
    else if (command == "import")
        import_files(arguments.subspan(2));
    else
        return 2;
    return 0;
}
