#include <map>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "coalition.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Minor;
using ledger::PartnerId;
using ledger::Share;
using ledger::Tariff;
using ledger::TariffVersion;

/// An independent account of a random month: it keeps open points, debts and money on its own, by
/// DESIGN section 4, and never looks at what the settlement computed.
class RandomMonths {
public:
    explicit RandomMonths(std::uint64_t seed) : random_{seed}
    {
        for (int partner = 0; partner < 4; ++partner)
            coalition_.add_partner("P" + std::to_string(partner), "Partner", VatMode::all_flows);
        charity_ = coalition_.add_charity("CHA", "Charity");
        for (Tariff& tariff : coalition_.terms().tariffs) randomise(tariff);
        for (int further = 0; further < 3; ++further) {
            Tariff tariff = coalition_.terms().tariffs[pick(4)];
            randomise(tariff);
            coalition_.add_tariff(tariff);
        }
        for (VatRule& rule : coalition_.contracts().vat) {
            rule.is_gross = rule.treatment == "taxed" && pick(2) == 0;
            rule.tax_point = static_cast<TaxPoint>(pick(3));
        }
        open_.resize(7);
        spent_.resize(7);
        debt_.resize(7);
    }

    void play(int steps)
    {
        money_.clear();
        for (int step = 0; step < steps; ++step) play_step();
    }

    void check() const
    {
        const Settlement settlement = coalition_.settled();
        check_points(settlement.figures);
        check_documents(settlement);
        std::int64_t nets = 0;
        for (const auto& [party, net] : settlement.nets) nets += net.count;
        EXPECT_EQ(nets, 0);
        const TrialBalance& balance = settlement.figures.trial_balance;
        EXPECT_EQ(balance.points_debits, balance.points_credits);
        EXPECT_EQ(balance.money_debits, balance.money_credits);
    }

    Coalition& coalition() { return coalition_; }

private:
    /// Statement type, partner, tariff version, charge: one line.
    using LineKey = std::tuple<StatementType, std::uint32_t, std::size_t, Charge>;

    std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }

    void randomise(Tariff& tariff)
    {
        const std::vector<Share> shares{{1, 1}, {1, 2}, {0, 1}, {1, 4}};
        tariff.issue_price = Micro{static_cast<std::int64_t>(4 * (1 + pick(5'000)))};
        tariff.service_fee = Micro{static_cast<std::int64_t>(pick(2'000))};
        tariff.reimbursement = Micro{static_cast<std::int64_t>(pick(20'000))};
        tariff.prefund_share = shares[pick(shares.size())];
    }

    const Tariff& tariff(std::size_t index) const { return coalition_.terms().tariffs[index]; }
    static TariffVersion version(std::size_t index)
    {
        return TariffVersion{static_cast<std::uint32_t>(index + 1)};
    }
    std::int64_t owner(std::size_t index) const { return tariff(index).partner.value(); }
    std::int64_t prefunded(std::size_t index) const
    {
        const Tariff& of = tariff(index);
        return of.issue_price.count() * of.prefund_share.numerator / of.prefund_share.denominator;
    }
    std::int64_t rest(std::size_t index) const
    {
        return tariff(index).issue_price.count() - prefunded(index);
    }

    std::int64_t some(std::int64_t of)
    {
        return of == 0 ? 0 : 1 + static_cast<std::int64_t>(pick(static_cast<std::size_t>(of)));
    }

    void charge(StatementType type, std::size_t index, Charge what, std::int64_t amount)
    {
        money_[{type, tariff(index).partner.value(), index, what}] += amount;
    }

    void play_step()
    {
        const std::size_t lot = pick(7);
        const std::size_t other = pick(7);
        switch (pick(8)) {
        case 0:
        case 1: issue(lot, 1 + static_cast<std::int64_t>(pick(1'000))); break;
        case 2: redeem(lot, other, some(open_[lot])); break;
        case 3: refund(lot, other); break;
        case 4: donate(lot, some(open_[lot])); break;
        case 5: claw_back(lot, some(open_[lot])); break;
        case 6: incur_debt(lot, 1 + static_cast<std::int64_t>(pick(100))); break;
        default: recover(lot, other); break;
        }
    }

    void issue(std::size_t lot, std::int64_t points)
    {
        coalition_.issue(version(lot), points);
        open_[lot] += points;
        charge(StatementType::issuance, lot, Charge::price, points * prefunded(lot));
        charge(StatementType::issuance, lot, Charge::fee, points * tariff(lot).service_fee.count());
    }

    void redeem(std::size_t lot, std::size_t redeemer, std::int64_t points)
    {
        if (points == 0) return;
        coalition_.redeem(version(lot), version(redeemer), points);
        open_[lot] -= points;
        spent_[lot][redeemer] += points;
        charge(StatementType::issuance, lot, Charge::price, points * rest(lot));
        const std::int64_t reimbursement = tariff(redeemer).reimbursement.count();
        charge(StatementType::redemption, redeemer, Charge::reimbursement, points * reimbursement);
    }

    void refund(std::size_t lot, std::size_t redeemer)
    {
        const std::int64_t points = some(spent_[lot][redeemer]);
        if (points == 0) return;
        coalition_.refund(version(lot), version(redeemer), points);
        open_[lot] += points;
        spent_[lot][redeemer] -= points;
        charge(StatementType::issuance, lot, Charge::price, -points * rest(lot));
        const std::int64_t reimbursement = tariff(redeemer).reimbursement.count();
        charge(StatementType::redemption, redeemer, Charge::reimbursement, -points * reimbursement);
    }

    void donate(std::size_t lot, std::int64_t points)
    {
        if (points == 0) return;
        coalition_.donate(version(lot), charity_, points);
        open_[lot] -= points;
        charge(StatementType::issuance, lot, Charge::price, points * rest(lot));
        const std::int64_t price = tariff(lot).issue_price.count();
        money_[{StatementType::donation, charity_.value(), lot, Charge::donation}] +=
            points * price;
    }

    void claw_back(std::size_t lot, std::int64_t points)
    {
        if (points == 0) return;
        coalition_.claw_back(version(lot), points);
        open_[lot] -= points;
        charge(StatementType::issuance, lot, Charge::price, -points * prefunded(lot));
        charge(
            StatementType::issuance, lot, Charge::fee, -points * tariff(lot).service_fee.count());
    }

    void incur_debt(std::size_t lot, std::int64_t points)
    {
        coalition_.incur_debt(version(lot), points);
        debt_[lot] += points;
    }

    void recover(std::size_t lot, std::size_t debt)
    {
        const std::int64_t points = some(std::min(open_[lot], debt_[debt]));
        if (points == 0) return;
        coalition_.recover(version(lot), version(debt), points);
        open_[lot] -= points;
        debt_[debt] -= points;
        charge(StatementType::issuance, lot, Charge::price, points * rest(lot));
        const Tariff& credited = tariff(debt);
        charge(
            StatementType::issuance, debt, Charge::price, -points * credited.issue_price.count());
        charge(StatementType::issuance, debt, Charge::fee, -points * credited.service_fee.count());
    }

    void check_points(const WindowFigures& figures) const
    {
        for (const PartnerFigures& of : figures.partners) {
            std::int64_t open = 0;
            std::int64_t debt = 0;
            for (std::size_t index = 0; index < open_.size(); ++index) {
                if (owner(index) != of.partner.value()) continue;
                open += open_[index];
                debt += debt_[index];
            }
            EXPECT_EQ(of.closing, open);
            EXPECT_EQ(of.debt, debt);
            EXPECT_EQ(
                of.opening + of.issued - of.own_redeemed_anywhere - of.clawed_back - of.expired -
                    of.recovered_given + of.recovered_received,
                of.closing - of.debt);
        }
        std::map<PartnerId, std::int64_t> here;
        for (const PointsFlow& flow : figures.flows) here[flow.redeemer] += flow.points;
        for (const PartnerFigures& of : figures.partners)
            EXPECT_EQ(of.redeemed_here - of.refunded, here[of.partner]);
    }

    static std::int64_t rounded(std::int64_t micro)
    {
        return micro < 0 ? -((-micro + 5'000) / 10'000) : (micro + 5'000) / 10'000;
    }

    static std::int64_t tax_of(std::int64_t net, std::int64_t basis_points)
    {
        return rounded(net * basis_points);
    }

    static std::int64_t net_of(std::int64_t gross, std::int64_t basis_points)
    {
        if (gross < 0) return -net_of(-gross, basis_points);
        const std::int64_t divisor = 10'000 + basis_points;
        const std::int64_t rest = gross * 10'000 % divisor;
        return gross * 10'000 / divisor + (2 * rest >= divisor ? 1 : 0);
    }

    void check_totals(const Statement& statement) const
    {
        std::map<VatRate, std::int64_t> sums;
        std::int64_t net = 0;
        for (const StatementLine& line : statement.lines) {
            const std::int64_t amount = rounded(line.exact.count());
            EXPECT_EQ((line.vat.is_gross ? line.gross : line.net).count, amount);
            sums[line.vat] += amount;
            net += line.net.count;
        }
        EXPECT_EQ(statement.net.count, net);
        std::int64_t expected_net = 0;
        std::int64_t total = 0;
        for (const auto& [rate, sum] : sums) {
            const auto net_of_rate = rate.is_gross ? net_of(sum, rate.basis_points) : sum;
            expected_net += net_of_rate;
            total += rate.is_gross ? sum : sum + tax_of(sum, rate.basis_points);
        }
        EXPECT_EQ(net, expected_net);
        EXPECT_EQ(statement.total.count, total);
    }

    void check_documents(const Settlement& settlement) const
    {
        std::map<LineKey, std::int64_t> found;
        for (const Statement& statement : settlement.statements) {
            check_totals(statement);
            for (const StatementLine& line : statement.lines) {
                const LineKey key{
                    statement.type,
                    statement.partner.value(),
                    line.tariff.value() - 1,
                    line.charge,
                };
                EXPECT_TRUE(found.emplace(key, line.exact.count()).second) << "one line each";
                if (line.price) {
                    EXPECT_EQ(*line.price * line.points, line.exact);
                }
            }
        }
        for (const auto& [key, amount] : money_) {
            const auto line = found.find(key);
            EXPECT_EQ(line == found.end() ? 0 : line->second, amount);
            if (line != found.end()) found.erase(line);
        }
        EXPECT_TRUE(found.empty()) << "a line for which nothing happened";
    }

    std::mt19937_64 random_;
    Coalition coalition_;
    PartnerId charity_;
    std::vector<std::int64_t> open_;
    std::vector<std::map<std::size_t, std::int64_t>> spent_;
    std::vector<std::int64_t> debt_;
    std::map<LineKey, std::int64_t> money_;
};

TEST(RandomMonths, AgreeWithAnIndependentAccountAndChain)
{
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        RandomMonths months{seed};
        std::vector<std::int64_t> carried(5, 0);
        for (int month = 0; month < 3; ++month) {
            months.play(60);
            months.check();
            for (const PartnerFigures& of : months.coalition().figures().partners) {
                std::int64_t& before = carried[of.partner.value() - 1];
                EXPECT_EQ(of.opening, before);
                before = of.closing - of.debt;
            }
            months.coalition().close_window();
        }
        if (testing::Test::HasFailure()) break;
    }
}

// The projector writes one row per entry kind and price; how rows are cut or ordered must not
// matter.
TEST(RandomMonths, DoNotDependOnTheOrderOfRows)
{
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        RandomMonths months{seed};
        months.play(80);
        const Settlement before = months.coalition().settled();
        std::ranges::shuffle(months.coalition().rows(), std::mt19937_64{seed});
        const Settlement after = months.coalition().settled();

        EXPECT_EQ(before.nets, after.nets);
        EXPECT_EQ(before.figures.flows, after.figures.flows);
        EXPECT_EQ(before.figures.trial_balance, after.figures.trial_balance);
        ASSERT_EQ(before.statements.size(), after.statements.size());
        for (std::size_t index = 0; index < before.statements.size(); ++index)
            EXPECT_EQ(before.statements[index].total, after.statements[index].total);
    }
}

} // namespace
} // namespace pointhouse::settlement
