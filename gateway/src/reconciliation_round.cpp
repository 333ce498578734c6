#include "gateway/reconciliation_round.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <future>
#include <thread>

#include "gateway/projector.hpp"
#include "member_numbers.hpp"

namespace pointhouse::gateway {
namespace {

/// Work for one partner after the other, side by side on all processors; what it came to is taken
/// in the order in which it began. What the work throws passes through.
template <class Result>
class InOrder {
public:
    using Take = std::function<void(std::string_view partner, Result result)>;

    explicit InOrder(Take take) : take_{std::move(take)} {}

    /// Waits while all processors are busy.
    template <class Work>
    void start(std::string_view partner, Work work)
    {
        if (running_.size() >= std::max(1U, std::thread::hardware_concurrency())) take_first();
        running_.push_back({partner, std::async(std::launch::async, std::move(work))});
    }

    void finish()
    {
        while (!running_.empty()) take_first();
    }

private:
    struct Running {
        std::string_view partner;
        std::future<Result> result;
    };

    void take_first()
    {
        auto first = std::move(running_.front());
        running_.pop_front();
        take_(first.partner, first.result.get());
    }

    Take take_;
    std::deque<Running> running_;
};

} // namespace

ReconciliationRound::ReconciliationRound(
    House& house, const settlement::ReconciliationPeriod& period)
    : window_{period.window}, end_{house.ledger().head()}, books_{house.books()},
      projector_{house.projector()}
{
    house.tend();
    const auto members =
        std::make_shared<MemberNumbers>(house.identity_store(), house.ledger_keys());
    terms_ = house.registry().terms();
    // They stand in the order of their numbers, as their messages come from the books.
    for (const auto& terms : terms_->partners)
        partners_.push_back(
            {.name = terms.name,
             .partner = terms.partner,
             .source = ReconciliationSource{house, terms.partner, period, members}});
}

void ReconciliationRound::for_each_partner(
    const std::function<void(const Partner& partner, Rows rows)>& visit, Console& console) const
{
    projector_.wait_for(end_, console);
    auto partner = partners_.begin();
    Rows rows;
    const auto finish_one = [&] {
        visit(*partner, std::exchange(rows, {}));
        ++partner;
        console.progress(fmt::format(
            "{} of {} partners", std::distance(partners_.begin(), partner), partners_.size()));
    };
    books_.for_each_message(window_, [&](const ledger::BookedMessage& booked) {
        while (partner != partners_.end() && partner->partner < booked.partner) finish_one();
        // Whoever joined since is not asked about.
        if (partner == partners_.end()) return;
        ReconciliationSource::append_row(booked, *terms_->calendar, rows);
    });
    while (partner != partners_.end()) finish_one();
}

std::vector<std::string> ReconciliationRound::write_files(
    const std::function<void(std::string_view partner, std::string_view text)>& write,
    Console& console) const
{
    std::vector<std::string> written;
    InOrder<bool> running{[&](std::string_view partner, bool is_written) {
        if (is_written) written.emplace_back(partner);
    }};
    for_each_partner(
        [&](const Partner& partner, Rows rows) {
            if (rows.empty()) return;
            running.start(partner.name, [&partner, &write, rows = std::move(rows)]() mutable {
                write(partner.name, partner.source.house_file(std::move(rows)));
                return true;
            });
        },
        console);
    running.finish();
    return written;
}

void ReconciliationRound::reconcile(
    const std::function<PartnerFileText(std::string_view partner)>& file_of,
    const std::function<void(std::string_view partner, const Outcome& outcome)>& outcome,
    Console& console) const
{
    const auto compare = [](const Partner& partner, const PartnerFileText& text, Rows rows) {
        if (text) return partner.source.reconcile(*text, std::move(rows));
        return Outcome{std::unexpected(settlement::FileFault{
            .line = 0, .field = {}, .reason = "there is no file, which is never agreement"})};
    };
    InOrder<Outcome> running{outcome};
    for_each_partner(
        [&](const Partner& partner, Rows rows) {
            auto text = file_of(partner.name);
            if (!text && rows.empty()) return;
            running.start(
                partner.name,
                [&compare, &partner, text = std::move(text), rows = std::move(rows)]() mutable {
                    return compare(partner, text, std::move(rows));
                });
        },
        console);
    running.finish();
}

} // namespace pointhouse::gateway
