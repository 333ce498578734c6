#pragma once

#include "ledger/journal.hpp"

namespace pointhouse::ledger {

/// Holds a reader's snapshot while it lives. Pre: the reader holds none.
class JournalSnapshot {
public:
    explicit JournalSnapshot(JournalReader& journal) : journal_{journal}
    {
        journal_.begin_snapshot();
    }
    ~JournalSnapshot() { journal_.end_snapshot(); }
    JournalSnapshot(const JournalSnapshot&) = delete;
    JournalSnapshot& operator=(const JournalSnapshot&) = delete;

private:
    JournalReader& journal_;
};

} // namespace pointhouse::ledger
