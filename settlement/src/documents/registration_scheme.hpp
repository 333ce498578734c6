#pragma once

#include <string_view>

#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// The scheme (ISO 6523) of a party's register number where Peppol asks for one: "0106" for a Dutch
/// KVK number, "0190" for an OIN. Else empty.
[[nodiscard]] std::string_view registration_scheme_of(const LegalParty& party);

} // namespace pointhouse::settlement
