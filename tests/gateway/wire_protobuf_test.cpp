#include "wire_protobuf.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <memory_resource>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "ledger/time.hpp"
#include "pointhouse/v1/messages.pb.h"
#include "wire_json.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::MessageType;

constexpr std::int64_t ten_o_clock = 1'780'394'400'000'000; // 2026-06-02T10:00:00Z

v1::Accrual accrual()
{
    v1::Accrual sent;
    sent.set_message_id("m-1");
    sent.set_member("card-1");
    sent.set_occurred_at_micros(ten_o_clock);
    sent.set_points(84);
    return sent;
}

v1::Accrual accrual_with_lines(int count)
{
    v1::Accrual sent = accrual();
    sent.clear_points();
    sent.mutable_purchase()->set_amount_minor(8450);
    sent.mutable_purchase()->set_currency("EUR");
    for (int line = 0; line < count; ++line)
        sent.mutable_purchase()->add_lines()->set_amount_minor(line);
    return sent;
}

struct Reading {
    explicit Reading(std::string sent, MessageType type = MessageType::accrual)
        : bytes{std::move(sent)}
    {
        message.type = type;
        fault = ProtobufReader{}.read(bytes, message, scratch);
    }
    explicit Reading(const google::protobuf::Message& sent, MessageType type = MessageType::accrual)
        : Reading{sent.SerializeAsString(), type}
    {}

    std::string bytes;
    std::pmr::monotonic_buffer_resource scratch;
    ledger::Message message;
    std::optional<Fault> fault;
};

void expect_malformed(const Reading& read, const std::string& field)
{
    ASSERT_TRUE(read.fault) << field;
    EXPECT_EQ(read.fault->code, "malformed");
    EXPECT_TRUE(read.fault->detail.starts_with(field + ": "))
        << field << ": " << read.fault->detail;
}

TEST(ProtobufReader, ReadsAnAccrual)
{
    const Reading read{accrual()};

    ASSERT_FALSE(read.fault) << read.fault->detail;
    EXPECT_EQ(read.message.message_id, "m-1");
    EXPECT_EQ(read.message.member, "card-1");
    EXPECT_EQ(read.message.occurred_at, *ledger::parse_time("2026-06-02T10:00:00Z"));
    EXPECT_EQ(read.message.points, ledger::Points{84});
}

TEST(ProtobufReader, RefusesWrongValuesByName)
{
    const std::vector<std::pair<std::string, std::function<void(v1::Accrual&)>>> cases{
        {"message_id", [](auto& sent) { sent.clear_message_id(); }},
        {"message_id", [](auto& sent) { sent.set_message_id("a b"); }},
        {"message_id", [](auto& sent) { sent.set_message_id(std::string(65, 'a')); }},
        {"member", [](auto& sent) { sent.clear_member(); }},
        {"member", [](auto& sent) { sent.set_member("a/b"); }},
        {"member", [](auto& sent) { sent.set_member(std::string("a\0b", 3)); }},
        {"occurred_at", [](auto& sent) { sent.clear_occurred_at_micros(); }},
        {"occurred_at", [](auto& sent) { sent.set_occurred_at_micros(-1); }},
        {"occurred_at", [](auto& sent) { sent.set_occurred_at_micros(7'258'118'400'000'000); }},
        {"occurred_at", [](auto& sent) { sent.set_occurred_at_micros(INT64_MAX); }},
        {"pending_until", [](auto& sent) { sent.set_pending_until_micros(INT64_MIN); }},
        {"points", [](auto& sent) { sent.clear_points(); }},
        {"points",
         [](auto& sent) {
             sent.mutable_purchase()->set_amount_minor(1);
             sent.mutable_purchase()->set_currency("EUR");
         }},
        {"reason", [](auto& sent) { sent.set_reason(std::string(257, 'x')); }},
        {"reason", [](auto& sent) { sent.set_reason("a\x07"); }},
        {"promotion", [](auto& sent) { sent.set_promotion(std::string(65, 'x')); }},
        {"purchase.amount_minor", [](auto& sent) { sent.mutable_purchase()->set_currency("EUR"); }},
        {"purchase.amount_minor",
         [](auto& sent) { sent.mutable_purchase()->set_amount_minor(-1); }},
        {"purchase.currency", [](auto& sent) { sent.mutable_purchase()->set_amount_minor(1); }},
        {"purchase.currency",
         [](auto& sent) {
             sent.mutable_purchase()->set_amount_minor(1);
             sent.mutable_purchase()->set_currency("eur");
         }},
        {"purchase.lines[2].amount_minor",
         [](auto& sent) {
             sent = accrual_with_lines(2);
             sent.mutable_purchase()->add_lines();
         }},
        {"purchase.lines[0].quantity",
         [](auto& sent) {
             sent = accrual_with_lines(1);
             sent.mutable_purchase()->mutable_lines(0)->set_quantity(0);
         }},
        {"purchase.lines[0].vat_rate",
         [](auto& sent) {
             sent = accrual_with_lines(1);
             sent.mutable_purchase()->mutable_lines(0)->set_vat_rate(10'001);
         }},
        {"purchase.lines[0].sku",
         [](auto& sent) {
             sent = accrual_with_lines(1);
             sent.mutable_purchase()->mutable_lines(0)->set_sku(std::string(65, 'x'));
         }},
    };
    for (const auto& [field, change] : cases) {
        v1::Accrual sent = accrual();
        change(sent);
        expect_malformed(Reading{sent}, field);
    }
}

TEST(ProtobufReader, LeavesPointsOutOfRangeToTheLedgerWhichFreezesItsRefusal)
{
    for (const std::int64_t points : {INT64_MIN, -1L, 0L, 1'000'000'001L, INT64_MAX}) {
        v1::Accrual sent = accrual();
        sent.set_points(points);
        const Reading read{sent};
        ASSERT_FALSE(read.fault);
        EXPECT_EQ(read.message.points, ledger::Points{std::max(points, 0L)});
    }
}

TEST(ProtobufReader, RefusesUnknownFieldsAtEveryDepth)
{
    const std::string unknown_number{"\xF8\x07\x01", 3};
    const std::string unknown_text{"\x7A\x01x", 3};
    const std::string group{"\x7B\x7C", 2};
    for (const std::string& unknown : {unknown_number, unknown_text, group}) {
        EXPECT_TRUE(Reading{accrual().SerializeAsString() + unknown}.fault);
        EXPECT_TRUE(Reading{unknown + accrual().SerializeAsString()}.fault);

        // The same inside the purchase and inside a line.
        const auto nested = [](const std::string& content, int field) {
            std::string bytes(1, static_cast<char>(field << 3 | 2));
            bytes += static_cast<char>(content.size());
            return bytes + content;
        };
        v1::Accrual head = accrual();
        head.clear_points();
        v1::Purchase purchase;
        purchase.set_amount_minor(1);
        purchase.set_currency("EUR");
        v1::PurchaseLine line;
        line.set_amount_minor(1);
        const std::string purchase_bytes = purchase.SerializeAsString();
        EXPECT_FALSE(Reading{head.SerializeAsString() + nested(purchase_bytes, 5)}.fault);
        const Reading in_purchase{head.SerializeAsString() + nested(purchase_bytes + unknown, 5)};
        ASSERT_TRUE(in_purchase.fault);
        EXPECT_TRUE(in_purchase.fault->detail.starts_with("purchase."))
            << in_purchase.fault->detail;
        const Reading in_line{
            head.SerializeAsString() +
            nested(purchase_bytes + nested(line.SerializeAsString() + unknown, 5), 5)};
        ASSERT_TRUE(in_line.fault);
        EXPECT_TRUE(in_line.fault->detail.starts_with("purchase.lines.")) << in_line.fault->detail;
    }
    // A known field number with another wire type.
    expect_malformed(
        Reading{accrual().SerializeAsString() + std::string{"\x22\x01x", 3}}, "points");
    expect_malformed(Reading{accrual().SerializeAsString() + std::string{"\x30\x01", 2}}, "reason");
}

TEST(ProtobufReader, RefusesAFieldThatIsThereTwice)
{
    v1::Accrual points;
    points.set_points(85);
    expect_malformed(Reading{accrual().SerializeAsString() + points.SerializeAsString()}, "points");
    v1::Accrual member;
    member.set_member("card-1");
    expect_malformed(Reading{accrual().SerializeAsString() + member.SerializeAsString()}, "member");
}

TEST(ProtobufReader, CountsItemsBeforeItParses)
{
    const Reading most{accrual_with_lines(static_cast<int>(lines_max))};
    ASSERT_FALSE(most.fault) << most.fault->detail;
    EXPECT_EQ(most.message.purchase->lines.size(), lines_max);
    expect_malformed(
        Reading{accrual_with_lines(static_cast<int>(lines_max) + 1)}, "purchase.lines");

    // Many empty lines, and of empty messages.
    v1::Accrual head = accrual_with_lines(0);
    for (int line = 0; line < 100'000; ++line) head.mutable_purchase()->add_lines();
    expect_malformed(Reading{head}, "purchase.lines");
    std::string empty_messages;
    for (int item = 0; item < 100'000; ++item) empty_messages += std::string{"\x0A\x00", 2};
    std::vector<std::string_view> items;
    const auto fault = ProtobufReader::split_batch(empty_messages, items);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, "too_large");
    EXPECT_LE(items.size(), batch_messages_max);
}

TEST(ProtobufReader, RefusesTextThatIsNotUtf8)
{
    const std::string bytes = accrual().SerializeAsString() + std::string{"\x32\x02\xC3\x28", 4};
    expect_malformed(Reading{bytes}, "body");
}

TEST(ProtobufReader, RefusesEveryPrefixThatIsNotAMessage)
{
    const std::string whole = accrual_with_lines(3).SerializeAsString();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Reading read{whole.substr(0, size)};
        EXPECT_TRUE(read.fault) << size;
    }
}

TEST(ProtobufReader, SurvivesRandomChanges)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    const std::string whole = accrual_with_lines(5).SerializeAsString();
    ProtobufReader reader;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = whole;
        for (int change = 0; change < 3; ++change)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        std::pmr::monotonic_buffer_resource scratch;
        ledger::Message message;
        const auto fault = reader.read(bytes, message, scratch);
        if (!fault) EXPECT_FALSE(message.message_id.empty());
    }
}

TEST(ProtobufReader, ReadsTypedMessagesAndRefusesTwoContents)
{
    ProtobufReader reader;
    std::pmr::monotonic_buffer_resource scratch;
    ledger::Message message;
    v1::Message sent;
    sent.mutable_reversal()->set_message_id("m");
    sent.mutable_reversal()->set_occurred_at_micros(0);
    sent.mutable_reversal()->set_reverses("a");
    const std::string reversal = sent.SerializeAsString();
    ASSERT_FALSE(reader.read_typed(reversal, message, scratch));
    EXPECT_EQ(message.type, MessageType::reversal);
    EXPECT_EQ(message.reverses, "a");

    *sent.mutable_accrual() = accrual();
    for (const std::string& bad :
         {std::string{},
          reversal + reversal,
          reversal + sent.SerializeAsString(),
          reversal + std::string{"\xF8\x07\x01", 3},
          std::string{"\x3A\x00", 2},
          std::string{"\x08\x01", 2},
          reversal.substr(0, reversal.size() - 1)}) {
        const auto fault = reader.read_typed(bad, message, scratch);
        ASSERT_TRUE(fault) << testing::PrintToString(bad);
        EXPECT_EQ(fault->code, "malformed");
    }
}

/// A random message in both encodings.
struct Pair {
    std::string json;
    v1::Message protobuf;
};

class RandomMessages {
public:
    explicit RandomMessages(std::uint64_t seed) : random_{seed} {}

    Pair make()
    {
        Pair pair;
        text_.clear();
        const std::int64_t micros = number(0, 4'000'000'000'000'000);
        switch (number(0, 6)) {
        case 0: fill(*pair.protobuf.mutable_accrual(), "accrual", micros); break;
        case 1: fill(*pair.protobuf.mutable_redemption(), "redemption", micros); break;
        case 2: fill(*pair.protobuf.mutable_reversal(), "reversal", micros); break;
        case 3: fill(*pair.protobuf.mutable_clawback(), "clawback", micros); break;
        case 4: fill(*pair.protobuf.mutable_donation(), "donation", micros); break;
        case 5: fill(*pair.protobuf.mutable_identification(), "identification", micros); break;
        default: fill(*pair.protobuf.mutable_enrolment(), "enrolment", micros); break;
        }
        pair.json = "{" + text_ + "}";
        return pair;
    }

private:
    std::int64_t number(std::int64_t least, std::int64_t most)
    {
        return std::uniform_int_distribution<std::int64_t>{least, most}(random_);
    }
    bool maybe() { return number(0, 1) == 1; }
    std::string word()
    {
        std::string made(static_cast<std::size_t>(number(1, 64)), ' ');
        for (char& letter : made) letter = "abcXYZ019.-_:"[number(0, 12)];
        return made;
    }
    std::string other_than(const std::string& taken)
    {
        std::string made = word();
        while (made == taken) made = word();
        return made;
    }
    void put(const std::string& name, const std::string& value)
    {
        if (!text_.empty() && text_.back() != '{') text_ += maybe() ? "," : " ,\n";
        text_ += "\"" + name + "\":" + value;
    }
    // A text, its first letter sometimes as an escape.
    std::string put_text(const std::string& name) { return put_text(name, word()); }
    std::string put_text(const std::string& name, const std::string& made)
    {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(made[0]));
        put(name, "\"" + (maybe() ? escaped + made.substr(1) : made) + "\"");
        return made;
    }
    std::int64_t put_number(const std::string& name, std::int64_t least, std::int64_t most)
    {
        const std::int64_t made = number(least, most);
        put(name, std::to_string(made));
        return made;
    }
    std::int64_t put_time(const std::string& name, std::int64_t micros)
    {
        put(name, "\"" + ledger::format_time(ledger::time_of_micros(micros)) + "\"");
        return micros;
    }

    template <class Sent>
    void fill(Sent& sent, const std::string& type, std::int64_t micros)
    {
        put("type", "\"" + type + "\"");
        sent.set_message_id(put_text("message_id"));
        if constexpr (requires { sent.member(); }) sent.set_member(put_text("member"));
        if constexpr (requires { sent.occurred_at_micros(); })
            sent.set_occurred_at_micros(put_time("occurred_at", micros));
        if constexpr (requires { sent.reverses(); }) sent.set_reverses(put_text("reverses"));
        if constexpr (requires { sent.charity(); }) sent.set_charity(put_text("charity"));
        if constexpr (requires { sent.reason(); })
            if (maybe()) sent.set_reason(put_text("reason"));
        if constexpr (requires { sent.receipt(); })
            if (maybe()) sent.set_receipt(put_text("receipt"));
        if constexpr (requires { sent.promotion(); })
            if (maybe()) sent.set_promotion(put_text("promotion"));
        if constexpr (requires { sent.pending_until_micros(); })
            if (maybe()) sent.set_pending_until_micros(put_time("pending_until", micros + 1));
        if constexpr (requires { sent.identifier(); }) {
            static constexpr std::array kinds{"card", "phone", "token"};
            sent.set_kind(kinds.at(static_cast<std::size_t>(number(0, 2))));
            put("kind", "\"" + sent.kind() + "\"");
            sent.set_identifier(put_text("identifier"));
            // No identifier replaces itself, and words of one letter may be the same.
            if (maybe()) sent.set_replaces(put_text("replaces", other_than(sent.identifier())));
        }
        if constexpr (requires { sent.points(); }) {
            if (maybe()) {
                sent.set_points(put_number("points", 1, 1'000'000'000));
                return;
            }
        }
        if constexpr (requires { sent.purchase(); }) fill_purchase(*sent.mutable_purchase());
        if constexpr (requires { sent.value(); }) {
            text_ += ",\"value\":{";
            sent.mutable_value()->set_amount_minor(put_number("amount_minor", 1, 1'000'000));
            sent.mutable_value()->set_currency("EUR");
            put("currency", "\"EUR\"");
            text_ += "}";
        }
    }

    void fill_purchase(v1::Purchase& sent)
    {
        text_ += ",\"purchase\":{";
        sent.set_amount_minor(put_number("amount_minor", 0, 1'000'000));
        sent.set_currency("USD");
        put("currency", "\"USD\"");
        if (maybe()) sent.set_channel(put_text("channel"));
        if (maybe()) sent.set_receipt(put_text("receipt"));
        if (maybe()) {
            text_ += ",\"lines\":[";
            for (std::int64_t line = number(0, 5); line > 0; --line) {
                if (text_.back() == '}') text_ += ',';
                text_ += "{";
                auto& row = *sent.add_lines();
                row.set_amount_minor(put_number("amount_minor", -100, 10'000));
                if (maybe()) row.set_sku(put_text("sku"));
                if (maybe()) row.set_category(put_text("category"));
                if (maybe()) row.set_tender(put_text("tender"));
                if (maybe()) row.set_quantity(put_number("quantity", 1, 9));
                if (maybe()) row.set_vat_rate(put_number("vat_rate", 0, 10'000));
                text_ += "}";
            }
            text_ += "]";
        }
        text_ += "}";
    }

    std::mt19937_64 random_;
    std::string text_;
};

TEST(Wire, BothEncodingsHaveTheSameCanonicalForm)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    RandomMessages messages{seed};
    JsonReader json;
    ProtobufReader protobuf;
    for (int round = 0; round < 5'000; ++round) {
        const Pair pair = messages.make();
        const std::string bytes = pair.protobuf.SerializeAsString();
        std::pmr::monotonic_buffer_resource scratch;
        ledger::Message one;
        ledger::Message other;
        const auto json_fault = json.read_typed(pair.json, one, scratch);
        const auto protobuf_fault = protobuf.read_typed(bytes, other, scratch);
        ASSERT_FALSE(json_fault) << json_fault->detail << "\n" << pair.json;
        ASSERT_FALSE(protobuf_fault) << protobuf_fault->detail << "\n" << pair.json;

        std::string first;
        std::string second;
        append_canonical(one, first);
        append_canonical(other, second);
        ASSERT_EQ(first, second) << pair.json;
        ASSERT_EQ(one.member, other.member) << pair.json;
        ASSERT_EQ(one.identifier, other.identifier) << pair.json;
        ASSERT_EQ(one.replaces, other.replaces) << pair.json;
    }
}

} // namespace
} // namespace pointhouse::gateway
