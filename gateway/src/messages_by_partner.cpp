#include "messages_by_partner.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unistd.h>

#include "ledger/invariant.hpp"

namespace pointhouse::gateway {
namespace {

// Of all partners together; and of one, so that few or many make neither tiny nor huge pieces.
constexpr std::size_t buffer_bytes = 32'000'000;
constexpr std::size_t piece_bytes_min = 4'096;
constexpr std::size_t piece_bytes_max = 262'144;

/// A message as it lies in a buffer; its id follows.
struct Stored {
    ledger::MessageType type{};
    std::uint8_t id_bytes = 0;
    ledger::MemberNumber member{};
    ledger::Time occurred_at{};
    ledger::Time posted_at{};
    ledger::Points points{};
    std::int64_t amount_minor = 0;
};
static_assert(std::is_trivially_copyable_v<Stored>);

[[noreturn]] void fail(std::string_view act)
{
    throw ledger::StoreFailure{fmt::format(
        "a file for partners' messages cannot be {}: {}",
        act,
        std::generic_category().message(errno))};
}

int open_file()
{
    auto name = (std::filesystem::temp_directory_path() / "pointhouse-messages-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) fail("made");
    ::unlink(name.c_str());
    return file;
}

void for_each_in(
    std::string_view bytes,
    ledger::BookedMessage& booked,
    const std::function<void(const ledger::BookedMessage&)>& message)
{
    while (!bytes.empty()) {
        Stored stored;
        std::memcpy(&stored, bytes.data(), sizeof stored);
        booked.type = stored.type;
        booked.message_id = bytes.substr(sizeof stored, stored.id_bytes);
        booked.member = stored.member;
        booked.occurred_at = stored.occurred_at;
        booked.posted_at = stored.posted_at;
        booked.points = stored.points;
        booked.amount_minor = stored.amount_minor;
        message(booked);
        bytes.remove_prefix(sizeof stored + stored.id_bytes);
    }
}

} // namespace

MessagesByPartner::MessagesByPartner(std::size_t partners)
    : piece_bytes_{std::clamp(
          buffer_bytes / std::max<std::size_t>(1, partners), piece_bytes_min, piece_bytes_max)},
      partners_(partners)
{}

MessagesByPartner::~MessagesByPartner()
{
    if (file_ >= 0) ::close(file_);
}

void MessagesByPartner::add(const ledger::BookedMessage& message)
{
    ledger::invariant(message.message_id.size() <= UINT8_MAX, "a message id has at most 64 bytes");
    const Stored stored{
        .type = message.type,
        .id_bytes = static_cast<std::uint8_t>(message.message_id.size()),
        .member = message.member,
        .occurred_at = message.occurred_at,
        .posted_at = message.posted_at,
        .points = message.points,
        .amount_minor = message.amount_minor};
    auto& messages = partners_.at(message.partner.value() - 1);
    if (messages.newest.size() + sizeof stored + stored.id_bytes > piece_bytes_) write(messages);
    messages.newest.append(reinterpret_cast<const char*>(&stored), sizeof stored);
    messages.newest += message.message_id;
    ++messages.count;
}

std::size_t MessagesByPartner::count_of(ledger::PartnerId partner) const
{
    return partners_.at(partner.value() - 1).count;
}

void MessagesByPartner::for_each(
    ledger::PartnerId partner,
    const std::function<void(const ledger::BookedMessage&)>& message) const
{
    const auto& messages = partners_.at(partner.value() - 1);
    ledger::BookedMessage booked{.partner = partner};
    for (const auto& piece : messages.written) for_each_in(read(piece), booked, message);
    for_each_in(messages.newest, booked, message);
}

void MessagesByPartner::write(Messages& messages)
{
    if (file_ < 0) file_ = open_file();
    std::string_view bytes = messages.newest;
    messages.written.push_back({file_bytes_, bytes.size()});
    while (!bytes.empty()) {
        const auto written = ::pwrite(file_, bytes.data(), bytes.size(), file_bytes_);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail("written");
        file_bytes_ += written;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    messages.newest.clear();
}

std::string MessagesByPartner::read(const Piece& piece) const
{
    std::string bytes(piece.bytes, '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const auto offset = piece.offset + static_cast<std::int64_t>(filled);
        const auto got = ::pread(file_, bytes.data() + filled, bytes.size() - filled, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("read");
        filled += static_cast<std::size_t>(got);
    }
    return bytes;
}

} // namespace pointhouse::gateway
