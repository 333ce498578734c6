#include "router.hpp"

#include <array>
#include <optional>

namespace pointhouse::gateway {
namespace {

constexpr std::array in_both_encodings{MediaType::json, MediaType::protobuf};
constexpr std::array as_batch{MediaType::json_lines, MediaType::json, MediaType::protobuf};
constexpr std::array as_document{
    MediaType::json, MediaType::protobuf, MediaType::xml, MediaType::pdf};
constexpr std::array as_table{MediaType::csv};

constexpr Route get(
    RouteId id, std::string_view path, std::span<const MediaType> answers = in_both_encodings)
{
    return {
        .id = id, .method = Method::get, .form = BodyForm::none, .path = path, .answers = answers};
}

constexpr Route post(RouteId id, std::string_view path)
{
    return {
        .id = id,
        .method = Method::post,
        .form = BodyForm::message,
        .path = path,
        .answers = in_both_encodings};
}

constexpr Route post_batch(RouteId id, std::string_view path)
{
    return {
        .id = id,
        .method = Method::post,
        .form = BodyForm::batch,
        .path = path,
        .answers = as_batch};
}

constexpr Route post_file(RouteId id, std::string_view path, MediaType file)
{
    return {
        .id = id,
        .method = Method::post,
        .form = BodyForm::file,
        .path = path,
        .file = file,
        .answers = in_both_encodings};
}

constexpr std::array route_table{
    post(RouteId::accruals, "/v1/accruals"),
    post(RouteId::redemptions, "/v1/redemptions"),
    post(RouteId::reversals, "/v1/reversals"),
    post(RouteId::clawbacks, "/v1/clawbacks"),
    post(RouteId::donations, "/v1/donations"),
    post(RouteId::transfers, "/v1/transfers"),
    post(RouteId::holds, "/v1/holds"),
    post(RouteId::hold_capture, "/v1/holds/{hold_id}/capture"),
    post(RouteId::hold_release, "/v1/holds/{hold_id}/release"),
    post(RouteId::accrual_release, "/v1/accruals/{message_id}/release"),
    post(RouteId::member_block, "/v1/members/{member}/block"),
    post(RouteId::member_unblock, "/v1/members/{member}/unblock"),
    post(RouteId::member_close, "/v1/members/{member}/close"),
    post(RouteId::member_merge, "/v1/members/{member}/merge"),
    post(RouteId::member_identifiers, "/v1/members/{member}/identifiers"),
    post(RouteId::member_reinstate, "/v1/members/{member}/reinstate"),
    post(RouteId::adjustments, "/v1/adjustments"),
    post(RouteId::members, "/v1/members"),
    post_batch(RouteId::batches, "/v1/batches"),
    post(RouteId::quotes, "/v1/quotes"),
    post(RouteId::member_lookup, "/v1/members/lookup"),
    get(RouteId::member, "/v1/members/{member}"),
    get(RouteId::member_entries, "/v1/members/{member}/entries"),
    get(RouteId::hold, "/v1/holds/{hold_id}"),
    get(RouteId::message, "/v1/messages/{message_id}"),
    get(RouteId::position, "/v1/position"),
    get(RouteId::documents, "/v1/documents"),
    get(RouteId::document, "/v1/documents/{number}", as_document),
    post(RouteId::document_answer, "/v1/documents/{number}/answer"),
    get(RouteId::statement, "/v1/statements/{window}"),
    get(RouteId::disputes, "/v1/disputes"),
    get(RouteId::dispute, "/v1/disputes/{dispute}"),
    post(RouteId::dispute_open, "/v1/disputes"),
    post(RouteId::dispute_answer, "/v1/disputes/{dispute}/answer"),
    post(RouteId::dispute_escalate, "/v1/disputes/{dispute}/escalate"),
    get(RouteId::reconciliation, "/v1/reconciliation/{period}", as_table),
    post_file(RouteId::reconciliation_compare, "/v1/reconciliation/{period}", MediaType::csv),
    get(RouteId::echo, "/v1/echo"),
    get(RouteId::openapi, "/openapi.json", json_alone),
};

constexpr std::string_view name_of(Method method) noexcept
{
    return method == Method::get ? "GET" : "POST";
}

/// The path's parameter, empty for a path without one; none when the path is another.
std::optional<std::string_view> match_path(std::string_view route, std::string_view path) noexcept
{
    const auto open = route.find('{');
    if (open == std::string_view::npos) {
        return route == path ? std::optional<std::string_view>{""} : std::nullopt;
    }
    const auto before = route.substr(0, open);
    const auto after = route.substr(route.find('}') + 1);
    if (path.size() <= before.size() + after.size()) return std::nullopt;
    if (!path.starts_with(before) || !path.ends_with(after)) return std::nullopt;
    const auto argument = path.substr(before.size(), path.size() - before.size() - after.size());
    if (argument.find('/') != std::string_view::npos) return std::nullopt;
    return argument;
}

} // namespace

std::size_t Route::body_bytes_max() const noexcept
{
    switch (form) {
    case BodyForm::none: return 0;
    case BodyForm::batch: return batch_body_bytes_max;
    case BodyForm::file: return file_body_bytes_max;
    case BodyForm::message:
    case BodyForm::json: break;
    }
    return message_body_bytes_max;
}

bool Route::takes(MediaType type) const noexcept
{
    if (form == BodyForm::none) return true; // there is no body to have a type
    if (form == BodyForm::json) return type == MediaType::json;
    if (form == BodyForm::file) return type == file;
    if (type == MediaType::protobuf) return true;
    return type == (form == BodyForm::batch ? MediaType::json_lines : MediaType::json);
}

std::span<const Route> routes() noexcept
{
    return route_table;
}

RouteMatch match_route(
    std::string_view method, std::string_view path, std::span<const Route> others) noexcept
{
    for (const auto table : {routes(), others}) {
        for (const Route& route : table) {
            if (name_of(route.method) != method) continue;
            if (const auto argument = match_path(route.path, path))
                return {.route = &route, .argument = *argument};
        }
    }
    return {};
}

std::string_view allowed_methods(std::string_view path, std::span<const Route> others) noexcept
{
    bool gets = false;
    bool posts = false;
    for (const auto table : {routes(), others}) {
        for (const Route& route : table) {
            if (!match_path(route.path, path)) continue;
            (route.method == Method::get ? gets : posts) = true;
        }
    }
    if (gets && posts) return "GET, POST";
    if (gets) return "GET";
    return posts ? "POST" : "";
}

} // namespace pointhouse::gateway
