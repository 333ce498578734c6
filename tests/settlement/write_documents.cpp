#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "random_documents.hpp"
#include "settlement/block_invoice.hpp"
#include "settlement/document_json.hpp"
#include "settlement/document_pdf.hpp"
#include "settlement/ubl.hpp"

// Writes issued documents for judges outside: <name>.json, and <name>.xml where it is an invoice.
// Usage: write_documents FOLDER COUNT     the worked month in all its forms, and COUNT random
// months

namespace pointhouse::settlement {
namespace {

constexpr std::int32_t days_to_correction = 35;

class Folder {
public:
    explicit Folder(std::filesystem::path path) : path_{std::move(path)}
    {
        std::filesystem::create_directories(path_);
    }

    void write(const std::string& name, const Document& document) const
    {
        write_file(name + ".json", document_json(document) + '\n');
        if (name.starts_with("june-")) write_file(name + ".pdf", document_pdf(document));
        if (document.kind != DocumentKind::payment_statement)
            write_file(name + ".xml", ubl_xml(document));
    }

private:
    void write_file(const std::string& name, const std::string& text) const
    {
        std::ofstream file{path_ / name, std::ios::binary};
        file << text;
        file.close();
        if (!file) throw std::runtime_error{"cannot write " + (path_ / name).string()};
    }

    std::filesystem::path path_;
};

/// Numbers the drafts of a month as an issue would.
std::vector<Document> issued(const Settlement& settlement)
{
    std::vector<Document> documents = drafts_of(settlement);
    int number = 0;
    for (Document& document : documents) {
        document.number = fmt::format("2026-{:06}", ++number);
        document.issued_on += 2;
    }
    return documents;
}

Document numbered(Document credit, std::string_view reason)
{
    credit.number = "2026-000900";
    credit.reason = reason;
    return credit;
}

/// A document, all that corrects it, and how it looks with VAT in another currency.
void write_family(const Folder& folder, const std::string& name, Document document)
{
    folder.write(name, document);
    const ledger::Day later = document.issued_on + days_to_correction;
    folder.write(
        name + "-credited",
        numbered(full_credit_of(document, later), "Issued to the wrong company."));
    const std::vector parts{LineCredit{.line = 0, .net = ledger::Minor{1}}};
    if (const auto credit = credit_of(document, parts, {}, later))
        folder.write(
            name + "-credited-in-part", numbered(*credit, "A cent was disputed & agreed."));

    document.seller.iban.clear();
    document.buyer.iban.clear();
    document.accounting = AccountingVat{
        .currency = {.code = "CZK", .minor_digits = 2},
        .rate_id = "ECB-2026-06-30",
        .rate_millionths = 24'715'000,
    };
    total_document(document);
    folder.write(name + "-accounted-in-czk", document);
}

void write_june(const Folder& folder)
{
    using ledger::Share;
    const std::map<std::string, Share> shares{{"1", {1, 1}}, {"half", {1, 2}}, {"0", {0, 1}}};
    for (const auto& [share_name, share] : shares) {
        for (const VatMode mode : {VatMode::all_flows, VatMode::fee_only}) {
            const std::string_view mode_name = mode == VatMode::all_flows ? "all" : "fee";
            for (const bool is_gross : {false, true}) {
                for (const Document& document : issued(june_with_expiry(mode, share, is_gross))) {
                    const std::string name = fmt::format(
                        "june-{}-{}{}-{}",
                        share_name,
                        mode_name,
                        is_gross ? "-gross" : "",
                        document.number);
                    write_family(folder, name, document);
                }
            }
        }
    }
}

void make_dutch(LegalParty& party)
{
    const std::string digits = party.registration.substr(0, 9);
    party.country = "NL";
    party.postal_code = "9999 XX";
    party.registration = digits.substr(0, 8);
    party.vat_id = "NL" + digits + "B01";
}

/// Dutch sellers have rules of their own; the worked month is one of Amsterdam.
void write_dutch(const Folder& folder)
{
    for (Document document : issued(june_with_expiry(VatMode::all_flows))) {
        make_dutch(document.seller);
        make_dutch(document.buyer);
        if (is_credit(document.kind))
            document.corrects = Preceding{.number = "2026-000001", .issued_on = document.to};
        folder.write("dutch-" + document.number, document);
    }
}

/// A block is paid before it is invoiced: under VAT, outside its scope, and without a fee.
void write_blocks(const Folder& folder)
{
    const Settlement settlement = june_with_expiry(VatMode::all_flows);
    const Parties parties = parties_of(settlement);
    const SoldBlock block{
        .partner = ledger::PartnerId{2},
        .tariff = ledger::TariffVersion{5},
        .points = ledger::Points{5'000},
        .price = ledger::Micro{10'000},
        .fee = ledger::Micro{1'000},
        .sold_on = *ledger::parse_day("2026-06-16"),
        .vat = {.category = "S", .basis_points = 2100}};
    const auto write = [&](const std::string& name, const SoldBlock& sold) {
        Document document = block_invoice(
            sold,
            settlement.window.month,
            settlement.currency,
            parties.house,
            parties.partners.at(1));
        document.number = "2026-000700";
        document.issued_on += 12;
        folder.write(name, document);
    };
    write("june-block-taxed", block);
    SoldBlock other = block;
    other.vat = {.category = "O"};
    write("block-outside-scope", other);
    other.vat = {.category = "AE"};
    other.fee = {};
    write("block-without-fee", other);
    other = block;
    other.vat.is_gross = true;
    write("block-gross", other);
}

/// Yen have no minor unit, so that a line may be further from its price than a cent.
void write_in_yen(const Folder& folder, bool is_gross)
{
    for (Document document : issued(june_with_expiry(VatMode::all_flows, {}, is_gross))) {
        document.currency = {.code = "JPY", .minor_digits = 0};
        for (DocumentLine& line : document.lines)
            (line.vat.is_gross ? line.gross : line.net) =
                minor_units_of(line.exact, document.currency);
        total_document(document);
        folder.write((is_gross ? "yen-gross-" : "yen-") + document.number, document);
    }
}

void write_random(const Folder& folder, std::uint64_t seed)
{
    for (const Document& document : issued(random_settlement(seed))) {
        const std::string name = fmt::format("random-{:05}-{}", seed, document.number);
        folder.write(name, document);
        if (seed % 4 == 0) {
            const ledger::Day later = document.issued_on + days_to_correction;
            folder.write(
                name + "-credited", numbered(full_credit_of(document, later), "Withdrawn."));
        }
    }
}

boost::json::array tariffs_of(const RandomMonth& month)
{
    boost::json::array tariffs;
    for (const ledger::Tariff& tariff : month.terms.tariffs) {
        tariffs.push_back(boost::json::object{
            {"partner", tariff.partner.value()},
            {"issue_price_micro", tariff.issue_price.count()},
            {"service_fee_micro", tariff.service_fee.count()},
            {"reimbursement_micro", tariff.reimbursement.count()},
            {"prefund_share", {tariff.prefund_share.numerator, tariff.prefund_share.denominator}},
            {"breakage_operator", tariff.breakage_operator},
            {"breakage_issuer", tariff.breakage_issuer},
        });
    }
    return tariffs;
}

boost::json::array vat_of(const RandomMonth& month)
{
    boost::json::array rules;
    for (const VatRule& rule : month.contracts.vat) {
        rules.push_back(boost::json::object{
            {"partner", rule.partner.value()},
            {"flow", rule.charge},
            {"category", rule.category},
            {"rate_basis_points", rule.rate_basis_points},
            {"price", rule.is_gross ? "gross" : "net"},
            {"tax_point", name_of(rule.tax_point)},
            {"is_later", rule.valid_from > ledger::Time{}},
        });
    }
    return rules;
}

boost::json::object month_object(std::uint64_t seed)
{
    const RandomMonth month = random_month(seed);
    boost::json::array steps;
    for (const Step& step : month.steps)
        steps.push_back(
            {step.what,
             step.lot,
             step.other,
             step.points,
             step.origin == ledger::Month{} ? "" : format_month(step.origin),
             step.undoes});
    boost::json::array documents;
    for (const Document& document : drafts_of(month.settlement))
        documents.push_back(boost::json::parse(document_json(document)));
    return {
        {"seed", seed},
        {"tariffs", tariffs_of(month)},
        {"vat", vat_of(month)},
        {"steps", std::move(steps)},
        {"documents", std::move(documents)},
    };
}

int written(std::string_view folder_name, std::string_view count_text)
{
    std::uint64_t count = 0;
    const auto [end, fault] =
        std::from_chars(count_text.data(), count_text.data() + count_text.size(), count);
    if (fault != std::errc{} || end != count_text.data() + count_text.size()) {
        fmt::print(stderr, "COUNT is a number of random months\n");
        return 2;
    }
    const Folder folder{std::filesystem::path{folder_name}};
    write_june(folder);
    write_dutch(folder);
    for (const bool is_gross : {false, true}) write_in_yen(folder, is_gross);
    write_blocks(folder);
    std::ofstream months{std::filesystem::path{folder_name} / "months.jsonl", std::ios::binary};
    for (std::uint64_t seed = 0; seed < count; ++seed) write_random(folder, seed);
    for (std::uint64_t seed = 0; seed < 5 * count; ++seed)
        months << boost::json::serialize(month_object(seed)) << '\n';
    return 0;
}

} // namespace
} // namespace pointhouse::settlement

int main(int count, char** words)
{
    if (count != 3) {
        fmt::print(stderr, "Usage: write_documents FOLDER COUNT\n");
        return 2;
    }
    return pointhouse::settlement::written(words[1], words[2]);
}
