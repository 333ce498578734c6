#include "ledger_house.hpp"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace pointhouse::ledger::test {

std::shared_ptr<Terms> standard_terms()
{
    auto terms = std::make_shared<Terms>();
    terms->as_of = HouseSequence{1};
    terms->currency = *find_currency("EUR");
    terms->face_value = Micro{10'000};
    terms->calendar = std::make_shared<const Calendar>("UTC");
    const std::array names{"grocer", "fuel", "bookshop", "charity"};
    for (std::uint32_t number = 1; number <= names.size(); ++number) {
        const bool is_charity = number == names.size();
        terms->partners.push_back(
            {.partner = PartnerId{number},
             .name = names[number - 1],
             .roles = {.issuer = !is_charity, .redeemer = !is_charity, .charity = is_charity},
             .tariffs = {number - 1}});
        terms->tariffs.push_back(
            {.version = TariffVersion{number},
             .partner = PartnerId{number},
             .issue_price = Micro{10'000},
             .service_fee = Micro{1'000},
             .reimbursement = Micro{9'500}});
    }
    return terms;
}

CommitResult FaultyJournal::commit(const JournalCommit& commit)
{
    most_members = std::max(most_members, commit.members.size());
    if (is_full) return CommitResult::not_written;
    if (fails_after > 0 && --fails_after == 0) return CommitResult::not_written;
    switch (std::exchange(next, Fault::none)) {
    case Fault::none: return journal_.commit(commit);
    case Fault::not_written: return CommitResult::not_written;
    case Fault::unknown_not_written: return CommitResult::unknown;
    case Fault::unknown_written:
        static_cast<void>(journal_.commit(commit));
        return CommitResult::unknown;
    }
    return CommitResult::unknown;
}

std::filesystem::path new_house_folder()
{
    const std::filesystem::path shared = "/dev/shm";
    const auto base =
        std::filesystem::is_directory(shared) ? shared : std::filesystem::temp_directory_path();
    std::string name = (base / "pointhouse-ledger-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw StoreFailure{"no temporary folder"};
    return name;
}

LedgerHouse::LedgerHouse(bool message_clock)
    : folder{new_house_folder()}, message_clock_{message_clock}
{
    stores_.emplace(folder);
    open();
}

LedgerHouse::~LedgerHouse()
{
    close(false);
    stores_.reset();
    std::filesystem::remove_all(folder);
}

void LedgerHouse::open()
{
    identities = stores_->open_store("identities");
    journal = stores_->open_journal();
    faulty = std::make_unique<FaultyJournal>(*journal);
    LedgerOptions options{.folder = folder, .cached_members_max = cached_members_max};
    options.keys.identity.fill(std::byte{1});
    options.keys.content.fill(std::byte{2});
    options.keys.fingerprint.fill(std::byte{3});
    options.retry_after = std::chrono::milliseconds{1};
    options.lot_limits = lot_limits;
    if (!message_clock_) options.clock = &clock;
    ledger = open_ledger(*faulty, *identities, terms, options);
}

void LedgerHouse::close(bool cleanly)
{
    if (ledger && cleanly) ledger->settle_down();
    ledger.reset();
    faulty.reset();
    journal.reset();
    identities.reset();
}

std::vector<Outcome> LedgerHouse::send(const std::vector<Message>& messages)
{
    std::vector<Submission> batch(messages.size());
    for (std::size_t place = 0; place < messages.size(); ++place)
        batch[place].message = messages[place];
    ledger->commit(batch);
    std::vector<Outcome> outcomes;
    for (Submission& submission : batch) outcomes.push_back(std::move(submission.outcome));
    return outcomes;
}

Outcome LedgerHouse::send(const Message& message)
{
    return send(std::vector{message}).front();
}

Balance LedgerHouse::balance(std::string_view member)
{
    const auto found = ledger->find_member(member);
    return found ? found->balance : Balance{};
}

Verification LedgerHouse::verify()
{
    VerifyOptions options{.folder = folder, .from_scratch = true, .lot_limits = lot_limits};
    options.keys.identity.fill(std::byte{1});
    options.keys.content.fill(std::byte{2});
    options.keys.fingerprint.fill(std::byte{3});
    const FixedTerms history{terms};
    const auto reader = journal->open_reader();
    return verify_journal(*reader, *identities, history, options);
}

namespace {

Message message_of(
    MessageType type,
    PartnerId partner,
    std::string_view id,
    std::string_view member,
    std::int64_t points)
{
    return {
        .type = type,
        .partner = partner,
        .message_id = id,
        .member = member,
        .occurred_at = *parse_time("2026-06-02T10:00:00Z"),
        .points = Points{points}};
}

} // namespace

Message accrual(
    PartnerId partner, std::string_view id, std::string_view member, std::int64_t points)
{
    return message_of(MessageType::accrual, partner, id, member, points);
}

Message redemption(
    PartnerId partner, std::string_view id, std::string_view member, std::int64_t points)
{
    return message_of(MessageType::redemption, partner, id, member, points);
}

Message clawback(
    PartnerId partner, std::string_view id, std::string_view member, std::int64_t points)
{
    return message_of(MessageType::clawback, partner, id, member, points);
}

Message reversal(PartnerId partner, std::string_view id, std::string_view reverses)
{
    Message message = message_of(MessageType::reversal, partner, id, {}, 1);
    message.points.reset();
    message.reverses = reverses;
    return message;
}

} // namespace pointhouse::ledger::test
