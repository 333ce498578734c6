#include "operator_commands.hpp"

namespace pointhouse::ops {
namespace {

using gateway::MediaType;
using gateway::ParameterForm;

using Parameters = std::vector<CommandParameter>;

constexpr std::string_view window_words = "A month, 2026-06";

CommandParameter window()
{
    return {.parameter = {"window", ParameterForm::window, true, window_words}};
}

CommandParameter text(std::string_view name, std::string_view description)
{
    return {.parameter = {name, ParameterForm::text, true, description}};
}

CommandParameter text_option(
    std::string_view name,
    std::string_view option,
    std::string_view description,
    bool is_required = true)
{
    return {.parameter = {name, ParameterForm::text, is_required, description}, .option = option};
}

CommandParameter window_option(std::string_view option)
{
    return {.parameter = {"window", ParameterForm::window, false, window_words}, .option = option};
}

CommandParameter amount_option(
    std::string_view name, std::string_view option, std::string_view description, bool is_required)
{
    return {
        .parameter = {name, ParameterForm::integer, is_required, description},
        .option = option,
        .typed = Typed::minor};
}

/// Of what may come after the soft close of its window.
CommandParameter late_reason()
{
    return text_option("reason", "--reason", "Why it comes after the window's soft close", false);
}

OperatorCommand read(std::string_view words, std::string_view summary, Parameters parameters = {})
{
    return {.words = words, .summary = summary, .parameters = std::move(parameters)};
}

OperatorCommand act(std::string_view words, std::string_view summary, Parameters parameters = {})
{
    return {
        .is_act = true, .words = words, .summary = summary, .parameters = std::move(parameters)};
}

OperatorCommand of_file(std::string_view words, std::string_view summary)
{
    OperatorCommand command = act(words, summary);
    command.file = MediaType::toml;
    return command;
}

std::vector<OperatorCommand> of_documents()
{
    const auto number = text("number", "Of the document, INV-2026-000001");
    OperatorCommand invoices =
        act("settle invoices",
            "The issued documents of a window: UBL, PDF, JSON, CSV (a sandbox issues them first)",
            {window()});
    invoices.out_option = "--out";
    return {
        read(
            "settle show", "Positions, flows, documents and trial balance of a window", {window()}),
        act("settle draft", "Prepare the documents of a closed window for approval", {window()}),
        act("settle issue",
            "Number the approved documents of a window and book them",
            {window(), late_reason()}),
        std::move(invoices),
        read(
            "settle documents",
            "Issued documents and their states",
            {{.parameter = {"window", ParameterForm::window, false, window_words}}}),
        act("settle credit",
            "Issue a credit note over a whole document",
            {number, text_option("reason", "--reason", "Why")}),
        act("settle sent",
            "Note that a document went out",
            {number, text_option("to", "--to", "Where it went", false)}),
        act("settle answer",
            "Note what the receiver of a document said",
            {number,
             text("answer", "accepted, queried or rejected"),
             text_option("reason", "--reason", "Why", false)})};
}

CommandParameter amount(std::string_view description, Typed typed)
{
    return {
        .parameter = {"amount_minor", ParameterForm::integer, true, description}, .typed = typed};
}

std::vector<OperatorCommand> of_nets()
{
    OperatorCommand statement = read(
        "settle statement",
        "Every document of a netted window, and what it does to each party",
        {window(),
         text_option("currency", "--currency", "Of the documents; else the house's", false)});
    statement.answers = {MediaType::json, MediaType::csv};
    return {
        act("settle net",
            "Net the issued documents of a window, once",
            {window(),
             amount_option("minimum_minor", "--minimum", "Nets closer to zero wait", false),
             text_option("method", "--method", "gross, bilateral or multilateral", false),
             text_option("pay_in", "--pay-in", "The currency in which nets are paid", false),
             text_option("rate", "--rate", "The recorded rate; else the newest", false),
             late_reason()}),
        read("settle nets", "What each partner pays or gets for a window", {window()}),
        std::move(statement)};
}

std::vector<OperatorCommand> of_payments()
{
    const auto partner = text("partner", "Its id");
    OperatorCommand paying =
        act("settle payments",
            "Write the pay-outs of a window as pain.001, once for each currency",
            {window(),
             text_option("currency", "--currency", "Of the payments; else the house's", false),
             text_option("reissue", "--reissue", "Why it is written once more", false)});
    paying.answers = {MediaType::xml};
    paying.out_option = "--out";
    return {
        act("settle paid",
            "Note that a net was paid, where no bank statement says so",
            {window(),
             partner,
             amount("Above zero: paid out; below: in", Typed::paid),
             text_option("evidence", "--evidence", "What shows it")}),
        std::move(paying),
        act("settle release-trust",
            "Move what no points need any more out of trust",
            {{.parameter = {"amount_micro", ParameterForm::integer, true, "In millionths"},
              .typed = Typed::micro}})};
}

std::vector<OperatorCommand> of_defaults()
{
    const auto partner = text("partner", "Its id");
    const Parameters of_payer{
        window(),
        partner,
        text_option("reason", "--reason", "Why"),
        {.parameter = {"preview", ParameterForm::flag, false, "Show it, record nothing"},
         .option = "--preview"}};
    return {
        act("settle default",
            "A partner does not pay its net: draw collateral, carry the rest, free the pay-outs",
            of_payer),
        act("settle unwind",
            "Take a partner out of a window's net: its documents are open again",
            of_payer),
        read("settle collateral", "What partners brought as security"),
        act("settle collateral",
            "Note that a partner's security moved",
            {partner,
             amount("Above zero: brought; below: given back", Typed::minor),
             text_option("evidence", "--evidence", "What shows it")}),
        read("fx list", "All rates of exchange"),
        act("fx set",
            "Record the rate of a day, for ever",
            {{.parameter = {"day", ParameterForm::day, true, "2026-06-30"}},
             text("from", "A currency, EUR"),
             text("to", "Another one, USD"),
             text("rate", "Units of `to` for one of `from`, as a decimal: 1.0850")})};
}

std::vector<OperatorCommand> of_the_bank()
{
    OperatorCommand importing =
        act("bank import", "Read statements in camt.053; what is known is passed over");
    importing.file = MediaType::xml;
    return {
        std::move(importing),
        act("bank match",
            "Book what the open rows pay, as far as it is certain",
            {amount_option(
                 "tolerance_minor", "--tolerance", "Residuals up to this are written off", false),
             late_reason()}),
        act("bank unmatch",
            "Undo a match: its rows are open again",
            {{.parameter = {"match", ParameterForm::integer, true, "Its id"}},
             text_option("reason", "--reason", "Why")}),
        read(
            "bank rows",
            "Rows of the bank and what of them is open",
            {{.parameter = {"open", ParameterForm::flag, false, "Only those that are open"},
              .option = "--open"}})};
}

std::vector<OperatorCommand> of_disputes()
{
    const auto dispute = text("dispute", "Its id, D-000001");
    const auto words = text_option("words", "--words", "Why");
    return {
        act("dispute open",
            "Contest a part of a line for a partner; only that is held back",
            {text("document", "Its number"),
             {.parameter = {"line", ParameterForm::integer, true, "From 1"}, .option = "--line"},
             amount_option("net_minor", "--amount", "Net of VAT", true),
             text_option("reason", "--reason", "A Peppol code: QTY, PRI, OTH"),
             text_option("evidence", "--evidence", "What shows it")}),
        act("dispute answer", "Say that the house does not agree, and why", {dispute, words}),
        act("dispute escalate", "The partner insists", {dispute, words}),
        act("dispute decide",
            "End it; what is agreed is credited",
            {dispute,
             amount_option("agreed_minor", "--agreed", "Net of VAT; 0: nothing", true),
             words}),
        act("dispute lapse", "End what nobody acted on in time, as its stage says"),
        read("dispute list", "All disputes")};
}

OperatorCommand report(
    std::string_view words, std::string_view summary, Parameters own, bool has_interval)
{
    const CommandParameter at = text_option("at", "--at", "Up to an instant or a day", false);
    const CommandParameter sequence{
        .parameter = {"sequence", ParameterForm::integer, false, "Up to a record of the journal"},
        .option = "--sequence"};
    auto parameters = std::move(own);
    parameters.insert(parameters.end(), {at, sequence});
    if (has_interval) {
        parameters.push_back(window_option("--window"));
        parameters.push_back(text_option("from", "--from", "From an instant or a day on", false));
    }
    OperatorCommand command = read(words, summary, std::move(parameters));
    command.answers = {MediaType::json, MediaType::csv, MediaType::xlsx};
    command.out_option = "--xlsx";
    return command;
}

std::vector<OperatorCommand> of_reports()
{
    OperatorCommand breakage = report(
        "report breakage",
        "The same by other versions of the estimate than the record's, as TOML",
        {},
        false);
    breakage.is_act = true;
    breakage.file = MediaType::toml;
    breakage.file_option = "--estimates";
    return {
        report("report roll-forward", "Open points and their liability by issuer", {}, true),
        report("report coverage", "Whether the trust account stands for the points", {}, false),
        report(
            "report redemption-notice",
            "Points that were spent, by the month and VAT rate of their purchase",
            {text_option("partner", "--partner", "Of this issuer alone", false)},
            true),
        report(
            "report exit",
            "What a partner would owe and be owed if it left: a dry run",
            {text("partner", "Its id")},
            false),
        report("report ageing", "Documents that partners owe, by how long they are due", {}, false),
        report(
            "report breakage",
            "Revenue by estimates of how many points will be redeemed (IFRS 15)",
            {},
            false),
        std::move(breakage),
        read("estimate list", "All versions of what the house expects to be redeemed"),
        of_file("estimate add", "Add versions of the estimate, [[estimate]] tables")};
}

std::vector<OperatorCommand> of_the_general_ledger()
{
    const Parameters parameters{
        text_option("format", "--format", "hledger, beancount or datev"),
        {.parameter = {"window", ParameterForm::window, true, window_words}, .option = "--window"},
        text_option("by", "--by", "window, day or posting; not for DATEV", false)};
    OperatorCommand usual =
        read("export gl", "The money of a closed window, by the usual chart", parameters);
    usual.answers = {MediaType::text};
    OperatorCommand charted =
        act("export gl", "The same by a chart of one's own, as TOML", parameters);
    charted.answers = {MediaType::text};
    charted.file = MediaType::toml;
    charted.file_option = "--chart";
    OperatorCommand chart = read("export chart", "The usual chart of accounts, as TOML");
    chart.answers = {MediaType::toml};
    return {std::move(usual), std::move(charted), std::move(chart)};
}

std::vector<OperatorCommand> of_the_close()
{
    OperatorCommand reminding = act(
        "settle remind",
        "Write to partners that are late; each level of a document once",
        {{.parameter = {"as_of", ParameterForm::day, false, "Default: today"}, .option = "--as-of"},
         {.parameter = {"dry_run", ParameterForm::flag, false, "Only show who would be reminded"},
          .option = "--dry-run"}});
    reminding.out_option = "--out";
    return {
        read("close show", "The checklist of a window, with its figures", {window()}),
        act("close soft", "From now on entries of money need a reason", {window()}),
        act("close reopen",
            "Take a soft close back",
            {window(), text_option("reason", "--reason", "Why")}),
        act("close hard", "Lock it for ever, once its checklist is done", {window()}),
        read(
            "calendar show",
            "The dates of a year's windows",
            {{.parameter = {"year", ParameterForm::integer, true, "2026"}, .option = "--year"}}),
        of_file(
            "calendar set",
            "Set billing, due and pay days from a window on that is not closed yet"),
        std::move(reminding)};
}

std::vector<OperatorCommand> of_the_house()
{
    return {
        read("window list", "All windows and their states"),
        act("window close",
            "Close the windows that are over, never before the cut-off",
            {{.parameter = {"until", ParameterForm::day, false, "Only those that end by this day"},
              .option = "--until"}}),
        read("cert list", "All certificates"),
        act("cert revoke",
            "Refuse a certificate from now on, also on open connections",
            {text("name", "A serial, a partner, or operator:NAME (all of theirs)")}),
        read("approve list", "What waits for a second operator"),
        act("approve",
            "Put in force what another operator prepared, or permit it",
            {{.parameter = {"proposal", ParameterForm::integer, true, "Its id"}}})};
}

/// A command whose terms are a TOML file, for one partner.
OperatorCommand of_partner(std::string_view words, std::string_view summary)
{
    OperatorCommand command = act(words, summary, {text("partner", "Its id")});
    command.file = MediaType::toml;
    return command;
}

std::vector<OperatorCommand> of_terms()
{
    OperatorCommand adding =
        of_partner("partner add", "Register a partner with its contract, a [[partner]] table");
    adding.file_option = "--terms";
    return {
        read("partner list", "All partners"),
        read("partner show", "One partner's contract", {text("partner", "Its id")}),
        std::move(adding),
        of_partner("partner set-tariff", "Publish a further, dated tariff, a [tariff] table"),
        of_partner(
            "partner set-company",
            "Say who a partner is before the law and to its bank, a [company] table"),
        of_partner(
            "partner set-settlement",
            "Say how a partner is invoiced and paid, a [settlement] table"),
        act("partner exit",
            "From a day on a partner grants and takes no points; its points run off",
            {text("partner", "Its id"),
             {.parameter = {"on", ParameterForm::day, true, "The first day without it"},
              .option = "--on"},
             {.parameter = {"dry_run", ParameterForm::flag, false, "Only show what it comes to"},
              .option = "--dry-run"}}),
        act("partner release",
            "Give a partner that left its collateral back, once nothing is open",
            {text("partner", "Its id"), text_option("evidence", "--evidence", "What shows it")}),
        act("partner buy-block",
            "Register points that a prepaid partner bought and paid",
            {text("partner", "Its id"),
             {.parameter = {"points", ParameterForm::integer, true, "How many"},
              .option = "--points"},
             text_option("price", "--price", "Per point, as a decimal", false),
             text_option("fee", "--fee", "Per point, as a decimal", false)}),
        read("house show", "The terms of the house in force"),
        of_file("house set-terms", "Prepare a change of the terms of a [house] table"),
        of_file("house set-company", "Say who the house is, a [company] table"),
        read("promotion list", "Promotions in force"),
        of_file("promotion add", "Prepare promotions, [[promotion]] tables")};
}

} // namespace

std::span<const OperatorCommand> operator_commands()
{
    static const auto all = [] {
        std::vector<OperatorCommand> commands;
        for (auto group :
             {of_documents(),
              of_nets(),
              of_payments(),
              of_defaults(),
              of_the_bank(),
              of_disputes(),
              of_reports(),
              of_the_general_ledger(),
              of_the_close(),
              of_the_house(),
              of_terms()}) {
            commands.insert(
                commands.end(),
                std::make_move_iterator(group.begin()),
                std::make_move_iterator(group.end()));
        }
        return commands;
    }();
    return all;
}

} // namespace pointhouse::ops
