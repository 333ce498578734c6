#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/command.hpp"
#include "gateway/request_record.hpp"
#include "ledger/books.hpp"
#include "ledger/house_record.hpp"
#include "ledger/ledger.hpp"
#include "partners/registry.hpp"
#include "settlement/register.hpp"

namespace pointhouse::gateway {

/// The house cannot be opened or made, in words for the person at the keyboard.
class HouseFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Another process works on the data folder.
class LeaseHeld : public HouseFailure {
public:
    using HouseFailure::HouseFailure;
};

/// Why what waited for approval is not booked.
struct NotBooked {
    std::string_view code{}; // of the wire; empty: no code of its own
    std::string reason{};
};

/// What the house's time follows: the machine's clock or, in a sandbox, the messages it accepts.
enum class ClockKind : std::uint8_t { system, messages };

/// DATA/pointhouse.toml: what a person may change between two starts. What can not change
/// (currency, time zone, kind of house) stands in the house's own record.
struct HouseConfig {
    std::string store = "sqlite"; // or postgres://…
    std::string listen = "127.0.0.1:8443";
    std::string admin = "127.0.0.1:8444";
    /// Names and addresses beside localhost under which partners reach it: in the server's
    /// certificate and as values of Host.
    std::vector<std::string> hosts{};
    std::int64_t cached_members_max = 1'000'000;
};

/// The files of a data folder.
struct HouseFolder {
    std::filesystem::path root;

    [[nodiscard]] std::filesystem::path config() const { return root / "pointhouse.toml"; }
    [[nodiscard]] std::filesystem::path lock() const { return root / "lock"; }
    [[nodiscard]] std::filesystem::path clock() const { return root / "clock"; }
    [[nodiscard]] std::filesystem::path control_socket() const { return root / "control.sock"; }
    [[nodiscard]] std::filesystem::path keys() const { return root / "keys"; }
    [[nodiscard]] std::filesystem::path certificates() const { return root / "certs"; }
    [[nodiscard]] std::filesystem::path house() const { return root / "house.db"; }
    [[nodiscard]] std::filesystem::path record() const { return root / "record"; }
    [[nodiscard]] std::filesystem::path identities() const { return root / "identities.db"; }
    [[nodiscard]] std::filesystem::path books() const { return root / "books.db"; }
    [[nodiscard]] std::filesystem::path proposals() const { return root / "proposals"; }
    /// The file that came with what one operator prepared, until it is booked.
    [[nodiscard]] std::filesystem::path proposal(ledger::HouseSequence id) const;
    [[nodiscard]] std::filesystem::path ledger() const { return root / "ledger"; }
    [[nodiscard]] std::filesystem::path journal(std::size_t shard) const
    {
        return ledger() / ("journal-" + std::to_string(shard) + ".db");
    }
};

/// The answer of a request, to be given again.
struct RequestAnswer {
    std::string_view command{};             // "settle paid"
    std::optional<std::string_view> body{}; // none: it is made again, the same
};

class Projector;     // gateway/projector.hpp
class StoreSnapshot; // house_stores.hpp

/// A data folder, opened: the stores and all that stands on them. Holds the folder's lease, and
/// that of its database, for as long as it lives. All calls on one thread, the house's (the I/O
/// thread while it serves), unless they say otherwise.
class House {
public:
    /// Takes the lease and opens the registry; the ledger and the books open when they are asked
    /// for. `clock` none: the clock that the house last ran with. Throws LeaseHeld, HouseFailure,
    /// ledger::StoreFailure.
    explicit House(
        const std::filesystem::path& data, std::optional<ClockKind> clock = std::nullopt);
    /// Stops the projector and settles the ledger down, so that the next start replays nothing.
    ~House();
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    [[nodiscard]] const HouseFolder& folder() const;
    [[nodiscard]] const HouseConfig& config() const;
    [[nodiscard]] ClockKind clock_kind() const;
    /// Turns a sandbox that has never run to the message clock. False: it has run on the system's.
    bool take_message_clock();

    [[nodiscard]] partners::Registry& registry();
    /// Documents and payments, as the house's record has them now.
    [[nodiscard]] const settlement::Register& documents();
    /// Appends what an act of settlement came to, and books the money in it.
    void record(const settlement::NewEntry& entry);
    /// What came of operators' requests, by their message ids.
    [[nodiscard]] const RequestRecord& requests();
    /// What is done from now on came of this request, and happens whole or not at all: with
    /// `end_request`, which records the answer, too, if there is one to be given again, or never,
    /// with `drop_request`. The house is tended before; nothing is booked between. Throws
    /// ledger::StoreFailure: nothing happened, or it did and the request's next sending finds it.
    void begin_request(const partners::RequestId& request);
    void end_request(const std::optional<RequestAnswer>& answer);
    void drop_request();
    /// Until it is let go no message is committed but by this thread, so that what a step finds is
    /// still so when it has acted.
    [[nodiscard]] std::unique_lock<std::recursive_mutex> hold_messages();
    /// The house's own record, for checks on a connection of their own. Any thread.
    [[nodiscard]] ledger::Store& record_store();
    [[nodiscard]] ledger::Store& identity_store();
    [[nodiscard]] const ledger::LedgerKeys& ledger_keys() const;
    /// What the ids on the wire are made with, so that they say nothing to who reads them.
    [[nodiscard]] const std::array<std::byte, 16>& wire_key() const;
    /// A reading connection to the journal that does not need the ledger to be open.
    [[nodiscard]] std::unique_ptr<ledger::JournalReader> open_reader();

    /// Opens the ledger the first time: recovers, and is ready when it returns.
    [[nodiscard]] ledger::Ledger& ledger();
    /// The books without a projector: what they hold now.
    [[nodiscard]] ledger::Books& books();
    /// Damaged books cannot be cleared: they are removed, unless they are open already.
    void discard_books();
    /// The projector of the books, started the first time.
    [[nodiscard]] Projector& projector();
    /// Whether it is a month that the ledger has booked in, or books in now.
    [[nodiscard]] bool knows_window(ledger::Month month);
    /// The entry of the house's record that closed a window; none: it is open.
    [[nodiscard]] std::optional<ledger::HouseSequence> closing_of(ledger::Month month) const;

    /// All stores as they are now, held for a backup.
    [[nodiscard]] std::unique_ptr<StoreSnapshot> snapshot_stores();
    /// Another process has taken the house's database; this one can do nothing more. Any thread.
    [[nodiscard]] bool is_overtaken() const;

    /// Ends disputes that nobody acted on in time, and periods to object, brings the ledger up to
    /// the registry's terms, books what the house's own record moves, marks the windows that time
    /// has passed and, on the message clock, closes those that are drained. After each command, and
    /// by a coarse timer.
    void tend();
    /// Puts what waits in force and books it. Refused, too, when its file is not there any more; a
    /// message that the ledger refuses was approved none the less.
    [[nodiscard]] ledger::Result<void, NotBooked> approve(
        ledger::HouseSequence proposal, bool as_both);
    /// Turns down what waits, or takes it back; its file goes with it.
    [[nodiscard]] partners::Registry::Accepted<void> reject(
        ledger::HouseSequence proposal, std::string_view reason);
    /// Who gives the commands from now on: an operator by name; empty: whoever is at the keyboard
    /// of a sandbox.
    void act_as(std::string operator_name);
    /// The act of a person at this keyboard, now.
    [[nodiscard]] partners::Registry::Act act() const;

private:
    void lapse();
    void forget_folds();

    struct State;
    std::unique_ptr<State> state_;
};

/// Keeps the file of what one operator prepared until it is booked. Throws HouseFailure.
void keep_proposal(const HouseFolder& folder, ledger::HouseSequence id, std::string_view text);

/// What became of a proposal, for people.
[[nodiscard]] std::string words_of(
    ledger::HouseSequence id, const partners::DecidedProposal& decided);

/// What `init` is told.
struct NewHouse {
    std::filesystem::path data;
    std::string store = "sqlite"; // or postgres://…, a database that holds no house
    std::string currency = "EUR";
    std::string time_zone = "UTC";
    std::string face_value = "0.010000"; // of a point, for the member
    std::size_t shards = 1;              // of its journal, up to ledger::shards_max
    bool production = false;
};

/// Makes a house in a folder that is missing or empty: keys, CA, configuration, empty stores.
/// Throws HouseFailure and leaves nothing half made.
void make_house(const NewHouse& plan);

} // namespace pointhouse::gateway
