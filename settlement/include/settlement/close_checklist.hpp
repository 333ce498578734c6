#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "ledger/accounts.hpp"
#include "ledger/journal_export.hpp"
#include "ledger/movements.hpp"
#include "settlement/general_ledger.hpp"
#include "settlement/register.hpp"
#include "settlement/report_table.hpp"
#include "settlement/window_figures.hpp"

namespace pointhouse::settlement {

/// What the journal says up to one of its records: one side of each comparison. One thread.
struct CloseFigures {
    ledger::Sequence through{}; // the last record that is counted
    GlBalances balances{};
    TrialBalance trial_balance{};
    /// What members' postings left to be billed, by window, account and partner.
    using Accrual = std::tuple<ledger::Month, ledger::Account, ledger::PartnerId>;
    std::map<Accrual, ledger::Micro> accrued{};

    /// Takes the next posting of the journal. Pre: it is not after `through`.
    void add(const ledger::PostingLines& posting);
    /// Takes the next movement, of a posting or of all of a window. Pre: as above.
    void add(const ledger::Movement& movement);
};

/// One line of the checklist: what was looked at, and the figures that must agree.
struct CloseCheck {
    std::string name{};   // "receivables"
    bool is_done = false; // else it is open
    bool blocks = true;   // a hard close waits for it
    std::vector<std::pair<std::string, ReportCell>> figures{};
};

/// What a finance team looks at before it locks a window, in the order in which it is done.
struct CloseChecklist {
    ledger::Month window{};
    ledger::Sequence through{};                // of the journal
    ledger::HouseSequence documents_through{}; // of the house's record
    std::vector<CloseCheck> checks{};

    /// The names of the lines that a hard close waits for; empty: none.
    [[nodiscard]] std::string in_the_way() const;
};

/// What an opening brought along, of which the house has no documents.
struct BroughtAlong {
    ledger::Micro receivable{};
    ledger::Micro payable{};
};

/// Works the checklist of a window out. Pure.
[[nodiscard]] CloseChecklist close_checklist(
    const Register& documents,
    ledger::Month window,
    const CloseFigures& figures,
    const BroughtAlong& brought_along,
    const ledger::Currency& currency);

/// [{"check", "state", "blocks", "figures"}]; money as `…_micro`.
[[nodiscard]] boost::json::array checks_json(const CloseChecklist& checklist);
/// Columns for a terminal.
[[nodiscard]] std::string in_words(const CloseChecklist& checklist);

} // namespace pointhouse::settlement
