#include <fmt/format.h>
#include <memory>

#include "answers.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string file;
};

} // namespace

void declare_import(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& group = declare_group(app, "import", "Opening balances");
    auto& opening = declare_in_house(
        group,
        "opening",
        "Take over lots, blocks and balances as one balanced record",
        invocation,
        [options](gateway::House&, const Invocation&) {
            return not_yet(fmt::format("import opening balances ({})", options->file));
        });
    opening.add_option("FILE", options->file)->required()->type_name("FILE.json");
}

} // namespace pointhouse::ops
