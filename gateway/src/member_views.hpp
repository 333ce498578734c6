#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "answers.hpp"
#include "ledger/ledger.hpp"
#include "opaque_ids.hpp"
#include "pointhouse/v1/answers.pb.h"

namespace pointhouse::gateway {

inline constexpr std::size_t entries_default = 20;
inline constexpr std::size_t entries_max = 100;
/// Of a member with many entries of others, a page may be short and still have a next one.
inline constexpr std::size_t records_scanned_max = 10'000;

/// The balance of a member: the same for every partner.
[[nodiscard]] v1::MemberAnswer member_answer(
    std::string_view identifier, const ledger::MemberView& member, const ledger::Terms& terms);

[[nodiscard]] v1::HoldAnswer hold_answer(std::string_view hold_id, const ledger::HoldView& hold);

/// Which part of a member's history to show.
struct EntriesQuery {
    ledger::MemberNumber member;
    Reader reader;
    std::size_t limit = entries_default;
    std::optional<ledger::Sequence> before;
};

/// A page of a member's history, newest first. A partner sees what its own messages did, its own
/// lots one by one and those of others as one row for each kind of movement; operators see all.
[[nodiscard]] v1::EntriesAnswer entries_answer(
    ledger::Ledger& ledger, OpaqueIds& ids, const EntriesQuery& query);

void append_json(std::string& out, const v1::MemberAnswer& answer);
void append_json(std::string& out, const v1::HoldAnswer& answer);
void append_json(std::string& out, const v1::EntriesAnswer& answer);
void append_json(std::string& out, const v1::EchoAnswer& answer);

} // namespace pointhouse::gateway
