#include "simulation/letters.hpp"

#include <fmt/format.h>
#include <tuple>

#include "ledger_house.hpp"

namespace pointhouse::ledger::test {
namespace {

using namespace std::chrono_literals;

constexpr PartnerId house_operator{};

struct Weight {
    MessageType type;
    int weight;
};
constexpr std::array weights{
    Weight{MessageType::accrual, 30},
    Weight{MessageType::redemption, 18},
    Weight{MessageType::reversal, 12},
    Weight{MessageType::clawback, 4},
    Weight{MessageType::donation, 3},
    Weight{MessageType::enrolment, 2},
    Weight{MessageType::hold, 8},
    Weight{MessageType::capture, 6},
    Weight{MessageType::hold_release, 2},
    Weight{MessageType::accrual_release, 2},
    Weight{MessageType::transfer, 6},
    Weight{MessageType::block, 1},
    Weight{MessageType::unblock, 2},
    Weight{MessageType::adjustment, 3},
    Weight{MessageType::close, 1}};

bool is_about_another(MessageType type)
{
    return type == MessageType::reversal || type == MessageType::accrual_release;
}

bool is_about_hold(MessageType type)
{
    return type == MessageType::capture || type == MessageType::hold_release;
}

bool names_points(MessageType type)
{
    return type != MessageType::enrolment && type != MessageType::hold_release &&
           type != MessageType::accrual_release && type != MessageType::block &&
           type != MessageType::unblock && type != MessageType::close;
}

// Whether the record is what the letter asked for.
std::string mismatch(const Letter& letter, const Record& record, const Recount& journal)
{
    if (record.type != letter.type || record.partner != letter.partner)
        return "it is of another type";
    if (record.occurred_at != letter.occurred_at) return "it has another time";
    const std::int64_t asked = letter.value_minor.value_or(letter.points);
    const bool is_draw = letter.type == MessageType::redemption ||
                         letter.type == MessageType::donation || letter.type == MessageType::hold ||
                         letter.type == MessageType::transfer;
    if (!record.refusal && asked > 0) {
        const bool may_take_less =
            letter.type == MessageType::clawback || letter.type == MessageType::reversal;
        if (record.points.count() > asked) return "it moved more than was asked";
        if (record.points.count() < asked && !may_take_less) return "it moved less than was asked";
    }
    if (record.refusal == Refusal::insufficient_points && is_draw &&
        journal.available_at(record.sequence) >= asked)
        return "it was refused though the points were there";
    return {};
}

} // namespace

Message Letter::message() const
{
    Message message{
        .type = type,
        .partner = partner,
        .message_id = id,
        .member = member,
        .occurred_at = occurred_at,
        .hold = hold,
        .promotion = promotion,
        .pending_until = pending_until,
        .expires_in_seconds = expires_in_seconds};
    if (points > 0) message.points = Points{points};
    if (purchase_minor) {
        message.purchase = Purchase{.amount_minor = *purchase_minor, .currency = "EUR"};
        message.receipt = "till 7";
    }
    if (value_minor) message.value = MoneyValue{.amount_minor = *value_minor, .currency = "EUR"};
    if (is_about_another(type)) message.reverses = other;
    if (type == MessageType::transfer) message.to_member = other;
    if (type == MessageType::donation) message.charity = other;
    if (type == MessageType::adjustment) message.funder = other;
    if (is_of_operator(type) || type == MessageType::clawback) message.reason = "simulated";
    return message;
}

std::string Writer::any_member()
{
    return fmt::format("member-{}", below(members));
}

// Mostly just now; some late, some ahead of the clock.
Time Writer::around(Time now)
{
    const std::int64_t kind = below(40);
    if (kind == 0) return now + std::chrono::seconds{below(600)};
    if (kind <= 2) return now - std::chrono::hours{below(24 * 80)};
    return now - std::chrono::seconds{below(7'200)};
}

Letter Writer::write(Time now)
{
    int total = 0;
    for (const Weight& each : weights) total += each.weight;
    auto drawn = static_cast<int>(below(total));
    Letter letter;
    for (const Weight& each : weights) {
        letter.type = each.type;
        drawn -= each.weight;
        if (drawn < 0) break;
    }
    if (letter.type == MessageType::close && !may_close_) letter.type = MessageType::unblock;
    if (is_about_another(letter.type) && reversible_.empty()) letter.type = MessageType::accrual;
    if (is_about_hold(letter.type) && holds_.empty()) letter.type = MessageType::hold;
    letter.partner = PartnerId{static_cast<std::uint32_t>(1 + below(3))};
    if (is_of_operator(letter.type)) letter.partner = house_operator;
    letter.id = fmt::format("s-{}", ++written_);
    letter.occurred_at = around(now);
    letter.points = 1 + below(200);
    if (names_member(letter.type)) letter.member = any_member();
    refer(letter);
    return letter;
}

void Writer::refer(Letter& letter)
{
    const auto any_of = [this](const auto& known) -> const auto& {
        return known[random_() % known.size()];
    };
    const bool is_whole = is_about_another(letter.type) || is_about_hold(letter.type);
    if (is_about_another(letter.type))
        std::tie(letter.partner, letter.other) = any_of(reversible_);
    else if (is_about_hold(letter.type))
        std::tie(letter.partner, letter.hold) = any_of(holds_);
    else if (letter.type == MessageType::accrual)
        fill_accrual(letter);
    else if (letter.type == MessageType::redemption && below(5) == 0)
        letter.value_minor = std::exchange(letter.points, 0);
    else if (letter.type == MessageType::hold)
        letter.expires_in_seconds = 1 + below(std::int64_t{4} * 24 * 3'600);
    else if (letter.type == MessageType::donation)
        letter.other = "charity";
    else if (letter.type == MessageType::transfer)
        letter.other = any_member();
    else if (letter.type == MessageType::adjustment)
        letter.other = below(2) == 0 ? "grocer" : "bookshop";
    if (is_whole && below(2) == 0) letter.points = 0;
    if (!names_points(letter.type)) letter.points = 0;
}

void Writer::fill_accrual(Letter& letter)
{
    switch (below(8)) {
    case 0: letter.promotion = "together"; return;
    case 1: letter.pending_until = letter.occurred_at + std::chrono::hours{below(24 * 20)}; return;
    case 2:
    case 3:
        letter.purchase_minor = below(20'000); // also worth no point
        letter.points = 0;
        return;
    default: return;
    }
}

Letter Writer::altered(Letter letter)
{
    switch (below(3)) {
    case 0: letter.occurred_at += 1s; break;
    case 1:
        if (letter.points > 0)
            ++letter.points;
        else
            letter.occurred_at -= 1s;
        break;
    default:
        if (!letter.member.empty())
            letter.member = any_member();
        else
            letter.occurred_at += 2s;
    }
    return letter;
}

void Writer::remember(const Letter& letter, Sequence sequence)
{
    if (letter.type == MessageType::hold) holds_.emplace_back(letter.partner, sequence);
    if (letter.type == MessageType::accrual || letter.type == MessageType::redemption ||
        letter.type == MessageType::donation || letter.type == MessageType::capture)
        reversible_.emplace_back(letter.partner, letter.id);
}

Correspondence::Envelope Correspondence::post(Letter letter)
{
    Envelope envelope{.partner = letter.partner, .id = letter.id, .version = 0};
    exchanges_[{letter.partner, letter.id}].versions.push_back(std::move(letter));
    sent_.push_back(envelope);
    return envelope;
}

Correspondence::Envelope Correspondence::post_again(const Envelope& envelope, Letter altered)
{
    auto& versions = exchanges_.at({envelope.partner, envelope.id}).versions;
    versions.push_back(std::move(altered));
    return {.partner = envelope.partner, .id = envelope.id, .version = versions.size() - 1};
}

const Letter& Correspondence::letter(const Envelope& envelope) const
{
    return exchanges_.at({envelope.partner, envelope.id}).versions.at(envelope.version);
}

std::optional<Correspondence::Envelope> Correspondence::any(std::mt19937_64& random) const
{
    if (sent_.empty()) return std::nullopt;
    return sent_[random() % sent_.size()];
}

std::string Correspondence::take(
    const Envelope& envelope, const Record& answer, const Recount& journal)
{
    Exchange& exchange = exchanges_.at({envelope.partner, envelope.id});
    const Letter& letter = exchange.versions.at(envelope.version);
    const Record* booked = journal.find(envelope.partner, envelope.id);
    if (booked == nullptr) return "answered, but not in the journal";
    if (!same_record(*booked, answer)) return "the answer is not what the journal has";
    if (exchange.answer && !same_record(*exchange.answer, answer))
        return "another answer than the first";
    if (std::string wrong = mismatch(letter, answer, journal); !wrong.empty())
        return fmt::format("{} {}: {}", name_of(letter.type), letter.id, wrong);
    exchange.answer = *booked;
    if (!letter.member.empty() && !answer.member.is_none() &&
        numbers_.emplace(letter.member, answer.member).first->second != answer.member)
        return "the member has two numbers";
    return {};
}

std::string Correspondence::take_refused(
    const Envelope& envelope, Refusal refusal, const Recount& journal, Sequence before) const
{
    const Exchange& exchange = exchanges_.at({envelope.partner, envelope.id});
    const Record* booked = journal.find(envelope.partner, envelope.id);
    if (refusal != Refusal::message_id_reused)
        return booked == nullptr || booked->sequence > before
                   ? ""
                   : "booked before, but refused without a trace";
    if (booked == nullptr) return "refused as reused, but nothing was booked under the id";
    if (exchange.versions.size() > 1) return {};
    return fmt::format(
        "{} {} ({}) is refused as reused, but only one was ever sent",
        name_of(booked->type),
        envelope.id,
        booked->sequence.value());
}

std::string Correspondence::check_all(const Recount& journal) const
{
    std::size_t booked = 0;
    for (const auto& [key, exchange] : exchanges_) {
        const Record* record = journal.find(key.first, key.second);
        if (record != nullptr) ++booked;
        if (!exchange.answer) continue;
        if (record == nullptr) return fmt::format("{}: acknowledged and lost", key.second);
        if (!same_record(*record, *exchange.answer)) return fmt::format("{}: changed", key.second);
    }
    if (booked != journal.messages()) return "something was booked that nobody sent";
    return {};
}

bool same_record(const Record& left, const Record& right)
{
    const auto all = [](const Record& record) {
        return std::tie(
            record.sequence,
            record.type,
            record.refusal,
            record.partner,
            record.message_id,
            record.member,
            record.previous,
            record.terms,
            record.occurred_at,
            record.posted_at,
            record.content,
            record.points,
            record.tariff,
            record.counterparty,
            record.promotion,
            record.amount_minor,
            record.other_member,
            record.original,
            record.reversal_before,
            record.reversed_so_far,
            record.balance,
            record.entries);
    };
    return all(left) == all(right);
}

} // namespace pointhouse::ledger::test
