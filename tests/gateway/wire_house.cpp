#include "wire_house.hpp"

#include <cstdlib>
#include <fstream>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace pointhouse::gateway {

using namespace ledger;

std::shared_ptr<const Terms> wire_terms()
{
    static const auto terms = [] {
        auto made = std::make_shared<Terms>();
        made->currency = *find_currency("EUR");
        made->face_value = Micro{10'000};
        made->calendar = std::make_shared<Calendar>("UTC");
        for (const auto& [number, name] :
             {std::pair{1U, "GRO"}, std::pair{2U, "BOE"}, std::pair{3U, "CHA"}}) {
            PartnerTerms partner;
            partner.partner = PartnerId{number};
            partner.name = name;
            partner.roles = {.issuer = true, .redeemer = true, .charity = number == 3};
            made->partners.push_back(partner);
            Tariff tariff;
            tariff.version = TariffVersion{number};
            tariff.partner = partner.partner;
            made->tariffs.push_back(tariff);
        }
        return made;
    }();
    return terms;
}

OpaqueKey wire_key()
{
    OpaqueKey key;
    for (std::size_t index = 0; index < key.size(); ++index) key[index] = std::byte(index * 7 + 1);
    return key;
}

std::string golden(std::string_view name, const std::string& actual)
{
    const std::string path = std::string{GOLDEN_FOLDER} + "/" + std::string{name};
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream{path} << actual << '\n';
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    std::string expected = text.str();
    if (expected.ends_with('\n')) expected.pop_back();
    return expected;
}

void FakeLedger::commit(std::span<Submission> batch)
{
    if (const auto once = std::exchange(while_committing, nullptr)) once();
    if (commit_throws) throw std::runtime_error{"the disk is gone: /secret/path"};
    commits.push_back(batch.size());
    for (Submission& submission : batch) {
        submission.outcome.disposition = Disposition::unavailable;
        if (!is_unavailable) decide(submission.message, submission.outcome);
    }
}

void FakeLedger::decide(const Message& message, Outcome& outcome)
{
    std::string canonical;
    append_canonical(message, canonical);
    for (const auto& stored : records_) {
        if (stored->partner != message.partner || stored->message_id != message.message_id)
            continue;
        outcome.record = stored->record;
        outcome.refusal = Refusal::message_id_reused;
        outcome.disposition =
            stored->canonical == canonical ? Disposition::replayed : Disposition::refused;
        return;
    }
    const bool enrols =
        message.type == MessageType::accrual || message.type == MessageType::enrolment;
    const auto refused = refusals.find(message.message_id);
    std::optional<Refusal> refusal;
    if (refused != refusals.end())
        refusal = refused->second;
    else if (!enrols && !message.member.empty() && !numbers_.contains(message.member))
        refusal = Refusal::member_unknown;
    if (refusal && !is_frozen(*refusal)) {
        outcome.disposition = Disposition::refused;
        outcome.refusal = *refusal;
        return;
    }

    const MemberNumber number = number_of(message.member);
    auto stored = std::make_unique<Stored>();
    stored->partner = message.partner;
    stored->message_id = message.message_id;
    stored->canonical = std::move(canonical);
    stored->record = decide_record(message, members_[number]);
    if (refusal) {
        stored->record.refusal = refusal;
        stored->record.entries.clear();
    }
    stored->record.member = number;
    stored->record.message_id = stored->message_id;
    outcome.disposition = Disposition::decided;
    outcome.record = stored->record;
    records_.push_back(std::move(stored));
}

Record FakeLedger::decide_record(const Message& message, Points& points)
{
    Record record;
    record.sequence = Sequence{records_.size() + 1};
    record.type = message.type;
    record.partner = message.partner;
    record.occurred_at = message.occurred_at;
    record.posted_at = house_time();
    record.points = message.points.value_or(
        ledger::Points{message.purchase ? message.purchase->amount_minor / 100 : 0});
    const std::uint32_t own = message.partner.value();

    if (message.type == MessageType::accrual && !record.points.is_zero()) {
        points[own] += record.points.count();
        record.entries.push_back(
            {.kind = EntryKind::issued,
             .points = record.points,
             .lot = {
                 .key = {.origin = record.sequence, .position = 0},
                 .activity = record.occurred_at,
                 .tariff = TariffVersion{own}}});
    }
    if (message.type == MessageType::hold)
        record.entries.push_back(
            {.kind = EntryKind::held,
             .points = record.points,
             .lot = {.key = {.origin = Sequence{1}, .position = 0}, .tariff = TariffVersion{own}},
             .counterpart = TariffVersion{own},
             .state = LotState::held,
             .until = record.posted_at + std::chrono::seconds{message.expires_in_seconds},
             .hold = record.sequence});
    if (message.type == MessageType::capture || message.type == MessageType::hold_release)
        record.original = message.hold;
    if (message.type == MessageType::redemption) {
        std::int64_t available = 0;
        for (const auto& [issuer, count] : points) available += count;
        if (available < record.points.count()) record.refusal = Refusal::insufficient_points;
        std::int64_t wanted = record.refusal ? 0 : record.points.count();
        for (auto& [issuer, count] : points) {
            const std::int64_t drawn = std::min(count, wanted);
            if (drawn == 0) continue;
            record.entries.push_back(
                {.kind = EntryKind::redeemed,
                 .points = ledger::Points{drawn},
                 .lot = {
                     .key = {.origin = Sequence{issuer}, .position = 0},
                     .tariff = TariffVersion{issuer}}});
            count -= drawn;
            wanted -= drawn;
        }
    }
    std::int64_t available = 0;
    for (const auto& [issuer, count] : points) available += count;
    record.balance.available = ledger::Points{available};
    return record;
}

void FakeLedger::quote(const Message& message, Outcome& outcome)
{
    Points copy = members_[number_of(message.member)];
    outcome.record = decide_record(message, copy);
    outcome.keep_message_id(message.message_id);
    outcome.disposition = Disposition::decided;
}

MemberNumber FakeLedger::number_of(std::string_view identifier)
{
    const auto [at, is_new] =
        numbers_.try_emplace(std::string{identifier}, MemberNumber{numbers_.size() + 1});
    return at->second;
}

std::optional<MemberView> FakeLedger::find_member(std::string_view identifier)
{
    const auto found = numbers_.find(identifier);
    if (found == numbers_.end()) return std::nullopt;
    lots_.clear();
    std::int64_t available = 0;
    for (const auto& [issuer, count] : members_[found->second]) {
        available += count;
        Lot lot;
        lot.provenance.tariff = TariffVersion{issuer};
        lot.provenance.expires_on = issuer == 1 ? *parse_day("2028-06-30") : never;
        lot.remaining = ledger::Points{count};
        if (count > 0) lots_.push_back(lot);
    }
    MemberView view;
    view.number = found->second;
    view.balance.available = ledger::Points{available};
    view.lots = lots_;
    return view;
}

bool FakeLedger::find_outcome(PartnerId partner, std::string_view message_id, Outcome& outcome)
{
    for (const auto& stored : records_) {
        if (stored->partner != partner || stored->message_id != message_id) continue;
        outcome.record = stored->record;
        outcome.disposition = Disposition::replayed;
        return true;
    }
    return false;
}

std::optional<HoldView> FakeLedger::find_hold(PartnerId partner, Sequence hold)
{
    for (const auto& stored : records_)
        if (stored->record.sequence == hold && stored->partner == partner &&
            stored->record.type == MessageType::hold)
            return HoldView{
                .points = stored->record.points,
                .expires_at = stored->record.entries.front().until};
    return std::nullopt;
}

void FakeLedger::for_each_record_of(
    MemberNumber member,
    std::optional<Sequence> before,
    const std::function<bool(const Record&)>& record)
{
    for (const auto& stored : std::views::reverse(records_)) {
        if (stored->record.member != member) continue;
        if (before && stored->record.sequence >= *before) continue;
        if (!record(stored->record)) return;
    }
}

Time FakeLedger::house_time() const
{
    return *parse_time("2026-06-02T10:00:01Z");
}

TestExchange::TestExchange(RouteId to, std::string sent, const Caller& from) : text{std::move(sent)}
{
    route = to;
    body = text;
    body_type = to == RouteId::batches ? MediaType::json_lines : MediaType::json;
    answer_type = body_type;
    caller = &from;
}

const Caller& grocer_caller()
{
    static const Caller caller{Caller::Kind::partner, "GRO", grocer};
    return caller;
}

const Caller& bookshop_caller()
{
    static const Caller caller{Caller::Kind::partner, "BOE", bookshop};
    return caller;
}

const Caller& operator_caller()
{
    static const Caller caller{Caller::Kind::house_operator, "anna", {}};
    return caller;
}

} // namespace pointhouse::gateway
