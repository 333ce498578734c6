#include "netting_example.hpp"

#include <fmt/format.h>

namespace pointhouse::settlement {
namespace {

char letter_of(ledger::PartnerId party)
{
    return party == the_house ? 'H' : static_cast<char>('A' + party.value() - 1);
}

} // namespace

ledger::PartnerId example_partner(char name)
{
    return ledger::PartnerId{static_cast<std::uint32_t>(name - 'A' + 1)};
}

std::vector<Obligation> example_obligations()
{
    const std::vector<std::vector<std::int64_t>> owed{
        {0, 120'000'05, 40'000'00, 15'000'33, 0},
        {80'000'00, 0, 60'000'50, 0, 25'000'25},
        {30'000'10, 20'000'00, 0, 50'000'00, 10'000'00},
        {5'000'01, 35'000'00, 0, 0, 45'000'99},
        {70'000'00, 0, 22'000'22, 18'000'00, 0},
    };
    std::vector<Obligation> obligations;
    for (std::uint32_t debtor = 0; debtor < owed.size(); ++debtor) {
        for (std::uint32_t creditor = 0; creditor < owed.size(); ++creditor) {
            obligations.push_back({
                .debtor = ledger::PartnerId{debtor + 1},
                .creditor = ledger::PartnerId{creditor + 1},
                .amount = ledger::Minor{owed[debtor][creditor]},
            });
        }
    }
    return obligations;
}

std::vector<std::string> in_words(const std::vector<Payment>& payments)
{
    std::vector<std::string> words;
    for (const Payment& payment : payments) {
        words.push_back(fmt::format(
            "{}->{} {}", letter_of(payment.payer), letter_of(payment.payee), payment.amount.count));
    }
    return words;
}

std::map<char, std::int64_t> by_letter(const std::map<ledger::PartnerId, ledger::Minor>& amounts)
{
    std::map<char, std::int64_t> letters;
    for (const auto& [party, amount] : amounts) letters.emplace(letter_of(party), amount.count);
    return letters;
}

Coalition example_coalition()
{
    Coalition coalition;
    for (const char name : {'A', 'B', 'C', 'D', 'E'})
        coalition.add_partner(std::string{name}, std::string{name}, VatMode::fee_only);
    coalition.contracts().vat.clear();
    for (ledger::Tariff& tariff : coalition.terms().tariffs) {
        tariff.service_fee = {};
        tariff.reimbursement = tariff.issue_price;
    }
    for (const Obligation& owed : example_obligations()) {
        if (owed.amount.count == 0) continue;
        const ledger::TariffVersion issuer{owed.debtor.value()};
        coalition.issue(issuer, owed.amount.count);
        coalition.redeem(issuer, ledger::TariffVersion{owed.creditor.value()}, owed.amount.count);
    }
    return coalition;
}

} // namespace pointhouse::settlement
