#include "settlement/window_net.hpp"

#include <algorithm>
#include <array>

namespace pointhouse::settlement {

using ledger::Minor;

std::string name_of(const NetKey& key)
{
    const auto month = ledger::format_month(key.window);
    return key.program.empty() ? month : month + " " + key.program;
}

std::string reference_stem(const NetKey& key)
{
    const auto stem = "PH-" + ledger::format_month(key.window);
    return key.program.empty() ? stem : stem + "." + key.program;
}

std::string_view name_of(NettingMethod method) noexcept
{
    switch (method) {
    case NettingMethod::gross: return "gross";
    case NettingMethod::bilateral: return "bilateral";
    case NettingMethod::multilateral: return "multilateral";
    }
    return "unknown";
}

std::optional<NettingMethod> find_netting_method(std::string_view name) noexcept
{
    constexpr std::array all{
        NettingMethod::gross, NettingMethod::bilateral, NettingMethod::multilateral};
    const auto* found = std::ranges::find(all, name, [](auto method) { return name_of(method); });
    return found == all.end() ? std::nullopt : std::optional{*found};
}

bool WindowNet::is_settled() const
{
    return std::ranges::all_of(payments, [](const auto& each) { return each.second.is_settled(); });
}

bool WindowNet::are_pay_ins_settled() const
{
    return std::ranges::all_of(payments, [](const auto& each) {
        return each.second.net.count >= 0 || each.second.is_settled();
    });
}

const NetPayment* WindowNet::find(ledger::PartnerId partner, bool is_pay_out) const
{
    // Of neither direction: its documents cancelled out.
    const NetPayment* nothing = nullptr;
    for (auto [each, end] = payments.equal_range(partner); each != end; ++each) {
        const NetPayment& payment = each->second;
        if (method != NettingMethod::gross) return &payment;
        if (payment.agreed().count == 0)
            nothing = &payment;
        else if ((payment.agreed().count > 0) == is_pay_out)
            return &payment;
    }
    return nothing;
}

Clearing clearing_of(const WindowNet& net)
{
    Clearing clearing;
    for (const auto& [partner, payment] : net.payments) {
        const bool is_in = payment.net.count < 0;
        (is_in ? clearing.due_in : clearing.due_out) += is_in ? -payment.net : payment.net;
        (is_in ? clearing.paid_in : clearing.paid_out) +=
            is_in ? -payment.settled : payment.settled;
    }
    return clearing;
}

} // namespace pointhouse::settlement
