#include "house_authority.hpp"

#include "certs/identity.hpp"
#include "log.hpp"

namespace pointhouse::gateway {

std::optional<ClientIdentity> HouseAuthority::identify(X509* certificate)
{
    const auto identity = certs::identity_of(*certificate);
    if (!identity) {
        log_event(LogLevel::warning, "certificate_refused", {{LogField::reason, identity.error()}});
        return std::nullopt;
    }
    ClientIdentity client;
    client.caller.name = identity->name;
    client.serial = identity->serial;
    if (identity->kind == certs::Identity::Kind::house_operator) {
        client.caller.kind = Caller::Kind::house_operator;
    } else {
        const auto terms = registry_.terms();
        const auto* const partner = terms->find_partner(identity->name);
        if (partner == nullptr) {
            log_event(
                LogLevel::warning,
                "certificate_refused",
                {{LogField::reason, "unknown partner"}, {LogField::partner, identity->name}});
            return std::nullopt;
        }
        client.caller.partner = partner->partner;
    }
    return client;
}

bool HouseAuthority::is_refused(std::string_view serial) const
{
    const auto& certificates = registry_.certificates();
    const auto found = certificates.find(serial);
    if (found == certificates.end() || found->second.revoked) return true;
    // By the machine's clock, whatever the sandbox's says; up to and including the last second.
    return ledger::SystemClock{}.now() >= found->second.not_after + std::chrono::seconds{1};
}

} // namespace pointhouse::gateway
