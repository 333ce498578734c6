#include "replay_plan.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include <openssl/evp.h>

namespace pointhouse::ops {
namespace {

constexpr std::size_t message_id_bytes_max = 64;

std::string_view name_of(RowKind kind)
{
    switch (kind) {
    case RowKind::purchase: return "purchase";
    case RowKind::goods_return: return "return";
    case RowKind::redemption: return "redemption";
    case RowKind::offer: return "offer";
    }
    return "";
}

bool fits_message_id(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view{"._:-"}.contains(c);
}

/// `name` itself where it can be a message id, else its beginning and a digest of all of it.
std::string message_id_of(std::string name)
{
    if (name.size() <= message_id_bytes_max && std::ranges::all_of(name, fits_message_id)) {
        return name;
    }

    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(name.data(), name.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    name.resize(std::min<std::size_t>(name.size(), 30));
    std::ranges::replace_if(name, [](char c) { return !fits_message_id(c); }, '_');
    name += '.';
    for (std::size_t i = 0; i < 16; ++i) name += fmt::format("{:02x}", digest.at(i));
    return name;
}

ledger::Time month_end_of(ledger::Time time)
{
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
    return std::chrono::sys_days{(day.year() / day.month() + std::chrono::months{1}) / 1};
}

} // namespace

PlanBuilder::PlanBuilder(std::optional<std::int64_t> redeem_at)
{
    plan_.redeem_at = redeem_at;
}

void PlanBuilder::add(PurchaseRow&& row)
{
    ++plan_.rows;
    if (plan_.currency.empty()) plan_.currency = row.currency;
    if (row.currency != plan_.currency) {
        throw FileFault{fmt::format(
            "currency {}, but the rows before are in {}: a house keeps its books in one",
            row.currency,
            plan_.currency)};
    }
    const auto partner =
        partners_.try_emplace(row.partner, static_cast<std::uint32_t>(partners_.size()))
            .first->second;
    const bool only_purchases = plan_.redeem_at.has_value();
    if (row.kind == RowKind::offer || (only_purchases && row.kind != RowKind::purchase)) {
        ++plan_.rows_skipped[std::string{name_of(row.kind)}];
        return;
    }

    const auto member = members_.try_emplace(row.member, members_.size()).first->second;
    if (member == plan_.members.size()) {
        plan_.members.push_back({.member = std::move(row.member), .baskets = {}});
    }
    auto& baskets = plan_.members[member].baskets;
    // A partner's id has no slash, so this is unambiguous.
    const auto key = fmt::format("{}/{}/{}", row.partner, name_of(row.kind), row.basket);
    const auto [place, is_new] =
        places_.try_emplace(key, Place{.member = member, .basket = baskets.size()});
    if (place->second.member != member) {
        throw FileFault{fmt::format(
            "basket {} at {} belongs to member {}",
            row.basket,
            row.partner,
            plan_.members[place->second.member].member)};
    }
    if (is_new) {
        baskets.push_back({
            .occurred_at = row.occurred_at,
            .basket = std::move(row.basket),
            .partner = partner,
            .kind = row.kind,
            .amount_minor = 0,
            .channel = row.channel,
        });
        ++plan_.baskets;
    }
    auto& basket = baskets[place->second.basket];
    basket.occurred_at = std::min(basket.occurred_at, row.occurred_at);
    basket.amount_minor += std::abs(row.amount_minor);
    if (basket.channel != row.channel) basket.channel.clear();
}

ReplayPlan PlanBuilder::finish()
{
    auto plan = std::exchange(plan_, {});
    plan.partners.resize(partners_.size());
    for (auto& [name, number] : partners_) plan.partners[number] = name;

    // Partners were numbered as they came; sorted by name, their numbers sort as their names do.
    auto sorted = plan.partners;
    std::ranges::sort(sorted);
    std::vector<std::uint32_t> renumbered;
    for (const auto& name : plan.partners) {
        const auto position = std::ranges::lower_bound(sorted, name) - sorted.begin();
        renumbered.push_back(static_cast<std::uint32_t>(position));
    }
    plan.partners = std::move(sorted);

    for (auto& member : plan.members) {
        for (auto& basket : member.baskets) basket.partner = renumbered[basket.partner];
        std::ranges::sort(member.baskets, {}, [](const PlannedBasket& basket) {
            return std::tie(basket.occurred_at, basket.basket, basket.partner, basket.kind);
        });
    }
    std::ranges::sort(plan.members, {}, &MemberPlan::member);
    partners_.clear();
    members_.clear();
    places_.clear();
    return plan;
}

std::string ReplayMessage::message_id(const ReplayPlan& plan) const
{
    if (kind == Kind::enrolment) return message_id_of(fmt::format("{}:enrol", member));
    const auto what =
        kind == Kind::redemption_of_points ? std::string_view{"redeem"} : name_of(planned->kind);
    return message_id_of(
        fmt::format("{}:{}:{}", planned->basket, plan.partners[planned->partner], what));
}

MemberCourse::MemberCourse(const ReplayPlan& plan, const MemberPlan& member)
    : plan_{&plan}, member_{&member}, must_enrol_{member.baskets.front().kind != RowKind::purchase}
{}

std::optional<ReplayMessage> MemberCourse::next(ledger::Time end) const
{
    using Kind = ReplayMessage::Kind;
    if (position_ == member_->baskets.size()) return std::nullopt;
    const auto& basket = member_->baskets[position_];
    if (basket.occurred_at >= end) return std::nullopt;

    ReplayMessage message{.planned = &basket, .member = member_->member};
    if (must_enrol_) {
        message.kind = Kind::enrolment;
    } else if (plan_->redeem_at && !redeemed_before_ && available_ >= *plan_->redeem_at) {
        message.kind = Kind::redemption_of_points;
        message.points = *plan_->redeem_at;
    } else if (basket.kind == RowKind::goods_return) {
        message.kind = Kind::clawback;
    } else if (basket.kind == RowKind::redemption) {
        message.kind = Kind::redemption_by_value;
    }
    return message;
}

void MemberCourse::answered(const ReplayMessage& message, std::optional<std::int64_t> available)
{
    if (available) available_ = *available;
    switch (message.kind) {
    case ReplayMessage::Kind::enrolment: must_enrol_ = false; return;
    case ReplayMessage::Kind::redemption_of_points: redeemed_before_ = true; return;
    case ReplayMessage::Kind::accrual:
    case ReplayMessage::Kind::clawback:
    case ReplayMessage::Kind::redemption_by_value: redeemed_before_ = false; ++position_;
    }
}

std::vector<ledger::Time> month_ends(const ReplayPlan& plan)
{
    std::set<ledger::Time> ends;
    for (const auto& member : plan.members) {
        for (const auto& basket : member.baskets) ends.insert(month_end_of(basket.occurred_at));
    }
    return {ends.begin(), ends.end()};
}

} // namespace pointhouse::ops
