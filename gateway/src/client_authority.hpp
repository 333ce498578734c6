#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "exchange.hpp"

namespace pointhouse::gateway {

/// What the house knows of one client certificate: whose it is, and its serial (hexadecimal, lower
/// case), under which it can be refused later.
struct ClientIdentity {
    Caller caller;
    std::string serial;
};

/// Who decides which certificates speak for whom. Called on the I/O thread; must not block.
class ClientAuthority {
public:
    virtual ~ClientAuthority() = default;
    /// Once per connection, after the chain to the house's CA has been verified. None: not a
    /// certificate that the house accepts (SECURITY section 3); its requests are answered with 401.
    [[nodiscard]] virtual std::optional<ClientIdentity> identify(X509* certificate) = 0;
    /// On every request, so that a revocation takes effect on open connections.
    [[nodiscard]] virtual bool is_refused(std::string_view serial) const = 0;
};

} // namespace pointhouse::gateway
