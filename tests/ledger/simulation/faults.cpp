#include "simulation/faults.hpp"

namespace pointhouse::ledger::test {

bool Faults::happens(int thousandths)
{
    if (is_quiet || static_cast<int>(random_() % 1'000) >= thousandths) return false;
    ++injected_;
    return true;
}

Faults::Commit Faults::next_commit()
{
    if (is_quiet) full_for_ = 0;
    if (full_for_ > 0) {
        --full_for_;
        return Commit::not_written;
    }
    if (happens(filling)) full_for_ = 1 + random_() % 12;
    return happens(commits) ? static_cast<Commit>(1 + random_() % 5) : Commit::none;
}

void FailingJournal::may_fail()
{
    if (faults_.reading_fails()) throw StoreFailure{"a simulated read failed"};
}

JournalState FailingJournal::state()
{
    may_fail();
    return journal_.state();
}

void FailingJournal::read_members(
    std::span<const MemberNumber> members, const std::function<void(const MemberRow&)>& row)
{
    may_fail();
    journal_.read_members(members, row);
}

std::span<const std::byte> FailingJournal::block_with(Sequence sequence)
{
    may_fail();
    return journal_.block_with(sequence);
}

void FailingJournal::for_each_block(
    Sequence from, const std::function<bool(const JournalCommit::Block&)>& block)
{
    // A read may also break off between two blocks.
    journal_.for_each_block(from, [&](const JournalCommit::Block& row) {
        may_fail();
        return block(row);
    });
}

CommitResult FailingJournal::commit(const JournalCommit& commit)
{
    const Faults::Commit fault = faults_.next_commit();
    switch (fault) {
    case Faults::Commit::none: return journal_.commit(commit);
    case Faults::Commit::not_written: return CommitResult::not_written;
    case Faults::Commit::unknown_not_written: return CommitResult::unknown;
    case Faults::Commit::killed_before: throw Killed{};
    case Faults::Commit::unknown_written:
    case Faults::Commit::killed_after: break;
    }
    // It is the answer that got lost, not the commit.
    if (journal_.commit(commit) != CommitResult::durable)
        throw StoreFailure{"the store below failed by itself"};
    if (fault == Faults::Commit::killed_after) throw Killed{};
    return CommitResult::unknown;
}

void FailingJournal::reopen()
{
    if (faults_.reopening_fails()) throw StoreFailure{"a simulated reopening failed"};
    journal_.reopen();
}

std::unique_ptr<JournalReader> FailingJournal::open_reader()
{
    may_fail();
    return journal_.open_reader();
}

void FailingStore::transact(const std::function<void(Transaction&)>& work)
{
    switch (faults_.next_commit()) {
    case Faults::Commit::none: return store_.transact(work);
    case Faults::Commit::not_written:
    case Faults::Commit::unknown_not_written: throw StoreFailure{"a simulated transaction failed"};
    case Faults::Commit::killed_before: throw Killed{};
    case Faults::Commit::unknown_written:
        store_.transact(work);
        throw StoreFailure{"a simulated answer to a transaction was lost", true};
    case Faults::Commit::killed_after: store_.transact(work); throw Killed{};
    }
}

void FailingStore::read(const std::function<void(Transaction&)>& work)
{
    if (faults_.reading_fails()) throw StoreFailure{"a simulated read failed"};
    store_.read(work);
}

} // namespace pointhouse::ledger::test
