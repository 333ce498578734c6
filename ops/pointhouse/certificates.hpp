#pragma once

#include <string>
#include <string_view>

#include "certs/authority.hpp"
#include "gateway/house.hpp"

namespace pointhouse::ops {

inline constexpr std::string_view operator_prefix = "operator:";
inline constexpr std::string_view partner_prefix = "partner:";
inline constexpr std::string_view server_subject = "house";

/// The subject of a name that was typed: "GRO" and "partner:GRO" mean the same.
[[nodiscard]] std::string subject_of(std::string_view typed);

/// Issues a certificate and registers it. The house's thread. Throws certs::CertificateFailure.
certs::IssuedCertificate issue_certificate(
    gateway::House& house, const std::string& subject, const partners::Registry::Act& act);

/// Signs the key of a request in PEM and registers the certificate. The same.
certs::SignedCertificate sign_certificate(
    gateway::House& house,
    const std::string& subject,
    std::string_view request,
    const partners::Registry::Act& act);

} // namespace pointhouse::ops
