#include "gateway/house.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "certs/authority.hpp"
#include "gateway/projector.hpp"
#include "house_bookings.hpp"
#include "house_files.hpp"
#include "house_stores.hpp"
#include "log.hpp"
#include "shared_ledger.hpp"

namespace pointhouse::gateway {

namespace fs = std::filesystem;

namespace {

void require_private_keys(const HouseFolder& folder)
{
    for (const auto& entry : fs::recursive_directory_iterator{folder.certificates()})
        if (entry.path().filename() == "key.pem") require_private(entry.path());
}

// The folder that was asked about, for the use of an initializer.
const HouseFolder& require_house(const HouseFolder& folder)
{
    if (!fs::exists(folder.config())) {
        throw HouseFailure{fmt::format(
            "{} holds no house; make one with: pointhouse init --data {}",
            folder.root.string(),
            folder.root.string())};
    }
    return folder; // NOLINT(bugprone-return-const-ref-from-parameter): a caller's named one
}

} // namespace

/// Members are in the order in which they open; they close in reverse.
struct House::State {
    State(const fs::path& data, std::optional<ClockKind> wished)
        : folder{data}, lease{require_house(folder).lock()}, config{read_config(folder.config())},
          keys{read_ledger_keys(folder.keys())}, wire_key{read_wire_key(folder.keys())},
          stores{open_house_stores(folder, config.store)}, record_store{stores->open_record()},
          record{*record_store, folder.record()}, registry{record}
    {
        require_private_keys(folder);
        if (record.entries().empty())
            throw HouseFailure{folder.root.string() + " was never founded"};
        const auto remembered = remembered_clock(folder.clock());
        const bool is_production = registry.founding().production;
        has_run = remembered.has_value();
        // A sandbox that has never run has no time of its own yet: nothing must happen by itself.
        clock_kind = wished.value_or(
            remembered.value_or(is_production ? ClockKind::system : ClockKind::messages));
        if (is_production && clock_kind == ClockKind::messages)
            throw HouseFailure{"a production house runs on the system's clock"};
        if (wished && wished != remembered) remember_clock(folder.clock(), *wished);
        has_run = has_run || wished.has_value();
    }

    ledger::Store& identity_store()
    {
        if (!identities) identities = stores->open_identities();
        return *identities;
    }
    ledger::Journal& open_journal()
    {
        if (!journal) journal = stores->open_journal(registry.founding().shards);
        return *journal;
    }

    HouseFolder folder;
    Lease lease;
    HouseConfig config;
    ledger::LedgerKeys keys;
    std::array<std::byte, 16> wire_key;
    ClockKind clock_kind = ClockKind::system;
    std::string actor = "sandbox";
    bool has_run = false;
    bool has_looked_for_messages = false; // approved before this process, and not booked then
    ledger::SystemClock system_clock;
    std::unique_ptr<HouseStores> stores;
    std::unique_ptr<ledger::Store> record_store;
    ledger::HouseRecord record;
    partners::Registry registry;
    settlement::Register documents;
    std::size_t documents_through = 0; // entries of the record that the register has taken
    RequestRecord requests;
    std::size_t requests_through = 0;
    std::optional<partners::RequestId> request; // of which comes what is done now
    ledger::Day lapsed_on = 0; // the last day of the house on which it was looked what lapsed
    ledger::HouseSequence lapsed_through{};
    std::unique_ptr<ledger::Store> identities;
    std::unique_ptr<ledger::Journal> journal;
    std::unique_ptr<SharedLedger> points;
    std::unique_ptr<ledger::Store> books_store;
    std::unique_ptr<ledger::Books> books;
    std::unique_ptr<Projector> projector;
};

House::House(const fs::path& data, std::optional<ClockKind> clock)
    : state_{std::make_unique<State>(data, clock)}
{}

House::~House()
{
    state_->projector.reset();
    if (!state_->points) return;
    try {
        state_->points->settle_down();
    } catch (const std::exception& failure) {
        // Nothing is lost: the next start replays what was not written back.
        log_event(LogLevel::warning, "settle_down_failed", {{LogField::reason, failure.what()}});
    }
}

const HouseFolder& House::folder() const
{
    return state_->folder;
}

const HouseConfig& House::config() const
{
    return state_->config;
}

ClockKind House::clock_kind() const
{
    return state_->clock_kind;
}

bool House::take_message_clock()
{
    if (state_->clock_kind != ClockKind::messages) return false;
    if (!state_->has_run) remember_clock(state_->folder.clock(), ClockKind::messages);
    state_->has_run = true;
    return true;
}

partners::Registry& House::registry()
{
    return state_->registry;
}

const settlement::Register& House::documents()
{
    const auto& entries = state_->record.entries();
    for (; state_->documents_through < entries.size(); ++state_->documents_through)
        state_->documents.apply(entries[state_->documents_through]);
    return state_->documents;
}

const RequestRecord& House::requests()
{
    const auto& entries = state_->record.entries();
    for (; state_->requests_through < entries.size(); ++state_->requests_through)
        state_->requests.apply(entries[state_->requests_through]);
    return state_->requests;
}

void House::begin_request(const partners::RequestId& request)
{
    tend();
    state_->request = request;
    registry().hold();
}

void House::end_request(const std::optional<RequestAnswer>& answer)
{
    try {
        if (answer) {
            boost::json::object content{{"command", answer->command}};
            if (answer->body) content.emplace("answer", *answer->body);
            registry().append("request_answered", boost::json::serialize(content), act());
        }
        // An approval is durable already: it was booked.
        if (registry().is_holding()) registry().write_held();
    } catch (const ledger::StoreFailure&) {
        state_->request.reset(); // what else is done is not its
        forget_folds();
        throw;
    }
    state_->request.reset();
    tend();
}

void House::drop_request()
{
    state_->request.reset();
    if (registry().is_holding()) registry().drop_held();
    if (state_->documents_through > state_->record.entries().size() ||
        state_->requests_through > state_->record.entries().size())
        forget_folds();
}

std::unique_lock<std::recursive_mutex> House::hold_messages()
{
    if (!state_->points) return {};
    return state_->points->hold();
}

/// They are made anew from the record, which lost what was held.
void House::forget_folds()
{
    state_->documents = {};
    state_->documents_through = 0;
    state_->requests = {};
    state_->requests_through = 0;
}

void House::record(const settlement::NewEntry& entry)
{
    static_cast<void>(ledger()); // what moves money is booked at once
    registry().append(entry.kind, entry.content, act());
    tend();
}

ledger::Store& House::record_store()
{
    return *state_->record_store;
}

ledger::Store& House::identity_store()
{
    return state_->identity_store();
}

const ledger::LedgerKeys& House::ledger_keys() const
{
    return state_->keys;
}

const std::array<std::byte, 16>& House::wire_key() const
{
    return state_->wire_key;
}

std::unique_ptr<ledger::JournalReader> House::open_reader()
{
    return state_->open_journal().open_reader();
}

ledger::Ledger& House::ledger()
{
    if (!state_->points) {
        state_->points = std::make_unique<SharedLedger>(ledger::open_ledger(
            state_->open_journal(),
            state_->identity_store(),
            state_->registry.terms(),
            {.folder = state_->folder.ledger(),
             .keys = state_->keys,
             .clock = state_->clock_kind == ClockKind::system ? &state_->system_clock : nullptr,
             .cached_members_max = static_cast<std::size_t>(state_->config.cached_members_max)}));
    }
    return *state_->points;
}

ledger::Books& House::books()
{
    if (state_->books) return *state_->books;
    try {
        state_->books_store = state_->stores->open_books();
        state_->books = std::make_unique<ledger::Books>(*state_->books_store, state_->registry);
    } catch (const ledger::StoreFailure& failure) {
        if (failure.out_of_reach) throw;
        throw ledger::StoreFailure{fmt::format("books: {}", failure.what()), failure.unknown};
    }
    return *state_->books;
}

void House::discard_books()
{
    if (!state_->books) state_->stores->discard_books();
}

Projector& House::projector()
{
    if (!state_->projector) state_->projector = std::make_unique<Projector>(books(), open_reader());
    return *state_->projector;
}

bool House::knows_window(ledger::Month month)
{
    const auto& windows = ledger().windows();
    return std::ranges::find(windows, month, &ledger::Window::month) != windows.end();
}

std::optional<ledger::HouseSequence> House::closing_of(ledger::Month month) const
{
    if (!state_->registry.is_closed(month)) return std::nullopt;
    for (const auto& entry : state_->record.entries()) {
        if (entry.kind != "window_closed") continue;
        const auto content = boost::json::parse(entry.content).as_object();
        if (ledger::parse_month(std::string_view{content.at("window").as_string()}) == month)
            return entry.sequence;
    }
    return std::nullopt;
}

std::unique_ptr<StoreSnapshot> House::snapshot_stores()
{
    return state_->stores->snapshot(state_->registry.founding().shards);
}

bool House::is_overtaken() const
{
    return state_->stores->are_lost();
}

void House::tend()
{
    // What is not durable is not booked.
    if (!state_->points || registry().is_holding()) return;
    auto& points = *state_->points;
    lapse();
    if (points.terms()->as_of != state_->registry.terms()->as_of)
        points.publish(state_->registry.terms());
    book_house_entries(state_->registry, points, state_->folder);
    if (!std::exchange(state_->has_looked_for_messages, true)) {
        for (const auto& [id, fault] :
             book_approved_messages(state_->registry, points, state_->folder))
            log_event(
                LogLevel::warning, "approved_message_refused", {{LogField::reason, fault.reason}});
    }
    points.mark_windows();
    if (state_->clock_kind != ClockKind::messages) return;

    // On the test clock months end by themselves: nobody is there to close them.
    for (const auto& window : points.windows()) {
        if (window.drained.is_none() || state_->registry.is_closed(window.month)) continue;
        state_->registry.window_closed(
            window.month, window.cut, {.actor = "house", .at = state_->system_clock.now()});
    }
    if (points.terms()->as_of != state_->registry.terms()->as_of)
        points.publish(state_->registry.terms());
}

/// Once a day of the house, and after each entry of its record.
void House::lapse()
{
    const auto terms = state_->registry.terms();
    const auto today = terms->calendar->day_of(state_->points->house_time());
    if (documents().through() == state_->lapsed_through && today == state_->lapsed_on) return;
    const bool is_new_day = std::exchange(state_->lapsed_on, today) != today;
    for (const auto& id : documents().overdue_disputes(today)) {
        const auto agreed = documents().disputes().find(id)->second.default_agreement();
        const auto entry = documents().decide_dispute(
            id, agreed, "nobody acted in time", {.today = today, .terms = terms});
        if (!entry) {
            log_event(
                LogLevel::warning,
                "dispute_not_lapsed",
                {{LogField::reason, entry.error().reason}});
            continue;
        }
        registry().append(
            entry->kind, entry->content, {.actor = "house", .at = state_->system_clock.now()});
        log_event(LogLevel::info, "dispute_lapsed", {{LogField::reason, id}});
    }
    for (const auto& entry : documents().count_as_accepted(today))
        registry().append(
            entry.kind, entry.content, {.actor = "house", .at = state_->system_clock.now()});
    state_->lapsed_through = documents().through();
    if (!is_new_day) return;
    for (const auto& [id, dispute] : documents().disputes()) {
        if (!dispute.is_due_soon(today)) continue;
        const auto words =
            fmt::format("{} is to be acted on by {}", id, ledger::format_day(dispute.act_by));
        log_event(LogLevel::warning, "dispute_due_soon", {{LogField::reason, words}});
    }
}

ledger::Result<void, NotBooked> House::approve(ledger::HouseSequence proposal, bool as_both)
{
    static_cast<void>(ledger()); // what is approved is booked at once
    if (auto fault = fault_of_proposal(state_->registry, proposal, state_->folder))
        return std::unexpected(NotBooked{.code = {}, .reason = std::move(*fault)});
    auto act = this->act();
    act.today = registry().terms()->calendar->day_of(ledger().house_time());
    const auto approved = state_->registry.approve(proposal, as_both, act);
    if (!approved) return std::unexpected(NotBooked{.code = {}, .reason = approved.error().reason});
    if (registry().is_holding()) registry().write_held();
    tend();
    auto faults = book_approved_messages(state_->registry, ledger(), state_->folder);
    if (const auto fault = faults.extract(proposal))
        return std::unexpected(NotBooked{
            .code = fault.mapped().code, .reason = "approved; but " + fault.mapped().reason});
    return {};
}

partners::Registry::Accepted<void> House::reject(
    ledger::HouseSequence proposal, std::string_view reason)
{
    auto rejected = state_->registry.reject(proposal, reason, act());
    std::error_code ignored; // of most kinds there is no file
    if (rejected) fs::remove(state_->folder.proposal(proposal), ignored);
    return rejected;
}

partners::Registry::Act House::act() const
{
    return {
        .actor = state_->actor,
        .at = state_->system_clock.now(),
        .request = state_->request ? &*state_->request : nullptr};
}

void House::act_as(std::string operator_name)
{
    state_->actor = operator_name.empty() ? "sandbox" : std::move(operator_name);
}

namespace {

void fill_new_house(const HouseFolder& folder, const NewHouse& plan)
{
    const ledger::SystemClock clock;
    make_keys(folder.keys());
    auto authority = certs::Authority::create(folder.certificates(), clock.now());
    const auto server = authority.issue_server({}, clock.now());
    if (::mkdir(folder.ledger().c_str(), 0700) != 0)
        throw HouseFailure{"cannot make " + folder.ledger().string()};

    const auto stores = open_house_stores(folder, plan.store);
    const auto record_store = stores->open_record();
    ledger::HouseRecord record{*record_store, folder.record()};
    partners::Registry registry{record};
    const partners::Registry::Act act{.actor = "house", .at = clock.now()};
    const auto face_value = ledger::parse_micro(plan.face_value); // what is none is refused
    const auto founded = registry.found(
        {.currency = plan.currency,
         .time_zone = plan.time_zone,
         .face_value = ledger::format_micro(face_value.value_or(ledger::Micro{})),
         .production = plan.production,
         .shards = plan.shards},
        act);
    if (!founded) throw HouseFailure{founded.error().reason};
    registry.certificate_issued(
        {.serial = server.serial, .subject = server.subject, .not_after = server.not_after}, act);

    // Last: what makes the folder a house.
    write_config(folder.config(), {.store = plan.store});
}

} // namespace

void make_house(const NewHouse& plan)
{
    const HouseFolder folder{plan.data};
    if (!is_store_name(plan.store))
        throw HouseFailure{fmt::format(
            "\"{}\" is not a store; write sqlite or postgres://USER@HOST/DATABASE", plan.store)};
    std::error_code error;
    const bool existed = fs::exists(folder.root, error);
    if (existed && (!fs::is_directory(folder.root) || !fs::is_empty(folder.root)))
        throw HouseFailure{
            folder.root.string() +
            (fs::exists(folder.keys(), error) && !fs::exists(folder.config(), error)
                 ? " holds what an interrupted init left, and no house; delete it and begin anew"
                 : " is not empty; a house needs a folder of its own")};
    make_house_stores(plan.store);
    fs::create_directories(folder.root);
    ::chmod(folder.root.c_str(), 0700);
    try {
        fill_new_house(folder, plan);
        // Makes the empty journal, identities and books, so that a damaged house is told from a new
        // one.
        House house{folder.root};
        static_cast<void>(house.ledger());
        static_cast<void>(house.books());
    } catch (...) {
        for (const auto& entry : fs::directory_iterator{folder.root}) fs::remove_all(entry, error);
        if (!existed) fs::remove(folder.root, error);
        discard_house_stores(plan.store);
        throw;
    }
}

} // namespace pointhouse::gateway
