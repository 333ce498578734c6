#include "partners/registry.hpp"

namespace pointhouse::partners {

PartnerContract standard_contract(std::string_view id)
{
    PartnerContract contract;
    contract.terms.name = id;
    contract.terms.roles = {.issuer = true, .redeemer = true, .charity = false};
    contract.display_name = id;

    ledger::Tariff tariff;
    tariff.issue_price = ledger::Micro{10'000};
    tariff.service_fee = ledger::Micro{1'000};
    tariff.reimbursement = ledger::Micro{9'500};
    contract.tariffs.push_back(tariff);

    VatTerms vat;
    vat.flows = {
        "price",
        "fee",
        "reimbursement",
        "donation",
        "breakage_shared",
        "breakage_retained",
        "block"};
    vat.treatment = "taxed";
    vat.category = "S";
    vat.rate_basis_points = 2100;
    contract.vat.push_back(std::move(vat));
    return contract;
}

} // namespace pointhouse::partners
