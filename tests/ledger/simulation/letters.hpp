#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ledger/message.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "simulation/recount.hpp"

namespace pointhouse::ledger::test {

/// A message with texts of its own, kept by the client that sends it until it has an answer.
struct Letter {
    MessageType type = MessageType::accrual;
    PartnerId partner{};
    std::string id{};
    std::string member{};
    std::string other{}; // to_member, reverses, charity or funder, by type
    std::string promotion{};
    Time occurred_at{};
    std::int64_t points = 0; // 0: not said
    std::optional<std::int64_t> purchase_minor{};
    std::optional<std::int64_t> value_minor{};
    std::optional<Time> pending_until{};
    std::int64_t expires_in_seconds = 0;
    Sequence hold{};

    /// Refers to the letter.
    [[nodiscard]] Message message() const;
    friend bool operator==(const Letter&, const Letter&) = default;
};

/// Writes random letters of every type, which refer to what was booked before.
class Writer {
public:
    Writer(std::mt19937_64& random, bool may_close) : random_{random}, may_close_{may_close} {}

    [[nodiscard]] Letter write(Time now);
    /// The same id with something else in it.
    [[nodiscard]] Letter altered(Letter letter);
    /// A booked message may be reversed, captured or released later.
    void remember(const Letter& letter, Sequence sequence);

    static constexpr int members = 9;

private:
    [[nodiscard]] std::int64_t below(std::int64_t limit)
    {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
    }
    [[nodiscard]] std::string any_member();
    [[nodiscard]] Time around(Time now);
    void refer(Letter& letter);
    void fill_accrual(Letter& letter);

    std::mt19937_64& random_;
    bool may_close_;
    std::uint64_t written_ = 0;
    std::vector<std::pair<PartnerId, std::string>> reversible_;
    std::vector<std::pair<PartnerId, Sequence>> holds_;
};

/// What a client knows: all that it sent under each id, and the answers it got. Checks each answer
/// against the journal and against those before it (I2, I3, I7).
class Correspondence {
public:
    struct Envelope {
        PartnerId partner{};
        std::string id{};
        std::size_t version = 0;
    };

    [[nodiscard]] Envelope post(Letter letter);
    [[nodiscard]] Envelope post_again(const Envelope& envelope, Letter altered);
    [[nodiscard]] const Letter& letter(const Envelope& envelope) const;
    /// Any that was sent before; none: nothing was.
    [[nodiscard]] std::optional<Envelope> any(std::mt19937_64& random) const;

    /// An answer came. Returns what is wrong with it; empty: nothing.
    std::string take(const Envelope& envelope, const Record& answer, const Recount& journal);
    /// Nothing was booked under this id up to `before`, or something else: what is wrong with that.
    std::string take_refused(
        const Envelope& envelope, Refusal refusal, const Recount& journal, Sequence before) const;
    /// Every answer is still there; nothing else is. Returns the first fault.
    std::string check_all(const Recount& journal) const;

    struct Exchange {
        std::deque<Letter> versions;
        std::optional<Record> answer; // the id in it is the key's
    };
    [[nodiscard]] const std::map<std::pair<PartnerId, std::string>, Exchange>& all() const
    {
        return exchanges_;
    }
    /// The member's number, once an answer named it.
    [[nodiscard]] const std::map<std::string, MemberNumber>& numbers() const { return numbers_; }

private:
    std::map<std::pair<PartnerId, std::string>, Exchange> exchanges_;
    std::vector<Envelope> sent_;
    std::map<std::string, MemberNumber> numbers_;
};

/// Whether two records say the same.
[[nodiscard]] bool same_record(const Record& left, const Record& right);

} // namespace pointhouse::ledger::test
