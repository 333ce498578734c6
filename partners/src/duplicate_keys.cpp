#include "duplicate_keys.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

namespace pointhouse::partners {
namespace {

namespace json = boost::json;
using json::error_code;

/// Hears of every part of a text, and remembers the keys of the objects that are open.
struct KeyListener {
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_object_begin(error_code&)
    {
        open.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, error_code&)
    {
        open.pop_back();
        return true;
    }
    bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t, error_code&)
    {
        key += part;
        return true;
    }
    bool on_key(json::string_view rest, std::size_t, error_code& error)
    {
        key += rest;
        if (!open.back().insert(key).second) {
            duplicate = key;
            error = json::error::extra_data; // enough was heard
            return false;
        }
        key.clear();
        return true;
    }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
    bool on_double(auto, json::string_view, error_code&) { return true; }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

    std::vector<std::set<std::string>> open;
    std::string key;
    std::optional<std::string> duplicate;
};

} // namespace

std::optional<std::string> first_duplicate_key(std::string_view json)
{
    json::basic_parser<KeyListener> parser{json::parse_options{}};
    error_code error;
    parser.write_some(false, json.data(), json.size(), error);
    return parser.handler().duplicate;
}

} // namespace pointhouse::partners
