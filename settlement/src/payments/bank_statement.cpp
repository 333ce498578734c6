#include "settlement/bank_statement.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "statement_xml.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::Wide;
using pugi::xml_node;

namespace {

/// Reads one statement, of which the account and its currency are known when entries are read.
class AccountStatementReader {
public:
    AccountStatementReader(StatementReader& reader, std::string place)
        : reader_{reader}, place_{std::move(place)}
    {
        reader_.set_place(place_);
    }

    BankStatement read(xml_node node)
    {
        read_header(node);
        read_balances(node);
        for (const xml_node entry : node.children())
            if (local_name(entry) == "Ntry" && !reader_.fault()) read_entry(entry);
        reader_.set_place(place_);
        if (!reader_.fault()) check_sum();
        return std::move(statement_);
    }

private:
    void read_header(xml_node node)
    {
        statement_.id = drawn_together(reader_.at(node, {"Id"}).text().as_string());
        if (statement_.id.empty())
            reader_.refuse(StatementRefusal::value_invalid, "its Id is empty");
        statement_.electronic_sequence = reader_.number(node, "ElctrncSeqNb");
        statement_.legal_sequence = reader_.number(node, "LglSeqNb");
        read_page(node);
        statement_.from = reader_.text(node, {"FrToDt", "FrDtTm"});
        statement_.to = reader_.text(node, {"FrToDt", "ToDtTm"});

        const xml_node account = reader_.at(node, {"Acct"});
        statement_.account = reader_.text(account, {"Id", "IBAN"});
        if (statement_.account.empty())
            statement_.account = reader_.text(account, {"Id", "Othr", "Id"});
        if (statement_.account.empty())
            reader_.refuse(StatementRefusal::element_missing, "its account has no number");
        read_currency(node, account);
    }

    /// Version 02 numbers the pages of messages, and a page of a statement is a message of its own.
    void read_page(xml_node node)
    {
        const bool is_old = reader_.version() == StatementVersion::v02;
        const xml_node pages = is_old ? reader_.find(node.parent(), {"GrpHdr", "MsgPgntn"})
                                      : reader_.find(node, {"StmtPgntn"});
        if (!pages) return;
        const auto page = reader_.number(pages, "PgNb");
        if (!page || *page < 1 || *page > 99'999)
            reader_.refuse(StatementRefusal::value_invalid, "its page has no number");
        statement_.page = static_cast<std::int32_t>(page.value_or(1));
    }

    /// The account's, or where the bank leaves it out, that of its first balance.
    void read_currency(xml_node node, xml_node account)
    {
        std::string code = reader_.text(account, {"Ccy"});
        for (const xml_node child : node.children())
            if (code.empty() && local_name(child) == "Bal")
                code = reader_.find(child, {"Amt"}).attribute("Ccy").as_string();
        if (const auto currency = ledger::find_currency(code))
            statement_.currency = *currency;
        else
            reader_.refuse(
                StatementRefusal::value_invalid,
                fmt::format("\"{}\" is no currency of an account", code));
    }

    void read_balances(xml_node node)
    {
        std::optional<BookedBalance> opening;
        std::optional<BookedBalance> previous;
        std::optional<BookedBalance> closing;
        std::array<std::optional<BookedBalance>, 2> interim; // the first and the second
        for (const xml_node child : node.children()) {
            if (local_name(child) != "Bal" || reader_.fault()) continue;
            const std::string type = reader_.text(child, {"Tp", "CdOrPrtry", "Cd"});
            if (type == "OPBD")
                keep(opening, child, type);
            else if (type == "PRCD")
                keep(previous, child, type);
            else if (type == "CLBD")
                keep(closing, child, type);
            else if (type == "ITBD")
                keep(interim[interim[0] ? 1 : 0], child, type);
        }
        // A page that opens with an interim balance has the other one, if any, at its end.
        const bool opens_with_interim = !opening && !previous && interim[0];
        if (!opening) opening = previous;
        if (opens_with_interim) opening = interim[0];
        if (!closing) closing = interim[opens_with_interim ? 1 : 0];
        if (reader_.fault()) return;
        if (!opening || !closing) {
            reader_.refuse(
                StatementRefusal::balance_missing,
                fmt::format("it has no {} booked balance", opening ? "closing" : "opening"));
            return;
        }
        statement_.opening = *opening;
        statement_.closing = *closing;
    }

    void keep(std::optional<BookedBalance>& place, xml_node node, std::string_view type)
    {
        BookedBalance balance{.amount = reader_.signed_amount(node, statement_.currency)};
        if (const auto day = reader_.day(node, "Dt"))
            balance.day = *day;
        else
            reader_.refuse(StatementRefusal::element_missing, "a balance has no day");
        if (place && *place != balance)
            reader_.refuse(
                StatementRefusal::balance_repeated,
                fmt::format("it has two balances {} that differ", type));
        place = balance;
    }

    void read_entry(xml_node entry)
    {
        reader_.set_place(fmt::format("{}, entry {}", place_, ++entries_));
        const std::string status = status_of(entry);
        if (status.empty()) reader_.refuse(StatementRefusal::element_missing, "it has no Sts");
        if (status != "BOOK") {
            ++statement_.entries_pending;
            return;
        }

        BankRow row{.entry = entries_, .amount = reader_.signed_amount(entry, statement_.currency)};
        row.booked_on = reader_.day(entry, "BookgDt").value_or(statement_.closing.day);
        row.value_on = reader_.day(entry, "ValDt").value_or(row.booked_on);
        row.entry_reference = reader_.reference(entry, {"NtryRef"});
        row.servicer_reference = reader_.reference(entry, {"AcctSvcrRef"});
        row.is_reversal = reader_.flag(entry, "RvslInd");
        row.code = code_of(entry);
        read_details(entry, row);
    }

    /// Version 02 has the code itself.
    std::string status_of(xml_node entry)
    {
        if (reader_.version() == StatementVersion::v02) return reader_.text(entry, {"Sts"});
        const std::string status = reader_.text(entry, {"Sts", "Cd"});
        return status.empty() ? reader_.text(entry, {"Sts", "Prtry"}) : status;
    }

    void read_details(xml_node entry, BankRow row)
    {
        std::vector<xml_node> details;
        for (const xml_node child : entry.children()) {
            if (local_name(child) != "NtryDtls") continue;
            if (row.payment_block.empty())
                row.payment_block = reader_.reference(child, {"Btch", "PmtInfId"});
            for (const xml_node detail : child.children())
                if (local_name(detail) == "TxDtls") details.push_back(detail);
        }
        if (details.size() > 1 && amount_of(details.front())) {
            read_each(entry, details, row);
            return;
        }
        // One, or several that the bank does not price: then what they say is no one's in
        // particular, and the entry stays whole.
        if (details.size() == 1) read_detail(details.front(), row);
        if (row.remittance.empty()) row.remittance = joined_texts(entry, "AddtlNtryInf");
        statement_.rows.push_back(std::move(row));
    }

    void read_each(xml_node entry, const std::vector<xml_node>& details, const BankRow& whole)
    {
        Wide sum = 0;
        std::int32_t number = 0;
        for (const xml_node detail : details) {
            BankRow row = whole;
            row.detail = ++number;
            const xml_node amount = amount_of(detail);
            if (!amount) {
                reader_.refuse(
                    StatementRefusal::details_do_not_add_up,
                    fmt::format("transaction {} has no amount, others have", row.detail));
                return;
            }
            row.amount = reader_.amount(amount, statement_.currency);
            if (reader_.is_debit(reader_.find(detail, {"CdtDbtInd"}) ? detail : entry))
                row.amount.count = -row.amount.count;
            sum += row.amount.count;
            read_detail(detail, row);
            statement_.rows.push_back(std::move(row));
        }
        if (sum != whole.amount.count) {
            reader_.refuse(
                StatementRefusal::details_do_not_add_up,
                fmt::format(
                    "its {} transactions do not add up to {}",
                    details.size(),
                    format_minor(whole.amount, statement_.currency)));
        }
    }

    /// What a transaction adds to its entry; none: nothing that is said in the account's currency.
    xml_node amount_of(xml_node detail)
    {
        xml_node amount = reader_.find(detail, {"Amt"});
        if (!amount) amount = reader_.find(detail, {"AmtDtls", "TxAmt", "Amt"});
        const bool ours = amount.attribute("Ccy").as_string() == statement_.currency.code;
        return ours ? amount : xml_node{};
    }

    void read_detail(xml_node detail, BankRow& row)
    {
        const std::string servicer = reader_.reference(detail, {"Refs", "AcctSvcrRef"});
        if (!servicer.empty()) row.servicer_reference = servicer;
        row.end_to_end_id = reader_.reference(detail, {"Refs", "EndToEndId"});
        const std::string block = reader_.reference(detail, {"Refs", "PmtInfId"});
        if (!block.empty()) row.payment_block = block;
        row.return_reason = reader_.text(detail, {"RtrInf", "Rsn", "Cd"});
        if (row.return_reason.empty())
            row.return_reason = reader_.text(detail, {"RtrInf", "Rsn", "Prtry"});
        if (row.return_reason.empty() && reader_.find(detail, {"RtrInf"}))
            row.return_reason = "MS03"; // ISO: the reason is not specified
        if (const std::string own = code_of(detail); !own.empty()) row.code = own;
        read_remittance(detail, row);
        read_counterparty(detail, row);
    }

    void read_remittance(xml_node detail, BankRow& row)
    {
        const xml_node information = reader_.find(detail, {"RmtInf"});
        row.remittance = joined_texts(information, "Ustrd");
        for (const xml_node child : information.children()) {
            if (local_name(child) != "Strd") continue;
            if (row.creditor_reference.empty())
                row.creditor_reference = reader_.reference(child, {"CdtrRefInf", "Ref"});
            for (const xml_node document : child.children())
                if (local_name(document) == "RfrdDocInf")
                    row.remittance += ' ' + reader_.text(document, {"Nb"});
            row.remittance += ' ' + joined_texts(child, "AddtlRmtInf");
        }
        row.remittance = drawn_together(row.remittance);
        if (row.remittance.empty()) row.remittance = reader_.text(detail, {"AddtlTxInf"});
    }

    /// The other side: who paid what came in, who got what went out. Parties of a payment that came
    /// back keep their roles with some banks, so the side that is this account is never it.
    void read_counterparty(xml_node detail, BankRow& row)
    {
        struct Side {
            const char* party;
            const char* account;
        };
        constexpr Side debtor{"Dbtr", "DbtrAcct"};
        constexpr Side creditor{"Cdtr", "CdtrAcct"};
        const xml_node parties = reader_.find(detail, {"RltdPties"});
        const auto take = [this, parties, &row](const Side& side) {
            row.counterparty = name_of(parties, side.party);
            row.counterparty_account = reader_.text(parties, {side.account, "Id", "IBAN"});
            if (row.counterparty_account.empty())
                row.counterparty_account =
                    reader_.text(parties, {side.account, "Id", "Othr", "Id"});
        };
        const bool came_in = row.amount > Minor{0};
        take(came_in ? debtor : creditor);
        if (row.counterparty_account == statement_.account ||
            (row.counterparty.empty() && row.counterparty_account.empty()))
            take(came_in ? creditor : debtor);
        if (row.counterparty_account == statement_.account) {
            row.counterparty.clear();
            row.counterparty_account.clear();
        }
    }

    /// Since version 03 a party may be a bank, so that there is a choice around its name.
    std::string name_of(xml_node parties, const char* party)
    {
        if (reader_.version() == StatementVersion::v02) return reader_.text(parties, {party, "Nm"});
        return reader_.text(parties, {party, "Pty", "Nm"});
    }

    std::string code_of(xml_node node)
    {
        const xml_node code = reader_.find(node, {"BkTxCd"});
        const std::string domain = reader_.text(code, {"Domn", "Cd"});
        if (domain.empty()) return reader_.text(code, {"Prtry", "Cd"});
        return fmt::format(
            "{}-{}-{}",
            domain,
            reader_.text(code, {"Domn", "Fmly", "Cd"}),
            reader_.text(code, {"Domn", "Fmly", "SubFmlyCd"}));
    }

    void check_sum()
    {
        Wide sum = statement_.opening.amount.count;
        for (const BankRow& row : statement_.rows) sum += row.amount.count;
        const Wide off = statement_.closing.amount.count - sum;
        if (off == 0) return;
        const auto shown = static_cast<std::int64_t>(std::clamp<Wide>(off, -INT64_MAX, INT64_MAX));
        reader_.refuse(
            StatementRefusal::balances_do_not_add_up,
            fmt::format(
                "opening balance {} and {} entries differ from closing balance {} by {}",
                format_minor(statement_.opening.amount, statement_.currency),
                statement_.rows.size(),
                format_minor(statement_.closing.amount, statement_.currency),
                format_minor(Minor{shown}, statement_.currency)));
    }

    StatementReader& reader_;
    std::string place_;
    BankStatement statement_;
    std::int32_t entries_ = 0;
};

} // namespace

std::expected<std::vector<BankStatement>, StatementFault> parse_camt053(std::string_view xml)
{
    StatementReader reader;
    pugi::xml_document document;
    const xml_node message = load_statement_file(xml, document, reader);

    std::vector<BankStatement> statements;
    for (const xml_node node : message.children()) {
        if (local_name(node) != "Stmt" || reader.fault()) continue;
        const std::string place = fmt::format("statement {}", statements.size() + 1);
        statements.push_back(AccountStatementReader{reader, place}.read(node));
    }
    if (message && statements.empty() && !reader.fault())
        reader.refuse(StatementRefusal::element_missing, "it has no statement");
    if (reader.fault()) return std::unexpected(*reader.fault());
    return statements;
}

} // namespace pointhouse::settlement
