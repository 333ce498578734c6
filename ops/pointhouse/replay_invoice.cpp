#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "answers.hpp"
#include "commands.hpp"
#include "partners/registry.hpp"
#include "settlement/invoice_replay.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string log;
    std::string terms;
    std::string partner;
    std::string window;
    std::string invoice;
    std::string house_file;
    std::string currency;
    std::string time_zone;
};

/// A file that cannot be used, in words.
CommandFailure unusable(const std::string& file, std::string_view reason)
{
    return CommandFailure{fmt::format("{}: {}", file, reason)};
}

template <class Value, class Fault>
Value value_or_failure(
    std::expected<Value, Fault> read, const std::string& file, std::string (*words)(const Fault&))
{
    if (!read) throw unusable(file, words(read.error()));
    return std::move(*read);
}

std::string words_of(const partners::ContractFault& fault)
{
    return fault.reason;
}

std::string words_of(const std::string& fault)
{
    return fault;
}

/// The house's currency and time zone, as the contract or the command line says.
struct HouseFrame {
    ledger::Currency currency;
    std::unique_ptr<ledger::Calendar> calendar;
};

HouseFrame read_frame(const Options& options, std::string_view toml)
{
    const ledger::Calendar utc{"UTC"};
    const auto table = partners::parse_house_terms(toml, utc);
    const auto chosen = [](const std::string& typed, const auto& written, const char* usual) {
        return !typed.empty() ? typed : written.value_or(usual);
    };
    const partners::HouseTable house = table ? *table : partners::HouseTable{};
    const auto code = chosen(options.currency, house.currency, "EUR");
    const auto currency = ledger::find_currency(code);
    if (!currency) throw CommandFailure{fmt::format("{} is no currency", code)};
    return {
        .currency = *currency,
        .calendar =
            std::make_unique<ledger::Calendar>(chosen(options.time_zone, house.time_zone, "UTC"))};
}

settlement::ReplayTerms read_terms(
    const Options& options, std::string_view toml, const HouseFrame& frame)
{
    auto contract = value_or_failure(
        partners::parse_contract(toml, options.partner, *frame.calendar), options.terms, words_of);
    settlement::ReplayTerms terms{
        .partner = options.partner,
        .window = read_window(options.window),
        .currency = frame.currency,
        .calendar = *frame.calendar,
        .is_prepaid = contract.terms.billing == ledger::Billing::prepaid,
        .funds_promotions = !contract.promotions.empty(),
        .tariffs = std::move(contract.tariffs),
        .vat = {}};
    for (const auto& row : contract.vat) {
        for (const auto& flow : row.flows) {
            terms.vat.push_back(
                {.partner = {},
                 .charge = flow,
                 .valid_from = row.valid_from,
                 .treatment = row.treatment,
                 .category = row.category,
                 .rate_basis_points = row.rate_basis_points,
                 .is_gross = row.is_gross,
                 .tax_point = settlement::find_tax_point(row.tax_point).value()});
        }
    }
    return terms;
}

int replay_invoice(const Options& options, const Invocation& typed)
{
    const auto text_of = [&](const std::string& file) { return read_text(typed.path(file)); };
    const auto toml = text_of(options.terms);
    const auto frame = read_frame(options, toml);
    const auto terms = read_terms(options, toml, frame);
    const auto log = value_or_failure(
        settlement::parse_message_log(text_of(options.log)), options.log, settlement::in_words);
    const auto documents = value_or_failure(
        settlement::parse_documents(text_of(options.invoice), options.partner, terms.window),
        options.invoice,
        words_of);
    std::optional<settlement::PartnerFile> house_file;
    if (!options.house_file.empty())
        house_file = value_or_failure(
            settlement::parse_partner_file(text_of(options.house_file)),
            options.house_file,
            settlement::in_words);

    const auto replay =
        settlement::replay_invoice(log, documents, terms, house_file ? &*house_file : nullptr);
    fmt::print(
        "{}",
        typed.json ? settlement::invoice_replay_json(replay) + "\n"
                   : settlement::invoice_replay_in_words(replay));
    return replay.agrees() ? 0 : 1;
}

} // namespace

void declare_replay_invoice(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_alone(
        app,
        "replay-invoice",
        "For a partner: compute its statements from its own message log, and name what differs",
        invocation,
        [options](const Invocation& typed) { return replay_invoice(*options, typed); });
    command.add_option("LOG", options->log, "What was sent and answered, a JSON object a line")
        ->required();
    command.add_option("--partner", options->partner, "Its id")->required();
    command.add_option("--window", options->window, "A month, 2026-06")->required();
    command.add_option("--terms", options->terms, "The contract as TOML")
        ->required()
        ->type_name("FILE");
    command.add_option("--invoice", options->invoice, "Statements as JSON")
        ->required()
        ->type_name("FILE");
    command.add_option("--house-file", options->house_file, "The house's own reconciliation file")
        ->type_name("FILE");
    command.add_option("--currency", options->currency, "The house's; default: the contract's");
    command.add_option("--time-zone", options->time_zone, "The house's; default: the contract's");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
