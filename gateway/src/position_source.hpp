#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/house.hpp"
#include "settlement/settlement.hpp"

namespace pointhouse::gateway {

/// The running position of a partner in the open window, for GET /v1/position: what the books hold,
/// and the blocks that they do not hold yet, so that a partner sees its own last message. The
/// house's thread.
class PositionSource {
public:
    explicit PositionSource(House& house);

    /// One JSON object: `window`, and the keys of a row of `settle show`. Throws
    /// ledger::StoreFailure.
    [[nodiscard]] std::string operator()(ledger::PartnerId partner);

private:
    [[nodiscard]] ledger::Month open_window() const;
    void read_books(ledger::Month month);
    void refresh();

    House& house_;
    ledger::Books& books_;
    std::unique_ptr<ledger::JournalReader> journal_;
    // What the books held at `projected_`, of the window and before it.
    ledger::Sequence projected_;
    ledger::Month month_{};
    bool is_read_ = false;
    std::vector<ledger::PositionRow> before_;
    std::vector<ledger::PositionRow> window_;
    // The settlement as of `head_` under `terms_`.
    ledger::Sequence head_;
    ledger::HouseSequence terms_;
    std::unique_ptr<const settlement::Settlement> settled_;
};

} // namespace pointhouse::gateway
