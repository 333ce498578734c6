#include <fmt/format.h>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "ledger/accounts.hpp"
#include "ledger/books.hpp"
#include "ledger/journal_export.hpp"
#include "ledger_house.hpp"
#include "store/sqlite_store.hpp"

namespace pointhouse::ledger::test {
namespace {

constexpr HouseSequence opening_entry{1};
constexpr TariffVersion block{5};
const Time before = *parse_time("2026-05-01T10:00:00Z");

/// A house on the message clock whose record has one entry that moves money.
class MovedIn : public ::testing::Test, public TermsHistory {
protected:
    MovedIn()
    {
        PartnerTerms& partner = house.terms->partners[fuel.value() - 1];
        partner.billing = Billing::prepaid;
        Tariff bought = house.terms->tariffs[fuel.value() - 1];
        bought.version = block;
        bought.block = Points{5'000};
        partner.blocks.push_back(4);
        house.terms->tariffs.push_back(bought);
        house.close(false);
        house.open();
    }

    std::shared_ptr<const Terms> terms_at(HouseSequence) const override { return house.terms; }
    std::vector<AccountLine> money_of(HouseSequence) const override
    {
        const auto line = [](Account account, PartnerId partner, std::int64_t amount) {
            return AccountLine{
                .account = account, .partner = partner, .issuer = {}, .amount = amount};
        };
        return {
            line(Account::cash_trust, {}, 64'000'000),
            line(Account::cash_operating, {}, 5'000'000),
            line(Account::deferred_revenue, {}, -14'000'000),
            line(Account::prepaid_block, fuel, -50'000'000),
            line(Account::prepaid_fee, fuel, -5'000'000)};
    }

    void move_in()
    {
        const std::vector<OpeningMember> members{
            {.identifier = "anna", .lots = {lot(TariffVersion{1}, 1'000, "2028-05-31")}},
            {.identifier = "bert", .lots = {}},
            {.identifier = "cleo", .lots = {lot(TariffVersion{2}, 400, "2026-06-30")}}};
        house.ledger->book_house_entry(opening_entry, *parse_time("2026-06-01T00:00:00Z"), members);
    }
    static OpeningLot lot(TariffVersion tariff, std::int64_t points, std::string_view last)
    {
        return {
            .tariff = tariff,
            .points = Points{points},
            .activity = before,
            .expires_on = *parse_day(last)};
    }
    std::map<std::string, std::int64_t> balances(Books& books)
    {
        const auto reader = house.journal->open_reader();
        while (books.projected() < house.ledger->head()) books.project(*reader, 100);
        std::map<std::string, std::int64_t> found;
        const auto rows = books.positions(Month{2026, 6});
        for (const auto& row : trial_balance(rows, *house.terms))
            found[row.account] += row.debits - row.credits;
        for (const auto& line : books.house_lines(Month{2026, 6}, *house.terms))
            found[account_name(line.account, line.partner, *house.terms)] += line.amount;
        std::erase_if(found, [](const auto& row) { return row.second == 0; });
        return found;
    }

    LedgerHouse house{true};
};

TEST_F(MovedIn, MembersHaveWhatTheyBroughtAlong)
{
    move_in();

    EXPECT_EQ(format_time(house.ledger->house_time()), "2026-06-01T00:00:00Z");
    EXPECT_EQ(house.ledger->booked_house_entry(), opening_entry);
    EXPECT_EQ(house.balance("anna").available, Points{1'000});
    EXPECT_TRUE(house.ledger->find_member("bert").has_value()) << "enrolled without points";
    const auto member = house.ledger->find_member("cleo");
    ASSERT_TRUE(member.has_value());
    ASSERT_EQ(member->lots.size(), 1U);
    EXPECT_EQ(member->lots[0].provenance.tariff, TariffVersion{2});
    EXPECT_EQ(member->lots[0].provenance.activity, before);
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(MovedIn, IsTheSameAfterARestart)
{
    for (const bool cleanly : {true, false}) {
        LedgerHouse other{true};
        std::swap(other.terms, house.terms);
        house.terms = other.terms;
        other.close(false);
        other.open();
        const std::vector<OpeningMember> members{
            {.identifier = "anna", .lots = {lot(TariffVersion{1}, 7, "2028-05-31")}}};
        other.ledger->book_house_entry(opening_entry, {}, members);
        other.close(cleanly);
        other.open();
        EXPECT_EQ(other.ledger->booked_house_entry(), opening_entry);
        EXPECT_EQ(other.balance("anna").available, Points{7});
        EXPECT_EQ(other.verify().fault, "");
    }
}

TEST_F(MovedIn, CommitThatFailedLeavesNothing)
{
    house.faulty->next = FaultyJournal::Fault::not_written;
    EXPECT_THROW(move_in(), StoreFailure);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    EXPECT_TRUE(house.ledger->booked_house_entry().is_none());
    EXPECT_FALSE(house.ledger->find_member("anna").has_value());
    move_in();
    EXPECT_EQ(house.balance("anna").available, Points{1'000});
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(MovedIn, PendingLotsMatureInTheirTime)
{
    auto pending = lot(TariffVersion{1}, 50, "2028-05-31");
    pending.available_at = *parse_time("2026-06-10T00:00:00Z");
    const std::vector<OpeningMember> members{{.identifier = "anna", .lots = {pending}}};
    house.ledger->book_house_entry(opening_entry, *parse_time("2026-06-01T00:00:00Z"), members);
    EXPECT_EQ(house.balance("anna").pending, Points{50});
    ASSERT_TRUE(house.ledger->advance_clock(*parse_time("2026-06-10T00:00:00Z")));
    EXPECT_EQ(house.balance("anna").available, Points{50});
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(MovedIn, BlocksAreDrawnInTheirOwnAccounts)
{
    move_in();
    house.send(accrual(fuel, "a1", "anna", 96));
    house.send(redemption(grocer, "r1", "anna", 500));
    const auto store = open_sqlite_store(house.folder / "books.db");
    Books books{*store, *this};

    const std::map<std::string, std::int64_t> expected{
        {"cash:trust", 64'000'000},
        {"cash:operating", 5'000'000},
        {"deferred_revenue", -9'960'000},
        {"prepaid_block:fuel", -49'040'000},
        {"prepaid_fee:fuel", -4'904'000},
        {"revenue:service_fee", -96'000},
        {"accrued_redemption:grocer", -4'750'000},
        {"revenue:redemption_margin", -250'000},
        {"issued:grocer", 1'000},
        {"issued:fuel", 496},
        {"redeemed:grocer", -500},
        {"members:active", -996}};
    EXPECT_EQ(balances(books), expected);

    // The view says the same as the chart of accounts does.
    std::map<std::string, std::int64_t> viewed;
    store->read([&](Transaction& transaction) {
        viewed.clear();
        transaction.for_each(
            "SELECT account, SUM(amount) FROM account_line GROUP BY account HAVING SUM(amount) <> "
            "0",
            {},
            [&](const Row& row) {
                viewed.emplace(std::get<std::string>(row[0]), std::get<std::int64_t>(row[1]));
            });
    });
    EXPECT_EQ(viewed, expected);
    const auto reader = house.journal->open_reader();
    EXPECT_EQ(books.first_fault(*reader), std::nullopt);
}

TEST_F(MovedIn, BooksThatWereChangedAreNamed)
{
    move_in();
    const auto store = open_sqlite_store(house.folder / "books.db");
    Books books{*store, *this};
    static_cast<void>(balances(books));
    store->transact([](Transaction& transaction) {
        transaction.run(
            "UPDATE house_line SET amount_micro = amount_micro + 1 WHERE number = 2", {});
    });
    const auto reader = house.journal->open_reader();
    EXPECT_EQ(
        books.first_fault(*reader),
        fmt::format(
            "books: house_line, sequence {}, number 2: column amount_micro is -13999999 and should "
            "be -14000000",
            1));
}

TEST_F(MovedIn, ExportBalancesAndBeginsWithTheOpening)
{
    move_in();
    house.send(accrual(fuel, "a1", "anna", 96));
    const auto reader = house.journal->open_reader();
    std::string text;
    const auto take = [&](std::string_view piece) { text += piece; };
    EXPECT_EQ(export_journal(*reader, *this, {.format = ExportFormat::hledger}, take), 4U);
    EXPECT_NE(text.find("house_entry"), std::string::npos);
    for (const auto* line :
         {"    cash:trust  64.000000 EUR\n",
          "    prepaid_block:fuel  -50.000000 EUR\n",
          "    issued:grocer  1000 \"P.grocer\"\n",
          "    prepaid_block:fuel  0.960000 EUR\n",
          "    prepaid_fee:fuel  0.096000 EUR\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line;
}

} // namespace
} // namespace pointhouse::ledger::test
