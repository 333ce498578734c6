#include "command_line.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <sstream>
#include <utility>

#include "commands.hpp"
#include "ledger/printable.hpp"

namespace pointhouse::ops {

namespace {

void declare_commands(CLI::App& app, Invocation& invocation)
{
    declare_init(app, invocation);
    declare_serve(app, invocation);
    declare_house(app, invocation);
    declare_partner(app, invocation);
    declare_promotion(app, invocation);
    declare_cert(app, invocation);
    declare_replay(app, invocation);
    declare_replay_invoice(app, invocation);
    declare_demo(app, invocation);
    declare_clock(app, invocation);
    declare_import(app, invocation);
    declare_window(app, invocation);
    declare_close(app, invocation);
    declare_calendar(app, invocation);
    declare_approve(app, invocation);
    declare_settle(app, invocation);
    declare_dispute(app, invocation);
    declare_bank(app, invocation);
    declare_fx(app, invocation);
    declare_reconcile(app, invocation);
    declare_verify(app, invocation);
    declare_rebuild(app, invocation);
    declare_backup(app, invocation);
    declare_restore(app, invocation);
    declare_export(app, invocation);
    declare_report(app, invocation);
    declare_estimate(app, invocation);
    declare_bench(app, invocation);
}

} // namespace

std::filesystem::path Invocation::path(const std::string& typed) const
{
    return (folder / typed).lexically_normal();
}

std::expected<Invocation, gateway::CommandResult> parse_command_line(
    const gateway::CommandRequest& request)
{
    Invocation invocation;
    invocation.folder = request.folder;
    CLI::App app{"Pointhouse: a clearing house for coalition loyalty points", "pointhouse"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "pointhouse " POINTHOUSE_VERSION);
    declare_commands(app, invocation);

    // The parser takes the last argument first.
    std::vector<std::string> arguments{request.arguments.rbegin(), request.arguments.rend()};
    try {
        app.parse(arguments);
    } catch (const CLI::ParseError& error) {
        std::ostringstream output;
        std::ostringstream complaint;
        const int code = app.exit(error, output, complaint);
        return std::unexpected(gateway::CommandResult{
            .exit_code = code == 0 ? 0 : 2,
            .output = std::move(output).str(),
            .complaint = std::move(complaint).str()});
    }
    invocation.data = invocation.path(invocation.data.string());
    if (!invocation.operator_certificate.empty())
        invocation.operator_certificate = invocation.path(invocation.operator_certificate.string());
    return invocation;
}

CLI::Validator has_words()
{
    return {
        [](const std::string& typed) {
            const bool is_blank = typed.find_first_not_of(" \t\r\n") == std::string::npos;
            if (is_blank) return std::string{"takes words"};
            return ledger::is_printable(typed) ? std::string{}
                                               : std::string{"takes one line of words"};
        },
        ""};
}

CLI::App& declare_alone(
    CLI::App& parent,
    std::string name,
    std::string description,
    Invocation& invocation,
    Alone action)
{
    auto* const command = parent.add_subcommand(std::move(name), std::move(description));
    command->callback([&invocation, action = std::move(action)] { invocation.alone = action; });
    return *command;
}

CLI::App& declare_in_house(
    CLI::App& parent,
    std::string name,
    std::string description,
    Invocation& invocation,
    InHouse action)
{
    auto* const command = parent.add_subcommand(std::move(name), std::move(description));
    command->callback([&invocation, action = std::move(action)] { invocation.in_house = action; });
    add_data_option(*command, invocation);
    command
        ->add_option(
            "--operator",
            invocation.operator_certificate,
            "Who acts: an operator's certificate, its key beside it")
        ->type_name("CERT");
    return *command;
}

void add_data_option(CLI::App& command, Invocation& invocation)
{
    command.add_option("--data", invocation.data, "The house's data folder")
        ->required()
        ->type_name("DIR");
}

void add_json_option(CLI::App& command, Invocation& invocation)
{
    command.add_flag("--json", invocation.json, "Print JSON");
}

CLI::App& declare_group(CLI::App& parent, std::string name, std::string description)
{
    auto* const group = parent.add_subcommand(std::move(name), std::move(description));
    group->require_subcommand(1);
    return *group;
}

} // namespace pointhouse::ops
