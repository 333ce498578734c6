#include <algorithm>
#include <fmt/format.h>

#include "ledger/sharded_journal.hpp"
#include "simulation/world.hpp"

// The process of the simulated house: how it starts, dies and is looked at.

namespace pointhouse::ledger::test {

LedgerOptions World::options() const
{
    LedgerOptions options{.folder = folder_, .cached_members_max = 4};
    options.keys.identity.fill(std::byte{1});
    options.keys.content.fill(std::byte{2});
    options.keys.fingerprint.fill(std::byte{3});
    // The machine's own time must not decide anything here.
    options.retry_after = std::chrono::milliseconds{0};
    // Few, so that lots fold all the time.
    options.lot_limits = {.open_max = 6, .folded_to = 3};
    if (!is_message_clock_) options.clock = &clock_;
    return options;
}

void World::open()
{
    const bool was_quiet = faults_.is_quiet;
    for (int attempt = 0; !ledger_; ++attempt) {
        if (attempt == 20) be_quiet(true);
        try {
            drop();
            identities_ = databases_->open_store("identities");
            failing_identities_ = std::make_unique<FailingStore>(*identities_, faults_);
            open_journal();
            reader_ = journal_->open_reader();
            Journal& journal = failing_journal_ ? *failing_journal_ : *journal_;
            ledger_ =
                open_ledger(journal, *failing_identities_, history_.versions.back(), options());
        } catch (const StoreFailure& failure) {
            // Only what was injected may keep a house from starting.
            if (std::string_view{failure.what()}.find("trusted") != std::string_view::npos)
                return note(failure.what());
        } catch (const Killed&) {
            continue;
        }
    }
    be_quiet(was_quiet);
}

std::unique_ptr<Journal> World::open_shard(std::uint16_t shard)
{
    if (stores_ == Stores::memory)
        return std::make_unique<MemoryJournal>(disks_.at(shard - std::size_t{1}));
    return databases_->open_shard(shard);
}

// Of several shards each fails for itself: what one commit decided may be durable in some of them.
void World::open_journal()
{
    if (shards_ == 1) {
        journal_ = open_shard(1);
        failing_journal_ = std::make_unique<FailingJournal>(*journal_, faults_);
        return;
    }
    std::vector<std::unique_ptr<Journal>> failing;
    for (std::uint16_t shard = 1; shard <= shards_; ++shard) {
        shard_stores_.push_back(open_shard(shard));
        failing.push_back(std::make_unique<FailingJournal>(
            *shard_stores_.back(), shard_faults_.at(shard - std::size_t{1})));
    }
    journal_ = open_sharded_journal(std::move(failing), folder_);
}

void World::be_quiet(bool is_quiet)
{
    faults_.is_quiet = is_quiet;
    for (Faults& faults : shard_faults_) faults.is_quiet = is_quiet;
}

std::uint64_t World::faults() const
{
    std::uint64_t injected = faults_.injected();
    for (const Faults& faults : shard_faults_) injected += faults.injected();
    return injected;
}

void World::drop()
{
    ledger_.reset();
    reader_.reset();
    failing_journal_.reset();
    journal_.reset();
    shard_stores_.clear();
    failing_identities_.reset();
    identities_.reset();
}

void World::restart(bool cleanly)
{
    ++restarts_;
    try {
        if (cleanly && ledger_) ledger_->settle_down();
    } catch (const StoreFailure&) {
        // It stops in the middle of that, then.
    } catch (const Killed&) {
        cleanly = false;
    }
    drop();
    // An index run that got lost is made again.
    if (chance(20))
        for (const auto& file : std::filesystem::recursive_directory_iterator{folder_ / "index"})
            if (file.path().extension() == ".run") {
                std::filesystem::remove(file.path());
                break;
            }
    open();
}

void World::count_new_blocks()
{
    reader_->for_each_block(
        Sequence{recount_.last().value() + 1}, [&](const JournalReader::BlockRow& row) {
            // Where nothing is new, a database may show the last one again.
            if (row.first > recount_.last()) note(recount_.add(row, *history_.versions.back()));
            return fault_.empty();
        });
}

// The tariff of an accrual is the sender's in force at the activity, by the terms of the decision.
void World::check_prices(const Record& record)
{
    const Terms& terms = *history_.terms_at(record.terms);
    if (record.type != MessageType::accrual || record.refusal || !record.promotion.is_none() ||
        terms.partner(record.partner).billing == Billing::prepaid)
        return;
    const Tariff* in_force = nullptr;
    for (const Tariff& tariff : terms.tariffs) {
        if (tariff.partner != record.partner || tariff.is_block()) continue;
        if (tariff.valid_from > record.occurred_at) continue;
        if (in_force == nullptr || tariff.valid_from >= in_force->valid_from) in_force = &tariff;
    }
    for (const Entry& entry : record.entries)
        if (entry.kind == EntryKind::issued &&
            (in_force == nullptr || entry.lot.tariff != in_force->version))
            note(fmt::format("record {}: not the tariff in force", record.sequence.value()));
}

void World::look_at_everything()
{
    restart(chance(50));
    at_the_door([&] { ledger_->mark_windows(); });
    note(letters_.check_all(recount_));
    if (recount_.is_anything_in_transit()) note("something is on its way for ever");
    for (const auto& [key, exchange] : letters_.all()) {
        if (!fault_.empty() || !exchange.answer) continue;
        Outcome outcome;
        if (!ledger_->find_outcome(key.first, key.second, outcome))
            note(key.second + ": acknowledged, and not found");
        else if (!same_record(outcome.record, *exchange.answer))
            note(key.second + ": found otherwise than acknowledged");
    }
    check_members();
    if (!fault_.empty()) return;
    VerifyOptions verify{.folder = folder_, .from_scratch = true};
    verify.keys = options().keys;
    verify.lot_limits = options().lot_limits;
    note(verify_journal(*reader_, *identities_, history_, verify).fault);
}

void World::check_members()
{
    const Time now = ledger_->house_time();
    const Day today = calendar_->day_of(now);
    std::vector<MemberNumber> numbers;
    for (const auto& [name, number] : letters_.numbers()) {
        numbers.push_back(number);
        const CountedMember* counted = recount_.find_member(number);
        const auto shown = ledger_->find_member(name);
        if (counted == nullptr || !shown) return note(name + " has records, or is shown, not both");
        if (shown->number != number) return note(name + " has another number");
        if (counted->is_behind(now, today)) continue; // shown as it will be
        if (shown->balance != counted->balance(today)) return note(name + " has another balance");
        std::size_t open = 0;
        for (const auto& [key, lot] : counted->lots) open += lot.active > 0 ? 1 : 0;
        if (open != shown->lots.size()) return note(name + " has other lots");
        for (const Lot& lot : shown->lots) {
            const auto& same = counted->lots.at(lot.provenance.key);
            if (same.active != lot.remaining.count() || same.provenance != lot.provenance)
                return note(name + " has another lot");
        }
    }
    std::ranges::sort(numbers);
    if (std::ranges::adjacent_find(numbers) != numbers.end()) note("two members have one number");
}

} // namespace pointhouse::ledger::test
