#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "ledger/result.hpp"
#include "ledger/time.hpp"

namespace pointhouse::certs {

/// Who a client certificate speaks for.
struct Identity {
    enum class Kind : std::uint8_t { partner, house_operator };
    Kind kind = Kind::partner;
    std::string name;       // "GRO", or the operator's name
    std::string serial;     // as `serial_of`: what the deny-list is looked up by
    ledger::Time not_after; // the certificate is valid up to and including this second
    friend bool operator==(const Identity&, const Identity&) = default;
};

/// Reads the identity of a certificate whose chain has already been verified. It must have exactly
/// one name, the URI `urn:pointhouse:partner:<id>` or `urn:pointhouse:operator:<name>`, and be a
/// client's leaf: cA=false, keyUsage digitalSignature, extendedKeyUsage clientAuth and nothing
/// more. The common name is never looked at. On refusal, the reason for the log. Any thread.
[[nodiscard]] ledger::Result<Identity, std::string> identity_of(const X509& certificate);

/// A certificate's serial number in lower-case hexadecimal, at least 32 digits.
[[nodiscard]] std::string serial_of(const X509& certificate);

/// Whether a partner id or an operator's name may stand in a certificate, and so in a URI and a
/// file name: 1 to 32 of [A-Za-z0-9._-], the first a letter or digit.
[[nodiscard]] bool is_certificate_name(std::string_view name);

} // namespace pointhouse::certs
