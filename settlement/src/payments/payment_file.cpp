#include "settlement/payment_file.hpp"

#include <fmt/format.h>
#include <optional>
#include <pugixml.hpp>
#include <set>
#include <sstream>
#include <string_view>

#include "ledger/bank_account.hpp"
#include "settlement/sepa_rules.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using pugi::xml_node;

constexpr const char* name_space = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
constexpr Minor amount_max{99'999'999'999};
constexpr std::size_t name_length = 70;
constexpr std::size_t town_length = 35;
constexpr std::size_t remittance_length = 140;

using Refused = std::optional<PaymentFault>;

Refused refused(PaymentRefusal refusal, std::string_view where, std::string_view why)
{
    return PaymentFault{refusal, fmt::format("{}: {}", where, why)};
}

bool is_blank(std::string_view text)
{
    return text.find_first_not_of(' ') == std::string_view::npos;
}

bool is_sepa(const ledger::Currency& currency)
{
    return currency.code == "EUR";
}

/// What a bank does not find by the IBAN alone.
Refused fault_of_bank(
    const AccountHolder& holder, const ledger::Currency& currency, const std::string& where)
{
    if (is_sepa(currency) && !is_in_sepa(holder.iban))
        return refused(
            PaymentRefusal::iban_outside_sepa,
            where,
            fmt::format("no SEPA payment reaches the account {}", holder.iban));
    if (!is_sepa(currency) && holder.bic.empty())
        return refused(
            PaymentRefusal::bic_missing,
            where,
            fmt::format("a payment in {} needs the BIC of {}", currency.code, holder.iban));
    if (!holder.bic.empty() && !ledger::is_bic(holder.bic))
        return refused(
            PaymentRefusal::bic_invalid, where, fmt::format("\"{}\" is no BIC", holder.bic));
    return std::nullopt;
}

Refused fault_of(
    const AccountHolder& holder, const ledger::Currency& currency, const std::string& where)
{
    if (is_blank(holder.name))
        return refused(PaymentRefusal::name_missing, where, "the account has no holder's name");
    if (const auto fault = ledger::find_iban_fault(holder.iban))
        return refused(
            PaymentRefusal::iban_invalid,
            where,
            fmt::format("\"{}\" is no IBAN: {}", holder.iban, ledger::in_words(*fault)));
    if (auto fault = fault_of_bank(holder, currency, where)) return fault;
    const bool capitals =
        holder.country.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    if (!holder.country.empty() && (holder.country.size() != 2 || !capitals))
        return refused(
            PaymentRefusal::country_invalid,
            where,
            fmt::format("\"{}\" is no country of two capital letters", holder.country));
    return std::nullopt;
}

Refused fault_of(
    const CreditTransfer& transfer, const ledger::Currency& currency, const std::string& where)
{
    if (!is_sepa_identification(transfer.end_to_end_id) || transfer.end_to_end_id == "NOTPROVIDED")
        return refused(
            PaymentRefusal::end_to_end_id_invalid,
            where,
            fmt::format("\"{}\" cannot be its end-to-end id", transfer.end_to_end_id));
    if (transfer.amount <= Minor{0})
        return refused(PaymentRefusal::amount_not_positive, where, "there is nothing to pay");
    if (transfer.amount > amount_max)
        return refused(
            PaymentRefusal::amount_too_large,
            where,
            fmt::format("one payment is at most {}", format_minor(amount_max, currency)));
    if (!transfer.creditor_reference.empty() && !is_creditor_reference(transfer.creditor_reference))
        return refused(
            PaymentRefusal::creditor_reference_invalid,
            where,
            fmt::format("\"{}\" is no creditor reference", transfer.creditor_reference));
    return fault_of(transfer.creditor, currency, where);
}

Refused fault_of(const PaymentOrder& order)
{
    const std::string where = fmt::format("payment file {}", order.message_id);
    if (order.transfers.empty())
        return refused(PaymentRefusal::no_payments, where, "it has no payment");
    if (order.transfers.size() > transfers_max)
        return refused(
            PaymentRefusal::too_many_payments,
            where,
            fmt::format("more than {} payments", transfers_max));
    if (!is_sepa_identification(order.message_id))
        return refused(
            PaymentRefusal::message_id_invalid,
            where,
            "its id has to be 1 to 35 characters that SEPA carries");
    if (auto fault = fault_of(order.debtor, order.currency, where + ", debtor")) return fault;

    std::set<std::string_view> ids;
    for (std::size_t index = 0; index < order.transfers.size(); ++index) {
        const CreditTransfer& transfer = order.transfers[index];
        const std::string payment = fmt::format("{}, payment {}", where, index + 1);
        if (auto fault = fault_of(transfer, order.currency, payment)) return fault;
        if (!ids.insert(transfer.end_to_end_id).second)
            return refused(
                PaymentRefusal::end_to_end_id_repeated,
                payment,
                fmt::format("\"{}\" is another payment's id, too", transfer.end_to_end_id));
    }
    return std::nullopt;
}

void append(xml_node parent, const char* name, const std::string& text)
{
    parent.append_child(name).text().set(text.c_str());
}

std::string cut(std::string_view utf8, std::size_t length)
{
    std::string text = sepa_text(utf8);
    if (text.size() > length) text.resize(length);
    return text;
}

void append_party(xml_node parent, const char* name, const AccountHolder& holder)
{
    xml_node party = parent.append_child(name);
    append(party, "Nm", cut(holder.name, name_length));
    if (is_blank(holder.town) || holder.country.empty()) return;
    const xml_node address = party.append_child("PstlAdr");
    append(address, "TwnNm", cut(holder.town, town_length));
    append(address, "Ctry", holder.country);
}

void append_account(xml_node parent, const char* name, const AccountHolder& holder)
{
    append(parent.append_child(name).append_child("Id"), "IBAN", holder.iban);
}

/// "SB-BOE-1, INV-BOE-7 and 3 more": as many documents as there is room for.
std::string remittance_text(const std::vector<std::string>& documents)
{
    std::string best;
    std::string named;
    for (std::size_t index = 0; index < documents.size(); ++index) {
        named += (index == 0 ? "" : ", ") + sepa_text(documents[index]);
        const std::size_t others = documents.size() - index - 1;
        const std::string text = others == 0 ? named : fmt::format("{} and {} more", named, others);
        if (text.size() <= remittance_length) best = text;
        if (named.size() > remittance_length) break;
    }
    // Not even the first fits: its beginning is better than nothing.
    return best.empty() ? cut(documents.front(), remittance_length) : best;
}

void append_remittance(xml_node parent, const CreditTransfer& transfer)
{
    if (!transfer.creditor_reference.empty()) {
        xml_node reference =
            parent.append_child("RmtInf").append_child("Strd").append_child("CdtrRefInf");
        xml_node type = reference.append_child("Tp");
        append(type.append_child("CdOrPrtry"), "Cd", "SCOR");
        append(type, "Issr", "ISO");
        append(reference, "Ref", transfer.creditor_reference);
    } else if (!transfer.documents.empty()) {
        append(parent.append_child("RmtInf"), "Ustrd", remittance_text(transfer.documents));
    }
}

void append_transfer(
    xml_node parent, const CreditTransfer& transfer, const ledger::Currency& currency)
{
    xml_node node = parent.append_child("CdtTrfTxInf");
    append(node.append_child("PmtId"), "EndToEndId", transfer.end_to_end_id);
    xml_node amount = node.append_child("Amt").append_child("InstdAmt");
    amount.append_attribute("Ccy").set_value(currency.code.c_str());
    amount.text().set(format_minor(transfer.amount, currency).c_str());
    if (!transfer.creditor.bic.empty())
        append(
            node.append_child("CdtrAgt").append_child("FinInstnId"),
            "BICFI",
            transfer.creditor.bic);
    append_party(node, "Cdtr", transfer.creditor);
    append_account(node, "CdtrAcct", transfer.creditor);
    append_remittance(node, transfer);
}

void append_payments(
    xml_node parent, const PaymentOrder& order, const std::string& count, const std::string& sum)
{
    xml_node block = parent.append_child("PmtInf");
    append(block, "PmtInfId", order.message_id);
    append(block, "PmtMtd", "TRF");
    append(block, "BtchBookg", order.batch_booking ? "true" : "false");
    append(block, "NbOfTxs", count);
    append(block, "CtrlSum", sum);
    const bool in_euro = is_sepa(order.currency);
    if (in_euro) append(block.append_child("PmtTpInf").append_child("SvcLvl"), "Cd", "SEPA");
    append(block.append_child("ReqdExctnDt"), "Dt", ledger::format_day(order.execute_on));
    append_party(block, "Dbtr", order.debtor);
    append_account(block, "DbtrAcct", order.debtor);
    if (!in_euro) append(block.child("DbtrAcct"), "Ccy", order.currency.code);
    xml_node agent = block.append_child("DbtrAgt").append_child("FinInstnId");
    if (order.debtor.bic.empty())
        append(agent.append_child("Othr"), "Id", "NOTPROVIDED");
    else
        append(agent, "BICFI", order.debtor.bic);
    append(block, "ChrgBr", in_euro ? "SLEV" : "SHAR");
    for (const CreditTransfer& transfer : order.transfers)
        append_transfer(block, transfer, order.currency);
}

} // namespace

std::expected<std::string, PaymentFault> pain001(const PaymentOrder& order)
{
    if (auto fault = fault_of(order)) return std::unexpected(std::move(*fault));

    // 100,000 payments of at most 10¹¹ cents fit 64 bits.
    Minor sum{0};
    for (const CreditTransfer& transfer : order.transfers) sum.count += transfer.amount.count;
    const std::string count = fmt::to_string(order.transfers.size());
    const std::string control_sum = format_minor(sum, order.currency);

    pugi::xml_document document;
    xml_node declaration = document.append_child(pugi::node_declaration);
    declaration.append_attribute("version").set_value("1.0");
    declaration.append_attribute("encoding").set_value("UTF-8");
    xml_node root = document.append_child("Document");
    root.append_attribute("xmlns").set_value(name_space);
    xml_node message = root.append_child("CstmrCdtTrfInitn");
    xml_node header = message.append_child("GrpHdr");
    append(header, "MsgId", order.message_id);
    append(header, "CreDtTm", ledger::format_time(order.created_at));
    append(header, "NbOfTxs", count);
    append(header, "CtrlSum", control_sum);
    append(header.append_child("InitgPty"), "Nm", cut(order.debtor.name, name_length));
    append_payments(message, order, count, control_sum);

    std::ostringstream text;
    document.save(text, "  ", pugi::format_indent, pugi::encoding_utf8);
    return text.str();
}

} // namespace pointhouse::settlement
