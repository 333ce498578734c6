#pragma once

#include <fmt/format.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "random_documents.hpp"
#include "settlement/register.hpp"

namespace pointhouse::settlement {

/// The house's record in memory, with a register over it and a trial balance of what it booked.
class Desk {
public:
    explicit Desk(const ledger::Terms& terms) : terms_{std::make_shared<ledger::Terms>(terms)} {}

    void record(std::string kind, std::string content, std::string actor = "anna")
    {
        const auto read = boost::json::parse(content).as_object();
        if (const auto* lines = read.if_contains("lines_micro")) {
            std::int64_t sum = 0;
            for (const auto& [account, amount] : lines->as_object()) {
                balances[account] += amount.as_int64();
                sum += amount.as_int64();
            }
            EXPECT_EQ(sum, 0) << content;
        }
        entries_.push_back(
            {.sequence = ledger::HouseSequence{entries_.size() + 1},
             .kind = std::move(kind),
             .actor = std::move(actor),
             .content = std::move(content)});
        desk.apply(entries_.back());
    }
    void record(const NewEntry& entry) { record(entry.kind, entry.content); }

    void prepare(ledger::Month window, const std::vector<Document>& drafts)
    {
        const auto content = desk.prepare(window, drafts);
        ASSERT_TRUE(content) << content.error().reason;
        record(
            "proposal_made",
            fmt::format(R"({{"what":"documents","summary":"","content":{}}})", *content));
    }
    void approve(ledger::Month window)
    {
        const auto proposal = desk.drafts_of(window)->proposal.value();
        record("documents_approved", fmt::format(R"({{"proposal":{}}})", proposal), "bob");
    }
    /// The reason why it stopped; empty: all are issued.
    std::string issue(ledger::Month window, const std::vector<Document>& drafts)
    {
        while (true) {
            const auto entry = desk.issue_next(window, drafts, issue_terms());
            if (!entry) return entry.error().reason;
            if (!*entry) return {};
            record(**entry);
        }
    }
    void issue_all(ledger::Month window, const std::vector<Document>& drafts)
    {
        prepare(window, drafts);
        approve(window);
        ASSERT_EQ(issue(window, drafts), "");
    }
    std::string settle(ledger::Month window, ledger::PartnerId partner, std::int64_t paid)
    {
        const auto entry = desk.settle(
            window,
            {.partner = partner, .paid = ledger::Minor{paid}, .evidence = "a test"},
            *terms_);
        if (!entry) return entry.error().reason;
        record(*entry);
        return {};
    }

    [[nodiscard]] IssueTerms issue_terms() const
    {
        return {.today = *ledger::parse_day("2026-07-01"), .terms = terms_};
    }
    [[nodiscard]] const ledger::Terms& terms() const { return *terms_; }
    [[nodiscard]] Register read_again() const
    {
        Register again;
        for (const auto& entry : entries_) again.apply(entry);
        return again;
    }
    [[nodiscard]] std::map<std::string, std::string> lines_of_last() const
    {
        std::map<std::string, std::string> lines;
        const auto content = boost::json::parse(entries_.back().content).as_object();
        for (const auto& [account, amount] : content.at("lines_micro").as_object())
            lines.emplace(account, ledger::format_micro(ledger::Micro{amount.as_int64()}));
        return lines;
    }

    Register desk;
    std::map<std::string, std::int64_t> balances;

private:
    std::shared_ptr<const ledger::Terms> terms_;
    std::vector<ledger::HouseEntry> entries_;
};

using Lines = std::map<std::string, std::string>;
constexpr ledger::Month june{2026, 6};

/// June 2026 with its drafts.
struct WorkedMonth : ::testing::Test {
    explicit WorkedMonth(ledger::Share share = {})
        : settlement{june_with_expiry(VatMode::all_flows, share)}, drafts{drafts_of(settlement)},
          desk{June{VatMode::all_flows, share}.coalition.terms()}
    {}

    ledger::PartnerId partner(std::string_view id)
    {
        return desk.terms().find_partner(id)->partner;
    }

    Settlement settlement;
    std::vector<Document> drafts;
    Desk desk;
};

} // namespace pointhouse::settlement
