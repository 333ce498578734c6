#include "ledger/message.hpp"

#include <array>

namespace pointhouse::ledger {

std::string_view name_of(MessageType type) noexcept
{
    switch (type) {
    case MessageType::accrual: return "accrual";
    case MessageType::redemption: return "redemption";
    case MessageType::reversal: return "reversal";
    case MessageType::clawback: return "clawback";
    case MessageType::donation: return "donation";
    case MessageType::enrolment: return "enrolment";
    case MessageType::hold: return "hold";
    case MessageType::capture: return "capture";
    case MessageType::hold_release: return "hold_release";
    case MessageType::accrual_release: return "accrual_release";
    case MessageType::transfer: return "transfer";
    case MessageType::block: return "block";
    case MessageType::unblock: return "unblock";
    case MessageType::close: return "close";
    case MessageType::adjustment: return "adjustment";
    case MessageType::identification: return "identification";
    case MessageType::merge: return "merge";
    case MessageType::reinstatement: return "reinstatement";
    case MessageType::maturity: return "maturity";
    case MessageType::expiry: return "expiry";
    case MessageType::hold_end: return "hold_end";
    case MessageType::transfer_in: return "transfer_in";
    case MessageType::merge_in: return "merge_in";
    case MessageType::fold: return "fold";
    case MessageType::opening: return "opening";
    case MessageType::cut: return "cut";
    case MessageType::drained: return "drained";
    case MessageType::clock: return "clock";
    case MessageType::house_entry: return "house_entry";
    case MessageType::unwritten: return "unwritten";
    }
    return "unknown";
}

std::string_view name_of(IdentifierKind kind) noexcept
{
    switch (kind) {
    case IdentifierKind::unknown: break;
    case IdentifierKind::card: return "card";
    case IdentifierKind::phone: return "phone";
    case IdentifierKind::token: return "token";
    }
    return "unknown";
}

namespace {

// A field is its tag, then its value; a text carries its length. Absent fields leave no trace, so a
// field added later does not change the digest of older content.
// NOLINTNEXTLINE(cert-int09-c): numbers of the format; those between are for fields to come
enum class Field : char {
    message_id = 1,
    occurred_at,
    points,
    purchase_amount,
    purchase_currency,
    purchase_channel,
    purchase_receipt,
    line,
    line_category,
    line_tender,
    line_amount,
    line_quantity,
    line_vat_rate,
    value_amount,
    value_currency,
    reverses,
    charity,
    receipt,
    reason,
    promotion,
    pending_until,
    hold,
    expires_in_seconds,
    funder,
    identifier_kind,
    expires_on = 40,
};

class CanonicalWriter {
public:
    explicit CanonicalWriter(std::string& out) : out_{out} {}

    void number(Field field, std::int64_t value)
    {
        std::array<char, 9> cell{static_cast<char>(field)};
        auto rest = static_cast<std::uint64_t>(value);
        for (std::size_t byte = 1; byte < cell.size(); ++byte, rest >>= 8)
            cell[byte] = static_cast<char>(rest & 0xff);
        out_.append(cell.data(), cell.size());
    }

    void text(Field field, std::string_view value)
    {
        if (value.empty()) return;
        number(field, static_cast<std::int64_t>(value.size()));
        out_.append(value);
    }

private:
    std::string& out_;
};

void append_purchase(CanonicalWriter& writer, const Purchase& purchase)
{
    writer.number(Field::purchase_amount, purchase.amount_minor);
    writer.text(Field::purchase_currency, purchase.currency);
    writer.text(Field::purchase_channel, purchase.channel);
    writer.text(Field::purchase_receipt, purchase.receipt);
    for (const PurchaseLine& line : purchase.lines) {
        writer.number(Field::line, static_cast<std::int64_t>(line.sku.size()));
        writer.text(Field::line, line.sku);
        writer.text(Field::line_category, line.category);
        writer.text(Field::line_tender, line.tender);
        writer.number(Field::line_amount, line.amount_minor);
        writer.number(Field::line_quantity, line.quantity);
        if (line.vat_rate != vat_rate_unknown) writer.number(Field::line_vat_rate, line.vat_rate);
    }
}

} // namespace

void append_canonical(const Message& message, std::string& out)
{
    out.push_back(static_cast<char>(message.type));
    CanonicalWriter writer{out};
    writer.text(Field::message_id, message.message_id);
    writer.number(Field::occurred_at, micros_of(message.occurred_at));
    if (message.points) writer.number(Field::points, message.points->count());
    if (message.purchase) append_purchase(writer, *message.purchase);
    if (message.value) {
        writer.number(Field::value_amount, message.value->amount_minor);
        writer.text(Field::value_currency, message.value->currency);
    }
    writer.text(Field::reverses, message.reverses);
    writer.text(Field::charity, message.charity);
    writer.text(Field::receipt, message.receipt);
    writer.text(Field::reason, message.reason);
    writer.text(Field::promotion, message.promotion);
    if (message.pending_until)
        writer.number(Field::pending_until, micros_of(*message.pending_until));
    writer.text(Field::funder, message.funder);
    if (!message.hold.is_none())
        writer.number(Field::hold, static_cast<std::int64_t>(message.hold.value()));
    if (message.expires_in_seconds != 0)
        writer.number(Field::expires_in_seconds, message.expires_in_seconds);
    if (message.identifier_kind != IdentifierKind::unknown)
        writer.number(Field::identifier_kind, static_cast<std::int64_t>(message.identifier_kind));
    if (message.expires_on) writer.number(Field::expires_on, *message.expires_on);
}

} // namespace pointhouse::ledger
