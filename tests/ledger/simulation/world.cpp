#include "simulation/world.hpp"

#include <array>
#include <fmt/format.h>

namespace pointhouse::ledger::test {
namespace {

using Envelope = Correspondence::Envelope;

// Where time is not plain: a leap day, both changes of the hour, the ends of years and months.
constexpr std::array starts{
    "2024-02-27T12:00:00Z",
    "2026-03-28T20:00:00Z",
    "2026-10-24T20:00:00Z",
    "2026-12-30T12:00:00Z",
    "2026-06-28T09:00:00Z"};
constexpr std::array zones{"UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"};

// Brands of every sort: prepaid and postpaid, waiting and not, with each bearer of debts.
std::shared_ptr<Terms> first_terms(
    std::mt19937_64& random, std::shared_ptr<const Calendar> calendar)
{
    auto terms = standard_terms();
    terms->calendar = std::move(calendar);
    for (Tariff& tariff : terms->tariffs) {
        if (random() % 2 == 0)
            tariff.expiry = ExpiryPolicy{
                .months = static_cast<std::int32_t>(random() % 3),
                .at_month_end = random() % 2 == 0};
        tariff.pending_days = static_cast<std::int32_t>(random() % 3) * 7;
        tariff.breakage_issuer = static_cast<std::int32_t>(random() % 2);
        tariff.prefund_share = {
            .numerator = static_cast<std::int32_t>(random() % 3), .denominator = 2};
    }
    for (PartnerTerms& partner : terms->partners) {
        const auto share = [&random] { return static_cast<std::int32_t>(random() % 3); };
        partner.debt_shares = {.issuer = 1 + share(), .redeemer = share(), .house = share()};
        partner.excess_clawbacks_allowed = random() % 3 != 0;
    }
    if (random() % 3 == 0) terms->partners[0].credit_limit = Micro{20'000'000};
    PartnerTerms& tank = terms->partners[1];
    if (random() % 2 == 0) {
        tank.billing = Billing::prepaid;
        tank.on_short = random() % 2 == 0 ? OnShort::refuse : OnShort::next_block;
        terms->tariffs[1].prefund_share = {};
        for (const std::int64_t points : {500, 700, 1'000, 100'000}) {
            Tariff block = terms->tariffs[1];
            block.version = TariffVersion{static_cast<std::uint32_t>(terms->tariffs.size() + 1)};
            block.block = Points{points};
            tank.blocks.push_back(static_cast<std::uint32_t>(terms->tariffs.size()));
            terms->tariffs.push_back(block);
        }
    }
    terms->promotions.push_back(
        {.id = PromotionId{1},
         .name = "together",
         .funders = {{.partner = fuel, .share = 4}, {.partner = grocer, .share = 1}},
         .from = *parse_day("2020-01-01"),
         .to = *parse_day("2030-01-01"),
         .cap = Points{random() % 2 == 0 ? 2'000 : 0}});
    return terms;
}

} // namespace

World::World(std::uint64_t seed, Stores stores, std::uint16_t shards)
    : random_{seed}, stores_{stores}, is_message_clock_{random_() % 3 == 0},
      folder_{new_house_folder()},
      calendar_{std::make_shared<const Calendar>(zones.at(random_() % zones.size()))},
      shards_{shards}, faults_{random_()}, recount_{*calendar_}, writer_{random_, seed % 4 == 0}
{
    disks_.resize(shards);
    for (std::uint16_t shard = 1; shard < shards; ++shard) shard_faults_.emplace_back(random_());
    if (shards > 1) shard_faults_.emplace_back(random_());
    clock_.time = *parse_time(starts.at(random_() % starts.size()));
    history_.versions.push_back(first_terms(random_, calendar_));
    databases_.emplace(folder_);
    open();
}

World::~World()
{
    drop();
    databases_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string World::live(int steps)
{
    for (int number = 0; number < steps && fault_.empty(); ++number) step();
    be_quiet(true);
    // All that is under way gets its answer; what names something unknown may never get one.
    for (int round = 0; round < 20 && !outbox_.empty() && fault_.empty(); ++round) send_some();
    if (fault_.empty()) look_at_everything();
    return fault_;
}

void World::step()
{
    move_clock();
    if (chance(4)) change_terms();
    write_letters();
    if (chance(20)) quote_next();
    send_some();
    if (chance(30)) ask();
    if (chance(7)) restart(chance(30));
}

void World::write_letters()
{
    for (std::uint64_t left = random_() % 6; left > 0; --left)
        outbox_.push_back(letters_.post(writer_.write(clock_.time)));
    // A client that is not sure sends again, also what was answered long ago, and some get the
    // content wrong.
    if (!chance(30)) return;
    const auto earlier = letters_.any(random_);
    if (!earlier) return;
    if (chance(25))
        outbox_.push_back(
            letters_.post_again(*earlier, writer_.altered(letters_.letter(*earlier))));
    else
        outbox_.push_back(*earlier);
}

// Several clients' messages, interleaved anyhow; what is not taken waits, and so overtakes.
void World::send_some()
{
    std::ranges::shuffle(outbox_, random_);
    const std::size_t count = std::min<std::size_t>(outbox_.size(), 1 + random_() % 8);
    std::vector<Envelope> batch(outbox_.end() - static_cast<std::ptrdiff_t>(count), outbox_.end());
    outbox_.resize(outbox_.size() - count);
    if (!batch.empty()) send(std::move(batch));
}

void World::at_the_door(const std::function<void()>& work)
{
    try {
        work();
    } catch (const StoreFailure&) {
        // It could not: nothing may have come of it, or all.
    } catch (const Killed&) {
        restart(false);
    }
    if (fault_.empty()) count_new_blocks();
}

void World::send(std::vector<Envelope> batch)
{
    std::vector<Submission> submissions(batch.size());
    for (std::size_t place = 0; place < batch.size(); ++place)
        submissions[place].message = letters_.letter(batch[place]).message();
    bool is_answered = false;
    before_ = recount_.last();
    at_the_door([&] {
        ledger_->commit(submissions);
        is_answered = true;
    });
    for (std::size_t place = 0; place < batch.size() && fault_.empty(); ++place) {
        if (is_answered)
            take_answer(batch[place], submissions[place].outcome);
        else
            outbox_.push_back(batch[place]);
    }
}

void World::take_answer(const Envelope& envelope, const Outcome& outcome)
{
    const bool is_lost = chance(10);
    switch (outcome.disposition) {
    case Disposition::unavailable:
        outbox_.push_back(envelope);
        if (chance(10))
            outbox_.back() =
                letters_.post_again(envelope, writer_.altered(letters_.letter(envelope)));
        return;
    case Disposition::refused:
        note(letters_.take_refused(envelope, outcome.refusal, recount_, before_));
        if (outcome.refusal != Refusal::message_id_reused && chance(40) && !faults_.is_quiet)
            outbox_.push_back(envelope);
        return;
    case Disposition::decided:
    case Disposition::replayed:
        if (is_lost) return outbox_.push_back(envelope);
        note(letters_.take(envelope, outcome.record, recount_));
        check_prices(outcome.record);
        if (outcome.disposition == Disposition::decided && !outcome.record.refusal)
            writer_.remember(letters_.letter(envelope), outcome.record.sequence);
        return;
    }
}

void World::move_clock()
{
    using namespace std::chrono;
    const auto span = [this](std::int64_t most) {
        return microseconds{
            static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most))};
    };
    constexpr std::int64_t minute = 60'000'000;
    constexpr std::int64_t day = 24 * 60 * minute;
    const std::uint64_t kind = random_() % 20;
    if (kind < 12)
        clock_.time += span(10 * minute);
    else if (kind < 16)
        clock_.time += span(2 * day);
    else if (kind == 16)
        clock_.time += span(45 * day);
    else if (kind == 17 && !is_message_clock_)
        clock_.time -= span(3 * day);
    else if (kind == 18) {
        // To the very instant at which a month begins, or the one before.
        const Month next = calendar_->month_of(clock_.time).next();
        clock_.time = calendar_->start_of(next) - microseconds{random_() % 2};
    }
    if (is_message_clock_ && chance(20))
        at_the_door([&] { static_cast<void>(ledger_->advance_clock(clock_.time)); });
    if (chance(20)) at_the_door([&] { ledger_->mark_windows(); });
}

// A tariff that begins before, now or soon; a contract that is changed.
void World::change_terms()
{
    auto terms = std::make_shared<Terms>(*history_.versions.back());
    terms->as_of = HouseSequence{terms->as_of.value() + 1};
    PartnerTerms& partner = terms->partners.at(random_() % 3);
    const bool is_prepaid = partner.billing == Billing::prepaid;
    partner.excess_clawbacks_allowed = chance(60);
    Tariff tariff = terms->tariffs.at(partner.tariffs.back());
    tariff.version = TariffVersion{static_cast<std::uint32_t>(terms->tariffs.size() + 1)};
    tariff.valid_from = clock_.time + std::chrono::hours{random_() % 96} - std::chrono::hours{48};
    tariff.issue_price = Micro{8'000 + 2'000 * static_cast<std::int64_t>(random_() % 3)};
    tariff.pending_days = static_cast<std::int32_t>(random_() % 2) * 5;
    tariff.reimbursement = Micro{7'000 + 500 * static_cast<std::int64_t>(random_() % 6)};
    tariff.prefund_share = {
        .numerator = is_prepaid ? 2 : static_cast<std::int32_t>(random_() % 3), .denominator = 2};
    partner.tariffs.push_back(static_cast<std::uint32_t>(terms->tariffs.size()));
    terms->tariffs.push_back(tariff);
    history_.versions.push_back(terms);
    at_the_door([&] { ledger_->publish(history_.versions.back()); });
}

// Reads between commits: they too may bring rows into memory, or fail.
void World::ask()
{
    const auto earlier = letters_.any(random_);
    if (!earlier) return;
    at_the_door([&] {
        Outcome outcome;
        const bool is_known = ledger_->find_outcome(earlier->partner, earlier->id, outcome);
        count_new_blocks(); // of several shards, a house that looks again finds some
        const Record* booked = recount_.find(earlier->partner, earlier->id);
        if (is_known != (booked != nullptr))
            note("a message is known and not booked, or so");
        else if (is_known && !same_record(*booked, outcome.record))
            note("a message changed");
    });
    at_the_door([&] {
        const std::string name = fmt::format("member-{}", random_() % Writer::members);
        const auto found = ledger_->find_member(name);
        count_new_blocks();
        if (!found) return;
        const Time now = ledger_->house_time();
        const Day today = calendar_->day_of(now);
        const CountedMember* counted = recount_.find_member(found->number);
        if (counted == nullptr) return note(name + " is shown, and has no record");
        if (!counted->is_behind(now, today) && found->balance != counted->balance(today))
            return note(name + " is shown with another balance");
        ledger_->for_each_record_of(found->number, std::nullopt, [&](const Record& record) {
            if (record.member != found->number) note("a record in another member's chain");
            return true;
        });
    });
}

// A quote is what comes to pass when the message is sent at once.
void World::quote_next()
{
    const Envelope envelope = letters_.post(writer_.write(clock_.time));
    Outcome quoted;
    bool is_quoted = false;
    at_the_door([&] {
        ledger_->quote(letters_.letter(envelope).message(), quoted);
        is_quoted = true;
    });
    std::vector<Submission> submission(1);
    submission[0].message = letters_.letter(envelope).message();
    const Outcome& outcome = submission[0].outcome;
    bool is_answered = false;
    at_the_door([&] {
        ledger_->commit(submission);
        is_answered = true;
    });
    if (!is_quoted || !is_answered || outcome.disposition != Disposition::decided) {
        outbox_.push_back(envelope);
        return;
    }
    if (quoted.disposition != Disposition::decided ||
        quoted.record.refusal != outcome.record.refusal ||
        quoted.record.points != outcome.record.points ||
        quoted.record.balance != outcome.record.balance)
        note(fmt::format(
            "{} {} came out otherwise than quoted: {} points, not {}; {} available, "
            "not {}; {} owed, not {}",
            name_of(outcome.record.type),
            envelope.id,
            outcome.record.points.count(),
            quoted.record.points.count(),
            outcome.record.balance.available.count(),
            quoted.record.balance.available.count(),
            outcome.record.balance.debt.count(),
            quoted.record.balance.debt.count()));
    take_answer(envelope, outcome);
}

void World::note(std::string fault)
{
    if (fault_.empty() && !fault.empty()) fault_ = std::move(fault);
}

} // namespace pointhouse::ledger::test
