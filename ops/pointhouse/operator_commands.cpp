#include "operator_commands.hpp"

#include <iterator>

#include "operator_command_form.hpp"

namespace pointhouse::ops {
namespace command_form {
namespace {

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
    breakage.only_reads = true;
    breakage.file = MediaType::toml;
    breakage.file_option = "--estimates";
    return {
        with_pdf(report(
            "report roll-forward",
            "Open points and their liability by issuer",
            {text_option("program", "--program", "Its issuers alone", false)},
            true)),
        report("report coverage", "Whether the trust account stands for the points", {}, false),
        report(
            "report redemption-notice",
            "Points that were spent, by the month and VAT rate of their purchase",
            {text_option("partner", "--partner", "Of this issuer alone", false)},
            true),
        report(
            "report expiry-vat",
            "Points that expired, what was paid for them, and the VAT in it",
            {text_option("partner", "--partner", "Of this issuer alone", false)},
            true),
        report(
            "report exit",
            "What a partner would owe and be owed if it left: a dry run",
            {text("partner", "Its id")},
            false),
        with_pdf(report(
            "report ageing", "Documents that partners owe, by how long they are due", {}, false)),
        report(
            "report breakage",
            "Revenue by estimates of how many points will be redeemed (IFRS 15)",
            {},
            false),
        std::move(breakage),
        read("estimate list", "All versions of what the house expects to be redeemed"),
        of_file("estimate add", "Add versions of the estimate, [[estimate]] tables"),
        act("estimate withdraw",
            "Take the newest version of an issuer back",
            {text("issuer", "The partner's id"),
             {.parameter = {"version", ParameterForm::integer, true, "As the list has it"}},
             text_option("reason", "--reason", "Why")})};
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
    charted.only_reads = true;
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
    OperatorCommand restating =
        act("settle restate",
            "Make a further version of a closed window as it is known now; nothing is booked",
            {window()});
    restating.out_option = "--out";
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
            {{.parameter = {"year", ParameterForm::integer, true, "2026"}, .option = "--year"},
             text_option("program", "--program", "Of this one of the house's", false)}),
        of_file(
            "calendar set",
            "Set billing, due and pay days from a window on that is not closed yet"),
        act("calendar withdraw",
            "Take terms back by which nothing was issued",
            {window(),
             text_option("program", "--program", "Of this one of the house's", false),
             text_option("reason", "--reason", "Why")}),
        std::move(reminding),
        std::move(restating),
        read(
            "settle restatements",
            "The versions of a closed window, or how one differs from the one before",
            {window(),
             {.parameter = {"version", ParameterForm::integer, false, "From 2"},
              .option = "--version"}})};
}

std::vector<OperatorCommand> of_records()
{
    const Parameters period{
        {.parameter = {"window", ParameterForm::window, true, window_words}, .option = "--window"},
        {.parameter = {"day", ParameterForm::day, false, "One day of it"}, .option = "--day"}};
    OperatorCommand writing =
        read("reconcile", "The house's own record for each partner, as files", period);
    writing.flag = "--all";
    writing.out_option = "--out";
    OperatorCommand comparing =
        act("reconcile",
            "Compare partners' own records, one file after the other, with the journal",
            period);
    comparing.flag = "--all";
    comparing.only_reads = true;
    comparing.file = MediaType::csv;
    return {std::move(writing), std::move(comparing)};
}

std::vector<OperatorCommand> of_the_house()
{
    OperatorCommand certifying =
        act("cert issue",
            "Certify the key of a request (PKCS #10 in PEM, P-256); the key stays where it is",
            {text("name", "A partner, or operator:NAME")});
    certifying.file = MediaType::pem;
    certifying.file_option = "--csr";
    OperatorCommand moving_in =
        act("import opening", "Prepare lots, blocks and balances that the coalition brings along");
    moving_in.file = MediaType::json;
    return {
        std::move(certifying),
        std::move(moving_in),
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
        read(
            "approve show",
            "All that it says, also the message that names a member",
            {{.parameter = {"proposal", ParameterForm::integer, true, "Its id"}}}),
        act("approve reject",
            "Turn down what waits, or take it back",
            {{.parameter = {"proposal", ParameterForm::integer, true, "Its id"}},
             text_option("reason", "--reason", "Why", false)}),
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
    OperatorCommand drawing =
        act("house set-logo", "Give the house a logo, a PNG, on what it issues from now on");
    drawing.file = MediaType::png;
    return {
        read("partner list", "All partners"),
        read("partner show", "One partner's contract", {text("partner", "Its id")}),
        std::move(adding),
        of_partner("partner set-tariff", "Publish a further, dated tariff, a [tariff] table"),
        of_partner("partner set-vat", "Say how its flows are taxed from a day on, [[vat]] tables"),
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
        read("house show", "The terms of the house in force, and whether there is a logo"),
        of_file("house set-terms", "Prepare a change of the terms of a [house] table"),
        of_file("house set-company", "Say who the house is, a [company] table"),
        std::move(drawing),
        act("house withdraw-logo",
            "Have the drawn mark again, on what is issued from now on",
            {text_option("reason", "--reason", "Why")}),
        read("promotion list", "Promotions in force"),
        of_file("promotion add", "Prepare promotions, [[promotion]] tables")};
}

} // namespace
} // namespace command_form

std::span<const OperatorCommand> operator_commands()
{
    using namespace command_form;
    static const auto all = [] {
        std::vector<OperatorCommand> commands;
        for (auto group :
             {of_settlement(),
              of_reports(),
              of_the_general_ledger(),
              of_the_close(),
              of_records(),
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
