#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <openssl/evp.h>

#include "contract_rules.hpp"
#include "duplicate_keys.hpp"
#include "ledger/accounts.hpp"
#include "ledger/invariant.hpp"
#include "opening_rules.hpp"
#include "partners/opening.hpp"

namespace pointhouse::partners {
namespace {

namespace json = boost::json;
using ledger::Micro;

constexpr std::size_t identifier_size_max = 64;

/// Leaves the reading at the first thing that is wrong.
struct Fault {
    std::string reason;
};

[[noreturn]] void fail(std::string_view where, std::string_view why)
{
    throw Fault{where.empty() ? std::string{why} : fmt::format("{}: {}", where, why)};
}

/// One object of the file: takes its keys and refuses those that nobody asked for.
class ObjectReader {
public:
    ObjectReader(const json::value& value, std::string where) : where_{std::move(where)}
    {
        if (!value.is_object()) fail(where_, "must be an object");
        object_ = &value.get_object();
    }

    const json::value* find(std::string_view key)
    {
        known_.emplace(key);
        return object_->if_contains(key);
    }
    const json::value& require(std::string_view key)
    {
        const auto* value = find(key);
        if (!value) fail(where_, fmt::format("{} is missing", key));
        return *value;
    }
    std::string_view text(std::string_view key)
    {
        const auto& value = require(key);
        if (!value.is_string()) fail(where_, fmt::format("{} must be text", key));
        return value.get_string();
    }
    std::int64_t integer(std::string_view key)
    {
        const auto& value = require(key);
        if (!value.is_int64()) fail(where_, fmt::format("{} must be a whole number", key));
        return value.get_int64();
    }
    const json::array& list(std::string_view key)
    {
        const auto& value = require(key);
        if (!value.is_array()) fail(where_, fmt::format("{} must be a list", key));
        return value.get_array();
    }
    ledger::Day day(std::string_view key)
    {
        const auto day = ledger::parse_day(text(key));
        if (!day) fail(where_, fmt::format("{} must be a day, as \"2026-06-30\"", key));
        return *day;
    }
    Micro price(std::string_view key)
    {
        const auto price = ledger::parse_micro(text(key));
        if (!price || *price < Micro{0} || *price > price_max) {
            fail(
                where_,
                fmt::format(
                    "{} must be a decimal of at most six places in quotes, from 0 to {}",
                    key,
                    ledger::format_micro(price_max)));
        }
        return *price;
    }
    ledger::Points points(std::int64_t max)
    {
        const auto count = integer("points");
        if (count < 1 || count > max) fail(where_, fmt::format("points: from 1 to {}", max));
        return ledger::Points{count};
    }
    void refuse_unknown() const
    {
        for (const auto& member : *object_) {
            if (!known_.contains(member.key())) {
                fail(where_, fmt::format("{} is no key here", std::string_view{member.key()}));
            }
        }
    }
    [[nodiscard]] const std::string& where() const { return where_; }

private:
    std::string where_;
    const json::object* object_ = nullptr;
    std::set<std::string, std::less<>> known_;
};

bool is_identifier(std::string_view text)
{
    return !text.empty() && text.size() <= identifier_size_max &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view{"._:@+-"}.contains(c);
           });
}

class OpeningFile {
public:
    explicit OpeningFile(const ledger::Terms& terms) : terms_{terms} {}

    Opening read(const json::value& root)
    {
        ObjectReader reader{root, ""};
        opening_.as_of = reader.day("as_of");
        for (const auto& row : reader.list("members")) member(row);
        for (const auto& row : reader.list("lots")) lot(row);
        for (const auto& row : reader.list("blocks")) block(row);
        balances(reader.require("balances_micro"));
        reader.refuse_unknown();
        if (auto fault = fault_of(opening_, terms_)) throw Fault{std::move(*fault)};
        return std::move(opening_);
    }

private:
    void member(const json::value& row)
    {
        ObjectReader reader{row, fmt::format("member {}", opening_.members.size() + 1)};
        const auto name = reader.text("member");
        if (!is_identifier(name)) fail(reader.where(), "member is no identifier");
        if (!members_.emplace(name).second) fail(reader.where(), "stands there twice");
        opening_.members.emplace_back(name);
        reader.refuse_unknown();
    }

    void lot(const json::value& row)
    {
        ObjectReader unnamed{row, fmt::format("lot {}", opening_.lots.size() + 1)};
        OpeningLot lot;
        lot.name = unnamed.text("lot");
        ObjectReader reader{row, "lot " + lot.name};
        static_cast<void>(reader.text("lot"));
        if (!lots_.emplace(lot.name).second) fail(reader.where(), "stands there twice");
        lot.member = reader.text("member");
        if (!members_.contains(lot.member)) fail(reader.where(), "its member is not listed");
        lot.issuer = issuer(reader, "issuer");
        lot.points = reader.points(ledger::points_per_message_max.count());
        lot.price = reader.price("issue_price");
        const auto activity = ledger::parse_time(reader.text("activity_at"));
        if (!activity) fail(reader.where(), "activity_at must be a time, RFC 3339");
        lot.activity = *activity;
        if (const auto* expiry = reader.find("expires_on"); expiry && !expiry->is_null()) {
            lot.expires_on = reader.day("expires_on");
        }
        const auto state = reader.text("state");
        if (state != "active" && state != "pending") {
            fail(reader.where(), R"(state must be "active" or "pending")");
        }
        if (state == "pending") lot.available_from = reader.day("available_from");
        reader.refuse_unknown();
        opening_.lots.push_back(std::move(lot));
    }

    void block(const json::value& row)
    {
        ObjectReader reader{row, fmt::format("block {}", opening_.blocks.size() + 1)};
        opening_.blocks.push_back(
            {.partner = issuer(reader, "partner"),
             .points = reader.points(block_points_max),
             .price = reader.price("price"),
             .fee = reader.price("fee")});
        reader.refuse_unknown();
    }

    void balances(const json::value& value)
    {
        if (!value.is_object()) fail("balances_micro", "must be an object");
        for (const auto& member : value.get_object()) {
            const std::string name{member.key()};
            if (!member.value().is_int64()) {
                fail("balances_micro", name + " must be a whole number of millionths");
            }
            opening_.balances.emplace_back(name, Micro{member.value().get_int64()});
        }
    }

    ledger::PartnerId issuer(ObjectReader& reader, std::string_view key)
    {
        const auto name = reader.text(key);
        const auto* partner = terms_.find_partner(name);
        if (!partner) fail(reader.where(), fmt::format("the house knows no partner {}", name));
        if (!partner->roles.issuer) fail(reader.where(), fmt::format("{} is no issuer", name));
        return partner->partner;
    }

    const ledger::Terms& terms_;
    Opening opening_;
    std::set<std::string, std::less<>> members_;
    std::set<std::string, std::less<>> lots_;
};

} // namespace

std::string digest_of(std::string_view file)
{
    std::array<unsigned char, 32> digest{};
    unsigned size = 0;
    const int done =
        EVP_Digest(file.data(), file.size(), digest.data(), &size, EVP_sha256(), nullptr);
    ledger::invariant(done == 1 && size == digest.size(), "OpenSSL has SHA-256");
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

ledger::Result<Opening, ContractFault> parse_opening(
    std::string_view text, const ledger::Terms& terms)
{
    boost::system::error_code error;
    const auto root = json::parse(text, error);
    if (error) return std::unexpected(ContractFault{"the file is no JSON: " + error.message()});
    if (const auto key = first_duplicate_key(text))
        return std::unexpected(ContractFault{fmt::format("{}: the key stands there twice", *key)});
    try {
        return OpeningFile{terms}.read(root);
    } catch (Fault& fault) {
        return std::unexpected(ContractFault{std::move(fault.reason)});
    }
}

} // namespace pointhouse::partners
