#pragma once

#include <stdexcept>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/document_json.hpp"

namespace pointhouse::settlement {

/// A document inside an entry of the house's record: the JSON that it always has.
[[nodiscard]] inline boost::json::object record_of(const Document& document)
{
    return boost::json::parse(document_json(document)).as_object();
}

/// Throws std::runtime_error when it does not read back.
[[nodiscard]] inline Document document_from(const boost::json::object& record)
{
    auto read = document_from_json(boost::json::serialize(record));
    if (!read) throw std::runtime_error{read.error()};
    return std::move(*read);
}

/// A payment statement's correction has a total below zero; how much it takes back is this.
[[nodiscard]] inline ledger::Minor magnitude(ledger::Minor amount)
{
    return amount.count < 0 ? -amount : amount;
}

} // namespace pointhouse::settlement
