#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include "ledger/house_record.hpp"
#include "ledger/ids.hpp"
#include "ledger/time.hpp"
#include "settlement/new_entry.hpp"

namespace pointhouse::settlement {

struct CloseChecklist; // close_checklist.hpp

/// How far the money of a window is closed. Its points close once, before, with their cut-off.
/// soft: its documents, nets, write-offs and undone matches need a reason. hard: there are no more.
enum class CloseState : std::uint8_t { open, soft, hard };

[[nodiscard]] std::string_view name_of(CloseState state) noexcept;

/// A window whose points are closed.
struct WindowClosing {
    ledger::Sequence cut{}; // of its points, in the journal
    CloseState state = CloseState::open;
    ledger::HouseSequence entry{}; // that gave it this state
    std::string by{};              // who did
    std::string reason{};          // of the last reopening
};

/// Which windows are closed, and how far: a fold over the house's own record. One thread.
class Closings {
public:
    /// What `window_closed`, `window_soft_closed`, `window_reopened` and `window_hard_closed` say.
    void apply(const ledger::HouseEntry& entry, const boost::json::object& content);

    /// Refused unless its points are closed and its money is open.
    [[nodiscard]] Registered<NewEntry> close_soft(ledger::Month window) const;
    /// Takes a soft close back. Refused without a reason.
    [[nodiscard]] Registered<NewEntry> reopen(ledger::Month window, std::string_view reason) const;
    /// For ever. Refused unless it is soft-closed and no line of its checklist stands in the way.
    [[nodiscard]] Registered<NewEntry> close_hard(const CloseChecklist& checklist) const;

    /// Whether an entry of money may go into the window: never after its hard close, after a soft
    /// one only for a reason.
    [[nodiscard]] Registered<void> admit(ledger::Month window, std::string_view reason) const;
    /// The same for what is judged before anybody gives a reason: only a hard close refuses.
    [[nodiscard]] Registered<void> admit(ledger::Month window) const;

    /// Null: the window still takes points, or the house has none.
    [[nodiscard]] const WindowClosing* find(ledger::Month window) const;
    [[nodiscard]] CloseState state_of(ledger::Month window) const;
    /// Windows whose points are closed.
    [[nodiscard]] const std::map<ledger::Month, WindowClosing>& windows() const { return windows_; }
    /// None: no window is closed.
    [[nodiscard]] std::optional<ledger::Month> last_closed() const;

private:
    std::map<ledger::Month, WindowClosing> windows_;
};

} // namespace pointhouse::settlement
