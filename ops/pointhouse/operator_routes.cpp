#include "operator_routes.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

#include "answers.hpp"
#include "in_house.hpp"
#include "operator_commands.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandRequest;
using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::LongWork;
using gateway::MediaType;
using gateway::NextStep;
using gateway::OperatorRequest;
using gateway::OperatorRoute;
using gateway::WorkEnd;

namespace fs = std::filesystem;

constexpr std::string_view file_name = "body";  // what the request brought
constexpr std::string_view out_name = "answer"; // what the command writes

/// A folder for the files of one request, gone with it.
class RequestFolder {
public:
    RequestFolder()
    {
        std::string name = (fs::temp_directory_path() / "pointhouse-request-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error{"cannot make a folder for the request"};
        path_ = name;
    }
    ~RequestFolder()
    {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    RequestFolder(const RequestFolder&) = delete;
    RequestFolder& operator=(const RequestFolder&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// "-1.40" for -140 in units of which `per_unit` make one of money.
std::string as_decimal(const std::string& text, std::int64_t per_unit)
{
    const bool is_negative = text.starts_with('-');
    // Unsigned, because the least of all has no opposite.
    const auto sent = std::stoll(text);
    const auto size = is_negative ? std::uint64_t{0} - static_cast<std::uint64_t>(sent)
                                  : static_cast<std::uint64_t>(sent);
    const auto unit = static_cast<std::uint64_t>(per_unit);
    const char* const sign = is_negative ? "-" : "";
    if (unit == 1) return fmt::format("{}{}", sign, size);
    const auto digits = fmt::format("{}", unit).size() - 1;
    return fmt::format("{}{}.{:0{}}", sign, size / unit, size % unit, digits);
}

/// What the line of a command needs to know of the house.
struct Surroundings {
    fs::path data;
    std::int64_t minor_per_unit = 100;
    std::int64_t paid_per_unit = 100; // of the currency in which the partner named is paid
};

constexpr std::int64_t micro_per_unit = 1'000'000;

std::int64_t minor_per_unit_of(const ledger::Currency& currency)
{
    return micro_per_unit / ledger::micro_per_minor(currency);
}

Surroundings surroundings_of(House& house, const OperatorRequest& request)
{
    const auto per_unit = minor_per_unit_of(house.registry().terms()->currency);
    Surroundings found{
        .data = house.folder().root, .minor_per_unit = per_unit, .paid_per_unit = per_unit};
    const auto window = request.values.find("window");
    const auto partner = request.values.find("partner");
    if (window == request.values.end() || partner == request.values.end()) return found;
    const auto month = ledger::parse_month(window->second);
    const auto* contract = house.registry().find_contract(partner->second);
    if (month && contract)
        found.paid_per_unit =
            minor_per_unit_of(payment_currency_of(house, *month, contract->terms.partner));
    return found;
}

std::string typed_as(
    const CommandParameter& parameter, const std::string& value, const Surroundings& house)
{
    switch (parameter.typed) {
    case Typed::as_sent: return value;
    case Typed::minor: return as_decimal(value, house.minor_per_unit);
    case Typed::micro: return as_decimal(value, micro_per_unit);
    case Typed::paid: return as_decimal(value, house.paid_per_unit);
    }
    return value;
}

void append_words(std::vector<std::string>& arguments, std::string_view words)
{
    while (!words.empty()) {
        const auto word = words.substr(0, words.find(' '));
        arguments.emplace_back(word);
        words.remove_prefix(std::min(word.size() + 1, words.size()));
    }
}

/// The command as it would be typed. Options bind their values with `=` and positionals stand
/// behind `--`, so that no value is ever taken for an option.
std::vector<std::string> line_of(
    const OperatorCommand& command, const OperatorRequest& request, const Surroundings& house)
{
    std::vector<std::string> arguments;
    std::vector<std::string> positionals;
    append_words(arguments, command.words);
    for (const auto& each : command.parameters) {
        const auto found = request.values.find(each.parameter.name);
        if (found == request.values.end()) continue;
        if (each.parameter.form == gateway::ParameterForm::flag) {
            if (found->second == "true") arguments.emplace_back(each.option);
            continue;
        }
        auto value = typed_as(each, found->second, house);
        if (each.option.empty())
            positionals.push_back(std::move(value));
        else
            arguments.push_back(fmt::format("{}={}", each.option, value));
    }
    if (command.file != MediaType::none && command.file_option.empty())
        positionals.emplace_back(file_name);
    if (command.file != MediaType::none && !command.file_option.empty())
        arguments.push_back(fmt::format("{}={}", command.file_option, file_name));
    if (request.answer == MediaType::json) arguments.emplace_back("--json");
    if (request.answer == MediaType::csv) arguments.emplace_back("--csv");
    if (request.answer == MediaType::xlsx || request.answer == MediaType::xml)
        arguments.push_back(fmt::format("{}={}", command.out_option, out_name));
    arguments.push_back(fmt::format("--data={}", house.data.string()));
    if (!positionals.empty()) arguments.emplace_back("--");
    std::ranges::move(positionals, std::back_inserter(arguments));
    return arguments;
}

/// The files of the request are nobody's business: not where they lay either.
std::string without_folder(std::string text, const fs::path& folder)
{
    const auto prefix = folder.string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
        text.erase(at, prefix.size());
    return text;
}

/// What a command came to, as the answer of its request.
CommandResult answer_of(CommandResult result, MediaType type, const fs::path& folder)
{
    result.complaint = without_folder(std::move(result.complaint), folder);
    // A line that cannot be read ends with advice for a keyboard.
    if (result.exit_code == 2)
        result.complaint = result.complaint.substr(0, result.complaint.find('\n'));
    if (result.exit_code != 0 || result.proposal != 0) return result;
    if (type != MediaType::xlsx && type != MediaType::xml) return result;
    if (!fs::exists(folder / out_name))
        return {.exit_code = 1, .complaint = "there is nothing to write"};
    result.output = read_text(folder / out_name);
    return result;
}

/// What a person at a keyboard would read, as a refusal; what else is thrown is a failure.
template <class Do>
auto or_refused(const Do& run) -> decltype(run())
{
    try {
        return run();
    } catch (const CommandFailure& failure) {
        return refused(failure.what());
    } catch (const gateway::HouseFailure& failure) {
        return refused(failure.what());
    }
}

/// A step, and those after it, whose end is the answer of the request.
CommandStep answered(
    CommandStep step, MediaType type, const std::shared_ptr<const RequestFolder>& folder)
{
    if (auto* const result = std::get_if<CommandResult>(&step))
        return answer_of(std::move(*result), type, folder->path());
    return LongWork{
        [work = std::move(std::get<LongWork>(step)), type, folder](Console& console) -> WorkEnd {
            auto end = or_refused([&] { return work(console); });
            if (auto* const result = std::get_if<CommandResult>(&end))
                return answer_of(std::move(*result), type, folder->path());
            return NextStep{
                [next = std::move(std::get<NextStep>(end)), type, folder](House& house) {
                    return answered(or_refused([&] { return next(house); }), type, folder);
                }};
        }};
}

/// Reads the line and lays the file down, away from the house's thread; then the command runs.
CommandStep interpret_request(House& house, const OperatorRequest& request)
{
    const auto surroundings = surroundings_of(house, request);
    return LongWork{[request, surroundings](Console&) -> WorkEnd {
        const auto& command = operator_commands()[request.route];
        const auto folder = std::make_shared<const RequestFolder>();
        if (command.file != MediaType::none) write_text(folder->path() / file_name, request.file);
        auto invocation = parse_command_line(
            {.arguments = line_of(command, request, surroundings), .folder = folder->path()});
        if (!invocation)
            return answer_of(std::move(invocation.error()), request.answer, folder->path());
        invocation->operator_name = request.operator_name;
        return NextStep{
            [invocation = std::move(*invocation), type = request.answer, folder](House& served) {
                return answered(
                    or_refused([&] { return begin_in_house(served, invocation); }), type, folder);
            }};
    }};
}

/// "settle draft" is at /v1/operator/settle/draft.
std::string path_of(std::string_view words)
{
    std::string path = fmt::format("/v1/operator/{}", words);
    std::ranges::replace(path, ' ', '/');
    return path;
}

} // namespace

gateway::OperatorRoutes operator_routes()
{
    static const auto paths = [] {
        std::vector<std::string> made;
        for (const auto& command : operator_commands()) made.push_back(path_of(command.words));
        return made;
    }();
    static const auto routes = [] {
        std::vector<OperatorRoute> made;
        for (const auto& command : operator_commands()) {
            std::vector<gateway::Parameter> parameters;
            for (const auto& each : command.parameters) parameters.push_back(each.parameter);
            made.push_back(
                {.is_act = command.is_act,
                 .path = paths[made.size()],
                 .summary = command.summary,
                 .parameters = std::move(parameters),
                 .file = command.file,
                 .answers = command.answers});
        }
        return made;
    }();
    return {.routes = routes, .interpret = interpret_request};
}

} // namespace pointhouse::ops
