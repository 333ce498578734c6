#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"
#include "gateway/settlement_source.hpp"
#include "settle_documents.hpp"
#include "settle_traces.hpp"
#include "settlement/printed_report.hpp"
#include "settlement/rendering.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;

struct Options {
    std::string window;
    std::string pdf;
};

std::string in_words(const settlement::Settlement& settled)
{
    const auto& currency = settled.currency;
    std::size_t width = std::string_view{"partner"}.size();
    for (const auto& partner : settled.partners) width = std::max(width, partner.id.size());
    std::string text = fmt::format(
        "window {}, {} ({})\n\n{:<{}}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n",
        ledger::format_month(settled.window.month),
        settlement::days_in_words(settled.window.month),
        settlement::name_of(settled.window.state),
        "partner",
        width,
        "opening",
        "issued",
        "redeemed",
        "own spent",
        "clawed back",
        "closing",
        "net " + currency.code);
    for (const auto& row : settled.figures.partners) {
        text += fmt::format(
            "{:<{}}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n",
            settled.partners.at(row.partner.value() - 1).id,
            width,
            row.opening,
            row.issued,
            row.redeemed_here,
            row.own_redeemed_anywhere,
            row.clawed_back,
            row.closing,
            ledger::format_minor(settled.net_of(row.partner), currency));
    }
    const auto programs = settled.positions_by_program();
    for (const auto& [program, position] : programs)
        text += fmt::format(
            "\n{:<{}} paid in {}, paid out {}, the house {} {}",
            program.empty() ? "none" : program,
            width,
            ledger::format_minor(position.paid_in, currency),
            ledger::format_minor(position.paid_out, currency),
            ledger::format_minor(position.house(), currency),
            currency.code);
    if (!programs.empty()) text += "\n";
    const auto& balance = settled.figures.trial_balance;
    text += fmt::format(
        "\nnet above zero: the house pays the partner\n"
        "trial balance: points {} = {}, money {} = {} {}\n",
        balance.points_debits,
        balance.points_credits,
        ledger::format_micro(balance.money_debits),
        ledger::format_micro(balance.money_credits),
        currency.code);
    return text;
}

CommandStep show(House& house, const Options& options, const Invocation& typed)
{
    const auto month = read_window(options.window);
    auto source = std::make_shared<gateway::SettlementSource>(house, month);
    // A closed window shows the logo that it was closed under, so that it gives the same bytes.
    const auto closing = house.closing_of(month);
    const auto& registry = house.registry();
    const auto logo = closing ? registry.logo_at(*closing) : registry.logo();
    std::vector<settlement::Document> issued;
    for (const auto* document : house.documents().documents_of(month))
        issued.push_back(document->document);
    return [source, typed, options, logo, issued = std::move(issued)](Console& console) {
        const auto settled = source->settle(console);
        if (!options.pdf.empty()) {
            const auto file = typed.path(options.pdf);
            const auto created = ledger::format_time(settled.window.to);
            auto page = settlement::printed_settlement(settled, created);
            page.logo = logo.png();
            write_text(file, settlement::report_pdf(page));
            return done(file.string() + "\n");
        }
        if (typed.json) return done(settlement::settlement_json(settled, issued) + "\n");
        return done(in_words(settled));
    };
}

} // namespace

void declare_settle(CLI::App& app, Invocation& invocation)
{
    auto& settle = declare_group(app, "settle", "What partners owe each other for a window");
    const auto options = std::make_shared<Options>();

    auto& showing = declare_in_house(
        settle,
        "show",
        "Positions, flows, documents and trial balance of a window",
        invocation,
        [options](House& house, const Invocation& typed) { return show(house, *options, typed); });
    showing.add_option("WINDOW", options->window, "A month, 2026-06")->required();
    add_json_option(showing, invocation);
    showing.add_option("--pdf", options->pdf, "As a page with a chart of who took points")
        ->type_name("FILE")
        ->excludes("--json");

    declare_settle_documents(settle, invocation);
    declare_settle_payments(settle, invocation);
    declare_settle_pay_outs(settle, invocation);
    declare_settle_trust(settle, invocation);
    declare_settle_defaults(settle, invocation);
    declare_settle_reminders(settle, invocation);
    declare_settle_restatements(settle, invocation);
    declare_settle_traces(settle, invocation);
}

} // namespace pointhouse::ops
