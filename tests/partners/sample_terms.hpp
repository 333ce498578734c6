#pragma once

#include <string>

namespace pointhouse::partners {

/// A coalition's terms in the form of ops/manual/terms.md: an issuer and redeemer, an issuer with
/// prepaid blocks, a charity, and a joint promotion. The tests count its lines from 1.
inline const std::string sample_terms = R"([house]
currency = "EUR"
time_zone = "Europe/Amsterdam"
face_value = "0.01"            # what a member gets per point at the till
late_window_days = 60
breakage_retained_vat = "as price"

[[partner]]
id = "GRO"
name = "Grocer"
roles = ["issuer", "redeemer"]
billing = "postpaid"
credit_limit = "1000.00"
debt_bearer = "issuer"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.010000"
  service_fee = "0.001000"
  reimbursement = "0.009500"
  prefund_share = "1"
  pending_days = 14
  expiry = { months = 24, at = "month_end" }
  breakage = { operator = 1, issuer = 1 }
  [[partner.tariff]]
  from = "2026-07-01"
  issue_price = "0.012"
  service_fee = "0"
  reimbursement = "0.0095"
  prefund_share = "1/2"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "reimbursement", "breakage_shared"]
  treatment = "taxed"
  category = "S"
  rate_bp = 2100

[[partner]]
id = "TNK"
name = "Fuel"
roles = ["issuer"]
billing = "prepaid"
on_short = "next_block"
debt_bearer = "operator"
excess_clawbacks = false
  [[partner.tariff]]
  from = "1970-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  prefund_share = "1.0"
  expiry = { months = 6, at = "day" }

[[partner]]
id = "CHA"
roles = ["charity"]
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["donation"]
  treatment = "out_of_scope"

[[promotion]]
id = "double-fuel-june"
funders = { TNK = 4, GRO = 1 }
from = "2026-06-01"
to = "2026-06-30"
cap_points = 100000
)";

/// The text with the first `from` in it replaced by `to`.
inline std::string edited(std::string text, const std::string& from, const std::string& to)
{
    const auto place = text.find(from);
    if (place == std::string::npos) return "the edit does not apply: " + from;
    return text.replace(place, from.size(), to);
}

} // namespace pointhouse::partners
