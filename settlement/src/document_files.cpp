#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "settlement/document_json.hpp"
#include "settlement/document_pdf.hpp"
#include "settlement/rendering.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::settlement {
namespace {

// A partner id is of [A-Za-z0-9._-] once registered; a number that is not must not become a path.
void check_file_name(const std::string& number)
{
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (number.empty() || number.find_first_not_of(allowed) != std::string::npos) {
        throw std::system_error{
            std::make_error_code(std::errc::invalid_argument), "document number \"" + number + '"'};
    }
}

/// Whole or not at all: what a full disk cuts short is removed.
void write_whole(const std::filesystem::path& path, std::string_view bytes)
{
    std::filesystem::path partial = path;
    partial += ".part";
    std::error_code error;
    errno = 0;
    std::ofstream file{partial, std::ios::binary | std::ios::trunc};
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) error = {errno != 0 ? errno : EIO, std::generic_category()};
    if (!error) std::filesystem::rename(partial, path, error);
    if (!error) return;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(partial, ignored))
        std::filesystem::remove(partial, ignored);
    throw std::system_error{error, "cannot write " + path.string()};
}

} // namespace

std::vector<std::filesystem::path> write_documents(
    const std::filesystem::path& folder, std::span<const Document> documents, const LogoOf& logo_of)
{
    for (const Document& document : documents) check_file_name(document.number);
    std::filesystem::create_directories(folder);
    std::vector<std::filesystem::path> paths;
    const auto write = [&](const std::string& name, std::string_view bytes) {
        paths.push_back(folder / name);
        write_whole(paths.back(), bytes);
    };
    for (const Document& document : documents) {
        if (document.kind != DocumentKind::payment_statement)
            write(document.number + ".xml", ubl_xml(document));
        write(document.number + ".pdf", document_pdf(document, logo_of ? logo_of(document) : ""));
        write(document.number + ".csv", document_csv(document));
        write(document.number + ".json", document_json(document) + '\n');
    }
    return paths;
}

} // namespace pointhouse::settlement
