#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

#include "statement_xml.hpp"

namespace pointhouse::settlement {

using pugi::xml_node;

namespace {

constexpr std::string_view name_space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";

/// Whether bytes are UTF-8 (RFC 3629) without the control characters that XML forbids.
bool is_xml_text(std::string_view bytes)
{
    for (std::size_t place = 0; place < bytes.size();) {
        const auto first = static_cast<std::uint8_t>(bytes[place++]);
        if (first < 0x80) {
            if (first < ' ' && first != '\t' && first != '\n' && first != '\r') return false;
            continue;
        }
        if (first < 0xC2 || first > 0xF4) return false;
        const int more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        for (int index = 0; index < more; ++index) {
            if (place == bytes.size()) return false;
            const auto next = static_cast<std::uint8_t>(bytes[place++]);
            // The second byte of some is narrower: no longer form than needed, no surrogates, none
            // above U+10FFFF.
            const std::uint8_t least = index == 0 && first == 0xE0   ? 0xA0
                                       : index == 0 && first == 0xF0 ? 0x90
                                                                     : 0x80;
            const std::uint8_t most = index == 0 && first == 0xED   ? 0x9F
                                      : index == 0 && first == 0xF4 ? 0x8F
                                                                    : 0xBF;
            if (next < least || next > most) return false;
        }
    }
    return true;
}

/// Stops where elements stand too deep in each other. (Walking does not recurse.)
class DepthGuard final : public pugi::xml_tree_walker {
public:
    bool for_each(xml_node& /*node*/) override { return depth() <= statement_depth_max; }
};

bool is_declared_otherwise(const xml_node& declaration)
{
    std::string encoding = declaration.attribute("encoding").as_string("UTF-8");
    std::ranges::transform(encoding, encoding.begin(), [](char character) {
        return character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A')
                                                    : character;
    });
    return encoding != "UTF-8" && encoding != "US-ASCII";
}

/// The name space that the prefix of an element stands for there.
std::string_view name_space_of(xml_node element)
{
    const std::string_view name = element.name();
    const std::size_t colon = name.find(':');
    const std::string attribute =
        colon == std::string_view::npos ? "xmlns" : fmt::format("xmlns:{}", name.substr(0, colon));
    for (xml_node at = element; at; at = at.parent())
        if (const auto declared = at.attribute(attribute.c_str())) return declared.as_string();
    return {};
}

/// The version that a name space says; none, with the fault: it is none that is read.
std::optional<StatementVersion> version_of(std::string_view declared, StatementReader& reader)
{
    if (declared.starts_with(name_space)) {
        const auto number = declared.substr(name_space.size());
        if (number == "08") return StatementVersion::v08;
        if (number == "02") return StatementVersion::v02;
    }
    const auto form = declared.substr(declared.rfind(':') + 1);
    reader.refuse(
        StatementRefusal::not_camt053,
        form.empty() ? "it is no statement of the form camt.053.001.08 or camt.053.001.02"
                     : fmt::format(
                           "it is of the form {}; statements are read as camt.053.001.08 or "
                           "camt.053.001.02",
                           excerpt_of(form)));
    return std::nullopt;
}

} // namespace

xml_node load_statement_file(
    std::string_view xml, pugi::xml_document& document, StatementReader& reader)
{
    if (xml.size() > statement_bytes_max) {
        reader.refuse(
            StatementRefusal::too_large, fmt::format("more than {} bytes", statement_bytes_max));
        return {};
    }
    if (!is_xml_text(xml)) {
        reader.refuse(StatementRefusal::not_utf8, "it is not text in UTF-8");
        return {};
    }
    const pugi::xml_parse_result parsed = document.load_buffer(
        xml.data(),
        xml.size(),
        pugi::parse_default | pugi::parse_doctype | pugi::parse_declaration,
        pugi::encoding_utf8);
    xml_node root;
    int roots = 0;
    for (const xml_node node : document.children()) {
        if (node.type() == pugi::node_doctype) {
            reader.refuse(
                StatementRefusal::document_type, "it has a document type, as no statement has");
            return {};
        }
        if (node.type() == pugi::node_declaration && is_declared_otherwise(node)) {
            reader.refuse(StatementRefusal::not_utf8, "it declares an encoding that is not UTF-8");
            return {};
        }
        if (node.type() != pugi::node_element) continue;
        ++roots;
        root = node;
    }
    if (!parsed || roots != 1) {
        reader.refuse(
            StatementRefusal::not_xml,
            parsed
                ? "it has not one element that holds all"
                : fmt::format(
                      "it is not well-formed at byte {}: {}", parsed.offset, parsed.description()));
        return {};
    }
    DepthGuard guard;
    if (!document.traverse(guard)) {
        reader.refuse(StatementRefusal::too_deep, "elements stand too deep in each other");
        return {};
    }
    const xml_node message = reader.find(root, {"BkToCstmrStmt"});
    const auto declared = name_space_of(root);
    const auto version = version_of(declared, reader);
    if (!version) return {};
    if (local_name(root) != "Document" || !message || name_space_of(message) != declared) {
        reader.refuse(
            StatementRefusal::not_camt053,
            "it is no statement of the form camt.053.001.08 or camt.053.001.02");
        return {};
    }
    reader.set_version(*version);
    return message;
}

} // namespace pointhouse::settlement
