#pragma once

#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "ledger/identity_lookup.hpp"

namespace pointhouse::gateway {

/// Which members the identifiers in partners' files stand for. Remembers them from file to file,
/// up to a bound and no longer than it lives: a member of one partner is mostly one of others too,
/// and each look at the identities costs two hashes and a walk down a tree. Any thread.
class MemberNumbers {
public:
    MemberNumbers(ledger::Store& identities, const ledger::LedgerKeys& keys);

    /// The member of each identifier; none: nobody, also of an empty one. Throws
    /// ledger::StoreFailure.
    [[nodiscard]] std::vector<ledger::MemberNumber> find(
        std::span<const std::string_view> identifiers);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const
        {
            return boost::hash<std::string_view>{}(text);
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(std::string_view one, std::string_view other) const { return one == other; }
    };

    ledger::Store& identities_;
    ledger::LedgerKeys keys_;
    std::mutex mutex_; // of what follows
    boost::unordered_flat_map<std::string, ledger::MemberNumber, Hash, Equal> known_;
};

} // namespace pointhouse::gateway
