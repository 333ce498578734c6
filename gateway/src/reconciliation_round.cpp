#include "gateway/reconciliation_round.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <future>
#include <thread>

#include "gateway/projector.hpp"
#include "member_numbers.hpp"
#include "messages_by_partner.hpp"

namespace pointhouse::gateway {
namespace {

constexpr std::uint64_t messages_between_words = 1'000'000;

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
    for (const auto& terms : terms_->partners)
        partners_.push_back(
            {.name = terms.name,
             .partner = terms.partner,
             .source = ReconciliationSource{house, terms.partner, period, members}});
}

std::unique_ptr<const MessagesByPartner> ReconciliationRound::read_messages(Console& console) const
{
    projector_.wait_for(end_, console);
    auto messages = std::make_unique<MessagesByPartner>(partners_.size());
    std::uint64_t read = 0;
    books_.for_each_message(window_, [&](const ledger::BookedMessage& booked) {
        // Whoever joined since is not asked about.
        if (booked.partner.value() > partners_.size()) return;
        if (!settlement::is_reconciled(booked.type)) return;
        messages->add(booked);
        if (++read % messages_between_words == 0)
            console.progress(fmt::format("{} messages read", read));
    });
    return messages;
}

ReconciliationRound::Rows ReconciliationRound::rows_of(
    const Partner& partner, const MessagesByPartner& messages) const
{
    Rows rows;
    rows.reserve(messages.count_of(partner.partner));
    messages.for_each(partner.partner, [&](const ledger::BookedMessage& booked) {
        ReconciliationSource::append_row(booked, *terms_->calendar, rows);
    });
    return rows;
}

std::vector<std::string> ReconciliationRound::write_files(
    const std::function<void(std::string_view partner, std::string_view text)>& write,
    Console& console) const
{
    const auto messages = read_messages(console);
    std::vector<std::string> written;
    InOrder<bool> running{[&](std::string_view partner, bool is_written) {
        if (is_written) written.emplace_back(partner);
    }};
    for (const auto& partner : partners_) {
        if (messages->count_of(partner.partner) == 0) continue;
        running.start(partner.name, [this, &partner, &messages, &write] {
            write(partner.name, partner.source.house_file(rows_of(partner, *messages)));
            return true;
        });
        console.progress(fmt::format("{} of {} partners", written.size(), partners_.size()));
    }
    running.finish();
    return written;
}

void ReconciliationRound::reconcile(
    const std::function<PartnerFileText(std::string_view partner)>& file_of,
    const std::function<void(std::string_view partner, const Outcome& outcome)>& outcome,
    Console& console) const
{
    const auto messages = read_messages(console);
    std::size_t compared = 0;
    InOrder<Outcome> running{[&](std::string_view partner, const Outcome& found) {
        outcome(partner, found);
        console.progress(fmt::format("{} partners compared", ++compared));
    }};
    for (const auto& partner : partners_) {
        auto text = file_of(partner.name);
        if (!text && messages->count_of(partner.partner) == 0) continue;
        running.start(partner.name, [this, &partner, &messages, text = std::move(text)] {
            if (text) return partner.source.reconcile(*text, rows_of(partner, *messages));
            return Outcome{std::unexpected(settlement::FileFault{
                .line = 0, .field = {}, .reason = "there is no file, which is never agreement"})};
        });
    }
    running.finish();
}

} // namespace pointhouse::gateway
