#include "ledger/identity_lookup.hpp"

#include "sha256.hpp"

namespace pointhouse::ledger {

std::vector<MemberNumber> members_of(
    Store& identities, const LedgerKeys& keys, std::span<const std::string_view> identifiers)
{
    std::vector<Digest> hmacs;
    hmacs.reserve(identifiers.size());
    for (const auto identifier : identifiers)
        hmacs.push_back(hmac_sha256(keys.identity, std::as_bytes(std::span{identifier})));
    const std::vector<Parameter> cells{hmacs.begin(), hmacs.end()};
    std::vector<MemberNumber> members(identifiers.size());
    identities.read([&](Transaction& transaction) {
        transaction.for_each_of(
            "SELECT member FROM identity WHERE identifier_hmac = $1",
            1,
            cells,
            [&](std::size_t place, const Row& row) {
                members[place] =
                    MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(row.at(0)))};
            });
    });
    return members;
}

} // namespace pointhouse::ledger
