#include "settlement/document.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "random_documents.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Minor;
using ledger::PartnerId;
using ledger::Share;

constexpr int cases = 20'000;

/// "GRO invoice 5.43" for each document: what a reader of JUNE-2026.md looks for.
std::vector<std::string> summary_of(const std::vector<Document>& documents)
{
    std::vector<std::string> lines;
    for (const Document& document : documents) {
        const LegalParty& partner =
            document.seller.id == "house" ? document.buyer : document.seller;
        lines.push_back(
            partner.id + " " + std::string{name_of(document.kind)} + " " +
            format_minor(document.net, document.currency) + " + " +
            format_minor(document.tax, document.currency) + " = " +
            format_minor(document.total, document.currency));
    }
    return lines;
}

std::map<std::string, std::int64_t> nets_of(const std::vector<Document>& documents)
{
    std::map<std::string, std::int64_t> nets;
    for (const Document& document : documents) {
        const std::string& partner =
            document.seller.id == "house" ? document.buyer.id : document.seller.id;
        nets[partner] -= document.owed_by_partner().count;
    }
    return nets;
}

const Document& found(
    const std::vector<Document>& documents, std::string_view partner, StatementType supply)
{
    for (const Document& document : documents) {
        if (document.supply == supply &&
            (document.seller.id == partner || document.buyer.id == partner))
            return document;
    }
    ADD_FAILURE() << "no document of " << partner;
    return documents.front();
}

TEST(Drafts, OfTheWorkedMonth)
{
    const auto documents = drafts_of(june_with_expiry(VatMode::all_flows));

    // TNK is postpaid in this coalition: its block, which the worked month has, is issue B's.
    EXPECT_EQ(
        summary_of(documents),
        (std::vector<std::string>{
            "GRO invoice 4.49 + 0.94 = 5.43",
            "GRO self_billed_invoice 3.33 + 0.70 = 4.03",
            "TNK invoice 1.50 + 0.32 = 1.82",
            "TNK credit_note 2.00 + 0.42 = 2.42",
            "BOE invoice 0.55 + 0.12 = 0.67",
            "BOE self_billed_invoice 2.85 + 0.60 = 3.45",
            "CHA payment_statement 1.00 + 0.00 = 1.00",
        }));
    auto nets = nets_of(documents);
    EXPECT_EQ(nets["GRO"], -140);
    EXPECT_EQ(nets["BOE"], 278);
    EXPECT_EQ(nets["TNK"], 242 - 182);
    EXPECT_EQ(nets["CHA"], 100);
}

TEST(Drafts, WithVatOnTheServiceFeeOnly)
{
    const auto documents = drafts_of(june_with_expiry(VatMode::fee_only));

    EXPECT_EQ(
        summary_of(documents),
        (std::vector<std::string>{
            "GRO invoice 0.41 + 0.09 = 0.50",
            "GRO invoice 4.08 + 0.00 = 4.08",
            "GRO self_billed_invoice 3.33 + 0.00 = 3.33",
            "TNK invoice 0.14 + 0.03 = 0.17",
            "TNK invoice 1.36 + 0.00 = 1.36",
            "TNK credit_note 2.00 + 0.00 = 2.00",
            "BOE invoice 0.05 + 0.01 = 0.06",
            "BOE invoice 0.50 + 0.00 = 0.50",
            "BOE self_billed_invoice 2.85 + 0.00 = 2.85",
            "CHA payment_statement 1.00 + 0.00 = 1.00",
        }));
    auto nets = nets_of(documents);
    EXPECT_EQ(nets["GRO"], -125);
    EXPECT_EQ(nets["BOE"], 229);
    EXPECT_EQ(nets["TNK"], 200 - 153);
    EXPECT_EQ(nets["CHA"], 100);
}

// JUNE-2026.md, "the same month under the other prefunding terms".
TEST(Drafts, UnderOtherPrefundShares)
{
    const Share half{.numerator = 1, .denominator = 2};
    const auto halved = drafts_of(june_with_expiry(VatMode::all_flows, half));
    EXPECT_EQ(found(halved, "GRO", StatementType::issuance).net, Minor{506 + 41});
    EXPECT_EQ(found(halved, "BOE", StatementType::issuance).net, Minor{55});
    EXPECT_EQ(found(halved, "TNK", StatementType::issuance).total, Minor{157});
    EXPECT_EQ(found(halved, "TNK", StatementType::breakage).kind, DocumentKind::credit_note);
    EXPECT_EQ(found(halved, "TNK", StatementType::breakage).total, Minor{121});
    auto nets = nets_of(halved);
    EXPECT_EQ(nets["GRO"], -259);
    EXPECT_EQ(nets["BOE"], 278);
    EXPECT_EQ(nets["TNK"], -36);

    const auto unfunded =
        drafts_of(june_with_expiry(VatMode::all_flows, {.numerator = 0, .denominator = 1}));
    EXPECT_EQ(found(unfunded, "GRO", StatementType::issuance).net, Minor{604 + 41});
    EXPECT_EQ(found(unfunded, "TNK", StatementType::issuance).total, Minor{133});
    nets = nets_of(unfunded);
    EXPECT_EQ(nets["GRO"], -377);
    EXPECT_EQ(nets["BOE"], 278);
    EXPECT_EQ(nets["TNK"], -133); // nothing was prefunded, so nothing breaks
}

TEST(Drafts, SayWhoWhatAndWhen)
{
    const auto documents = drafts_of(june_with_expiry(VatMode::all_flows));
    const Document& invoice = found(documents, "GRO", StatementType::issuance);
    const Document& self_billed = found(documents, "GRO", StatementType::redemption);

    EXPECT_TRUE(invoice.number.empty());
    EXPECT_EQ(ledger::format_day(invoice.from), "2026-06-01");
    EXPECT_EQ(ledger::format_day(invoice.to), "2026-06-30");
    EXPECT_EQ(ledger::format_day(invoice.issued_on), "2026-06-30");
    EXPECT_EQ(ledger::format_day(invoice.due_on), "2026-07-14");
    EXPECT_EQ(invoice.seller.id, "house");
    EXPECT_EQ(invoice.buyer.id, "GRO");
    EXPECT_EQ(invoice.partner, PartnerId{1});
    EXPECT_EQ(self_billed.seller.id, "GRO");
    EXPECT_EQ(self_billed.buyer.id, "house");
    ASSERT_EQ(invoice.lines.size(), 2);
    EXPECT_EQ(invoice.lines[0].points, 408);
    EXPECT_EQ(invoice.lines[0].price, Micro{10'000});
    EXPECT_EQ(invoice.lines[1].exact, Micro{408'000});
    EXPECT_EQ(invoice.lines[1].net, Minor{41});
    EXPECT_EQ(invoice.rounding, Micro{2'000});
    EXPECT_EQ(self_billed.rounding, Micro{5'000});
    EXPECT_EQ(invoice.lines[0].origin, (ledger::Month{.year = 2026, .month = 6}));
}

TEST(Drafts, OfMoreUndoneThanDoneAreOfTheOppositeKind)
{
    Coalition coalition;
    const PartnerId brand = coalition.add_partner("A", "Brand", VatMode::all_flows);
    const PartnerId charity = coalition.add_charity("CHA", "Charity");
    ledger::Tariff& tariff = coalition.terms().tariffs[0];
    tariff.breakage_issuer = 1;
    const ledger::TariffVersion version{1};
    coalition.issue(version, 5'000);
    coalition.close_window();
    coalition.claw_back(version, 100);
    coalition.refund(version, version, 30);
    coalition.refund_donation(version, charity, 7);

    const auto documents = drafts_of(coalition.settled());

    EXPECT_EQ(
        summary_of(documents),
        (std::vector<std::string>{
            "A credit_note 1.10 + 0.23 = 1.33",
            "A self_billed_credit_note 0.29 + 0.06 = 0.35",
            "CHA payment_statement -0.07 + 0.00 = -0.07",
        }));
    EXPECT_EQ(documents[0].seller.id, "house");
    EXPECT_EQ(documents[0].owed_by_partner(), Minor{-133});
    EXPECT_EQ(documents[0].lines[0].points, 100);
    EXPECT_EQ(documents[0].lines[0].details[0].points, 100);
    EXPECT_EQ(documents[1].seller.id, "A");
    EXPECT_EQ(documents[1].owed_by_partner(), Minor{35});
    EXPECT_EQ(documents[2].owed_by_partner(), Minor{7});
    EXPECT_EQ(documents[0].partner, brand);
}

TEST(Drafts, LeaveOutWhatIsZero)
{
    Coalition coalition;
    coalition.add_partner("A", "Brand", VatMode::all_flows);
    coalition.terms().tariffs[0].issue_price = Micro{100};
    coalition.terms().tariffs[0].service_fee = Micro{100};
    coalition.issue(ledger::TariffVersion{1}, 10); // 0.001 each

    EXPECT_EQ(coalition.settled().statements.size(), 1);
    EXPECT_TRUE(drafts_of(coalition.settled()).empty());
}

// VAT shown makes a document an invoice (directive 2006/112/EC, article 203).
TEST(Drafts, OfATaxedDonationAreSelfBilledInvoices)
{
    Coalition coalition;
    coalition.add_partner("A", "Brand", VatMode::all_flows);
    const PartnerId charity = coalition.add_charity("CHA", "Charity");
    coalition.add_vat(charity, "donation", 2100);
    coalition.issue(ledger::TariffVersion{1}, 100);
    coalition.donate(ledger::TariffVersion{1}, charity, 100);

    const auto documents = drafts_of(coalition.settled());

    EXPECT_EQ(documents.back().kind, DocumentKind::self_billed_invoice);
    EXPECT_EQ(documents.back().owed_by_partner(), Minor{-121});
}

std::int64_t rounded(std::int64_t amount, std::int64_t unit)
{
    return amount < 0 ? -((-amount * 2 + unit) / (2 * unit)) : (amount * 2 + unit) / (2 * unit);
}

/// Of all net amounts the one that comes with its tax to what the prices say, where there is one;
/// else the nearest.
void expect_nearest(const VatTotal& vat)
{
    const auto apart = [&](std::int64_t net) {
        const auto tax = rounded(net * vat.rate.basis_points, 10'000);
        return std::abs(net + tax - vat.gross.count);
    };
    EXPECT_LE(apart(vat.net.count), 1) << vat.gross.count;
    for (const std::int64_t step : {-2, -1, 1, 2})
        EXPECT_LE(apart(vat.net.count), apart(vat.net.count + step)) << vat.gross.count;
}

void expect_sound(const Document& document)
{
    EXPECT_GE(document.kind == DocumentKind::payment_statement ? 0 : document.total.count, 0);
    std::map<VatRate, std::int64_t> nets;
    std::map<VatRate, std::int64_t> grosses;
    std::int64_t net = 0;
    std::int64_t sum_of_rounded = 0;
    std::int64_t exact = 0;
    bool is_outside = false;
    bool is_inside = false;
    for (const DocumentLine& line : document.lines) {
        EXPECT_EQ(line.vat.is_gross, document.is_gross());
        const Minor amount = document.is_gross() ? line.gross : line.net;
        EXPECT_EQ(amount.count, rounded(line.exact.count(), 10'000));
        sum_of_rounded += amount.count;
        grosses[line.vat] += line.gross.count;
        if (line.price) {
            EXPECT_EQ(*line.price * line.points, line.exact);
            EXPECT_GT(*line.price, Micro{0});
        } else {
            EXPECT_EQ(line.points, 0);
        }
        Micro details;
        for (const LineDetail& detail : line.details) {
            EXPECT_EQ(detail.price * detail.points, detail.amount);
            details += detail.amount;
        }
        EXPECT_EQ(details, line.exact);
        nets[line.vat] += line.net.count;
        net += line.net.count;
        exact += line.exact.count();
        (line.vat.category == "O" ? is_outside : is_inside) = true;
    }
    EXPECT_NE(is_outside, is_inside);
    std::int64_t tax = 0;
    ASSERT_EQ(document.vat.size(), nets.size());
    for (const VatTotal& vat : document.vat) {
        EXPECT_EQ(vat.net.count, nets[vat.rate]);
        EXPECT_EQ(vat.tax.count, rounded(vat.net.count * vat.rate.basis_points, 10'000));
        tax += vat.tax.count;
        EXPECT_EQ(vat.gross.count, grosses[vat.rate]);
        if (document.is_gross()) expect_nearest(vat);
    }
    EXPECT_EQ(document.net.count, net);
    EXPECT_EQ(document.tax.count, tax);
    EXPECT_EQ(document.total.count, document.is_gross() ? sum_of_rounded : net + tax);
    EXPECT_EQ(document.rounding.count(), sum_of_rounded * 10'000 - exact);
}

TEST(Drafts, OweWhatWasSettled)
{
    std::map<DocumentKind, int> kinds;
    for (std::uint64_t seed = 0; seed < cases / 5; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        const Settlement settlement = random_settlement(seed);

        const auto documents = drafts_of(settlement);

        std::map<PartnerId, std::int64_t> received;
        for (const Document& document : documents) {
            expect_sound(document);
            received[document.partner] -= document.owed_by_partner().count;
            ++kinds[document.kind];
        }
        for (const auto& [partner, net] : received)
            EXPECT_EQ(settlement.net_of(partner).count, net);
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(kinds.size(), 5);
    for (const auto& [kind, count] : kinds) EXPECT_GT(count, 100) << name_of(kind);
}

/// 10 points at `price`, which holds 21 % VAT, for each of `prices`.
Document gross_invoice(std::vector<std::int64_t> prices)
{
    Document invoice{.number = "INV-7", .currency = {.code = "EUR", .minor_digits = 2}};
    for (const std::int64_t price : prices)
        invoice.lines.push_back({
            .charge = invoice.lines.empty() ? Charge::price : Charge::fee,
            .points = 10,
            .price = Micro{price},
            .exact = Micro{10 * price},
            .gross = ledger::minor_units_of(Micro{10 * price}, invoice.currency),
            .vat = {.category = "S", .basis_points = 2100, .is_gross = true},
        });
    total_document(invoice);
    return invoice;
}

TEST(GrossPrices, AreOwedToTheCentAndTaxedOnWhatTheyHold)
{
    const Document exact = gross_invoice({12'100});
    EXPECT_EQ(exact.net, Minor{10});
    EXPECT_EQ(exact.tax, Minor{2});
    EXPECT_EQ(exact.total, Minor{12});
    EXPECT_EQ(exact.payable_rounding(), Minor{});
    // 0.02 without tax would be 0.02, 0.03 would be 0.04.
    const Document skipped = gross_invoice({3'000});
    EXPECT_EQ(skipped.net, Minor{2});
    EXPECT_EQ(skipped.tax, Minor{});
    EXPECT_EQ(skipped.total, Minor{3});
    EXPECT_EQ(skipped.payable_rounding(), Minor{1});
    // Two lines of 0.02 each are 0.02 net; of their sum it is 0.03, so that the second has a cent
    // less than alone.
    const Document two = gross_invoice({2'000, 2'000});
    EXPECT_EQ(two.lines[0].net, Minor{2});
    EXPECT_EQ(two.lines[1].net, Minor{1});
    EXPECT_EQ(two.net + two.tax, two.total);
    EXPECT_EQ(tax_in_prices(two).fee, Minor{1});
    EXPECT_EQ(tax_in_prices(two).other, Minor{});
}

TEST(GrossPrices, OfSomeLinesMakeADocumentOfTheirOwn)
{
    June june{VatMode::all_flows};
    for (VatRule& rule : june.coalition.contracts().vat) rule.is_gross = rule.charge == "fee";
    const auto documents = drafts_of(june.coalition.settled());
    std::vector<bool> grocers;
    for (const Document& document : documents)
        if (document.partner == june.grocer && document.supply == StatementType::issuance)
            grocers.push_back(document.is_gross());
    EXPECT_EQ(grocers, (std::vector<bool>{false, true}));
}

TEST(GrossPrices, AreCreditedByTheirNetOrByPoints)
{
    const Document invoice = gross_invoice({121'000, 12'100});
    ASSERT_EQ(invoice.total, Minor{133});
    ASSERT_EQ(invoice.lines[0].net, Minor{100});
    const std::vector net{LineCredit{.line = 0, .net = Minor{40}}};
    const auto part = credit_of(invoice, net, {}, 0);
    ASSERT_TRUE(part.has_value());
    EXPECT_EQ(part->net, Minor{40});
    EXPECT_EQ(part->tax, Minor{8});
    EXPECT_EQ(part->total, Minor{48});
    EXPECT_EQ(part->payable_rounding(), Minor{});
    const std::vector earlier{*part};
    const std::vector rest{LineCredit{.line = 0, .net = Minor{60}}};
    const auto all = credit_of(invoice, rest, earlier, 0);
    ASSERT_TRUE(all.has_value());
    EXPECT_EQ(all->total, Minor{121 - 48}) << "what is left of what was owed, to the cent";
    const std::vector points{LineCredit{.line = 0, .points = 7}};
    EXPECT_EQ(credit_of(invoice, points, earlier, 0).error(), CreditRefusal::exceeds_line);
    const std::vector fewer{LineCredit{.line = 0, .points = 6}};
    EXPECT_EQ(credit_of(invoice, fewer, earlier, 0)->total, Minor{73});
    const Document further = further_of(invoice, 1, Minor{100}, 0);
    EXPECT_EQ(further.net, Minor{100});
    EXPECT_EQ(further.total, Minor{121});
}

TEST(FullCreditOf, MirrorsEveryLine)
{
    const ledger::Day today = *ledger::parse_day("2026-08-03");
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        for (Document original : drafts_of(random_settlement(seed))) {
            original.number = "INV-1";

            const Document credit = full_credit_of(original, today);

            EXPECT_EQ(credit.owed_by_partner().count, -original.owed_by_partner().count);
            EXPECT_EQ(credit.corrects->number, "INV-1");
            EXPECT_EQ(credit.corrects->issued_on, original.issued_on);
            EXPECT_EQ(credit.issued_on, today);
            EXPECT_TRUE(credit.number.empty());
            const int sign = original.kind == DocumentKind::payment_statement ? -1 : 1;
            ASSERT_EQ(credit.lines.size(), original.lines.size());
            for (std::size_t index = 0; index < credit.lines.size(); ++index) {
                EXPECT_EQ(credit.lines[index].net.count, sign * original.lines[index].net.count);
                EXPECT_EQ(credit.lines[index].points, sign * original.lines[index].points);
                EXPECT_EQ(credit.lines[index].vat, original.lines[index].vat);
            }
            for (std::size_t index = 0; index < credit.vat.size(); ++index)
                EXPECT_EQ(credit.vat[index].tax.count, sign * original.vat[index].tax.count);
        }
        if (testing::Test::HasFailure()) return;
    }
}

/// An invoice of 10 points at half a cent, and of a fee of 0.408.
Document small_invoice()
{
    Document invoice{.number = "INV-7", .currency = {.code = "EUR", .minor_digits = 2}};
    invoice.lines.push_back({
        .charge = Charge::price,
        .points = 10,
        .price = Micro{5'000},
        .exact = Micro{50'000},
        .net = Minor{5},
        .vat = {.category = "S", .basis_points = 2100},
    });
    invoice.lines.push_back({
        .charge = Charge::fee,
        .exact = Micro{408'000},
        .net = Minor{41},
        .vat = {.category = "S", .basis_points = 2100},
    });
    total_document(invoice);
    return invoice;
}

TEST(CreditOf, RoundsPointsOnTheirRunningSum)
{
    const Document invoice = small_invoice();
    std::vector<Document> earlier;
    std::vector<std::int64_t> nets;
    for (int point = 0; point < 10; ++point) {
        const std::vector parts{LineCredit{.line = 0, .points = 1}};
        auto credit = credit_of(invoice, parts, earlier, 0);
        ASSERT_TRUE(credit.has_value());
        nets.push_back(credit->net.count);
        earlier.push_back(std::move(*credit));
    }

    EXPECT_EQ(nets, (std::vector<std::int64_t>{1, 0, 1, 0, 1, 0, 1, 0, 1, 0}));
    const std::vector parts{LineCredit{.line = 0, .points = 1}};
    EXPECT_EQ(credit_of(invoice, parts, earlier, 0).error(), CreditRefusal::exceeds_line);
}

TEST(CreditOf, RefusesWhatIsNotThere)
{
    const Document invoice = small_invoice();
    const auto refusal = [&](std::vector<LineCredit> parts) {
        const auto credit = credit_of(invoice, parts, {}, 0);
        EXPECT_FALSE(credit.has_value());
        return credit.error();
    };

    EXPECT_EQ(refusal({}), CreditRefusal::amount_missing);
    EXPECT_EQ(refusal({{.line = 2, .points = 1}}), CreditRefusal::line_unknown);
    EXPECT_EQ(refusal({{.line = 0}}), CreditRefusal::amount_missing);
    EXPECT_EQ(refusal({{.line = 0, .points = -1}}), CreditRefusal::amount_missing);
    EXPECT_EQ(refusal({{.line = 0, .points = 1, .net = Minor{1}}}), CreditRefusal::amount_missing);
    EXPECT_EQ(refusal({{.line = 1, .points = 1}}), CreditRefusal::price_missing);
    EXPECT_EQ(refusal({{.line = 0, .points = 11}}), CreditRefusal::exceeds_line);
    EXPECT_EQ(refusal({{.line = 1, .net = Minor{42}}}), CreditRefusal::exceeds_line);
    EXPECT_EQ(
        refusal({{.line = 1, .net = Minor{1}}, {.line = 1, .net = Minor{1}}}),
        CreditRefusal::line_twice);
}

// 0.06 + 0.01 VAT: twice 0.03 + 0.01 would take back a cent of VAT that was never charged.
TEST(CreditOf, RefusesMoreVatThanWasCharged)
{
    Document invoice = small_invoice();
    invoice.lines.resize(1);
    invoice.lines[0].points = 12;
    invoice.lines[0].exact = Micro{60'000};
    invoice.lines[0].net = Minor{6};
    total_document(invoice);
    ASSERT_EQ(invoice.tax, Minor{1});
    const std::vector parts{LineCredit{.line = 0, .net = Minor{3}}};

    const auto first = credit_of(invoice, parts, {}, 0);
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->tax, Minor{1});
    const std::vector earlier{*first};
    EXPECT_EQ(credit_of(invoice, parts, earlier, 0).error(), CreditRefusal::exceeds_document);
}

/// Some of a line, by points where it has a price or by amount; perhaps more than there is.
LineCredit random_part(const Document& original, std::mt19937_64& random)
{
    LineCredit part{.line = static_cast<std::size_t>(random() % original.lines.size())};
    const DocumentLine& line = original.lines[part.line];
    const auto some = [&](std::int64_t of) {
        const std::int64_t magnitude = of < 0 ? -of : of;
        return 1 +
               static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(magnitude / 2 + 2));
    };
    if (line.price && random() % 2 == 0) {
        part.points = some(line.points);
    } else {
        part.net = Minor{some(line.net.count)};
    }
    return part;
}

TEST(CreditOf, NeverTakesBackMoreThanWasCharged)
{
    std::mt19937_64 random{11};
    int made = 0;
    int refused = 0;
    for (std::uint64_t seed = 0; made + refused < cases; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        for (const Document& original : drafts_of(random_settlement(seed))) {
            const int sign = original.kind == DocumentKind::payment_statement ? -1 : 1;
            std::vector<Document> earlier;
            std::vector<std::int64_t> nets(original.lines.size());
            std::int64_t total = 0;
            for (int attempt = 0; attempt < 6; ++attempt) {
                const std::vector parts{random_part(original, random)};
                auto credit = credit_of(original, parts, earlier, original.issued_on);
                ++(credit ? made : refused);
                if (!credit) continue;
                EXPECT_EQ(credit->lines[0].vat, original.lines[parts[0].line].vat);
                // Of gross prices it is what is owed that is taken back to the cent.
                const bool is_gross = original.is_gross();
                nets[parts[0].line] += sign * (is_gross ? credit->total : credit->net).count;
                total += sign * credit->total.count;
                const DocumentLine& line = original.lines[parts[0].line];
                const std::int64_t charged = (is_gross ? line.gross : line.net).count;
                const std::int64_t credited = nets[parts[0].line];
                EXPECT_TRUE(
                    charged < 0 ? credited >= charged && credited <= 0
                                : credited <= charged && credited >= 0);
                EXPECT_TRUE(
                    original.total.count < 0 ? total >= original.total.count
                                             : total <= original.total.count);
                earlier.push_back(std::move(*credit));
            }
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(made, cases / 4);
    EXPECT_GT(refused, cases / 20);
}

// All of every line in one document is the full credit.
TEST(CreditOf, OfEveryLineIsTheFullCredit)
{
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        for (const Document& original : drafts_of(random_settlement(seed))) {
            std::vector<LineCredit> parts;
            for (std::size_t index = 0; index < original.lines.size(); ++index) {
                const DocumentLine& line = original.lines[index];
                if (line.price && line.points != 0) {
                    parts.push_back({.line = index, .points = std::abs(line.points)});
                } else if (line.net != Minor{}) {
                    parts.push_back({.line = index, .net = Minor{std::abs(line.net.count)}});
                }
            }
            // A cent with VAT may be nothing without, of which no amount can be credited.
            if (std::ranges::any_of(original.lines, [](const DocumentLine& line) {
                    return line.net == Minor{} && line.gross != Minor{};
                }))
                continue;
            const auto credit = credit_of(original, parts, {}, original.issued_on);

            const Document full = full_credit_of(original, original.issued_on);
            ASSERT_TRUE(credit.has_value()) << words_of(credit.error());
            EXPECT_EQ(credit->tax, full.tax);
            EXPECT_EQ(credit->total, full.total);
        }
        if (testing::Test::HasFailure()) return;
    }
}

TEST(TotalDocument, ConvertsVatForTheSellersReturn)
{
    Document invoice = small_invoice();
    invoice.accounting = AccountingVat{
        .currency = {.code = "PLN", .minor_digits = 2},
        .rate_id = "ECB-2026-06-30",
        .rate_millionths = 4'250'000,
    };
    total_document(invoice);
    ASSERT_EQ(invoice.tax, Minor{10});
    EXPECT_EQ(invoice.accounting->tax, Minor{43}); // 0.425 rounds away from zero

    invoice.accounting->currency = {.code = "JPY", .minor_digits = 0};
    invoice.accounting->rate_millionths = 164'999'999;
    total_document(invoice);
    EXPECT_EQ(invoice.accounting->tax, Minor{16});
    EXPECT_EQ(full_credit_of(invoice, 0).accounting->tax, Minor{16});

    invoice.accounting->currency = {.code = "KWD", .minor_digits = 3};
    invoice.accounting->rate_millionths = 335'000;
    total_document(invoice);
    EXPECT_EQ(invoice.accounting->tax, Minor{34}); // 0.0335
}

TEST(DocumentKind, NamesAreFoundAgain)
{
    for (const int code : {0, 261, 380, 381, 389}) {
        const auto kind = static_cast<DocumentKind>(code);
        EXPECT_EQ(find_document_kind(name_of(kind)), kind);
    }
    EXPECT_FALSE(find_document_kind("receipt").has_value());
}

} // namespace
} // namespace pointhouse::settlement
