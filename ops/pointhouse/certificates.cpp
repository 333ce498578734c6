#include "certificates.hpp"

#include <fmt/format.h>

namespace pointhouse::ops {

std::string subject_of(std::string_view typed)
{
    if (typed.starts_with(operator_prefix) || typed.starts_with(partner_prefix) ||
        typed == server_subject)
        return std::string{typed};
    return fmt::format("{}{}", partner_prefix, typed);
}

certs::IssuedCertificate issue_certificate(
    gateway::House& house, const std::string& subject, const partners::Registry::Act& act)
{
    auto authority = certs::Authority::open(house.folder().certificates());
    // By the machine's clock, never by the sandbox's test clock.
    const auto now = ledger::SystemClock{}.now();
    const std::string_view name = subject;
    auto issued = [&] {
        if (name == server_subject) return authority.issue_server(house.config().hosts, now);
        if (name.starts_with(operator_prefix))
            return authority.issue_operator(name.substr(operator_prefix.size()), now);
        return authority.issue_partner(name.substr(partner_prefix.size()), now);
    }();
    house.registry().certificate_issued(
        {.serial = issued.serial, .subject = issued.subject, .not_after = issued.not_after}, act);
    return issued;
}

certs::SignedCertificate sign_certificate(
    gateway::House& house,
    const std::string& subject,
    std::string_view request,
    const partners::Registry::Act& act)
{
    const auto authority = certs::Authority::open(house.folder().certificates());
    const auto now = ledger::SystemClock{}.now();
    const std::string_view name = subject;
    auto made = name.starts_with(operator_prefix)
                    ? authority.sign_operator(name.substr(operator_prefix.size()), request, now)
                    : authority.sign_partner(name.substr(partner_prefix.size()), request, now);
    house.registry().certificate_issued(
        {.serial = made.serial, .subject = made.subject, .not_after = made.not_after}, act);
    return made;
}

} // namespace pointhouse::ops
