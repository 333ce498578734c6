#include "member_numbers.hpp"

namespace pointhouse::gateway {
namespace {

// About 100 MB.
constexpr std::size_t known_max = 1'000'000;

} // namespace

MemberNumbers::MemberNumbers(ledger::Store& identities, const ledger::LedgerKeys& keys)
    : identities_{identities}, keys_{keys}
{}

std::vector<ledger::MemberNumber> MemberNumbers::find(std::span<const std::string_view> identifiers)
{
    std::vector<ledger::MemberNumber> numbers(identifiers.size());
    std::vector<std::size_t> missing; // places in `identifiers`
    {
        const std::scoped_lock lock{mutex_};
        for (std::size_t place = 0; place < identifiers.size(); ++place) {
            if (identifiers[place].empty()) continue;
            const auto found = known_.find(identifiers[place]);
            if (found != known_.end())
                numbers[place] = found->second;
            else
                missing.push_back(place);
        }
    }
    if (missing.empty()) return numbers;

    boost::unordered_flat_map<std::string_view, ledger::MemberNumber> looked_up;
    for (const auto place : missing) looked_up.try_emplace(identifiers[place]);
    std::vector<std::string_view> asked;
    for (const auto& [identifier, number] : looked_up) asked.push_back(identifier);
    const auto members = ledger::members_of(identities_, keys_, asked);
    for (std::size_t place = 0; place < asked.size(); ++place)
        looked_up[asked[place]] = members[place];
    for (const auto place : missing) numbers[place] = looked_up[identifiers[place]];

    const std::scoped_lock lock{mutex_};
    for (const auto& [identifier, number] : looked_up) {
        if (known_.size() >= known_max) break;
        known_.try_emplace(std::string{identifier}, number);
    }
    return numbers;
}

} // namespace pointhouse::gateway
