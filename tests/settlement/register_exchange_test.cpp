#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "desk.hpp"
#include "netting_example.hpp"
#include "settlement/document_currency.hpp"
#include "settlement/document_json.hpp"
#include "settlement/receivables.hpp"

// NETTING.md's matrix as the documents of a month, paid in other currencies.

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

struct Example : ::testing::Test {
    Example() : coalition{example_coalition()}, desk{coalition.terms()}
    {
        desk.issue_all(june, drafts_of(coalition.settled()));
    }

    [[nodiscard]] static ExchangeRate usd(std::int64_t micro = 850'000)
    {
        return {
            .id = "EUR-USD-2026-07-14",
            .from = *ledger::find_currency("EUR"),
            .to = *ledger::find_currency("USD"),
            .numerator = micro,
            .denominator = 1'000'000};
    }
    void record_rate()
    {
        desk.record(
            desk.desk.set_rate({.day = *ledger::parse_day("2026-07-14"), .rate = usd()}).value());
    }
    void net(const NettingTerms& netting)
    {
        desk.record(desk.desk.net(june, netting, desk.terms()).value());
    }
    std::map<char, std::int64_t> by_name(auto amount_of)
    {
        std::map<char, std::int64_t> found;
        for (const auto& [partner, payment] : desk.desk.net_of(june)->payments)
            found[desk.terms().partner(partner).name.front()] += amount_of(payment);
        return found;
    }

    Coalition coalition;
    Desk desk;
};

const std::map<char, std::int64_t> nets{
    {'A', 9'999'73}, {'B', 9'999'30}, {'C', 12'000'62}, {'D', -2'000'67}, {'E', -29'998'98}};

TEST_F(Example, MovesWhatEachMethodMoves)
{
    for (const auto method :
         {NettingMethod::gross, NettingMethod::bilateral, NettingMethod::multilateral}) {
        SCOPED_TRACE(name_of(method));
        Desk each{coalition.terms()};
        each.issue_all(june, drafts_of(coalition.settled()));
        each.record(each.desk.net(june, {.method = method}, each.terms()).value());
        const auto& net = *each.desk.net_of(june);
        const bool is_gross = method == NettingMethod::gross;
        EXPECT_EQ(clearing_of(net).due_in, Minor{is_gross ? 645'002'45 : 31'999'65});
        EXPECT_EQ(clearing_of(net).due_out, clearing_of(net).due_in);
        EXPECT_EQ(net.payments.size(), is_gross ? 10U : 5U);
    }
    net({});
    EXPECT_EQ(by_name([](const auto& payment) { return payment.net.count; }), nets);
}

TEST_F(Example, SharesTheLossOfADefault)
{
    net({});
    PayerInDefault payer{
        .net = june, .partner = example_partner('E'), .reason = "insolvent", .mutualised = {}};
    for (const char name : {'A', 'B', 'C', 'D', 'E'})
        payer.mutualised.insert(example_partner(name));
    desk.record(desk.desk.take_default(payer, desk.terms()).value());
    const std::map<char, std::int64_t> left{
        {'A', 625'20}, {'B', 625'17}, {'C', 750'30}, {'D', -2'000'67}, {'E', 0}};
    EXPECT_EQ(by_name([](const auto& payment) { return payment.net.count; }), left);
    EXPECT_FALSE(desk.desk.payment_file(june, {}, 0)) << "D has not paid yet";
    ASSERT_EQ(desk.settle(june, example_partner('D'), -2'000'67), "");
    const auto file = desk.desk.payment_file(june, {}, 0).value();
    for (const auto& [partner, amount] : file.amounts)
        ASSERT_EQ(desk.settle(june, partner, amount.count), "");
    EXPECT_EQ(desk.balances["cash:operating"], 0) << "what came in went out";

    constexpr ledger::Month july{2026, 7};
    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    const auto& net = *desk.desk.net_of(july);
    EXPECT_EQ(net.find(example_partner('E'), false)->net, Minor{-29'998'98});
    EXPECT_EQ(net.find(example_partner('C'), true)->net, Minor{11'250'32});
    for (const auto& [partner, payment] : net.payments)
        ASSERT_EQ(desk.settle(july, partner, payment.net.count), "");
    for (const auto& [account, balance] : desk.balances)
        if (account.starts_with("ar:") || account.starts_with("ap:")) {
            EXPECT_EQ(balance, 0) << account;
        }
}

TEST_F(Example, IsPaidInAnotherCurrencyWithPayersAuthoritative)
{
    record_rate();
    net({.rate = usd()});
    const std::map<char, std::int64_t> expected{
        {'A', 8'499'77}, {'B', 8'499'40}, {'C', 10'200'53}, {'D', -1'700'57}, {'E', -25'499'13}};
    EXPECT_EQ(by_name([](const auto& payment) { return payment.foreign->net.count; }), expected);
    EXPECT_EQ(by_name([](const auto& payment) { return payment.net.count; }), nets);
    for (const auto& item : desk.desk.open_items()) EXPECT_EQ(item.currency, "USD");

    // In two parts, one of an odd cent.
    for (const auto& [name, amount] : expected) {
        const auto sign = amount < 0 ? -1 : 1;
        ASSERT_EQ(desk.settle(june, example_partner(name), sign), "");
        EXPECT_NE(desk.settle(june, example_partner(name), amount), "") << "more than is left";
        ASSERT_EQ(desk.settle(june, example_partner(name), amount - sign), "");
    }
    EXPECT_TRUE(desk.desk.net_of(june)->is_settled());
    for (const auto& [account, balance] : desk.balances)
        if (account.starts_with("ar:") || account.starts_with("ap:")) {
            EXPECT_EQ(balance, 0) << account;
        }
    // What is left in cash is what the rates and roundings made: none of it is lost.
    EXPECT_EQ(desk.balances["cash:operating"] + desk.balances["exchange"], 0);
    EXPECT_LE(std::abs(desk.balances["exchange"]), 100'000) << "cents, not more";
    EXPECT_TRUE(desk.read_again().net_of(june)->is_settled());
    EXPECT_EQ(desk.read_again().net_of(june)->find(example_partner('B'), true)->due(), Minor{});
}

TEST_F(Example, ADefaultInAnotherCurrencyIsShared)
{
    record_rate();
    net({.rate = usd()});
    ASSERT_EQ(desk.settle(june, example_partner('E'), -5'499'13), "");
    ASSERT_EQ(desk.settle(june, example_partner('D'), -1'700'57), "");
    PayerInDefault payer{
        .net = june,
        .partner = example_partner('E'),
        .reason = "insolvent",
        .mutualised = {example_partner('A'), example_partner('B'), example_partner('C')}};
    desk.record(desk.desk.take_default(payer, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(june)->find(example_partner('E'), false)->due(), Minor{});
    EXPECT_TRUE(desk.desk.payment_file(june, {}, 0).value().amounts.empty()) << "none is in euro";
    const auto file = desk.desk.payment_file(june, {}, 0, "USD").value();
    std::int64_t out = 0;
    for (const auto& [partner, amount] : file.amounts) out += amount.count;
    EXPECT_NEAR(static_cast<double>(out), 5'499'13 + 1'700'57, 5) << "what came in, to the cents";
    for (const auto& [partner, amount] : file.amounts)
        ASSERT_EQ(desk.settle(june, partner, amount.count), "");
    EXPECT_TRUE(desk.desk.net_of(june)->is_settled());
}

TEST_F(Example, ARateIsTakenBackUntilItIsUsed)
{
    record_rate();
    const std::string id = "EUR-USD-2026-07-14";
    const auto day = *ledger::parse_day("2026-07-14");
    EXPECT_FALSE(desk.desk.withdraw_rate("EUR-USD-2026-07-15", "no such rate"));
    EXPECT_FALSE(desk.desk.withdraw_rate(id, "")) << "without a reason";
    desk.record(desk.desk.withdraw_rate(id, "a wrong day").value());
    EXPECT_FALSE(desk.desk.find_rate("EUR", "USD", day + 9));
    EXPECT_FALSE(desk.desk.withdraw_rate(id, "twice"));
    ASSERT_EQ(desk.read_again().withdrawn_rates().size(), 1U);
    EXPECT_EQ(desk.read_again().withdrawn_rates()[0].second, "a wrong day");

    desk.record(desk.desk.set_rate({.day = day, .rate = usd(860'000)}).value());
    net({.rate = desk.desk.stored_rate(id, "USD")});
    ASSERT_TRUE(desk.desk.net_of(june)->payments.begin()->second.foreign) << "it is used";
    EXPECT_FALSE(desk.desk.withdraw_rate(id, "too late"));
    EXPECT_FALSE(desk.read_again().withdraw_rate(id, "too late"));
}

TEST_F(Example, ARateIsRecordedOnce)
{
    record_rate();
    const auto day = *ledger::parse_day("2026-07-14");
    EXPECT_FALSE(desk.desk.set_rate({.day = day, .rate = usd(860'000)})) << "immutable";
    EXPECT_FALSE(desk.desk.set_rate({.day = day, .rate = inverse_of(usd())}));
    EXPECT_FALSE(desk.desk.set_rate({.day = day + 1, .rate = usd(0)}));
    auto same = usd();
    same.to = same.from;
    EXPECT_FALSE(desk.desk.set_rate({.day = day + 1, .rate = same}));
    desk.record(desk.desk.set_rate({.day = day + 1, .rate = usd(860'000)}).value());

    const Register again = desk.read_again();
    EXPECT_EQ(again.find_rate("EUR", "USD", day)->numerator, 850'000);
    EXPECT_EQ(again.find_rate("EUR", "USD", day + 9)->numerator, 860'000);
    EXPECT_EQ(again.find_rate("USD", "EUR", day)->denominator, 850'000) << "the other way round";
    EXPECT_EQ(again.find_rate("EUR", "USD", day - 1), std::nullopt);
    EXPECT_EQ(again.find_rate("EUR", "SEK", day), std::nullopt);
    EXPECT_EQ(again.stored_rate("EUR-USD-2026-07-15", "SEK"), std::nullopt);
    EXPECT_EQ(again.stored_rate("EUR-USD-2026-07-16", "USD"), std::nullopt);
}

TEST_F(Example, ARateHasABoundAndSoHasADocument)
{
    const auto day = *ledger::parse_day("2026-07-14");
    EXPECT_FALSE(desk.desk.set_rate({.day = day, .rate = usd(rate_millionths_max + 1)}));
    EXPECT_TRUE(desk.desk.set_rate({.day = day, .rate = usd(rate_millionths_max)}));

    auto draft = drafts_of(coalition.settled()).front();
    draft.lines.resize(1);
    auto& line = draft.lines.front();
    // In whole cents, so that rounding adds nothing.
    constexpr auto most = static_cast<std::int64_t>(document_amount_max / 10'000 * 10'000);
    constexpr auto half = static_cast<std::int64_t>(document_amount_max / 20'000 * 10'000);
    line.exact = ledger::Micro{most};
    line.net = ledger::minor_units_of(line.exact, draft.currency);
    line.details.clear();
    total_document(draft);
    EXPECT_TRUE(is_in_range(draft));
    EXPECT_FALSE(in_currency(draft, usd())) << "half of it at most is converted";
    line.exact = ledger::Micro{half};
    line.net = ledger::minor_units_of(line.exact, draft.currency);
    total_document(draft);
    const auto converted = in_currency(draft, usd(1'000'000));
    ASSERT_TRUE(converted);
    EXPECT_TRUE(is_in_range(*converted));
    EXPECT_EQ(document_from_json(document_json(*converted)).value().total, converted->total);
    EXPECT_FALSE(in_currency(draft, usd(1'000'001)));

    line.exact = ledger::Micro{most + 10'000};
    line.net = ledger::minor_units_of(line.exact, draft.currency);
    EXPECT_FALSE(is_in_range(draft));
    EXPECT_FALSE(desk.desk.prepare(*ledger::parse_month("2026-08"), std::array{draft}));
}

/// The cells of a row of numbers and names.
std::vector<std::string> cells_of(const std::string& row)
{
    std::vector<std::string> cells(1);
    for (const char each : row) {
        if (each == ',')
            cells.emplace_back();
        else
            cells.back() += each;
    }
    return cells;
}

/// A decimal as a count of 10^-places.
ledger::Wide count_of(const std::string& decimal, std::size_t places)
{
    ledger::Wide count = 0;
    std::size_t decimals = 0;
    bool is_behind = false;
    for (const char each : decimal) {
        if (each == '.') is_behind = true;
        if (each < '0' || each > '9') continue;
        count = count * 10 + (each - '0');
        if (is_behind) ++decimals;
    }
    for (; decimals < places; ++decimals) count *= 10;
    return decimal.starts_with('-') ? -count : count;
}

TEST_F(Example, ACalculatorComesToTheAmountsOfAnotherCurrency)
{
    constexpr std::size_t places = 18;
    constexpr ledger::Wide millionth = 1'000'000'000'000;
    std::size_t checked = 0;
    for (const std::int64_t micro : {850'000, 333'333, 161'330'700, 89'012}) {
        for (const auto& draft : drafts_of(coalition.settled())) {
            const auto document = in_currency(draft, usd(micro)).value();
            std::istringstream rows{document_csv(document)};
            std::string row;
            std::getline(rows, row);
            const auto header = cells_of(row);
            const auto place = [&](std::string_view name) {
                return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
            };
            while (std::getline(rows, row)) {
                const auto cells = cells_of(row);
                if (cells.at(place("record")) != "detail") continue;
                const auto product = count_of(cells.at(place("points")), 0) *
                                     count_of(cells.at(place("price")), places);
                const auto apart = product - count_of(cells.at(place("exact")), places);
                EXPECT_LT(2 * (apart < 0 ? -apart : apart), millionth) << row;
                ++checked;
            }
        }
    }
    EXPECT_GT(checked, 20U);
}

/// The example's documents, those of A in dollars at 0.85 and those of B in yen at 161.3307.
std::vector<Document> in_their_currencies(std::vector<Document> drafts, const Register& rates)
{
    for (Document& draft : drafts) {
        if (draft.partner == example_partner('A'))
            draft =
                in_currency(draft, rates.stored_rate("EUR-USD-2026-07-14", "USD").value()).value();
        if (draft.partner == example_partner('B'))
            draft =
                in_currency(draft, rates.stored_rate("JPY-EUR-2026-06-30", "JPY").value()).value();
    }
    return drafts;
}

struct TheirCurrencies : ::testing::Test {
    TheirCurrencies() : coalition{example_coalition()}, desk{coalition.terms()}
    {
        desk.record(desk.desk.set_rate({.day = *ledger::parse_day("2026-07-14"), .rate = dollars()})
                        .value());
        desk.record(desk.desk
                        .set_rate(
                            {.day = *ledger::parse_day("2026-06-30"),
                             .rate =
                                 {.from = *ledger::find_currency("JPY"),
                                  .to = *ledger::find_currency("EUR"),
                                  .numerator = 6'198,
                                  .denominator = 1'000'000}})
                        .value());
        drafts = in_their_currencies(drafts_of(coalition.settled()), desk.desk);
        desk.issue_all(june, drafts);
    }

    static ExchangeRate dollars()
    {
        return {
            .from = *ledger::find_currency("EUR"),
            .to = *ledger::find_currency("USD"),
            .numerator = 850'000,
            .denominator = 1'000'000};
    }
    void expect_ties()
    {
        std::map<ledger::PartnerId, std::int64_t> open;
        for (const auto& item : receivables_of(desk.desk)) open[item.partner] += item.open.count;
        for (const auto& each : desk.terms().partners)
            EXPECT_EQ(desk.balances["ar:" + each.name], open[each.partner] * 10'000) << each.name;
    }
    const IssuedDocument& invoice_of(char name)
    {
        for (const auto* issued : desk.desk.documents())
            if (issued->document.partner == example_partner(name) &&
                issued->document.kind == DocumentKind::invoice)
                return *issued;
        throw std::logic_error{"there is one"};
    }
    void dispute(const std::string& number, std::int64_t net)
    {
        desk.record(desk.desk
                        .open_dispute(
                            {.document = number,
                             .line = 1,
                             .net = Minor{net},
                             .reason = "PRI",
                             .evidence = "x"},
                            desk.issue_terms().today)
                        .value());
    }

    Coalition coalition;
    Desk desk;
    std::vector<Document> drafts;
    static constexpr ledger::Month july{2026, 7};
};

TEST_F(TheirCurrencies, AreBookedInTheHouses)
{
    const Document& invoice = invoice_of('A').document;
    EXPECT_EQ(invoice.currency.code, "USD");
    EXPECT_EQ(invoice.total, Minor{148'750'32}); // 175,000.38 at 0.85, from 148,750.323
    EXPECT_EQ(invoice.booked->exact, ledger::Micro{175'000'380'000});
    EXPECT_EQ(invoice.booked->total, Minor{175'000'38});
    EXPECT_EQ(invoice.accounting->currency.code, "EUR");
    EXPECT_FALSE(invoice.lines[0].price->count() == 10'000) << "8.50 for 1,000";
    const Document& yen = invoice_of('B').document;
    EXPECT_EQ(yen.total, Minor{26'621'612}) << "165,000.75 at 1/0.006198";
    EXPECT_EQ(yen.lines[0].price, std::nullopt) << "no whole millionth";
    EXPECT_EQ(desk.balances.at("ar:A"), 175'000'380'000);
    expect_ties();
    const auto again = document_from_json(document_json(yen));
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(*again, yen);
}

TEST_F(TheirCurrencies, ArePaidThereAndLeaveNothing)
{
    dispute(invoice_of('A').document.number, 1'000'01);
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    expect_ties();
    for (int month = 0; month < 2; ++month) {
        const auto window = month == 0 ? june : july;
        const auto payments = desk.desk.net_of(window)->payments;
        for (const auto& [partner, payment] : payments) {
            const auto due = payment.due().count;
            if (due == 0) continue;
            ASSERT_EQ(desk.settle(window, partner, due / 3), "");
            expect_ties();
            ASSERT_EQ(desk.settle(window, partner, due - due / 3), "");
            expect_ties();
        }
        EXPECT_TRUE(desk.desk.net_of(window)->is_settled());
        if (month == 1) break;
        desk.record(desk.desk.decide_dispute("D-000001", Minor{300'33}, "some", desk.issue_terms())
                        .value());
        expect_ties();
        desk.issue_all(july, {});
        desk.record(desk.desk.net(july, {}, desk.terms()).value());
    }
    for (const auto& [account, balance] : desk.balances)
        if (account.starts_with("ar:") || account.starts_with("ap:")) {
            EXPECT_EQ(balance, 0) << account;
        }
    EXPECT_LE(std::abs(desk.balances["exchange"]), 100'000) << "cents";
    EXPECT_TRUE(desk.read_again().net_of(july)->is_settled());
}

TEST_F(TheirCurrencies, AreNotInTheBanksFileNorShareALoss)
{
    desk.record(desk.desk.net(june, {.rate = {}}, desk.terms()).value());
    PayerInDefault payer{
        .net = june, .partner = example_partner('E'), .reason = "insolvent", .mutualised = {}};
    for (const char name : {'A', 'B', 'C'}) payer.mutualised.insert(example_partner(name));
    desk.record(desk.desk.take_default(payer, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(june)->find(example_partner('A'), true)->carried, Minor{});
    EXPECT_GT(desk.desk.net_of(june)->find(example_partner('C'), true)->carried, Minor{});
    ASSERT_EQ(desk.settle(june, example_partner('D'), -2'000'67), "");
    const auto file = desk.desk.payment_file(june, {}, 0).value();
    EXPECT_EQ(file.amounts.size(), std::size_t{file.amounts.contains(example_partner('C'))});
    expect_ties();
    payer.partner = example_partner('A');
    EXPECT_FALSE(desk.desk.take_default(payer, desk.terms())) << "it receives";
    desk.record(desk.desk.unwind_partner(payer, desk.terms()).value());
    EXPECT_EQ(invoice_of('A').open(), invoice_of('A').document.total);
    expect_ties();
}

TEST_F(TheirCurrencies, ACreditNoteIsWorthWhatItsOriginalIs)
{
    const Document invoice = invoice_of('B').document;
    const auto credit = full_credit_of(invoice, desk.issue_terms().today);
    EXPECT_EQ(credit.booked, invoice.booked);
    desk.record(desk.desk.issue_credit(credit, desk.issue_terms()).value());
    EXPECT_EQ(desk.balances.at("ar:B"), 0);
    expect_ties();
    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    EXPECT_GT(desk.desk.net_of(june)->find(example_partner('B'), true)->due(), Minor{});
}

TEST_F(Example, RefusesWhatCannotBeConverted)
{
    const auto no_gross =
        desk.desk.net(june, {.method = NettingMethod::gross, .rate = usd()}, desk.terms());
    EXPECT_FALSE(no_gross);
    const auto nothing = desk.desk.net(june, {.rate = usd(1)}, desk.terms());
    ASSERT_FALSE(nothing);
    EXPECT_NE(nothing.error().reason.find("--minimum"), std::string::npos);
    EXPECT_EQ(desk.desk.net_of(june), nullptr);
}

} // namespace
} // namespace pointhouse::settlement
