#include <fmt/format.h>
#include <memory>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"
#include "ledger/journal_export.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;

constexpr std::size_t output_part_bytes = std::size_t{1} << 18U;

struct Options {
    std::string format;
    std::string file;
    bool by_member = false;
};

using Write = std::function<void(std::string_view)>;

CommandResult export_to_file(
    const std::filesystem::path& file, const std::function<std::uint64_t(const Write&)>& write_all)
{
    WholeFile whole{file};
    const auto postings = write_all([&whole](std::string_view text) { whole.write(text); });
    whole.finish();
    return done(fmt::format("{} postings in {}\n", postings, file.string()));
}

CommandStep export_journal(House& house, const Options& options, const Invocation& typed)
{
    const auto format = ledger::find_export_format(options.format);
    if (!format) return refused("a journal is exported as hledger, beancount or csv");
    const std::shared_ptr<ledger::JournalReader> journal = house.open_reader();
    const ledger::ExportOptions chosen{.format = *format, .by_member = options.by_member};
    const auto file = options.file.empty() ? std::filesystem::path{} : typed.path(options.file);
    return [journal, chosen, file, &terms = house.registry()](Console& console) {
        const auto write_all = [&](const Write& write) {
            return ledger::export_journal(*journal, terms, chosen, write);
        };
        if (!file.empty()) return export_to_file(file, write_all);

        std::string part;
        write_all([&](std::string_view text) {
            part += text;
            if (part.size() < output_part_bytes) return;
            console.print(part);
            part.clear();
        });
        return done(std::move(part));
    };
}

} // namespace

void declare_export(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "export", "The house's books for other programs");
    const auto options = std::make_shared<Options>();
    auto& journal = declare_in_house(
        group,
        "journal",
        "Every posting with all its lines, for an independent book-keeping program",
        invocation,
        [options](House& house, const Invocation& typed) {
            return export_journal(house, *options, typed);
        });
    journal.add_option("--format", options->format)
        ->required()
        ->check(CLI::IsMember({"hledger", "beancount", "csv"}));
    journal.add_option("--out", options->file, "Default: standard output")->type_name("FILE");
    journal.add_flag("--by-member", options->by_member, "An account per member number");
    declare_export_gl(group, invocation);
}

} // namespace pointhouse::ops
