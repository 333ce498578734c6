#pragma once

#include <boost/json/object.hpp>

#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// A document as the house's record keeps it: every field, so that it reads back equal
/// (settlement/HOUSE_RECORD.md). Keys are added, never renamed.
[[nodiscard]] boost::json::object record_of(const Document& document);
/// Throws an exception of some kind when a key is missing or of the wrong type.
[[nodiscard]] Document document_from(const boost::json::object& record);

} // namespace pointhouse::settlement
