#pragma once

#include <stdexcept>

namespace pointhouse::certs {

/// A certificate or key that could not be made, read or trusted, in words for the operator.
class CertificateFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace pointhouse::certs
