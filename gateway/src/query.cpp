#include "query.hpp"

namespace pointhouse::gateway {

std::optional<Fault> ReadQuery::parse(std::string_view text, ReadQuery& out)
{
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(pair.size() < text.size() ? pair.size() + 1 : pair.size());
        const std::size_t equals = pair.find('=');
        const std::string_view name = pair.substr(0, equals);
        std::string_view* const value = name == "limit"     ? &out.limit
                                        : name == "cursor"  ? &out.cursor
                                        : name == "partner" ? &out.partner
                                                            : nullptr;
        if (value == nullptr) return malformed("query", "has a parameter that is not known");
        if (!value->empty()) return malformed(name, "is there twice");
        if (equals == std::string_view::npos || equals + 1 == pair.size())
            return malformed(name, "must not be empty");
        *value = pair.substr(equals + 1);
    }
    return std::nullopt;
}

} // namespace pointhouse::gateway
