#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "opaque_ids.hpp"

namespace pointhouse::v1 {
class AccrualAnswer;
class RedemptionAnswer;
class ReversalAnswer;
class EnrolmentAnswer;
class MergeAnswer;
class HoldAnswer;
class Result;
} // namespace pointhouse::v1

namespace pointhouse::gateway {

/// What there is to say about one message.
struct Verdict {
    int status = 201;
    bool replayed = false;
    std::string_view code;                  // of a problem; empty: booked
    std::string detail;                     // of a problem
    const ledger::Record* record = nullptr; // booked: what the answer is computed from

    [[nodiscard]] bool is_booked() const { return code.empty(); }
};

/// The outcome must outlive the verdict.
[[nodiscard]] Verdict verdict_of(const ledger::Outcome& outcome);

/// Whose eyes an answer is for. A partner sees its own lots one by one and those of all others as
/// one row; operators see all.
struct Reader {
    ledger::PartnerId partner; // none: an operator
    [[nodiscard]] bool sees(ledger::PartnerId issuer) const
    {
        return partner.is_none() || partner == issuer;
    }
};

inline constexpr std::string_view others = "others";

/// Writes answers to booked messages. Everything but the member's identifier, which the journal
/// does not know, comes from the record and from terms that never change, so that a repeated
/// message gets the same bytes. Reused; one thread.
class Answers {
public:
    explicit Answers(OpaqueIds& ids) : ids_{ids} {}

    /// The terms that the following answers name issuers and prices with.
    void use(const ledger::Terms& terms) { terms_ = &terms; }

    struct Subject {
        const ledger::Record& record;
        std::string_view member; // as the message named it; empty: left out
        Reader reader;
    };

    /// {"posting_id":…}: the body of a 201.
    void append_json(std::string& out, const Subject& subject);
    void append_protobuf(std::string& out, const Subject& subject);

    /// One message of a batch, and GET /v1/messages/{message_id}:
    /// {"status":…,"replayed":…,"answer":{…}} or "problem", which names the message id.
    struct Item {
        const Verdict& verdict;
        std::string_view message_id;
        std::string_view member;
        Reader reader;
    };
    void append_item_json(std::string& out, const Item& item);
    void fill_item(v1::Result& out, const Item& item);

private:
    struct Row {
        OpaqueId id;
        bool has_id = false;
        std::string_view issuer;
        std::int64_t points = 0;
        ledger::Day expires_on = ledger::never;
        ledger::Time available_from{};
        bool is_pending = false;
    };

    void prepare(const Subject& subject);
    void add_row(const ledger::Record& record, const ledger::Entry& entry, Reader reader);
    void append_lots_json(std::string& out);
    void append_hold_json(std::string& out, const ledger::Record& record);
    static void append_row_json(std::string& out, const Row& row);
    void append_rows_json(std::string& out);
    void append_redemption_json(std::string& out, const ledger::Record& record);
    void fill(v1::AccrualAnswer& out, const Subject& subject);
    void fill(v1::RedemptionAnswer& out, const Subject& subject);
    void fill(v1::ReversalAnswer& out, const Subject& subject);
    void fill(v1::HoldAnswer& out, const Subject& subject);
    static void fill(v1::EnrolmentAnswer& out, const Subject& subject);
    void fill(v1::MergeAnswer& out, const Subject& subject);
    [[nodiscard]] OpaqueId hold_id(const Subject& subject);
    [[nodiscard]] std::string_view name_of_day(ledger::Time time);

    OpaqueIds& ids_;
    const ledger::Terms* terms_ = nullptr;

    // Of the answer being written.
    OpaqueId posting_id_;
    std::vector<Row> rows_;
    std::int64_t others_points_ = 0;
    std::int64_t debt_ = 0;
    bool is_refund_ = false;
    std::vector<OpaqueSubject> subjects_;
    std::vector<OpaqueId> encoded_;

    // Most messages are of one day; its name and its bounds.
    std::string day_;
    ledger::Time day_begin_;
    ledger::Time day_end_;
};

} // namespace pointhouse::gateway
