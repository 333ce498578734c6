#include "house_bookings.hpp"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include "partners/opening.hpp"

namespace pointhouse::gateway {

namespace fs = std::filesystem;

namespace {

/// The file's text; none: it is not the one that was approved.
std::optional<std::string> read_proposal(const fs::path& file, std::string_view digest)
{
    std::ifstream stream{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream.is_open() || partners::digest_of(text) != digest) return std::nullopt;
    return text;
}

partners::Opening read_opening(
    const partners::Registry& registry,
    const partners::ImportedOpening& imported,
    const fs::path& file)
{
    const auto text = read_proposal(file, imported.digest);
    if (!text)
        throw HouseFailure{fmt::format(
            "{} is not the opening that was approved; without it the opening cannot be booked",
            file.string())};
    auto opening = partners::parse_opening(*text, *registry.terms_at(imported.entry));
    if (!opening) throw HouseFailure{file.string() + ": " + opening.error().reason};
    return std::move(*opening);
}

std::vector<ledger::OpeningMember> members_of(
    const partners::Opening& opening,
    const partners::ImportedOpening& imported,
    const ledger::Calendar& calendar)
{
    std::vector<ledger::OpeningMember> members;
    std::map<std::string_view, std::size_t> places;
    for (const auto& name : opening.members) {
        places.emplace(name, members.size());
        members.push_back({.identifier = name});
    }
    for (const auto& lot : opening.lots) {
        ledger::OpeningLot brought{
            .tariff = imported.tariffs.at({lot.issuer, lot.price}),
            .points = lot.points,
            .activity = lot.activity,
            .expires_on = lot.expires_on};
        if (lot.available_from) brought.available_at = calendar.start_of(*lot.available_from);
        auto& place = places.at(lot.member);
        if (members[place].lots.size() == ledger::opening_lots_max) {
            place = members.size();
            members.push_back({.identifier = lot.member});
        }
        members[place].lots.push_back(brought);
    }
    return members;
}

void book_opening(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder)
{
    const auto& imported = *registry.opening();
    const auto file = folder.proposal(imported.proposal);
    const auto opening = read_opening(registry, imported, file);
    const auto& calendar = *registry.terms()->calendar;
    const auto members = members_of(opening, imported, calendar);
    points.book_house_entry(imported.entry, calendar.start_of(imported.as_of), members);
    // It names members: nothing is left of it but what the ledger keeps.
    std::error_code ignored;
    fs::remove(file, ignored);
}

} // namespace

fs::path HouseFolder::proposal(ledger::HouseSequence id) const
{
    return proposals() / fmt::format("{}.json", id.value());
}

void keep_proposal(const HouseFolder& folder, ledger::HouseSequence id, std::string_view text)
{
    fs::create_directories(folder.proposals());
    fs::permissions(folder.proposals(), fs::perms::owner_all);
    const auto file = folder.proposal(id);
    std::ofstream stream{file, std::ios::binary};
    stream << text << std::flush;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    if (!stream) throw HouseFailure{fmt::format("cannot write {}", file.string())};
}

std::optional<std::string> fault_of_proposal(
    const partners::Registry& registry, ledger::HouseSequence id, const HouseFolder& folder)
{
    for (const auto& proposal : registry.proposals()) {
        if (proposal.id != id || proposal.digest.empty()) continue;
        if (!read_proposal(folder.proposal(id), proposal.digest))
            return fmt::format(
                "{} is gone or was changed; {} once more",
                folder.proposal(id).string(),
                proposal.kind == "opening" ? "import the same file" : "send the same message");
    }
    return std::nullopt;
}

void book_house_entries(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder)
{
    const auto entries = registry.entries_with_money();
    const auto& opening = registry.opening();
    // Its file goes when all of it is booked: over several shards that takes two commits.
    if (opening && opening->entry == points.booked_house_entry() &&
        fs::exists(folder.proposal(opening->proposal)))
        book_opening(registry, points, folder);
    if (entries.empty() || entries.back() <= points.booked_house_entry()) return;
    for (const auto entry : entries) {
        if (entry <= points.booked_house_entry()) continue;
        if (opening && opening->entry == entry) {
            book_opening(registry, points, folder);
        } else {
            points.book_house_entry(entry, {}, {});
        }
    }
}

} // namespace pointhouse::gateway
