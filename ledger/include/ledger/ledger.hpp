#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/journal.hpp"
#include "ledger/lot.hpp"
#include "ledger/message.hpp"
#include "ledger/posting.hpp"
#include "ledger/result.hpp"
#include "ledger/store.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// What became of a submitted message.
enum class Disposition : std::uint8_t {
    decided,     // booked or refused just now; durable
    replayed,    // the same message was decided before: its first outcome
    refused,     // a refusal that leaves no trace (`Outcome::refusal`)
    unavailable, // nothing is known to be booked; send it again
};

struct Outcome {
    Disposition disposition = Disposition::unavailable;
    Refusal refusal = Refusal::overloaded; // of Disposition::refused
    Record record{};                       // of decided and replayed
    std::vector<char> kept_id;             // what the id of a replayed record points into

    /// Copies the record's message id, so that it outlives the block it was read from. Moving an
    /// outcome keeps it valid.
    void keep_message_id(std::string_view id)
    {
        kept_id.assign(id.begin(), id.end());
        record.message_id = {kept_id.data(), kept_id.size()};
    }
};

/// A message on its way in, and its outcome on the way back.
struct Submission {
    Message message{};
    Outcome outcome{};
};

/// A lot that a member brings along when a coalition moves in.
struct OpeningLot {
    TariffVersion tariff{}; // of its issuer
    Points points{};        // up to points_per_message_max
    Time activity{};
    Day expires_on = never;
    std::optional<Time> available_at{}; // pending until then; none: active
};
inline constexpr std::size_t opening_lots_max = 256; // in one record
/// A member as an opening brings it along; with many lots, several of it.
struct OpeningMember {
    std::string_view identifier{};
    std::vector<OpeningLot> lots{}; // up to opening_lots_max
};

/// A member as of the last durable commit. Views are valid until the next call that commits.
struct MemberView {
    MemberNumber number{};
    Balance balance{};
    std::span<const Lot> lots{}; // active, in draw order
    Day lapses_on = never;       // when all of them expire, unless the member does something
};

enum class HoldState : std::uint8_t { open, captured, released, ended };

/// A hold as of the last durable commit.
struct HoldView {
    HoldState state = HoldState::open;
    Points points{};   // that were set aside
    Points captured{}; // of them
    Time expires_at{};
};

/// The figures of one ledger, for metrics. Read from any thread.
struct LedgerCounters {
    std::uint64_t records = 0;
    std::uint64_t commits = 0;
    std::uint64_t commit_failures = 0;
    std::uint64_t replayed = 0;
    std::uint64_t members_cached = 0;
    std::uint64_t members_dirty = 0;
    std::uint64_t commit_micros_last = 0;
    std::uint64_t commit_micros_max = 0;
    bool may_commit = true; // false from a commit that failed until one succeeds
};

/// The house's secrets, made by `init`, kept in files of mode 0400 apart from the data they
/// protect.
struct LedgerKeys {
    std::array<std::byte, 32> identity{};    // HMAC of member identifiers
    std::array<std::byte, 32> content{};     // salt of the content digests
    std::array<std::byte, 16> fingerprint{}; // SipHash of message ids
};

struct LedgerOptions {
    std::filesystem::path folder{}; // of the index runs and the head file
    LedgerKeys keys{};
    const Clock* clock = nullptr; // null: the sandbox's message clock
    std::size_t cached_members_max = 1'000'000;
    /// After a commit that failed: how long until the journal is looked at again.
    std::chrono::milliseconds retry_after{100};
    LotLimits lot_limits{}; // others in tests alone
};

/// Decides messages and makes them durable: the one writer of points. Identities, message ids,
/// member state and journal behind one door. One call at a time, on whatever thread.
class Ledger {
public:
    virtual ~Ledger() = default;

    /// Decides each message in order and commits them in one durable transaction (group commit).
    /// When it returns, every outcome is durable or says that it is not.
    virtual void commit(std::span<Submission> batch) = 0;
    /// What would happen; nothing is booked. The record has no sequence.
    virtual void quote(const Message& message, Outcome& outcome) = 0;

    [[nodiscard]] virtual std::optional<MemberView> find_member(std::string_view identifier) = 0;
    /// The frozen outcome of a partner's message. False: the house knows none.
    virtual bool find_outcome(PartnerId partner, std::string_view message_id, Outcome& outcome) = 0;
    /// A hold that this partner made, by the record that made it.
    [[nodiscard]] virtual std::optional<HoldView> find_hold(PartnerId partner, Sequence hold) = 0;
    /// The member's records below `before` (none: from the newest), newest first, until `record`
    /// returns false.
    virtual void for_each_record_of(
        MemberNumber member,
        std::optional<Sequence> before,
        const std::function<bool(const Record&)>& record) = 0;

    /// The house's time: the system's, or in the sandbox's message clock the latest accepted.
    [[nodiscard]] virtual Time house_time() const = 0;
    /// Message clock only, forward only: false when it would go back.
    virtual bool advance_clock(Time to) = 0;
    /// Writes the cut markers that the clock has passed, and posts a slice of what is due. Called
    /// by a coarse timer and before commits.
    virtual void mark_windows() = 0;
    [[nodiscard]] virtual const std::vector<Window>& windows() const = 0;

    /// Books an entry of the house's own record that moves money, in one durable commit: a step of
    /// the journal that names it, and so puts it into exactly one window, and the lots that members
    /// bring along with it. On the message clock the house's time is then at least `at`. Entries
    /// come in their order, once. Pre: terms that know the entry are published. Throws
    /// StoreFailure.
    virtual void book_house_entry(
        HouseSequence entry, Time at, std::span<const OpeningMember> members) = 0;
    /// The last entry so booked; none: none was.
    [[nodiscard]] virtual HouseSequence booked_house_entry() = 0;

    /// New terms apply from the next decision on.
    virtual void publish(std::shared_ptr<const Terms> terms) = 0;
    [[nodiscard]] virtual std::shared_ptr<const Terms> terms() const = 0;

    [[nodiscard]] virtual Sequence head() const = 0;
    [[nodiscard]] virtual std::unique_ptr<JournalReader> open_reader() = 0;
    [[nodiscard]] virtual LedgerCounters counters() const = 0;
    /// Writes back all member state and seals the index, so that the next start replays nothing.
    virtual void settle_down() = 0;
};

/// Opens the ledger over its ports: recovers by replaying the journal's tail, and is ready when it
/// returns. The ports must outlive it. Throws StoreFailure, or std::runtime_error naming what is
/// missing or broken (a journal shorter than the head file says).
std::unique_ptr<Ledger> open_ledger(
    Journal& journal, Store& identities, std::shared_ptr<const Terms> terms, LedgerOptions options);

/// What `verify` found. `fault` names the first bad entry; empty when all is sound.
struct Verification {
    std::string fault{};
    std::uint64_t messages = 0; // records of partners
    std::uint64_t postings = 0; // of them booked
    std::uint64_t blocks = 0;
    Sequence last{};
    Digest head{};
};

struct VerifyOptions {
    std::filesystem::path folder{};
    LedgerKeys keys{};
    bool from_scratch = false; // decide every message again, too
    LotLimits lot_limits{};    // those of the ledger
    /// Called now and then with the share done, in thousandths.
    std::function<void(int)> progress{};
};

/// Recomputes everything that the journal says (hashes, member states, index, windows, control
/// totals) in one snapshot and compares. Own thread and reader; safe beside a serving ledger.
Verification verify_journal(
    JournalReader& journal,
    Store& identities,
    const TermsHistory& terms,
    const VerifyOptions& options);

} // namespace pointhouse::ledger
