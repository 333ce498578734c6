#pragma once

#include "client_authority.hpp"
#include "partners/registry.hpp"

namespace pointhouse::gateway {

/// Certificates as the house's record knows them: registered, not revoked, of a partner that it
/// has. The I/O thread's.
class HouseAuthority final : public ClientAuthority {
public:
    explicit HouseAuthority(const partners::Registry& registry) : registry_{registry} {}

    [[nodiscard]] std::optional<ClientIdentity> identify(X509* certificate) override;
    /// Revoked, expired meanwhile, or never registered.
    [[nodiscard]] bool is_refused(std::string_view serial) const override;

private:
    const partners::Registry& registry_;
};

} // namespace pointhouse::gateway
