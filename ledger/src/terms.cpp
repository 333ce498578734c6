#include "ledger/terms.hpp"

#include <algorithm>

#include "ledger/accounts.hpp"

namespace pointhouse::ledger {

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
