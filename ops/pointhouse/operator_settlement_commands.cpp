#include "operator_command_form.hpp"

namespace pointhouse::ops::command_form {
namespace {

std::vector<OperatorCommand> of_documents()
{
    const auto number = text("number", "Of the document, INV-2026-000001");
    OperatorCommand invoices =
        act("settle invoices",
            "The issued documents of a window: UBL, PDF, JSON, CSV (a sandbox issues them first)",
            {window()});
    invoices.out_option = "--out";
    invoices.is_made_again = true;
    OperatorCommand trace = read(
        "settle trace",
        "Every entry of the ledger behind the lines of an issued document",
        {number,
         {.parameter =
              {"line", ParameterForm::integer, false, "Entries of this line alone, from 1"},
          .option = "--line"}});
    OperatorCommand billed = read(
        "settle billed",
        "The documents and lines that a message is on",
        {text_option("partner", "--partner", "Who sent it", false),
         text_option("message", "--message", "Its message id", false),
         {.parameter =
              {"record", ParameterForm::integer, false, "Its record in the journal instead"},
          .option = "--record"}});
    trace.answers = billed.answers = {MediaType::json, MediaType::csv};
    return {
        with_pdf(read(
            "settle show",
            "Positions, flows, documents and trial balance of a window",
            {window()})),
        act("settle draft", "Prepare the documents of a closed window for approval", {window()}),
        act("settle issue",
            "Number the approved documents of a window and book them",
            {window(), late_reason()}),
        std::move(invoices),
        read(
            "settle documents",
            "Issued documents and their states",
            {{.parameter = {"window", ParameterForm::window, false, window_words}}}),
        std::move(trace),
        std::move(billed),
        act("settle credit",
            "Issue a credit note over a document, or over a part of a line",
            {number,
             {.parameter =
                  {"line", ParameterForm::integer, false, "From 1; else the whole document"},
              .option = "--line"},
             {.parameter = {"points", ParameterForm::integer, false, "Of the line, at its price"},
              .option = "--points"},
             amount_option("net_minor", "--amount", "Of the line, net of VAT", false),
             text_option("reason", "--reason", "Why")}),
        act("settle sent",
            "Note that a document went out",
            {number, text_option("to", "--to", "Where it went", false)}),
        act("settle answer",
            "Note what the receiver of a document said",
            {number,
             text("answer", "accepted, queried or rejected"),
             text_option("reason", "--reason", "Why", false)})};
}

CommandParameter amount(std::string_view description)
{
    return {
        .parameter = {"amount_minor", ParameterForm::integer, true, description},
        .typed = Typed::minor};
}

CommandParameter program()
{
    return text_option(
        "program", "--program", "Which of the house's; `none`: of partners without one", false);
}

std::vector<OperatorCommand> of_nets()
{
    OperatorCommand statement = read(
        "settle statement",
        "Every document of a netted window, and what it does to each party",
        {window(),
         text_option("currency", "--currency", "Of the documents; else the house's", false),
         program()});
    statement.answers = {MediaType::json, MediaType::csv};
    return {
        act("settle net",
            "Net the issued documents of a window, once, each program for itself",
            {window(),
             amount_option("minimum_minor", "--minimum", "Nets closer to zero wait", false),
             text_option("method", "--method", "gross, bilateral or multilateral", false),
             text_option("pay_in", "--pay-in", "The currency in which nets are paid", false),
             text_option("rate", "--rate", "The recorded rate; else the newest", false),
             program(),
             late_reason()}),
        read("settle nets", "What each partner pays or gets for a window", {window(), program()}),
        std::move(statement)};
}

std::vector<OperatorCommand> of_payments()
{
    const auto partner = text("partner", "Its id");
    OperatorCommand paying =
        act("settle payments",
            "Write the pay-outs of a window as pain.001, once for each program and currency",
            {window(),
             text_option("currency", "--currency", "Of the payments; else the house's", false),
             program(),
             text_option("reissue", "--reissue", "Why it is written once more", false)});
    paying.answers = {MediaType::xml};
    paying.out_option = "--out";
    return {
        act("settle paid",
            "Note that a net was paid, where no bank statement says so",
            {window(),
             partner,
             amount("Above zero: paid out; below: in"),
             program(),
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
        program(),
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
             amount("Above zero: brought; below: given back"),
             text_option("currency", "--currency", "Of the amount; else the house's", false),
             text_option("evidence", "--evidence", "What shows it")}),
        read("fx list", "All rates of exchange"),
        act("fx set",
            "Record the rate of a day",
            {{.parameter = {"day", ParameterForm::day, true, "2026-06-30"}},
             text("from", "A currency, EUR"),
             text("to", "Another one, USD"),
             text("rate", "Units of `to` for one of `from`, as a decimal: 1.0850")}),
        act("fx withdraw",
            "Take a rate back that nothing was issued or booked at",
            {text("id", "As the list has it, EUR-USD-2026-06-30"),
             text_option("reason", "--reason", "Why")})};
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
             text_option("account", "--account", "Where to: write_off, bank_charges", false),
             late_reason()}),
        act("bank assign",
            "Say what an open row pays, where no rule does",
            {{.parameter = {"row", ParameterForm::integer, true, "Its number, of bank/rows"}},
             text("reference", "What it pays, PH-2026-06-GRO"),
             amount_option("amount_minor", "--amount", "Of the row; else all that is open", false),
             text_option("reason", "--reason", "Why")}),
        act("bank write-off",
            "Book what pays nothing: a bank's charge, a residual",
            {{.parameter = {"row", ParameterForm::integer, true, "Its number, of bank/rows"}},
             text("account", "bank_charges or write_off"),
             amount_option("amount_minor", "--amount", "Of the row; else all that is open", false),
             text_option("reason", "--reason", "Why")}),
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
             text_option("billed", "--billed", "too_much, or too_little of self-billed", false),
             text_option("reason", "--reason", "A Peppol code: QTY, PRI, OTH"),
             text_option("evidence", "--evidence", "What shows it")}),
        act("dispute answer", "Say that the house does not agree, and why", {dispute, words}),
        act("dispute escalate", "The partner insists", {dispute, words}),
        act("dispute decide",
            "End it; what is agreed is one correcting document",
            {dispute,
             amount_option("agreed_minor", "--agreed", "Net of VAT; 0: nothing", true),
             words}),
        act("dispute lapse", "End what nobody acted on in time, as its stage says"),
        read("dispute list", "All disputes")};
}

} // namespace

std::vector<OperatorCommand> of_settlement()
{
    std::vector<OperatorCommand> commands;
    for (auto group :
         {of_documents(), of_nets(), of_payments(), of_defaults(), of_the_bank(), of_disputes()})
        commands.insert(commands.end(), group.begin(), group.end());
    return commands;
}

} // namespace pointhouse::ops::command_form
