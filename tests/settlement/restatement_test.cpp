#include "settlement/restatement.hpp"

#include <random>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "desk.hpp"
#include "golden.hpp"
#include "pdf_reader.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Micro;
using ledger::Month;
using ledger::TariffVersion;

constexpr Month may{2026, 5};
constexpr Month july{2026, 7};
constexpr TariffVersion gro{1};
constexpr TariffVersion tnk{2};
constexpr TariffVersion boe{3};
const RestatedLineKey price_of_grocer{
    .partner = ledger::PartnerId{1},
    .type = StatementType::issuance,
    .tariff = gro,
    .charge = Charge::price};
const RestatedLineKey fee_of_grocer{
    .partner = ledger::PartnerId{1},
    .type = StatementType::issuance,
    .tariff = gro,
    .charge = Charge::fee};

/// June as it was closed, and all that is known of it since.
struct ClosedJune : ::testing::Test {
    ClosedJune() : month{VatMode::all_flows}, desk{month.coalition.terms()}
    {
        month.coalition.terms().calendar =
            std::make_shared<const ledger::Calendar>("Europe/Amsterdam");
        drafts = drafts_of(month.coalition.settled());
        desk.record("window_closed", R"({"window":"2026-06","cut":7})");
        desk.issue_all(june, drafts);
    }

    /// Rows of the window that another one posted.
    template <class Happen>
    [[nodiscard]] static LatePositions late_in(Month posted_in, Happen happen)
    {
        June other{VatMode::all_flows};
        other.coalition.rows().clear();
        happen(other.coalition);
        return {.posted_in = posted_in, .rows = other.coalition.rows()};
    }

    [[nodiscard]] Restatement known(const std::vector<LatePositions>& late = {})
    {
        const auto settled = month.coalition.settled();
        auto made = restate(
            {.window = settled.window,
             .closed = month.coalition.rows(),
             .late = late,
             .documents = desk.desk,
             .terms = month.coalition.terms(),
             .contracts = month.coalition.contracts()});
        made.through = ledger::Sequence{99};
        made.made_at = ledger::parse_time("2026-08-03T09:00:00Z").value();
        return made;
    }

    /// The version that is recorded; 0: it says nothing new.
    std::int32_t recorded(const Restatement& now)
    {
        const auto entry = desk.desk.restate(now);
        EXPECT_TRUE(entry) << entry.error().reason;
        if (!entry || !*entry) return 0;
        desk.record(**entry);
        return desk.desk.restatements_of(june).back().version;
    }

    [[nodiscard]] std::string number_of(std::string_view partner, DocumentKind kind)
    {
        for (const auto* issued : desk.desk.documents())
            if (issued->document.kind == kind &&
                (issued->document.buyer.id == partner || issued->document.seller.id == partner))
                return issued->document.number;
        return {};
    }

    June month;
    std::vector<Document> drafts;
    Desk desk;
};

TEST_F(ClosedJune, ComesToItsStatementsWhenNothingElseIsKnown)
{
    const auto now = known();

    EXPECT_TRUE(differences(as_closed(now), now).empty());
    EXPECT_TRUE(is_same(as_closed(now), now));
    EXPECT_EQ(recorded(now), 0);
    EXPECT_TRUE(desk.desk.restatements_of(june).empty());
    const auto totals = totals_of(now, month.coalition.terms().currency);
    std::size_t statements = 0;
    for (const auto& statement : month.coalition.settled().statements) {
        const auto& total = totals.at({statement.partner, statement.type});
        EXPECT_EQ(total.net, statement.net) << statement.number;
        EXPECT_EQ(total.tax, statement.tax) << statement.number;
        ++statements;
    }
    EXPECT_EQ(totals.size(), statements);
}

TEST(Restatement, OfPricesThatHoldTheirVatIsOwedToTheCent)
{
    June month{VatMode::all_flows};
    for (VatRule& rule : month.coalition.contracts().vat) rule.is_gross = true;
    const auto settlement = month.coalition.settled();
    const Register documents;
    const auto known = restate(
        {.window = settlement.window,
         .closed = month.coalition.rows(),
         .late = {},
         .documents = documents,
         .terms = month.coalition.terms(),
         .contracts = month.coalition.contracts()});
    const auto totals = totals_of(known, settlement.currency);
    for (const auto& statement : settlement.statements) {
        const auto& total = totals.at({statement.partner, statement.type});
        EXPECT_EQ(total.net, statement.net) << statement.number;
        EXPECT_EQ(total.tax, statement.tax) << statement.number;
        EXPECT_EQ(total.total, statement.total) << statement.number;
    }
    EXPECT_EQ(restatement_from(restatement_json(known)).lines, known.lines);
}

TEST_F(ClosedJune, DiffersByTheLateItemAlone)
{
    const auto late = late_in(july, [](Coalition& other) { other.issue(gro, 60); });

    const auto now = known({late});

    EXPECT_EQ(recorded(now), 2);
    const auto found = differences(as_closed(now), now);
    ASSERT_EQ(found.size(), 2U) << "price and fee of one issuer";
    const std::map<RestatedLineKey, std::int64_t> per_point{
        {price_of_grocer, 10'000}, {fee_of_grocer, 1'000}};
    for (const auto& each : found) {
        const auto change = each.after - each.before;
        EXPECT_EQ(change.points, 60);
        EXPECT_EQ(change.exact, Micro{60 * per_point.at(each.line)});
        ASSERT_EQ(each.parts.size(), 1U);
        const auto& [cause, part] = *each.parts.begin();
        EXPECT_EQ(cause.posted_in, july);
        EXPECT_EQ(part.document, "") << "July is not issued";
    }
    EXPECT_EQ(now.restated.at(month.grocer).issued, now.closed.at(month.grocer).issued + 60);
    EXPECT_EQ(recorded(now), 0) << "the second time it says nothing new";
}

TEST_F(ClosedJune, NamesTheDocumentThatBillsALateItem)
{
    const auto late = late_in(july, [](Coalition& other) { other.issue(gro, 60); });
    EXPECT_EQ(recorded(known({late})), 2);
    Coalition& coalition = month.coalition;
    June open{VatMode::all_flows};
    open.coalition.rows().clear();
    open.coalition.issue(gro, 60);
    const auto bills = drafts_of(open.coalition.settled_as(july));
    desk.record("window_closed", R"({"window":"2026-07","cut":8})");
    desk.issue_all(july, bills);

    const auto now = known({late});

    EXPECT_EQ(recorded(now), 0) << "figures decide, not who bills them";
    const auto& part = now.lines.at(price_of_grocer).parts.begin()->second;
    EXPECT_EQ(part.document, desk.desk.documents_of(july).front()->document.number);
    EXPECT_EQ(part.amount.points, 60);
    EXPECT_EQ(coalition.terms().partner(month.grocer).name, "GRO");
}

TEST_F(ClosedJune, IsLessByWhatWasCredited)
{
    const auto number = number_of("GRO", DocumentKind::invoice);
    const auto& original = desk.desk.find(number)->document;
    const auto note = full_credit_of(original, desk.issue_terms().today);
    desk.record(desk.desk.issue_credit(note, desk.issue_terms()).value());

    const auto now = known();

    EXPECT_EQ(recorded(now), 2);
    const auto credit = number_of("GRO", DocumentKind::credit_note);
    ASSERT_NE(credit, "");
    for (const auto& key : {price_of_grocer, fee_of_grocer}) {
        const auto& line = now.lines.at(key);
        EXPECT_EQ(line.restated(), RestatedAmount{});
        EXPECT_EQ(line.parts.begin()->first.correction, credit);
        EXPECT_EQ(line.parts.begin()->second.document, credit);
    }
    const auto totals = totals_of(now, month.coalition.terms().currency);
    EXPECT_EQ((totals.at({month.grocer, StatementType::issuance})), StatementTotals{});
    const auto found = differences(as_closed(now), now);
    EXPECT_EQ(found.size(), original.lines.size());
}

TEST_F(ClosedJune, IsLessByWhatWasCreditedOfAPartnerSInvoiceToo)
{
    const auto number = number_of("BOE", DocumentKind::self_billed_invoice);
    const auto& original = desk.desk.find(number)->document;
    const std::vector<LineCredit> parts{{.line = 0, .points = 100}};
    const auto note = credit_of(original, parts, {}, desk.issue_terms().today).value();
    desk.record(desk.desk.issue_credit(note, desk.issue_terms()).value());

    const auto found = differences(as_closed(known()), known());

    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].line.type, StatementType::redemption);
    EXPECT_EQ((found[0].after - found[0].before).points, -100);
    EXPECT_EQ((found[0].after - found[0].before).exact, Micro{-950'000});
}

TEST_F(ClosedJune, IsRestatedOnlyOnceItIsClosed)
{
    auto now = known();
    now.window = july;
    EXPECT_NE(
        desk.desk.restate(now).error().reason.find("2026-07 is not closed"), std::string::npos);
}

TEST_F(ClosedJune, KnowsNoLessThanTheVersionBefore)
{
    const auto old = known({late_in(july, [](Coalition& other) { other.issue(gro, 61); })});
    desk.record("partner_added", "{}");
    EXPECT_EQ(recorded(known({late_in(july, [](Coalition& other) { other.issue(gro, 60); })})), 2);
    EXPECT_NE(desk.desk.restate(old).error().reason.find("knows more"), std::string::npos);
}

TEST_F(ClosedJune, HasVersionsThatReadBackAndFollowEachOther)
{
    const auto late = late_in(july, [](Coalition& other) {
        other.issue(gro, 60);
        other.redeem(tnk, gro, 10);
    });
    auto more = late_in(july, [](Coalition& other) {
        other.issue(gro, 60);
        other.redeem(tnk, gro, 10);
        other.issue(boe, 7);
    });
    EXPECT_EQ(recorded(known({late})), 2);
    EXPECT_EQ(recorded(known({more})), 3);
    EXPECT_EQ(recorded(known({late})), 4) << "it is as it was before: that is another version";

    const auto again = desk.read_again().restatements_of(june);
    ASSERT_EQ(again.size(), 3U);
    for (std::size_t place = 0; place < again.size(); ++place) {
        const auto& version = desk.desk.restatements_of(june)[place];
        EXPECT_EQ(again[place].version, static_cast<std::int32_t>(place) + 2);
        EXPECT_EQ(
            json::serialize(restatement_json(again[place])),
            json::serialize(restatement_json(version)));
        EXPECT_TRUE(is_same(again[place], version));
        EXPECT_EQ(again[place].made_by, "anna");
    }
    const auto third = differences(again[0], again[1]);
    ASSERT_EQ(third.size(), 2U);
    for (const auto& each : third) EXPECT_EQ(each.line.partner, month.bookshop);
    EXPECT_TRUE(is_same(again[0], again[2]));
}

TEST_F(ClosedJune, LooksTheSameForEver)
{
    const auto number = number_of("BOE", DocumentKind::self_billed_invoice);
    const std::vector<LineCredit> parts{{.line = 0, .points = 100}};
    desk.record(
        desk.desk
            .issue_credit(
                credit_of(desk.desk.find(number)->document, parts, {}, desk.issue_terms().today)
                    .value(),
                desk.issue_terms())
            .value());
    const auto late = late_in(july, [](Coalition& other) { other.issue(gro, 1'234); });
    const auto early = late_in(may, [](Coalition& other) { other.issue(tnk, 40); });
    auto now = known({late, early});
    now.version = 2;
    const auto before = as_closed(now);
    const auto& terms = month.coalition.terms();
    const auto& contracts = month.coalition.contracts();

    const auto report = difference_report(before, now, terms);
    expect_golden("restatement.json", report_json(report) + "\n");
    expect_golden("restatement.csv", report_csv(report));
    expect_golden("restatement-statements.csv", report_csv(statements_report(now, terms)));
    const auto pdf = difference_pdf(before, now, terms, contracts);
    expect_golden("restatement.pdf.txt", text_of(pdf));
    EXPECT_EQ(pdf, difference_pdf(before, now, terms, contracts)) << "the same bytes";
}

TEST(Restatement, IsTheWindowWithAllThatHappenedInIt)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random{seed};
    const auto dice = [&](std::uint64_t sides) { return random() % sides; };
    for (int round = 0; round < 100; ++round) {
        June all{VatMode::all_flows}; // what it would have been, had all come in time
        all.coalition.rows().clear();
        std::map<Month, June> posted;
        for (int step = 0; step < 40; ++step) {
            const std::array months{may, june, july};
            const auto [found, is_new] = posted.try_emplace(months[dice(3)], VatMode::all_flows);
            if (is_new) found->second.coalition.rows().clear();
            const TariffVersion lot{static_cast<std::uint32_t>(1 + dice(3))};
            const TariffVersion other{static_cast<std::uint32_t>(1 + dice(3))};
            const auto points = static_cast<std::int64_t>(1 + dice(1'000));
            const auto kind = dice(4);
            for (Coalition* coalition : {&found->second.coalition, &all.coalition}) {
                switch (kind) {
                case 0: coalition->issue(lot, points); break;
                case 1: coalition->redeem(lot, other, points); break;
                case 2: coalition->refund(lot, other, points); break;
                default: coalition->claw_back(lot, points); break;
                }
            }
        }
        std::vector<LatePositions> late;
        for (const auto& [month, each] : posted)
            if (month != june) late.push_back({.posted_in = month, .rows = each.coalition.rows()});
        const Register documents;
        const auto restated_of = [&](std::span<const ledger::PositionRow> closed,
                                     std::span<const LatePositions> others) {
            return restate(
                {.window = {.month = june, .from = {}, .to = ledger::Time::max()},
                 .closed = closed,
                 .late = others,
                 .documents = documents,
                 .terms = all.coalition.terms(),
                 .contracts = all.coalition.contracts()});
        };
        const auto found = posted.find(june);
        const auto made = restated_of(
            found == posted.end()
                ? std::span<const ledger::PositionRow>{}
                : std::span<const ledger::PositionRow>{found->second.coalition.rows()},
            late);
        const auto in_time = restated_of(all.coalition.rows(), {});

        EXPECT_EQ(made.restated, in_time.closed);
        const auto currency = all.coalition.terms().currency;
        for (const auto& [key, total] : totals_of(in_time, currency))
            EXPECT_EQ(totals_of(made, currency).at(key), total);
        for (const auto& [key, line] : in_time.lines)
            EXPECT_EQ(made.lines.at(key).restated(), line.closed);
    }
}

} // namespace
} // namespace pointhouse::settlement
