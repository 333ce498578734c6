#include <random>

#include <gtest/gtest.h>

#include "desk.hpp"
#include "netting_example.hpp"
#include "settlement/document_currency.hpp"
#include "settlement/receivables.hpp"

// NETTING.md's month with partners that are invoiced in their own currencies: A receives and D pays
// dollars, E pays crowns, B and C stay with the house's euro. What banks say of accounts in these
// currencies settles their nets; the books stay in euro, and no cent of them is lost.

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::Minor;
using ledger::Wide;

constexpr Day rates_from = 20'634; // 2026-06-30
constexpr Day days_with_rates = 20;

struct Account {
    std::string iban;
    ledger::Currency currency;
    std::int64_t balance = 0;
    std::int64_t statements = 0;
};

class Foreign {
public:
    explicit Foreign(std::uint64_t seed = 0, NettingMethod method = NettingMethod::multilateral)
        : random{seed}, coalition{example_coalition()}, desk{coalition.terms()}
    {
        for (Day day = rates_from; day < rates_from + days_with_rates; ++day) {
            set_rate(day, "USD", 1'000'000 + static_cast<std::int64_t>(random() % 200'000));
            set_rate(day, "SEK", 11'000'000 + static_cast<std::int64_t>(random() % 500'000));
        }
        auto drafts = drafts_of(coalition.settled());
        for (Document& draft : drafts) {
            const char name = static_cast<char>('A' + draft.partner.value() - 1);
            const std::string currency = name == 'E' ? "SEK" : "USD";
            if (name == 'B' || name == 'C') continue;
            draft = in_currency(draft, desk.desk.find_rate("EUR", currency, rates_from).value())
                        .value();
        }
        desk.issue_all(june, drafts);
        before = desk.balances;
        desk.record(desk.desk.net(june, {.method = method}, desk.terms()).value());
    }

    void set_rate(Day day, const std::string& currency, std::int64_t micro)
    {
        desk.record(desk.desk
                        .set_rate(
                            {.day = day,
                             .rate =
                                 {.from = *ledger::find_currency("EUR"),
                                  .to = *ledger::find_currency(currency),
                                  .numerator = micro,
                                  .denominator = 1'000'000}})
                        .value());
        rates[{currency, day}] = micro;
    }

    const NetPayment& net(char name, bool is_out = false)
    {
        return *desk.desk.net_of(june)->find(example_partner(name), is_out);
    }
    Account& account_of(const NetPayment& payment)
    {
        for (Account& account : accounts)
            if (account.currency.code == payment.currency()) return account;
        return accounts[0];
    }
    BankRow row(std::int64_t amount, Day day, const std::string& reference)
    {
        return {
            .entry = 1,
            .amount = Minor{amount},
            .booked_on = day,
            .value_on = day,
            .servicer_reference = fmt::format("R{}", ++rows),
            .end_to_end_id = reference};
    }
    void import(Account& account, BankRow row)
    {
        row.entry = 1;
        BankStatement statement{
            .account = account.iban,
            .currency = account.currency,
            .id = fmt::format("S{}", ++account.statements),
            .electronic_sequence = account.statements,
            .opening = {.amount = Minor{account.balance}, .day = row.booked_on},
            .closing = {.amount = Minor{account.balance + row.amount.count}, .day = row.booked_on}};
        account.balance += row.amount.count;
        statement.rows.push_back(std::move(row));
        desk.record(desk.desk.import_statement(statement).value().value());
    }
    Matching found(std::int64_t tolerance = 0)
    {
        return desk.desk.find_matches(
            {},
            {.tolerance = Minor{tolerance}, .write_off_account = "write_off"},
            desk.terms(),
            rates_from + days_with_rates);
    }
    std::size_t match(std::int64_t tolerance = 0)
    {
        const auto all = found(tolerance);
        for (const auto& each : all.matches)
            desk.record(desk.desk.book_match(each, desk.terms()).value());
        return all.matches.size();
    }
    /// Pays so much of a net (in the sign of the account) through the bank.
    void pay(char name, std::int64_t amount, Day day, bool is_out = false)
    {
        const NetPayment& payment = net(name, is_out);
        import(account_of(payment), row(amount, day, payment.reference));
        ASSERT_EQ(match(), 1U);
    }

    void expect_ties()
    {
        std::map<std::string, std::int64_t> open;
        for (const auto& item : receivables_of(desk.desk))
            open["ar:" + desk.terms().partner(item.partner).name] += item.open.count;
        for (const auto& item : payables_of(desk.desk))
            open["ap:" + desk.terms().partner(item.partner).name] -= item.open.count;
        for (const auto& partner : desk.terms().partners)
            for (const auto* side : {"ar:", "ap:"}) {
                const auto account = side + partner.name;
                EXPECT_EQ(desk.balances[account], open[account] * 10'000) << account;
            }
    }
    /// What the matched rows are worth on their days, worked out apart.
    std::int64_t cash_of_rows()
    {
        std::int64_t cash = 0;
        for (const auto& [entry, match] : desk.desk.matches()) {
            for (const MatchPart& part : match.parts) {
                const auto& [account, currency, bank_row] = desk.desk.bank().rows[part.row - 1];
                if (currency.code == "EUR") {
                    cash += part.amount.count;
                    continue;
                }
                const auto rate = rates.at({currency.code, bank_row.booked_on});
                const Wide twice = Wide{std::abs(part.amount.count)} * 2'000'000 + rate;
                const auto worth = static_cast<std::int64_t>(twice / (Wide{2} * rate));
                cash += part.amount.count < 0 ? -worth : worth;
            }
        }
        return cash * 10'000;
    }
    std::int64_t sum_of(const std::map<std::string, std::int64_t>& balances)
    {
        std::int64_t sum = 0;
        for (const auto& [account, amount] : balances)
            if (account.starts_with("ar:") || account.starts_with("ap:")) sum += amount;
        return sum;
    }

    std::mt19937_64 random;
    Coalition coalition;
    Desk desk;
    std::map<std::pair<std::string, Day>, std::int64_t> rates;
    std::map<std::string, std::int64_t> before;
    std::array<Account, 3> accounts{
        {{.iban = "NL91ABNA0417164300", .currency = {"EUR", 2}},
         {.iban = "NL20INGB0001234567", .currency = {"USD", 2}},
         {.iban = "SE4550000000058398257466", .currency = {"SEK", 2}}}};
    int rows = 0;
};

TEST(ForeignPayments, HaveAFileOfTheirOwn)
{
    Foreign house;
    EXPECT_FALSE(house.desk.desk.payment_file(june, {}, 0, "USD")) << "pay-ins are missing";
    house.pay('D', -house.net('D').due().count, rates_from + 14);
    house.pay('E', -house.net('E').due().count, rates_from + 14);
    const auto dollars = house.desk.desk.payment_file(june, {}, 9, "USD").value();
    EXPECT_EQ(dollars.message_id, "PH-2026-06-USD");
    EXPECT_EQ(dollars.amounts.size(), 1U);
    EXPECT_EQ(dollars.amounts.at(example_partner('A')), house.net('A').due());
    const auto euro = house.desk.desk.payment_file(june, {}, 9).value();
    EXPECT_EQ(euro.message_id, "PH-2026-06");
    EXPECT_FALSE(euro.amounts.contains(example_partner('A')));
    EXPECT_EQ(euro.amounts.size(), 2U);
    EXPECT_TRUE(house.desk.desk.payment_file(june, {}, 9, "SEK").value().amounts.empty());

    house.desk.record(house.desk.desk.order_payments(june, dollars, "").value());
    EXPECT_FALSE(house.desk.desk.order_payments(june, dollars, "")) << "once";
    house.desk.record(house.desk.desk.order_payments(june, euro, "").value());
    const auto again = house.desk.read_again();
    EXPECT_EQ(again.find_payment_file(june, "USD")->amounts, dollars.amounts);
    EXPECT_EQ(again.find_payment_file(june)->amounts, euro.amounts);
    EXPECT_EQ(again.find_payment_file(june, "SEK"), nullptr);
    // As it was written before there was a file for each currency.
    house.desk.record(
        "payments_ordered",
        R"({"window":"2026-06","message_id":"PH-2026-06","created_at":"2026-07-14T08:00:00Z",)"
        R"("execute_on":"2026-07-14","payments":[{"partner":2,"amount_minor":1}],"reason":"x"})");
    EXPECT_EQ(house.desk.desk.find_payment_file(june)->issues, 2);
}

TEST(ForeignPayments, AreMatchedInTheirOwnCurrencyAlone)
{
    Foreign house;
    const auto due = house.net('D').due().count;
    const auto reference = house.net('D').reference;
    house.import(house.accounts[0], house.row(-due, rates_from + 14, reference));
    house.import(house.accounts[2], house.row(-due, rates_from + 14, reference));
    EXPECT_EQ(house.match(), 0U) << "euro and crowns do not pay dollars";
    const Match forced{
        .parts = {{.row = 1, .item = reference, .amount = Minor{-due}}}, .write_off = {}};
    const auto refused = house.desk.desk.book_match(forced, house.desk.terms());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().reason.find("is paid in USD, row 1"), std::string::npos)
        << refused.error().reason;
    house.pay('D', -due, rates_from + 14);
    EXPECT_TRUE(house.net('D').is_settled());
    // The statement of another currency under the same account is none of it.
    BankStatement other{
        .account = house.accounts[1].iban, .currency = {"SEK", 2}, .id = "S9", .rows = {}};
    EXPECT_FALSE(house.desk.desk.import_statement(other));
}

TEST(ForeignPayments, WriteOffWhatTheToleranceIsWorth)
{
    Foreign house;
    const Day day = rates_from + 14;
    const auto due = -house.net('E').due().count; // crowns, to be paid in
    // Five cents are some 0.55 crowns: 0.56 and more are too much at any of the rates.
    house.import(house.accounts[2], house.row(due - 50, day, house.net('E').reference));
    ASSERT_EQ(house.match(5), 1U);
    EXPECT_TRUE(house.net('E').is_settled());
    const auto rate = house.rates.at({"SEK", day});
    const auto worth = [&](std::int64_t amount) {
        return static_cast<std::int64_t>((Wide{amount} * 2'000'000 + rate) / (Wide{2} * rate));
    };
    EXPECT_EQ(house.desk.balances.at("cash:operating"), worth(due - 50) * 10'000);
    EXPECT_EQ(house.desk.balances.at("write_off"), worth(50) * 10'000);
    EXPECT_EQ(house.desk.balances.at("ar:E"), 0);
    const auto entry = house.desk.desk.matches().rbegin()->first;
    house.desk.record(
        house.desk.desk.reverse_match(entry, "a mistake", house.desk.terms()).value());
    for (const auto* account : {"cash:operating", "write_off", "exchange"})
        EXPECT_EQ(house.desk.balances[account], house.before[account]) << account;
    house.expect_ties();
    EXPECT_EQ(house.match(4), 1U) << "in part: 0.50 are more than four cents";
    EXPECT_EQ(house.net('E').due(), Minor{-50});
}

// Parts, too much, returns, matches undone, in any order and on any day: at each step the
// subsidiary ledgers tie and cash is what the rows are worth; at the end nothing is left but what
// the rates moved.
TEST(ForeignPayments, LoseNothingInAnyOrder)
{
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        Foreign house{seed};
        const auto pick = [&](std::uint64_t below) { return house.random() % below; };
        const auto some_day = [&] {
            return rates_from + 1 + static_cast<Day>(pick(days_with_rates - 1));
        };
        for (int step = 0; step < 25; ++step) {
            const char name = static_cast<char>('A' + pick(5));
            const auto due = -house.net(name).due().count;
            const auto& matches = house.desk.desk.matches();
            const auto choice = pick(6);
            if (choice == 0 && !matches.empty()) {
                auto undone = matches.begin();
                std::advance(undone, pick(matches.size()));
                const auto entry =
                    house.desk.desk.reverse_match(undone->first, "a mistake", house.desk.terms());
                if (!entry) { // its money came back meanwhile
                    EXPECT_NE(entry.error().reason.find("undo that first"), std::string::npos);
                    continue;
                }
                house.desk.record(*entry);
                house.match();
            } else if (choice == 1 && !matches.empty()) {
                const auto& part = matches.rbegin()->second.parts.front();
                const auto& [account, currency, bank_row] =
                    house.desk.desk.bank().rows[part.row - 1];
                if (matches.rbegin()->second.kind == MatchKind::returned) continue;
                auto back = house.row(-part.amount.count, bank_row.booked_on, part.item);
                back.return_reason = "AC04";
                auto& own = *std::ranges::find(house.accounts, currency.code, [](const auto& each) {
                    return each.currency.code;
                });
                house.import(own, std::move(back));
                house.match();
            } else if (due != 0) {
                auto amount = due;
                if (pick(3) != 0) amount = due / static_cast<std::int64_t>(2 + pick(5));
                if (pick(8) == 0) amount = due + (due < 0 ? -77 : 77);
                if (amount == 0) continue;
                const auto& payment = house.net(name);
                house.import(
                    house.account_of(payment), house.row(amount, some_day(), payment.reference));
                house.match();
            }
            house.expect_ties();
            ASSERT_EQ(house.desk.balances["cash:operating"], house.cash_of_rows());
            if (::testing::Test::HasFailure()) return;
        }
        // A return that found nothing to send back may find what is paid now: then that is owed
        // anew.
        for (int round = 0; round < 5 && !house.desk.desk.net_of(june)->is_settled(); ++round) {
            for (char name = 'A'; name <= 'E'; ++name)
                if (const auto due = house.net(name).due().count; due != 0)
                    house.import(
                        house.account_of(house.net(name)),
                        house.row(-due, some_day(), house.net(name).reference));
            house.match();
            house.match(); // what came too much once pays what was sent back
        }
        EXPECT_TRUE(house.desk.desk.net_of(june)->is_settled());
        EXPECT_EQ(house.sum_of(house.desk.balances), 0);
        EXPECT_EQ(
            house.desk.balances["cash:operating"] + house.desk.balances["exchange"],
            house.sum_of(house.before) + house.before["exchange"]);
        EXPECT_EQ(house.desk.balances["cash:operating"], house.cash_of_rows());
        EXPECT_EQ(house.desk.read_again().open_rows(), house.desk.desk.open_rows());
        if (::testing::Test::HasFailure()) return;
    }
}

// A payer in its own currency does not pay: whatever it paid before, whatever secures it.
TEST(ForeignPayments, ADefaultIsCoveredAtTheRateOfTheDay)
{
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        SCOPED_TRACE(seed);
        const bool is_gross = seed % 3 == 0;
        Foreign house{seed, is_gross ? NettingMethod::gross : NettingMethod::multilateral};
        const auto pick = [&](std::uint64_t below) { return house.random() % below; };
        const Day day = rates_from + 14;
        const auto e = example_partner('E');
        if (pick(2) == 0) house.pay('E', -house.net('E').due().count / 3, day - 1);
        const auto held = static_cast<std::int64_t>(pick(3) * pick(3'000'000));
        if (held != 0)
            house.desk.record(
                house.desk.desk
                    .move_collateral({.partner = e, .paid = Minor{held}}, house.desk.terms())
                    .value());
        const auto missing = -house.net('E').due().count;
        const auto own = is_gross ? house.net('E', true).due().count : 0;
        const auto rate = house.rates.at({"SEK", day});
        PayerInDefault payer{
            .net = june,
            .partner = e,
            .reason = "insolvent",
            .mutualised = {},
            .rate = house.desk.desk.find_rate("EUR", "SEK", day)};
        for (const char name : {'A', 'B', 'C'})
            if (pick(2) == 0) payer.mutualised.insert(example_partner(name));
        const auto entry = house.desk.desk.take_default(payer, house.desk.terms()).value();
        house.desk.record(entry);

        const auto taken = boost::json::parse(entry.content).as_object();
        const auto& paid_in = taken.at("paid_in").as_object();
        const auto amount = [](const boost::json::object& row, const char* key) {
            return row.at(key).to_number<std::int64_t>();
        };
        const auto set_off = std::min(missing, own);
        const auto left = missing - set_off;
        const auto needed =
            static_cast<std::int64_t>((Wide{left} * 2'000'000 + rate) / (Wide{2} * rate));
        const auto worth =
            static_cast<std::int64_t>((Wide{held} * rate * 2 + 1'000'000) / (Wide{2'000'000}));
        const auto covered = held >= needed ? left : std::min(left, worth);
        EXPECT_EQ(amount(paid_in, "set_off_minor"), set_off);
        EXPECT_EQ(amount(taken, "collateral_minor"), std::min(held, needed));
        EXPECT_EQ(amount(paid_in, "collateral_minor"), covered);
        EXPECT_EQ(amount(paid_in, "receivable_minor"), left - covered);
        std::int64_t borne = amount(taken, "house_bears_minor");
        for (const auto& share : taken.at("loss_shares").as_array()) {
            borne += amount(share.as_object(), "share_minor");
            EXPECT_NE(amount(share.as_object(), "partner"), 1) << "A is paid in dollars";
        }
        EXPECT_EQ(borne, amount(taken, "receivable_minor"));
        EXPECT_EQ(house.net('E').due(), Minor{});
        EXPECT_TRUE(house.net('E').is_settled());
        EXPECT_EQ(house.desk.desk.collateral_of(e), Minor{held - std::min(held, needed)});
        house.expect_ties();
        EXPECT_FALSE(house.desk.desk.take_default(payer, house.desk.terms())) << "twice";

        // July: what is open again comes into its net by itself, to the öre.
        constexpr ledger::Month july{2026, 7};
        house.desk.issue_all(july, {});
        house.desk.record(house.desk.desk.net(july, {}, house.desk.terms()).value());
        const auto* again = house.desk.desk.net_of(july)->find(e, false);
        EXPECT_EQ(again ? again->due().count : 0, -(left - covered));
        house.expect_ties();
        for (const auto window : {june, july}) {
            const auto payments = house.desk.desk.net_of(window)->payments;
            for (const auto& [partner, payment] : payments)
                if (payment.due().count != 0) {
                    ASSERT_EQ(house.desk.settle(window, partner, payment.due().count), "");
                }
            EXPECT_TRUE(house.desk.desk.net_of(window)->is_settled());
        }
        EXPECT_EQ(house.sum_of(house.desk.balances), 0);
        EXPECT_TRUE(house.desk.read_again().net_of(july)->is_settled());
        if (::testing::Test::HasFailure()) return;
    }
}

TEST(ForeignPayments, AreAskedForInTheirOwnCurrency)
{
    Foreign house;
    house.pay('E', -house.net('E').due().count / 4, rates_from + 14);
    std::map<ledger::PartnerId, std::int64_t> asked;
    for (const auto& claim : claims_of(house.desk.desk, Amounts::of_documents)) {
        asked[claim.partner] += claim.open.count;
        const bool is_euro = claim.partner == example_partner('B');
        EXPECT_EQ(claim.currency.has_value(), !is_euro && claim.partner != example_partner('C'));
    }
    EXPECT_EQ(asked.at(example_partner('E')), -house.net('E').due().count);
    EXPECT_EQ(asked.at(example_partner('D')), -house.net('D').due().count);
    EXPECT_FALSE(asked.contains(example_partner('A'))) << "its net is paid to it";
    const auto receivables = receivables_of(house.desk.desk, Amounts::of_documents);
    const auto table = ageing_by_currency(receivables, rates_from + 60, house.desk.terms());
    std::set<std::string> currencies;
    for (const auto& row : table.rows) currencies.insert(std::get<std::string>(row[0]));
    EXPECT_EQ(currencies, (std::set<std::string>{"EUR", "SEK", "USD"}));
}

} // namespace
} // namespace pointhouse::settlement
