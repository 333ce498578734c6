#include "gateway/reconciliation_round.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <future>
#include <thread>

#include "gateway/projector.hpp"

namespace pointhouse::gateway {

ReconciliationRound::ReconciliationRound(
    House& house, const settlement::ReconciliationPeriod& period)
    : window_{period.window}, end_{house.ledger().head()}, books_{house.books()},
      projector_{house.projector()}
{
    house.tend();
    terms_ = house.registry().terms();
    // They stand in the order of their numbers, as their messages come from the books.
    for (const auto& terms : terms_->partners)
        partners_.push_back(
            {.name = terms.name,
             .partner = terms.partner,
             .source = ReconciliationSource{house, terms.partner, period}});
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

void ReconciliationRound::write_files(
    const std::function<void(std::string_view partner, std::string_view text)>& file,
    Console& console) const
{
    for_each_partner(
        [&](const Partner& partner, Rows rows) {
            if (!rows.empty()) file(partner.name, partner.source.house_file(std::move(rows)));
        },
        console);
}

void ReconciliationRound::reconcile(
    const std::function<PartnerFileText(std::string_view partner)>& file_of,
    const std::function<void(std::string_view partner, const Outcome& outcome)>& outcome,
    Console& console) const
{
    struct Comparison {
        std::string_view partner;
        std::future<Outcome> outcome;
    };
    std::deque<Comparison> running;
    const auto take_first = [&] {
        outcome(running.front().partner, running.front().outcome.get());
        running.pop_front();
    };
    const auto compare = [](const Partner& partner, const PartnerFileText& text, Rows rows) {
        if (text) return partner.source.reconcile(*text, std::move(rows));
        return Outcome{std::unexpected(settlement::FileFault{
            .line = 0, .field = {}, .reason = "there is no file, which is never agreement"})};
    };
    for_each_partner(
        [&](const Partner& partner, Rows rows) {
            auto text = file_of(partner.name);
            if (!text && rows.empty()) return;
            running.push_back(
                {.partner = partner.name,
                 .outcome = std::async(
                     std::launch::async,
                     compare,
                     std::cref(partner),
                     std::move(text),
                     std::move(rows))});
            if (running.size() >= std::max(1U, std::thread::hardware_concurrency())) take_first();
        },
        console);
    while (!running.empty()) take_first();
}

} // namespace pointhouse::gateway
