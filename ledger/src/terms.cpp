#include "ledger/terms.hpp"

#include <algorithm>
#include <array>

#include "ledger/accounts.hpp"

namespace pointhouse::ledger {

DebtParts split(Points points, const DebtShares& shares)
{
    const std::array<std::int64_t, 3> of{shares.issuer, shares.redeemer, shares.house};
    const std::int64_t whole = of[0] + of[1] + of[2];
    invariant(whole > 0, "somebody bears a debt");
    std::array<std::int64_t, 3> parts{};
    std::array<std::int64_t, 3> remainders{};
    std::int64_t left = points.count();
    for (std::size_t bearer = 0; bearer < of.size(); ++bearer) {
        parts[bearer] = points.count() * of[bearer] / whole;
        remainders[bearer] = points.count() * of[bearer] % whole;
        left -= parts[bearer];
    }
    // Fewer are left than there are remainders above zero.
    for (; left > 0; --left) {
        auto* const largest = std::ranges::max_element(remainders); // the first of equal ones
        ++parts[static_cast<std::size_t>(largest - remainders.begin())];
        *largest = 0;
    }
    return {.issuer = Points{parts[0]}, .redeemer = Points{parts[1]}, .house = Points{parts[2]}};
}

Micro Tariff::prefunded_price() const
{
    if (prefund_share.numerator == prefund_share.denominator) return issue_price;
    const std::int64_t scaled = issue_price.count() * prefund_share.numerator;
    invariant(
        scaled % prefund_share.denominator == 0,
        "share × price is whole micro-units once published");
    return Micro{scaled / prefund_share.denominator};
}

IssuerVat PartnerTerms::vat_at(Time at) const
{
    const auto after = std::ranges::upper_bound(vat, at, {}, &IssuerVat::valid_from);
    return after == vat.begin() ? IssuerVat{} : *std::prev(after);
}

const PartnerTerms& Terms::partner(PartnerId id) const
{
    invariant(
        id.value() >= 1 && id.value() <= partners.size(), "a partner id is of a known partner");
    return partners[id.value() - 1];
}

const Tariff& Terms::tariff(TariffVersion version) const
{
    invariant(
        version.value() >= 1 && version.value() <= tariffs.size(),
        "a tariff version is of a published tariff");
    return tariffs[version.value() - 1];
}

const PartnerTerms* Terms::find_partner(std::string_view name) const
{
    const auto found = std::ranges::find(partners, name, &PartnerTerms::name);
    return found == partners.end() ? nullptr : &*found;
}

const Promotion& Terms::promotion(PromotionId id) const
{
    invariant(
        id.value() >= 1 && id.value() <= promotions.size(), "a promotion id is of an approved one");
    return promotions[id.value() - 1];
}

const Promotion* Terms::find_promotion(std::string_view name) const
{
    const auto found = std::ranges::find(promotions, name, &Promotion::name);
    return found == promotions.end() ? nullptr : &*found;
}

const Tariff* Terms::find_tariff(PartnerId id, Time at) const
{
    const Tariff* found = nullptr;
    for (const std::uint32_t index : partner(id).tariffs) {
        const Tariff& tariff = tariffs[index];
        if (tariff.valid_from > at) continue;
        if (found == nullptr || tariff.valid_from >= found->valid_from) found = &tariff;
    }
    return found;
}

std::vector<AccountLine> TermsHistory::money_of(HouseSequence /*sequence*/) const
{
    return {};
}

} // namespace pointhouse::ledger
