#include "member_views.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "json_text.hpp"
#include "ledger/money.hpp"
#include "ledger/time.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::EntryKind;

/// Shows the records of one member to one reader.
class EntriesPage {
public:
    EntriesPage(const ledger::Terms& terms, OpaqueIds& ids, Reader reader)
        : terms_{terms}, ids_{ids}, reader_{reader}
    {}

    /// A partner has entries by its own messages alone, not by another brand's.
    [[nodiscard]] bool shows(const ledger::Record& record) const
    {
        return !record.refusal && !ledger::is_house_step(record.type) &&
               reader_.sees(record.partner);
    }

    void add(const ledger::Record& record, v1::EntriesAnswer& out)
    {
        v1::EntriesAnswer::Entry& entry = *out.add_entries();
        entry.set_posting_id(
            id_of(OpaqueKind::posting, {.origin = record.sequence, .position = 0}));
        entry.set_type(std::string{ledger::name_of(record.type)});
        entry.set_message_id(std::string{record.message_id});
        // What the clock brought about has no sender.
        if (!record.partner.is_none()) entry.set_partner(terms_.partner(record.partner).name);
        entry.set_occurred_at_micros(ledger::micros_of(record.occurred_at));
        entry.set_posted_at_micros(ledger::micros_of(record.posted_at));
        entry.set_points(record.points.count());
        add_movements(record, entry);
    }

private:
    // Whose points an entry moves: the lot's issuer's, of a debt the issuer to whom it is owed.
    [[nodiscard]] ledger::PartnerId issuer_of(const ledger::Entry& entry) const
    {
        const bool is_debt = entry.lot.tariff.is_none();
        return terms_.tariff(is_debt ? entry.debt.tariff : entry.lot.tariff).partner;
    }

    void add_movements(const ledger::Record& record, v1::EntriesAnswer::Entry& out)
    {
        std::map<EntryKind, std::int64_t> of_others;
        for (const ledger::Entry& entry : record.entries) {
            if (entry.kind == EntryKind::creditable_moved) continue; // no points
            const ledger::PartnerId issuer = issuer_of(entry);
            if (!reader_.sees(issuer)) {
                of_others[entry.kind] += entry.points.count();
                continue;
            }
            auto& movement =
                add_movement(out, entry.kind, terms_.partner(issuer).name, entry.points.count());
            if (ledger::has_lot(entry.kind))
                movement.set_lot(id_of(OpaqueKind::lot, entry.lot.key));
        }
        for (const auto& [kind, points] : of_others) add_movement(out, kind, others, points);
    }

    static v1::EntriesAnswer::Movement& add_movement(
        v1::EntriesAnswer::Entry& out, EntryKind kind, std::string_view issuer, std::int64_t points)
    {
        auto& movement = *out.add_movements();
        movement.set_kind(std::string{ledger::name_of(kind)});
        movement.set_issuer(std::string{issuer});
        movement.set_points(points);
        return movement;
    }

    std::string id_of(OpaqueKind kind, ledger::LotKey key)
    {
        const OpaqueId id = ids_.encode(
            {.kind = kind,
             .partner = reader_.partner,
             .sequence = key.origin,
             .position = key.position});
        return std::string{id.text()};
    }

    const ledger::Terms& terms_;
    OpaqueIds& ids_;
    Reader reader_;
};

void fill_balance(v1::Balance& out, const ledger::Balance& balance)
{
    out.set_available(balance.available.count());
    out.set_pending(balance.pending.count());
    out.set_held(balance.held.count());
    out.set_debt(balance.debt.count());
}

void append_time(std::string& out, std::string_view name, std::int64_t micros)
{
    append_json_parts(
        out, "\"", name, "\":\"", ledger::format_time(ledger::time_of_micros(micros)), "\"");
}

void append_entry(std::string& out, const v1::EntriesAnswer::Entry& entry)
{
    append_json_parts(
        out, R"({"posting_id":")", entry.posting_id(), R"(","type":")", entry.type(), "\",");
    // What the clock brought about is no message and has no sender.
    if (!entry.message_id().empty())
        append_json_parts(out, R"("message_id":")", entry.message_id(), "\",");
    if (!entry.partner().empty()) append_json_parts(out, R"("partner":")", entry.partner(), "\",");
    append_time(out, "occurred_at", entry.occurred_at_micros());
    out += ',';
    append_time(out, "posted_at", entry.posted_at_micros());
    append_json_parts(out, R"(,"points":)", entry.points(), R"(,"movements":[)");
    std::string_view separator;
    for (const auto& movement : entry.movements()) {
        append_json_parts(out, separator, R"({"kind":")", movement.kind(), "\",");
        if (!movement.lot().empty()) append_json_parts(out, R"("lot":")", movement.lot(), "\",");
        append_json_parts(
            out, R"("issuer":")", movement.issuer(), R"(","points":)", movement.points(), "}");
        separator = ",";
    }
    out += "]}";
}

} // namespace

v1::MemberAnswer member_answer(
    std::string_view identifier, const ledger::MemberView& member, const ledger::Terms& terms)
{
    v1::MemberAnswer answer;
    answer.set_member(std::string{identifier});
    fill_balance(*answer.mutable_balance(), member.balance);
    const ledger::Minor value =
        ledger::minor_units_of(terms.face_value * member.balance.available.count(), terms.currency);
    answer.mutable_value()->set_amount_minor(value.count);
    answer.mutable_value()->set_currency(terms.currency.code);

    std::map<ledger::Day, std::int64_t> expiring;
    for (const ledger::Lot& lot : member.lots) {
        // Whichever comes first: the lot's last day, or that of a member who does nothing.
        const ledger::Day day = std::min(lot.provenance.expires_on, member.lapses_on);
        if (day != ledger::never) expiring[day] += lot.remaining.count();
    }
    for (const auto& [day, points] : expiring) {
        auto& row = *answer.add_expiring();
        row.set_on(ledger::format_day(day));
        row.set_points(points);
    }
    return answer;
}

v1::HoldAnswer hold_answer(std::string_view hold_id, const ledger::HoldView& hold)
{
    constexpr std::array<const char*, 4> names{"open", "captured", "released", "ended"};
    v1::HoldAnswer answer;
    answer.set_hold_id(std::string{hold_id});
    answer.set_state(names.at(static_cast<std::size_t>(hold.state)));
    answer.set_points(hold.points.count());
    answer.set_captured(hold.captured.count());
    answer.set_expires_at_micros(ledger::micros_of(hold.expires_at));
    return answer;
}

v1::EntriesAnswer entries_answer(ledger::Ledger& ledger, OpaqueIds& ids, const EntriesQuery& query)
{
    const auto terms = ledger.terms();
    EntriesPage page{*terms, ids, query.reader};
    v1::EntriesAnswer answer;
    ledger::Sequence last; // the next page begins below it
    std::size_t scanned = 0;
    bool has_more = false;
    ledger.for_each_record_of(query.member, query.before, [&](const ledger::Record& record) {
        const bool is_full = static_cast<std::size_t>(answer.entries_size()) == query.limit;
        has_more = scanned++ == records_scanned_max || (is_full && page.shows(record));
        if (has_more) return false;
        if (is_full) return true; // whether there is one more
        if (page.shows(record)) page.add(record, answer);
        last = record.sequence;
        return true;
    });
    if (has_more) {
        const OpaqueId cursor = ids.encode(
            {.kind = OpaqueKind::cursor,
             .partner = query.reader.partner,
             .sequence = last,
             .position = 0});
        answer.set_next_cursor(std::string{cursor.text()});
    }
    return answer;
}

void append_json(std::string& out, const v1::MemberAnswer& answer)
{
    append_json_parts(
        out,
        R"({"member":")",
        answer.member(),
        R"(","balance":{"available":)",
        answer.balance().available(),
        R"(,"pending":)",
        answer.balance().pending(),
        R"(,"held":)",
        answer.balance().held(),
        R"(,"debt":)",
        answer.balance().debt(),
        R"(},"value":{"amount_minor":)",
        answer.value().amount_minor(),
        R"(,"currency":")",
        answer.value().currency(),
        R"("},"expiring":[)");
    std::string_view separator;
    for (const auto& row : answer.expiring()) {
        append_json_parts(
            out, separator, R"({"on":")", row.on(), R"(","points":)", row.points(), "}");
        separator = ",";
    }
    out += "]}";
}

void append_json(std::string& out, const v1::HoldAnswer& answer)
{
    append_json_parts(
        out,
        R"({"hold_id":")",
        answer.hold_id(),
        R"(","state":")",
        answer.state(),
        R"(","points":)",
        answer.points(),
        R"(,"captured":)",
        answer.captured(),
        ",");
    append_time(out, "expires_at", answer.expires_at_micros());
    out += '}';
}

void append_json(std::string& out, const v1::EntriesAnswer& answer)
{
    out += R"({"entries":[)";
    std::string_view separator;
    for (const auto& entry : answer.entries()) {
        out += separator;
        append_entry(out, entry);
        separator = ",";
    }
    if (answer.next_cursor().empty())
        out += R"(],"next_cursor":null})";
    else
        append_json_parts(out, R"(],"next_cursor":")", answer.next_cursor(), "\"}");
}

void append_json(std::string& out, const v1::EchoAnswer& answer)
{
    const bool is_partner = !answer.partner().empty();
    append_json_parts(
        out,
        std::string_view{is_partner ? R"({"partner":")" : R"({"operator":")"},
        is_partner ? answer.partner() : answer.operator_(),
        "\",");
    append_time(out, "time", answer.time_micros());
    out += '}';
}

} // namespace pointhouse::gateway
