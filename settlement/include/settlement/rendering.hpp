#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "settlement/document.hpp"
#include "settlement/settlement.hpp"

namespace pointhouse::settlement {

/// What stands on every page of every statement.
inline constexpr const char* pro_forma_notice = "Pro forma — not a tax invoice";

/// What `settle show --json` prints (CONTRACT.md), as one line without its end. Keys and order are
/// part of the contract; a settlement gives the same bytes for ever.
/// Once documents of the window were issued, they stand in it instead of the statements.
[[nodiscard]] std::string settlement_json(
    const Settlement& settlement, std::span<const Document> issued = {});

/// One partner's running position: the window's id, and the keys of its row in `partners` of
/// `settlement_json`. Pre: the partner is one of the settlement's.
[[nodiscard]] std::string partner_json(const Settlement& settlement, ledger::PartnerId partner);

/// The PNG that was the house's logo when a document was issued; empty: it had none.
using LogoOf = std::function<std::string_view(const Document&)>;

/// Writes each document to `folder` (made where missing) as <number>.xml (UBL; not a payment
/// statement), .pdf, .csv and .json, and returns the paths in the order of the documents. A reader
/// sees a file whole or not at all. Throws std::system_error naming the file that could not be
/// written.
std::vector<std::filesystem::path> write_documents(
    const std::filesystem::path& folder,
    std::span<const Document> documents,
    const LogoOf& logo_of = {});

} // namespace pointhouse::settlement
