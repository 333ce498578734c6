#include "random_documents.hpp"

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "settlement/ubl.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::PartnerId;
using ledger::Share;
using ledger::TariffVersion;

struct Treatment {
    std::string_view name;
    std::int32_t basis_points;
};

constexpr std::array treatments{
    Treatment{"taxed", 2100},
    Treatment{"taxed", 2100},
    Treatment{"taxed", 900},
    Treatment{"taxed", 550},
    Treatment{"zero_rated", 0},
    Treatment{"exempt", 0},
    Treatment{"reverse_charge", 0},
    Treatment{"out_of_scope", 0},
};

/// Two days after the month: rows may begin between it and the issue of its documents.
ledger::Time issue_day()
{
    return *ledger::parse_time("2026-07-02T00:00:00Z");
}

std::string_view category_of(std::string_view treatment)
{
    if (treatment == "zero_rated") return "Z";
    if (treatment == "exempt") return "E";
    if (treatment == "reverse_charge") return "AE";
    return treatment == "taxed" ? "S" : "O";
}

class RandomCoalition {
public:
    explicit RandomCoalition(std::uint64_t seed) : random_{seed}, months_{~seed}
    {
        for (int partner = 0; partner < 3; ++partner)
            coalition_.add_partner("P" + std::to_string(partner), "Partner", VatMode::all_flows);
        charity_ = coalition_.add_charity("CHA", "Charity");
        coalition_.add_tariff(coalition_.terms().tariffs[pick(3)]);
        for (ledger::Tariff& tariff : coalition_.terms().tariffs) randomise(tariff);
        coalition_.contracts().vat.clear();
        for (std::uint32_t partner = 1; partner <= 4; ++partner) randomise_vat(PartnerId{partner});
        // Enough points that no step below takes more than there are.
        for (std::uint32_t tariff = 1; tariff <= 4; ++tariff)
            coalition_.issue(TariffVersion{tariff}, 10'000'000);
        coalition_.close_window();
    }

    RandomMonth played()
    {
        const std::size_t steps = 1 + pick(24);
        const std::size_t undoing = pick(4); // more of it, more documents below zero
        for (std::size_t step = 0; step < steps; ++step) play_step(undoing);
        return {
            .terms = coalition_.terms(),
            .contracts = coalition_.contracts(),
            .steps = std::move(steps_),
            .settlement = coalition_.settled()};
    }

private:
    std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }

    void randomise(ledger::Tariff& tariff)
    {
        const std::array shares{Share{1, 1}, Share{1, 2}, Share{0, 1}, Share{1, 4}};
        const bool is_round = pick(2) == 0;
        const auto price = [&](std::size_t most) {
            // Quarters of it, and halves and thirds of those, are whole, as the registry demands.
            const auto count = static_cast<std::int64_t>(24 * pick(most));
            return Micro{is_round ? count / 600 * 600 : count};
        };
        tariff.issue_price = price(850);
        tariff.service_fee = price(85);
        tariff.reimbursement = price(850);
        tariff.prefund_share = shares[pick(shares.size())];
        tariff.breakage_issuer = static_cast<std::int32_t>(pick(3));
    }

    void add_row(PartnerId partner, std::string_view charge, ledger::Time from)
    {
        constexpr std::array points{
            TaxPoint::period_end, TaxPoint::period_end, TaxPoint::issue, TaxPoint::payment};
        const Treatment treatment = treatments[pick(treatments.size())];
        const bool is_outside_scope = treatment.name == "out_of_scope";
        coalition_.contracts().vat.push_back({
            .partner = partner,
            .charge = std::string{charge},
            .valid_from = from,
            .treatment = std::string{treatment.name},
            .category = std::string{category_of(treatment.name)},
            .rate_basis_points = treatment.basis_points,
            .is_gross = treatment.basis_points > 0 && pick(2) == 0,
            .tax_point = is_outside_scope ? TaxPoint::period_end : points[pick(points.size())],
        });
    }

    void randomise_vat(PartnerId partner)
    {
        for (const std::string_view charge :
             {"price", "fee", "reimbursement", "donation", "breakage_shared"}) {
            add_row(partner, charge, {});
            if (pick(4) == 0) add_row(partner, charge, issue_day());
        }
        coalition_.contracts().issued_at = issue_day();
    }

    std::int64_t some()
    {
        constexpr std::array<std::size_t, 4> most{9, 100, 1'000, 100'000};
        return 1 + static_cast<std::int64_t>(pick(most[pick(most.size())]));
    }

    void play_step(std::size_t undoing)
    {
        constexpr std::array<std::string_view, 4> undone{
            "claw_back", "refund", "refund_donation", "recover"};
        constexpr std::array<std::string_view, 5> done{
            "issue", "issue", "redeem", "donate", "expire"};
        const bool undoes = pick(4) < undoing;
        steps_.push_back({
            .what = undoes ? undone[pick(undone.size())] : done[pick(done.size())],
            .lot = static_cast<std::uint32_t>(1 + pick(4)),
            .other = static_cast<std::uint32_t>(1 + pick(4)),
            .points = some(),
        });
        play(steps_.back());
        take_origin(steps_.back(), undoes);
    }

    /// Every third step belongs to April or May. Of a recovery that is the side of the debt.
    void take_origin(Step& step, bool undoes)
    {
        if (months_() % 3 != 0 || step.what == "expire") return;
        step.origin = {.year = 2026, .month = static_cast<std::int32_t>(4 + months_() % 2)};
        step.undoes = undoes && (step.what == "recover" || months_() % 2 == 0);
        if (step.what == "recover" && !step.undoes) return;
        coalition_.earlier().push_back(
            {.origin = step.origin, .undoes = step.undoes, .position = coalition_.rows().back()});
    }

    void play(const Step& step)
    {
        const TariffVersion lot{step.lot};
        const TariffVersion other{step.other};
        if (step.what == "issue") return coalition_.issue(lot, step.points);
        if (step.what == "redeem") return coalition_.redeem(lot, other, step.points);
        if (step.what == "refund") return coalition_.refund(lot, other, step.points);
        if (step.what == "donate") return coalition_.donate(lot, charity_, step.points);
        if (step.what == "refund_donation")
            return coalition_.refund_donation(lot, charity_, step.points);
        if (step.what == "claw_back") return coalition_.claw_back(lot, step.points);
        if (step.what == "expire") return coalition_.expire(lot, step.points);
        coalition_.incur_debt(other, step.points);
        coalition_.recover(lot, other, step.points);
    }

    std::mt19937_64 random_;
    std::mt19937_64 months_; // its own: months with and without are otherwise the same
    Coalition coalition_;
    PartnerId charity_;
    std::vector<Step> steps_;
};

} // namespace

Parties parties_of(const Settlement& settlement)
{
    Parties parties{.house = sandbox_party(settlement.house.id, settlement.house.name)};
    for (const Party& partner : settlement.partners)
        parties.partners.push_back(sandbox_party(partner.id, partner.name));
    return parties;
}

Settlement june_with_expiry(VatMode mode, Share prefund_share, bool is_gross)
{
    June june{mode, prefund_share};
    const TariffVersion fuel{2};
    ledger::Tariff& tariff = june.coalition.terms().tariffs[1];
    tariff.breakage_operator = 1;
    tariff.breakage_issuer = 1;
    june.coalition.add_vat(june.fuel, "breakage_shared", mode == VatMode::all_flows ? 2100 : 0);
    for (VatRule& rule : june.coalition.contracts().vat)
        rule.is_gross = is_gross && rule.treatment == "taxed";
    june.coalition.expire(fuel, 400); // E15
    return june.coalition.settled();
}

RandomMonth random_month(std::uint64_t seed)
{
    return RandomCoalition{seed}.played();
}

Settlement random_settlement(std::uint64_t seed)
{
    return random_month(seed).settlement;
}

std::vector<Document> drafts_of(const Settlement& settlement)
{
    const Parties parties = parties_of(settlement);
    const std::vector<std::int32_t> payment_days(parties.partners.size(), 14);
    auto made = drafts(settlement, parties.house, parties.partners, payment_days);
    for (Document& draft : made)
        for (DocumentLine& line : draft.lines)
            for (EarlierPart& part : line.earlier)
                if (part.undoes)
                    part.billed_on = Preceding{
                        .number = "2026-0" + std::to_string(part.origin.month),
                        .issued_on = 20'600};
    return made;
}

} // namespace pointhouse::settlement
