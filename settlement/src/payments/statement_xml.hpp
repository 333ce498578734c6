#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "settlement/bank_statement.hpp"

namespace pointhouse::settlement {

/// The versions of camt.053 that are read. `v02`, of 2009, is what most banks still send; where
/// they say the same by other elements, the reader of a statement asks which it is.
enum class StatementVersion : std::uint8_t { v02, v08 };

/// Reads elements by their local names and keeps the first fault; after one it finds nothing more.
/// One thread.
class StatementReader {
public:
    /// What faults call the place that is read now: "statement 2, entry 5".
    void set_place(std::string place) { place_ = std::move(place); }

    void set_version(StatementVersion version) { version_ = version; }
    [[nodiscard]] StatementVersion version() const { return version_; }

    void refuse(StatementRefusal refusal, std::string_view why);
    [[nodiscard]] const std::optional<StatementFault>& fault() const { return fault_; }

    /// The one element at the end of a path of elements that stand once each; null: it is missing.
    [[nodiscard]] pugi::xml_node find(
        pugi::xml_node parent, std::initializer_list<const char*> path);
    /// The same; that it is missing is a fault.
    [[nodiscard]] pugi::xml_node at(pugi::xml_node parent, std::initializer_list<const char*> path);
    /// Its text, white space drawn together; empty: it is missing.
    [[nodiscard]] std::string text(pugi::xml_node parent, std::initializer_list<const char*> path);
    /// The same of a reference: empty where the text says that there is none.
    [[nodiscard]] std::string reference(
        pugi::xml_node parent, std::initializer_list<const char*> path);
    [[nodiscard]] std::optional<std::int64_t> number(pugi::xml_node parent, const char* name);
    /// True, false, or a fault; false where it is missing.
    [[nodiscard]] bool flag(pugi::xml_node parent, const char* name);
    /// Of a choice of date, and date and time; none: it is missing.
    [[nodiscard]] std::optional<ledger::Day> day(pugi::xml_node parent, const char* name);
    /// An amount with its currency, zero or more.
    [[nodiscard]] ledger::Minor amount(pugi::xml_node node, const ledger::Currency& currency);
    /// What `CdtDbtInd` says: a debit went out.
    [[nodiscard]] bool is_debit(pugi::xml_node parent);
    /// The same amount with the sign of `CdtDbtInd` beside it: above zero for a credit.
    [[nodiscard]] ledger::Minor signed_amount(
        pugi::xml_node parent, const ledger::Currency& currency);

private:
    std::string place_ = "file";
    StatementVersion version_ = StatementVersion::v08;
    std::optional<StatementFault> fault_;
};

/// What people see of a value that is wrong: all of it would be too much.
[[nodiscard]] std::string excerpt_of(std::string_view text);
/// Without its prefix.
[[nodiscard]] std::string_view local_name(pugi::xml_node node);
/// White space drawn together, none at the ends.
[[nodiscard]] std::string drawn_together(std::string_view text);
/// All text below an element's children of a name, joined by spaces.
[[nodiscard]] std::string joined_texts(pugi::xml_node parent, const char* name);

/// Loads a file into `document`, tells the reader its version and returns its `BkToCstmrStmt`;
/// null: the reader has the fault.
[[nodiscard]] pugi::xml_node load_statement_file(
    std::string_view xml, pugi::xml_document& document, StatementReader& reader);

} // namespace pointhouse::settlement
