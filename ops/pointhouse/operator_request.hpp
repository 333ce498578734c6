#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "command_line.hpp"
#include "gateway/media_type.hpp"
#include "partners/registry.hpp"

namespace pointhouse::ops {

inline constexpr std::string_view answer_file = "answer"; // what a command writes of its request

/// A folder for the files of one request, gone with it.
class RequestFolder {
public:
    /// Throws std::runtime_error.
    RequestFolder();
    ~RequestFolder();
    RequestFolder(const RequestFolder&) = delete;
    RequestFolder& operator=(const RequestFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A request on its way to its answer.
struct Answering {
    gateway::MediaType type = gateway::MediaType::json;
    std::shared_ptr<const RequestFolder> folder{};
    std::string_view command{}; // "settle paid"
    std::string operator_name{};
    std::optional<partners::RequestId> id{}; // none: it changes nothing
    bool is_made_again = false;
    bool is_replayed = false;
    std::uint64_t waiting = 0; // the proposal that its first sending was answered with
};

/// What a command came to, as the answer of its request.
[[nodiscard]] gateway::CommandResult answer_of(
    gateway::CommandResult result, const Answering& answering);

/// Does what a request asks for, as the operator of the invocation, on the house's thread. A
/// request with a message id is done once, however often it is sent: each of its steps happens
/// whole or not at all, the last one with its answer, which later ones get.
[[nodiscard]] gateway::CommandStep run_request(
    gateway::House& house, const Invocation& invocation, Answering answering);

} // namespace pointhouse::ops
