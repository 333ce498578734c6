#include "shared_ledger.hpp"

namespace pointhouse::gateway {

using ledger::Outcome;

void SharedLedger::commit(std::span<ledger::Submission> batch)
{
    const std::scoped_lock turn{turn_};
    ledger_->commit(batch);
}

void SharedLedger::quote(const ledger::Message& message, Outcome& outcome)
{
    const std::scoped_lock turn{turn_};
    ledger_->quote(message, outcome);
}

std::optional<ledger::MemberView> SharedLedger::find_member(std::string_view identifier)
{
    const std::scoped_lock turn{turn_};
    return ledger_->find_member(identifier);
}

bool SharedLedger::find_outcome(
    ledger::PartnerId partner, std::string_view message_id, Outcome& outcome)
{
    const std::scoped_lock turn{turn_};
    return ledger_->find_outcome(partner, message_id, outcome);
}

std::optional<ledger::HoldView> SharedLedger::find_hold(
    ledger::PartnerId partner, ledger::Sequence hold)
{
    const std::scoped_lock turn{turn_};
    return ledger_->find_hold(partner, hold);
}

void SharedLedger::for_each_record_of(
    ledger::MemberNumber member,
    std::optional<ledger::Sequence> before,
    const std::function<bool(const ledger::Record&)>& record)
{
    const std::scoped_lock turn{turn_};
    ledger_->for_each_record_of(member, before, record);
}

ledger::Time SharedLedger::house_time() const
{
    const std::scoped_lock turn{turn_};
    return ledger_->house_time();
}

bool SharedLedger::advance_clock(ledger::Time to)
{
    const std::scoped_lock turn{turn_};
    return ledger_->advance_clock(to);
}

void SharedLedger::mark_windows()
{
    const std::scoped_lock turn{turn_};
    ledger_->mark_windows();
}

const std::vector<ledger::Window>& SharedLedger::windows() const
{
    const std::scoped_lock turn{turn_};
    windows_ = ledger_->windows();
    return windows_;
}

void SharedLedger::book_house_entry(
    ledger::HouseSequence entry, ledger::Time at, std::span<const ledger::OpeningMember> members)
{
    const std::scoped_lock turn{turn_};
    ledger_->book_house_entry(entry, at, members);
}

ledger::HouseSequence SharedLedger::booked_house_entry()
{
    const std::scoped_lock turn{turn_};
    return ledger_->booked_house_entry();
}

void SharedLedger::publish(std::shared_ptr<const ledger::Terms> terms)
{
    const std::scoped_lock turn{turn_};
    terms_ = terms;
    ledger_->publish(std::move(terms));
}

std::unique_ptr<ledger::JournalReader> SharedLedger::open_reader()
{
    const std::scoped_lock turn{turn_};
    return ledger_->open_reader();
}

void SharedLedger::settle_down()
{
    const std::scoped_lock turn{turn_};
    ledger_->settle_down();
}

} // namespace pointhouse::gateway
