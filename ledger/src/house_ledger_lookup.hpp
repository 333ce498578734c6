#pragma once

#include "house_ledger.hpp"

namespace pointhouse::ledger {

/// The message that a reversal names, with the memory that its views point into.
struct HouseLedger::LoadedOriginal {
    Outcome outcome;
    Original reversed;
};

/// Whom a message is about, and what.
struct HouseLedger::Parties {
    MemberNumber number;
    Member* member = nullptr;   // null: the house does not know it
    Member* receiver = nullptr; // of a transfer, of a merge
    MemberNumber identifier_of; // another that has the identifier to add
    bool replaces_own = true;   // the identifier to replace is the member's
    bool is_replaced = false;   // the message came under an identifier that was replaced
    LoadedOriginal original;
    bool has_original = false;

    [[nodiscard]] static const Member* known(const Member* member)
    {
        return member != nullptr && member->is_enrolled() ? member : nullptr;
    }
};

} // namespace pointhouse::ledger
