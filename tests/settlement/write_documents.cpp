#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "random_documents.hpp"
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
            for (const Document& document : issued(june_with_expiry(mode, share))) {
                const std::string name =
                    fmt::format("june-{}-{}-{}", share_name, mode_name, document.number);
                write_family(folder, name, document);
            }
        }
    }
}

/// Yen have no minor unit, so that a line may be further from its price than a cent.
void write_in_yen(const Folder& folder)
{
    for (Document document : issued(june_with_expiry(VatMode::all_flows))) {
        document.currency = {.code = "JPY", .minor_digits = 0};
        for (DocumentLine& line : document.lines)
            line.net = minor_units_of(line.exact, document.currency);
        total_document(document);
        folder.write("yen-" + document.number, document);
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
    write_in_yen(folder);
    for (std::uint64_t seed = 0; seed < count; ++seed) write_random(folder, seed);
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
