#include "operator_routes.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "answers.hpp"
#include "named_net.hpp"
#include "operator_commands.hpp"
#include "operator_request.hpp"
#include "partners/opening.hpp"
#include "settle_documents.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandRequest;
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

constexpr std::string_view file_name = "body"; // what the request brought
constexpr std::string_view message_id_name = "message_id";

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
    std::int64_t minor_per_unit = 100; // of the currency of what the request is about
};

constexpr std::int64_t micro_per_unit = 1'000'000;

/// In which a partner's net of a window is paid. Where it is in several programs and none is named,
/// the command asks for the name.
std::optional<ledger::Currency> currency_of_net(
    House& house, const std::string& window, const std::string& partner, const std::string* program)
{
    const auto month = ledger::parse_month(window);
    const auto* contract = house.registry().find_contract(partner);
    if (!month || !contract) return std::nullopt;
    const auto partner_id = contract->terms.partner;
    const auto& documents = house.documents();
    auto nets = documents.nets_of(*month);
    if (program) nets = {{*month, read_program(*program)}};
    const auto own = std::ranges::find_if(nets, [&](const auto& key) {
        const auto* net = documents.net_of(key);
        return net && net->payments.contains(partner_id);
    });
    if (own == nets.end()) return std::nullopt;
    return payment_currency_of(house, *own, partner_id);
}

/// The currency of what the request is about: the one that it names, else that of its document, its
/// dispute, its row of the bank, or the net that it pays. None: it is the house's.
std::optional<ledger::Currency> currency_named_by(House& house, const OperatorRequest& request)
{
    const auto value_of = [&](const char* name) -> const std::string* {
        const auto found = request.values.find(name);
        return found == request.values.end() ? nullptr : &found->second;
    };
    const auto& desk = house.documents();
    const auto of_document = [&](const std::string& number) -> std::optional<ledger::Currency> {
        const auto* issued = desk.find(number);
        if (!issued) return std::nullopt;
        return issued->document.currency;
    };
    if (const auto* code = value_of("currency")) return ledger::find_currency(*code);
    if (const auto* number = value_of("number")) return of_document(*number);
    if (const auto* number = value_of("document")) return of_document(*number);
    if (const auto* id = value_of("dispute")) {
        const auto found = desk.disputes().find(*id);
        if (found == desk.disputes().end()) return std::nullopt;
        return of_document(found->second.document);
    }
    if (const auto* row = value_of("row")) {
        const auto& rows = desk.bank().rows;
        const auto place = std::stoll(*row);
        if (place < 1 || static_cast<std::size_t>(place) > rows.size()) return std::nullopt;
        return rows[static_cast<std::size_t>(place) - 1].currency;
    }
    const auto* window = value_of("window");
    const auto* partner = value_of("partner");
    if (!window || !partner) return std::nullopt;
    return currency_of_net(house, *window, *partner, value_of("program"));
}

Surroundings surroundings_of(House& house, const OperatorRequest& request)
{
    const auto named = currency_named_by(house, request);
    const auto& currency = named ? *named : house.registry().terms()->currency;
    return {
        .data = house.folder().root,
        .minor_per_unit = micro_per_unit / ledger::micro_per_minor(currency)};
}

std::string typed_as(
    const CommandParameter& parameter, const std::string& value, const Surroundings& house)
{
    switch (parameter.typed) {
    case Typed::as_sent: return value;
    case Typed::minor: return as_decimal(value, house.minor_per_unit);
    case Typed::micro: return as_decimal(value, micro_per_unit);
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
    append_words(arguments, command.flag);
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
    if (request.answer == MediaType::pdf)
        arguments.push_back(fmt::format("{}={}", command.pdf_option, answer_file));
    const bool writes_folder = request.answer == MediaType::json && command.answers.size() == 1;
    const bool writes_file = request.answer == MediaType::xlsx || request.answer == MediaType::xml;
    if (!command.out_option.empty() && (writes_folder || writes_file))
        arguments.push_back(fmt::format("{}={}", command.out_option, answer_file));
    arguments.push_back(fmt::format("--data={}", house.data.string()));
    if (!positionals.empty()) arguments.emplace_back("--");
    std::ranges::move(positionals, std::back_inserter(arguments));
    return arguments;
}

/// What a request asks for, told from all else that one could ask for.
std::string digest_of(const OperatorCommand& command, const OperatorRequest& request)
{
    std::string text;
    const auto add = [&](std::string_view field) {
        fmt::format_to(std::back_inserter(text), "{}:{}", field.size(), field);
    };
    add(command.words);
    for (const auto& [name, value] : request.values) {
        if (name == message_id_name) continue;
        add(name);
        add(value);
    }
    add(request.file);
    return partners::digest_of(text);
}

/// Reads the line and lays the file down, away from the house's thread; then the command runs.
CommandStep interpret_request(House& house, const OperatorRequest& request)
{
    const auto surroundings = surroundings_of(house, request);
    return LongWork{[request, surroundings](Console&) -> WorkEnd {
        const auto& command = operator_commands()[request.route];
        Answering answering{
            .type = request.answer,
            .folder = std::make_shared<const RequestFolder>(),
            .command = command.words,
            .operator_name = request.operator_name,
            .is_made_again = command.is_made_again};
        const auto& folder = answering.folder->path();
        const auto message_id = request.values.find(message_id_name);
        if (message_id != request.values.end())
            answering.id = {.id = message_id->second, .digest = digest_of(command, request)};
        if (command.file != MediaType::none) write_text(folder / file_name, request.file);
        auto invocation = parse_command_line(
            {.arguments = line_of(command, request, surroundings), .folder = folder});
        if (!invocation) return answer_of(std::move(invocation.error()), answering);
        invocation->operator_name = request.operator_name;
        return NextStep{[invocation = std::move(*invocation), answering](House& served) {
            return run_request(served, invocation, answering);
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
    static constexpr gateway::Parameter message_id{
        message_id_name,
        gateway::ParameterForm::message_id,
        true,
        "New for each act; the same request once more has the same, and gets the first answer"};
    static const auto paths = [] {
        std::vector<std::string> made;
        for (const auto& command : operator_commands()) made.push_back(path_of(command.words));
        return made;
    }();
    static const auto routes = [] {
        std::vector<OperatorRoute> made;
        for (const auto& command : operator_commands()) {
            std::vector<gateway::Parameter> parameters;
            if (command.is_act && !command.only_reads) parameters.push_back(message_id);
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
