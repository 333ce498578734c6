#include <fmt/format.h>
#include <memory>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "gateway/projector.hpp"
#include "ledger/accounts.hpp"
#include "settle_documents.hpp"
#include "settlement/reports.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using ledger::Micro;

/// The house's accounts as its books have them, and what they were taken from. Taken on the house's
/// thread; sums up beside it.
class TrustSource {
public:
    explicit TrustSource(House& house)
        : projector_{house.projector()}, books_{house.books()}, terms_{house.registry().terms()},
          entries_{house.registry().entries_with_money().size()}
    {
        house.tend();
        head_ = house.ledger().head();
        for (const auto& window : house.ledger().windows()) windows_.push_back(window.month);
    }

    /// What the points do not need: JUNE-2026, invariant 6, after settlement.
    [[nodiscard]] Micro free_of_trust(Console& console) const
    {
        projector_.wait_for(head_, console);
        settlement::GlBalances balances;
        const auto add = [&](const ledger::AccountLine& line) {
            if (ledger::is_in_money(line.account))
                balances[{line.account, line.partner}] += Micro{line.amount};
        };
        for (const ledger::Month window : windows_) {
            for (const auto& position : books_.positions(window))
                for (const auto& line : ledger::lines_of(position, *terms_)) add(line);
            for (const auto& line : books_.house_lines(window, *terms_)) add(line);
        }
        const auto found = settlement::coverage(balances, {}, *terms_, ledger::Time{});
        return found.trust_cash - found.covered();
    }

    /// Nothing moved money beside the points since.
    [[nodiscard]] bool is_current(House& house) const
    {
        return house.registry().entries_with_money().size() == entries_;
    }

private:
    gateway::Projector& projector_;
    ledger::Books& books_;
    std::shared_ptr<const ledger::Terms> terms_;
    std::size_t entries_;
    ledger::Sequence head_;
    std::vector<ledger::Month> windows_;
};

CommandResult release(House& house, Micro amount, const Invocation& typed)
{
    const auto permitted = ask_permission(
        house, fmt::format("release {} from trust", ledger::format_micro(amount)), typed);
    if (permitted.waiting) return *permitted.waiting;
    const auto terms = house.registry().terms();
    record_permitted(house, settlement::Register::release_trust(amount, *terms), permitted);
    return report(
        typed,
        {{"released_micro", amount.count()}},
        fmt::format("{} {} released\n", ledger::format_micro(amount), terms->currency.code));
}

CommandStep release_trust(House& house, const std::string& typed_amount, const Invocation& typed)
{
    require_operator(house, typed, "moves money out of trust");
    const auto amount = ledger::parse_micro(typed_amount);
    if (!amount || amount->count() <= 0)
        throw CommandFailure{fmt::format(
            "{} is no amount to release: above zero, of at most six decimals", typed_amount)};
    auto source = std::make_shared<const TrustSource>(house);
    return gateway::LongWork{
        [source = std::move(source), amount = *amount, typed](
            Console& console) -> gateway::WorkEnd {
            return NextStep{
                [source, amount, typed, free = source->free_of_trust(console)](
                    House& served) -> CommandStep {
                    if (!source->is_current(served))
                        return refused("money was moved meanwhile; give the command again");
                    if (amount > free) {
                        return refused(fmt::format(
                            "{} of the trust account is not needed for points and blocks: {} is "
                            "too "
                            "much",
                            ledger::format_micro(free),
                            ledger::format_micro(amount)));
                    }
                    return release(served, amount, typed);
                }};
        }};
}

} // namespace

void declare_settle_trust(CLI::App& settle, Invocation& invocation)
{
    const auto amount = std::make_shared<std::string>();
    auto& command = declare_in_house(
        settle,
        "release-trust",
        "Move what no points need any more out of trust",
        invocation,
        [amount](House& house, const Invocation& typed) {
            return release_trust(house, *amount, typed);
        });
    command.add_option("AMOUNT", *amount)->required();
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
