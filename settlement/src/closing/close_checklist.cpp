#include "settlement/close_checklist.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ledger/invariant.hpp"
#include "settlement/receivables.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Account;
using ledger::Micro;
using ledger::Minor;
using ledger::Month;

namespace {

bool is_accrual(Account account)
{
    return account == Account::unbilled || account == Account::accrued_redemption ||
           account == Account::accrued_breakage_share;
}

Micro magnitude(Micro amount)
{
    return amount < Micro{} ? -amount : amount;
}

std::int64_t counted(std::size_t count)
{
    return static_cast<std::int64_t>(count);
}

/// What a checklist is worked out from.
struct Desk {
    const Register& documents;
    Month window;
    const CloseFigures& figures;
    BroughtAlong brought_along;
    const ledger::Currency& currency;

    [[nodiscard]] Micro micro(Minor amount) const
    {
        return Micro{ledger::micro_per_minor(currency)} * amount.count;
    }
    /// The sum of a partners' account in the ledger.
    [[nodiscard]] Micro balance(Account account) const
    {
        Micro sum;
        for (const auto& [key, amount] : figures.balances)
            if (key.first == account) sum += amount;
        return sum;
    }
};

CloseCheck cut_off(const Desk& desk)
{
    const auto* closing = desk.documents.closings().find(desk.window);
    CloseCheck check{.name = "cut_off", .is_done = closing != nullptr};
    if (closing) check.figures.emplace_back("cut", counted(closing->cut.value()));
    return check;
}

CloseCheck earlier_windows(const Desk& desk)
{
    std::int64_t open = 0;
    for (const auto& [window, closing] : desk.documents.closings().windows())
        if (window < desk.window && closing.state != CloseState::hard) ++open;
    return {.name = "earlier_windows", .is_done = open == 0, .figures = {{"not_closed", open}}};
}

CloseCheck documents_issued(const Desk& desk)
{
    const auto* drafts = desk.documents.drafts_of(desk.window);
    return {
        .name = "documents",
        .is_done = desk.documents.is_issued(desk.window),
        .figures = {
            {"drafts", counted(drafts ? drafts->documents.size() : 0)},
            {"issued", counted(drafts ? drafts->issued : 0)}}};
}

/// Of each window up to this one: what its postings left to be billed against what its documents
/// billed. What rounds to no document at all is none's fault and stands apart.
CloseCheck all_is_billed(const Desk& desk)
{
    using Amounts = std::map<CloseFigures::Accrual, Micro>;
    Amounts left = desk.figures.accrued;
    Micro accrued;
    std::erase_if(
        left, [&](const auto& each) { return std::get<Month>(each.first) > desk.window; });
    for (const auto& [key, amount] : left) accrued += magnitude(amount);
    const auto add_accruals = [&](const Document& document, Amounts& sums) {
        for (const auto& line : lines_of(document, desk.currency)) {
            if (is_accrual(line.account))
                sums[{document.window, line.account, line.partner}] += Micro{line.amount};
        }
    };
    for (const auto* issued : desk.documents.documents()) {
        const auto& document = issued->document;
        if (document.corrects || document.is_prepaid() || document.window > desk.window) continue;
        add_accruals(document, left);
    }

    Amounts left_out;
    std::set<Month> windows;
    for (const auto& [key, amount] : left) windows.insert(std::get<Month>(key));
    for (const Month window : windows) {
        const auto* drafts = desk.documents.drafts_of(window);
        if (!drafts || !drafts->too_small) continue;
        for (const auto& document : *drafts->too_small) add_accruals(document, left_out);
    }

    Micro small;
    Micro difference;
    const Micro smallest = desk.micro(Minor{1});
    for (const auto& [key, amount] : left) {
        const auto* drafts = desk.documents.drafts_of(std::get<Month>(key));
        // Drafts of before it was recorded do not say what they left out.
        const bool is_guessed = !drafts || !drafts->too_small;
        Micro none = magnitude(amount) < smallest ? amount : Micro{};
        if (!is_guessed) none = left_out.contains(key) ? -left_out.at(key) : Micro{};
        const auto found = desk.figures.accrued.find(key);
        small += found != desk.figures.accrued.end() && found->second < Micro{} ? -none : none;
        difference += magnitude(amount - none);
    }
    const Micro billed = accrued - small - difference;
    return {
        .name = "billed",
        .is_done = difference == Micro{},
        .figures = {
            {"accrued", accrued},
            {"billed", billed},
            {"too_small", small},
            {"difference", difference}}};
}

CloseCheck documents_sent(const Desk& desk)
{
    const auto documents = desk.documents.documents_of(desk.window);
    const auto waiting = std::ranges::count_if(
        documents, [](const auto* issued) { return issued->waits_to_be_sent(); });
    return {
        .name = "sent",
        .is_done = waiting == 0 && desk.documents.is_issued(desk.window),
        .blocks = false,
        .figures = {{"documents", counted(documents.size())}, {"not_sent", std::int64_t{waiting}}}};
}

/// The nets of the window, those that its documents lack among them: each stands for itself.
std::vector<NetKey> nets_of(const Desk& desk)
{
    auto keys = desk.documents.nets_of(desk.window);
    std::ranges::copy(
        desk.documents.nets_to_come(desk.window, desk.window), std::back_inserter(keys));
    std::ranges::sort(keys);
    return keys;
}

std::string named(std::string_view check, const NetKey& key)
{
    return key.program.empty() ? std::string{check} : fmt::format("{}:{}", check, key.program);
}

/// Pay-ins and the house's share go through the clearing account to those who are paid.
CloseCheck clearing(const Desk& desk, const NetKey& key)
{
    const auto* net = desk.documents.net_of(key);
    CloseCheck check{.name = named("clearing", key)};
    if (!net) return check;
    const auto cleared = clearing_of(*net);
    check.is_done = cleared.left().count == 0;
    check.figures = {
        {"paid_in", desk.micro(cleared.paid_in)},
        {"house_share", desk.micro(cleared.house_share())},
        {"paid_out", desk.micro(cleared.paid_out)},
        {"difference", desk.micro(cleared.left())}};
    return check;
}

CloseCheck nets_paid(const Desk& desk, const NetKey& key)
{
    const auto* net = desk.documents.net_of(key);
    CloseCheck check{.name = named("paid", key), .is_done = net && net->is_settled()};
    if (!net) return check;
    Micro open;
    for (const auto& [partner, payment] : net->payments)
        open += magnitude(desk.micro(payment.open()));
    check.figures = {{"nets", counted(net->payments.size())}, {"open", open}};
    return check;
}

CloseCheck bank_matched(const Desk& desk)
{
    const ledger::Day last = desk.documents.calendar().dates_of(desk.window).last;
    const auto& bank = desk.documents.bank();
    std::int64_t rows = 0;
    Micro open;
    for (const auto& [number, left] : desk.documents.open_rows()) {
        if (bank.rows[number - 1].row.booked_on > last) continue;
        ++rows;
        open += magnitude(desk.micro(left));
    }
    return {
        .name = "bank_rows",
        .is_done = rows == 0,
        .figures = {{"open_rows", rows}, {"open", open}}};
}

CloseCheck disputes_decided(const Desk& desk)
{
    const auto is_of_window = [&](const std::string& number) {
        return desk.documents.find(number)->document.window == desk.window;
    };
    std::int64_t open = 0;
    for (const auto& [id, dispute] : desk.documents.disputes())
        if (dispute.is_open() && is_of_window(dispute.document)) ++open;
    Micro held;
    for (const auto& items : {receivables_of(desk.documents), payables_of(desk.documents)})
        for (const auto& item : items)
            if (is_of_window(item.document)) held += desk.micro(item.disputed);
    return {
        .name = "disputes",
        .is_done = open == 0,
        .blocks = false,
        .figures = {{"open", open}, {"held", held}}};
}

/// What was written in partners' names is agreed: by a word, or because nobody objected in time.
CloseCheck self_billed_agreed(const Desk& desk)
{
    std::map<std::string_view, std::int64_t> counts;
    std::int64_t all = 0;
    for (const auto* issued : desk.documents.documents_of(desk.window)) {
        if (!issued->document.object_by()) continue;
        ++all;
        ++counts[issued->answer()];
    }
    return {
        .name = "self_billed",
        .is_done = counts["accepted"] + counts["lapsed"] == all,
        .blocks = false,
        .figures = {
            {"documents", all},
            {"accepted", counts["accepted"]},
            {"lapsed", counts["lapsed"]},
            {"queried", counts["queried"]},
            {"rejected", counts["rejected"]},
            {"not_answered", counts[""]}}};
}

/// A subsidiary ledger beside its control account.
CloseCheck ties(std::string name, Micro items, Micro brought_along, Micro control)
{
    const Micro difference = control - brought_along - items;
    return {
        .name = std::move(name),
        .is_done = difference == Micro{},
        .figures = {
            {"documents", items},
            {"brought_along", brought_along},
            {"ledger", control},
            {"difference", difference}}};
}

Micro sum_of(const Desk& desk, std::span<const Receivable> items)
{
    Micro sum;
    for (const auto& item : items) sum += desk.micro(item.open);
    return sum;
}

CloseCheck receivables(const Desk& desk)
{
    return ties(
        "receivables",
        sum_of(desk, receivables_of(desk.documents)),
        desk.brought_along.receivable,
        desk.balance(Account::receivable));
}

CloseCheck payables(const Desk& desk)
{
    // What the house owes is a credit of its account.
    return ties(
        "payables",
        sum_of(desk, payables_of(desk.documents)),
        -desk.brought_along.payable,
        -desk.balance(Account::payable));
}

CloseCheck trial_balance(const Desk& desk)
{
    const auto& balance = desk.figures.trial_balance;
    return {
        .name = "trial_balance",
        .is_done = balance.points_debits == balance.points_credits &&
                   balance.money_debits == balance.money_credits,
        .figures = {
            {"points_debits", balance.points_debits},
            {"points_credits", balance.points_credits},
            {"money_debits", balance.money_debits},
            {"money_credits", balance.money_credits}}};
}

/// What no line before explains: nothing may be left.
CloseCheck unexplained(std::span<const CloseCheck> before, const TrialBalance& balance)
{
    Micro sum = magnitude(balance.money_debits - balance.money_credits);
    for (const auto& check : before)
        for (const auto& [name, figure] : check.figures)
            if (name == "difference") sum += magnitude(std::get<Micro>(figure));
    return {.name = "unexplained", .is_done = sum == Micro{}, .figures = {{"balance", sum}}};
}

void add_line(
    CloseFigures& figures,
    const ledger::AccountLine& line,
    ledger::Month window,
    bool is_house_entry)
{
    auto& balance = figures.trial_balance;
    if (!ledger::is_in_money(line.account)) {
        (line.amount < 0 ? balance.points_credits : balance.points_debits) += std::abs(line.amount);
        return;
    }
    const Micro amount{line.amount};
    if (amount < Micro{})
        balance.money_credits -= amount;
    else
        balance.money_debits += amount;
    figures.balances[{line.account, line.partner}] += amount;
    if (!is_house_entry && is_accrual(line.account))
        figures.accrued[{window, line.account, line.partner}] += amount;
}

} // namespace

void CloseFigures::add(const ledger::PostingLines& posting)
{
    ledger::invariant(posting.record.sequence <= through, "figures are of a part of the journal");
    const bool is_house_entry = posting.record.type == ledger::MessageType::house_entry;
    for (const auto& line : posting.lines) add_line(*this, line, posting.window, is_house_entry);
}

void CloseFigures::add(const ledger::Movement& movement)
{
    ledger::invariant(
        movement.record == nullptr || movement.record->sequence <= through,
        "figures are of a part of the journal");
    const bool is_house_entry = !movement.house_entry.is_none();
    for (const auto& line : movement.lines) add_line(*this, line, movement.window, is_house_entry);
}

std::string CloseChecklist::in_the_way() const
{
    std::string names;
    for (const auto& check : checks)
        if (check.blocks && !check.is_done) names += (names.empty() ? "" : ", ") + check.name;
    return names;
}

CloseChecklist close_checklist(
    const Register& documents,
    Month window,
    const CloseFigures& figures,
    const BroughtAlong& brought_along,
    const ledger::Currency& currency)
{
    const Desk desk{
        .documents = documents,
        .window = window,
        .figures = figures,
        .brought_along = brought_along,
        .currency = currency};
    CloseChecklist checklist{
        .window = window, .through = figures.through, .documents_through = documents.through()};
    checklist.checks = {
        cut_off(desk),
        earlier_windows(desk),
        documents_issued(desk),
        all_is_billed(desk),
        documents_sent(desk),
        bank_matched(desk)};
    const auto keys = nets_of(desk);
    for (const NetKey& key : keys) {
        checklist.checks.push_back(nets_paid(desk, key));
        checklist.checks.push_back(clearing(desk, key));
    }
    for (auto* check : {disputes_decided, receivables, payables, trial_balance})
        checklist.checks.push_back(check(desk));
    // Closes of before there was a period to object did not look at it, and are proved again.
    const auto documents_of_window = documents.documents_of(window);
    if (std::ranges::any_of(documents_of_window, [](const auto* issued) {
            return issued->document.object_by().has_value();
        }))
        checklist.checks.push_back(self_billed_agreed(desk));
    checklist.checks.push_back(unexplained(checklist.checks, figures.trial_balance));
    return checklist;
}

json::array checks_json(const CloseChecklist& checklist)
{
    json::array rows;
    for (const auto& check : checklist.checks) {
        json::object figures;
        for (const auto& [name, figure] : check.figures) {
            if (const auto* count = std::get_if<std::int64_t>(&figure)) {
                figures.emplace(name, *count);
            } else {
                figures.emplace(name + "_micro", std::get<Micro>(figure).count());
            }
        }
        rows.push_back(json::object{
            {"check", check.name},
            {"state", check.is_done ? "done" : "open"},
            {"blocks", check.blocks},
            {"figures", std::move(figures)}});
    }
    return rows;
}

std::string in_words(const CloseChecklist& checklist)
{
    std::string text;
    for (const auto& check : checklist.checks) {
        std::string figures;
        for (const auto& [name, figure] : check.figures)
            figures += fmt::format("{}{} {}", figures.empty() ? "" : ", ", name, cell_text(figure));
        text += fmt::format(
            "{:<16} {:<18} {}\n",
            check.name,
            check.is_done  ? "done"
            : check.blocks ? "OPEN"
                           : "open, not blocking",
            figures);
    }
    return text;
}

} // namespace pointhouse::settlement
