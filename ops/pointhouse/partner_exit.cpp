#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "ledger/journal_export.hpp"
#include "settle_documents.hpp"
#include "settlement/block_invoice.hpp"
#include "settlement/reports.hpp"

// A partner leaves: what it would owe and be owed, the day from which it grants and takes no
// points, and its security back once nothing is open. Its points run off: members spend them until
// they expire, out of what was paid for them.

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using settlement::BlockRest;
using settlement::PartnerExit;

struct Options {
    std::string id;
    std::string on;
    std::string evidence;
    bool is_dry_run = false;
};

/// A block that the house did not sell has no invoice of it to credit; of one in another currency
/// nobody knows the rate yet.
bool goes_back_by_hand(House& house, const std::string& id, ledger::TariffVersion block)
{
    const auto& sold = house.registry().find_contract(id)->sold_blocks;
    const auto* invoice = house.documents().find_block_invoice(block);
    return std::ranges::find(sold, block) == sold.end() || (invoice && invoice->document.booked);
}

/// What the figures are made of, taken on the house's thread, to be added up on another.
class Source {
public:
    Source(House& house, ledger::PartnerId partner)
        : journal_{house.open_reader()}, history_{house.registry()}, partner_{partner},
          collateral_{house.documents().collateral_of(partner)}
    {
        look(house);
    }

    /// From now on the figures are of the journal as it is now. On the house's thread.
    void look(House& house)
    {
        head_ = house.ledger().head();
        terms_ = house.registry().terms(); // they know all that is up to the head
        blocks_.clear();
        for (const auto& block : terms_->tariffs) {
            if (!block.is_block() || block.partner != partner_) continue;
            const auto* invoice = house.documents().find_block_invoice(block.version);
            blocks_.emplace(
                block.version,
                Block{
                    .document = invoice ? invoice->document.number : "",
                    .is_by_hand = goes_back_by_hand(house, name(), block.version),
                    .given_back = house.documents().left_to_give_back({.tariff = block.version})});
        }
    }

    /// By the journal as it was looked at. What is committed while it is read may be of a tariff
    /// that these terms do not know.
    [[nodiscard]] PartnerExit figures()
    {
        const auto add = [&](const ledger::PostingLines& posting) {
            if (posting.record.sequence <= through_ || posting.record.sequence > head_) return;
            fold_.add(posting.lines, posting.positions);
            through_ = posting.record.sequence;
        };
        if (through_ < head_)
            ledger::for_each_posting(
                *journal_,
                history_,
                add,
                {.from = ledger::Sequence{through_.value() + 1}, .through = head_});
        return fold_.of(partner_, *terms_);
    }

    [[nodiscard]] const ledger::Terms& terms() const { return *terms_; }
    [[nodiscard]] const std::string& name() const { return terms_->partner(partner_).name; }
    [[nodiscard]] ledger::Minor collateral() const { return collateral_; }
    /// What is left of each block now, and the invoice that a credit note over it names.
    [[nodiscard]] settlement::ReportTable block_table(const PartnerExit& leaving) const
    {
        settlement::ReportTable table{
            .name = "blocks", .columns = {"block", "document", "price", "fee", "then"}, .rows = {}};
        for (const auto& rest : leaving.blocks) {
            const auto found = blocks_.find(rest.tariff);
            if (found == blocks_.end()) continue; // bought meanwhile
            const auto& [document, is_by_hand, given_back] = found->second;
            table.rows.push_back(
                {std::int64_t{rest.tariff.value()},
                 document,
                 rest.price + given_back.price,
                 rest.fee + given_back.fee,
                 std::string{
                     is_by_hand ? "given back by hand"
                                : "credited and paid back, with its VAT, by partner release"}});
        }
        return table;
    }

private:
    struct Block {
        std::string document{}; // the invoice over it; empty: none is issued
        bool is_by_hand = false;
        BlockRest given_back{}; // below zero
    };

    std::shared_ptr<ledger::JournalReader> journal_;
    const ledger::TermsHistory& history_;
    std::shared_ptr<const ledger::Terms> terms_;
    ledger::PartnerId partner_;
    ledger::Minor collateral_;
    std::map<ledger::TariffVersion, Block> blocks_;
    settlement::ExitFold fold_;
    ledger::Sequence through_;
    ledger::Sequence head_; // to be read up to
};

std::shared_ptr<Source> source_of(House& house, ledger::PartnerId partner)
{
    house.tend();
    return std::make_shared<Source>(house, partner);
}

settlement::ReportTable security_table(const Source& source)
{
    const ledger::Micro per_minor{ledger::micro_per_minor(source.terms().currency)};
    return {
        .name = "security",
        .columns = {"what", "amount", "then"},
        .rows = {
            {std::string{"collateral held"},
             per_minor * source.collateral().count,
             std::string{"given back once nothing is open"}}}};
}

/// The figures that `report exit` has, too, with the day and the partner's security.
CommandResult shown(
    const Source& source,
    const PartnerExit& leaving,
    const Options& options,
    const Invocation& typed)
{
    const settlement::Report report{
        .name = "exit",
        .facts =
            {{"partner", options.id},
             {"on", options.on},
             {"currency", source.terms().currency.code},
             {"state", options.is_dry_run ? "dry_run" : "recorded"}},
        .tables = {
            settlement::partner_exit_table(leaving),
            source.block_table(leaving),
            security_table(source)}};
    if (typed.json) return done(settlement::report_json(report) + "\n");
    return done(settlement::report_in_words(report));
}

ledger::Day read_day(const std::string& typed)
{
    const auto day = ledger::parse_day(typed);
    if (!day) throw CommandFailure{"--on takes the first day without the partner, as 2026-10-01"};
    return *day;
}

CommandStep leave(House& house, const Options& options, const Invocation& typed)
{
    const auto day = read_day(options.on);
    const auto partner = require_partner(house, options.id).partner;
    if (!options.is_dry_run) {
        auto act = terms_act(house, typed, "lets a partner leave");
        act.today = issue_terms(house).today;
        const auto accepted = house.registry().leave(partner, day, act);
        if (!accepted) return refused(accepted.error().reason);
        if (act.prepares) return await_newest(house, typed);
    }
    return gateway::LongWork{[source = source_of(house, partner), options, typed](Console&) {
        return shown(*source, source->figures(), options, typed);
    }};
}

/// What is still open between the house and a partner; empty: nothing.
std::string open_with(Source& source)
{
    const PartnerExit leaving = source.figures();
    if (leaving.is_settled()) return {};
    return fmt::format(
        "{} owes {}, is owed {}, and {} more as {} points of it are redeemed: its collateral stays "
        "until nothing is open",
        source.name(),
        ledger::format_micro(leaving.owes),
        ledger::format_micro(leaving.is_owed),
        ledger::format_micro(leaving.due_on_redemption),
        leaving.open.points);
}

/// Until when accruals of before it left may come and be owed; empty: none is taken any more.
std::string still_to_come(House& house, const ledger::PartnerTerms& partner)
{
    const auto terms = house.registry().terms();
    const auto today = terms->calendar->day_of(house.ledger().house_time());
    const auto closes = terms->calendar->day_of(*partner.leaves_at) + terms->late_window_days;
    if (today >= closes) return {};
    return fmt::format(
        "accruals of before {} left may come late, until {}: its collateral stays so long",
        partner.name,
        ledger::format_day(closes - 1));
}

struct BlocksToGiveBack {
    std::vector<BlockRest> credited{};
    ledger::Micro by_hand{};
};

/// Refused: one cannot be credited yet, or they do not add up to what the books have.
BlocksToGiveBack blocks_to_give_back(
    House& house, const PartnerExit& leaving, const std::string& id)
{
    BlocksToGiveBack found;
    ledger::Micro sum;
    for (const auto& rest : leaving.blocks) {
        const auto left = house.documents().left_to_give_back(rest);
        sum += left.sum();
        if (left.sum() == ledger::Micro{}) continue;
        if (goes_back_by_hand(house, id, rest.tariff)) {
            found.by_hand += left.sum();
            continue;
        }
        static_cast<void>(require(house.documents().give_block_back(rest, issue_terms(house))));
        found.credited.push_back(rest);
    }
    if (sum != leaving.prepaid)
        throw CommandFailure{fmt::format(
            "{} has {} left of its blocks, and {} in the books",
            id,
            ledger::format_micro(sum),
            ledger::format_micro(leaving.prepaid))};
    return found;
}

/// "5.00 of collateral and 12.10 of blocks": all that goes back, in one act of two people.
std::string in_words(ledger::Minor held, ledger::Minor of_blocks, const ledger::Currency& currency)
{
    std::string words;
    if (held.count != 0)
        words = fmt::format("{} of collateral", ledger::format_minor(held, currency));
    if (of_blocks.count != 0)
        words += fmt::format(
            "{}{} of blocks",
            words.empty() ? "" : " and ",
            ledger::format_minor(of_blocks, currency));
    return words;
}

/// Gives all of it back, as one act of two people.
CommandResult give_back(
    House& house, const PartnerExit& leaving, const Options& options, const Invocation& typed)
{
    const auto terms = house.registry().terms();
    const auto& partner = require_partner(house, options.id);
    const auto held = house.documents().collateral_of(partner.partner);
    const auto [blocks, by_hand] = blocks_to_give_back(house, leaving, options.id);
    if (held.count == 0 && blocks.empty())
        return refused(fmt::format(
            "{} has no collateral with the house, and nothing is left of its blocks that a credit "
            "note gives back",
            options.id));
    ledger::Minor of_blocks;
    for (const auto& rest : blocks) {
        const auto left = house.documents().left_to_give_back(rest);
        const auto& sold = house.documents().find_block_invoice(rest.tariff)->document;
        const auto credit = settlement::block_credit(
            sold, left, house.documents().corrections_of(sold.number), issue_terms(house).today);
        of_blocks += credit.value().total;
    }
    const auto amounts = in_words(held, of_blocks, terms->currency);
    const auto permitted = ask_permission(
        house, fmt::format("release {} of {}: {}", amounts, options.id, options.evidence), typed);
    if (permitted.waiting) return *permitted.waiting;

    json::array credited;
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        const auto entry =
            require(house.documents().give_block_back(blocks[index], issue_terms(house)));
        const bool is_last = held.count == 0 && index + 1 == blocks.size();
        record_permitted(house, entry, is_last ? permitted : Permitted{});
        const auto& made = house.documents().documents().back()->document;
        credited.push_back(json::object{
            {"number", made.number},
            {"corrects", made.corrects->number},
            {"total_minor", made.total.count}});
    }
    if (held.count != 0) {
        const auto entry = require(house.documents().move_collateral(
            {.partner = partner.partner,
             .paid = ledger::Minor{-held.count},
             .evidence = options.evidence,
             .rate = {}},
            *terms));
        record_permitted(house, entry, permitted);
    }
    return report(
        typed,
        {{"partner", options.id},
         {"released_minor", held.count},
         {"blocks", std::move(credited)},
         {"blocks_by_hand_micro", by_hand.count()},
         {"currency", terms->currency.code}},
        fmt::format("{} {} go back to {}\n", amounts, terms->currency.code, options.id));
}

CommandStep release(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "gives collateral back");
    if (options.evidence.empty())
        throw CommandFailure{"collateral is given back with what shows it: --evidence"};
    const auto& partner = require_partner(house, options.id);
    if (!partner.has_left(house.ledger().house_time()))
        return refused(fmt::format(
            "{} has not left: pointhouse partner exit, or settle collateral", options.id));
    return gateway::LongWork{
        [source = source_of(house, partner.partner), options, typed](Console&) -> gateway::WorkEnd {
            if (const auto open = open_with(*source); !open.empty()) return refused(open);
            return NextStep{[source, options, typed](House& served) -> CommandStep {
                served.tend();
                source->look(served);
                // Meanwhile a point may have been spent, or a document issued.
                if (const auto open = open_with(*source); !open.empty()) return refused(open);
                const auto late = still_to_come(served, require_partner(served, options.id));
                if (!late.empty()) return refused(late);
                return give_back(served, source->figures(), options, typed);
            }};
        }};
}

} // namespace

void declare_partner_exit(CLI::App& group, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& leaving = declare_in_house(
        group,
        "exit",
        "From a day on a partner grants and takes no points; its points run off",
        invocation,
        [options](House& house, const Invocation& typed) { return leave(house, *options, typed); });
    leaving.add_option("ID", options->id)->required();
    leaving.add_option("--on", options->on, "The first day without it")
        ->required()
        ->type_name("DAY");
    leaving.add_flag("--dry-run", options->is_dry_run, "Only show what it would owe and be owed");
    add_json_option(leaving, invocation);

    auto& releasing = declare_in_house(
        group,
        "release",
        "Give a partner that left its collateral back, once nothing is open",
        invocation,
        [options](House& house, const Invocation& typed) {
            return release(house, *options, typed);
        });
    releasing.add_option("ID", options->id)->required();
    releasing.add_option("--evidence", options->evidence, "What shows it");
    add_json_option(releasing, invocation);
}

} // namespace pointhouse::ops
