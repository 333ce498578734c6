#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "coalition.hpp"
#include "ledger/time.hpp"
#include "random_documents.hpp"
#include "settlement/document_currency.hpp"
#include "settlement/document_json.hpp"
#include "settlement/receivables.hpp"
#include "settlement/register.hpp"

// Plays random lives of a coalition through the register, for a judge that works them out again:
// three months with changes of tariffs, late items, credits, disputes and defaults, and a last one
// in which all that is left is paid. Some partners are invoiced in a currency of their own, and in
// some lives contracts belong to programs, and change to others.
// Usage: judged_lives SEED COUNT     one line of JSON for each life

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Day;
using ledger::Micro;
using ledger::Minor;
using ledger::PartnerId;
using ledger::Share;
using ledger::TariffVersion;

constexpr ledger::Month first_month{2026, 6};
constexpr int months = 4;
constexpr std::uint32_t partners = 3; // and a charity after them
constexpr std::array<const char*, 3> own_currencies{"SEK", "JPY", "GBP"};
constexpr std::array<const char*, 3> programs{"", "grocery", "travel"};

/// The house's record, kept in memory, and the balances of what it booked.
class Record {
public:
    explicit Record(const ledger::Terms& terms) : terms_{terms} {}

    void append(const NewEntry& entry, std::string_view actor = "anna")
    {
        const auto content = json::parse(entry.content).as_object();
        if (const auto* lines = content.if_contains("lines_micro"))
            for (const auto& [account, amount] : lines->as_object())
                balances[account] += amount.to_number<std::int64_t>();
        books_.apply(
            {.sequence = ledger::HouseSequence{++sequence_},
             .kind = entry.kind,
             .actor = std::string{actor},
             .content = entry.content});
        require_ties();
    }
    /// The subsidiary ledgers are their control accounts, whatever happened.
    void require_ties()
    {
        std::map<std::string, std::int64_t> open;
        const auto scale = ledger::micro_per_minor(terms_.currency);
        for (const auto& item : receivables_of(books_))
            open["ar:" + terms_.partner(item.partner).name] += scale * item.open.count;
        for (const auto& item : payables_of(books_))
            open["ap:" + terms_.partner(item.partner).name] -= scale * item.open.count;
        for (const auto& [account, amount] : balances) {
            if (!account.starts_with("ar:") && !account.starts_with("ap:")) continue;
            if (open[account] != amount)
                throw std::logic_error{
                    fmt::format("{} is {}, its documents {}", account, amount, open[account])};
            open.erase(account);
        }
        for (const auto& [account, amount] : open)
            if (amount != 0) throw std::logic_error{account + " has documents, but no balance"};
    }
    template <class T>
    T accepted(Registered<T> act)
    {
        if (!act) throw std::runtime_error{act.error().reason};
        return std::move(*act);
    }
    void issue(ledger::Month window, const std::vector<Document>& drafts, const IssueTerms& terms)
    {
        const auto content = accepted(books_.prepare(window, drafts));
        append(
            {.kind = "proposal_made",
             .content =
                 fmt::format(R"({{"what":"documents","summary":"","content":{}}})", content)});
        append(
            {.kind = "documents_approved",
             .content = fmt::format(R"({{"proposal":{}}})", sequence_)},
            "bob");
        while (const auto entry = accepted(books_.issue_next(window, drafts, terms)))
            append(*entry);
    }

    [[nodiscard]] const Register& books() const { return books_; }
    [[nodiscard]] const ledger::Terms& terms() const { return terms_; }

    std::map<std::string, std::int64_t> balances;

private:
    const ledger::Terms& terms_;
    Register books_;
    std::uint64_t sequence_ = 0;
};

struct Accrual {
    TariffVersion tariff{};
    std::int64_t left = 0;
};

struct Spent {
    std::size_t accrual = 0;
    TariffVersion redeemer{}; // none: the charity
    std::int64_t left = 0;
};

class Life {
public:
    explicit Life(std::uint64_t seed) : seed_{seed}, random_{seed}
    {
        for (std::uint32_t partner = 1; partner <= partners; ++partner)
            coalition_.add_partner(fmt::format("P{}", partner), "Partner", VatMode::all_flows);
        charity_ = coalition_.add_charity("CHA", "Charity");
        for (auto& tariff : coalition_.terms().tariffs) {
            randomise(tariff);
            tell_tariff(tariff);
        }
        coalition_.contracts().vat.clear();
        for (std::uint32_t partner = 1; partner <= partners + 1; ++partner) {
            randomise_vat(PartnerId{partner});
            if (pick(2) == 0) mutualised_.insert(PartnerId{partner});
        }
        for (std::uint32_t partner = 1; partner <= partners; ++partner)
            if (pick(3) == 0)
                currencies_.emplace(
                    PartnerId{partner}, own_currencies[pick(own_currencies.size())]);
        has_programs_ = pick(2) == 0;
    }

    json::object played();

private:
    std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
    std::int64_t up_to(std::int64_t most)
    {
        return 1 + static_cast<std::int64_t>(pick(static_cast<std::size_t>(most)));
    }
    [[nodiscard]] Day day_in(ledger::Month month, unsigned day) const
    {
        const std::chrono::year_month_day date{
            std::chrono::year{month.year},
            std::chrono::month{static_cast<unsigned>(month.month)},
            std::chrono::day{day}};
        return static_cast<Day>(std::chrono::sys_days{date}.time_since_epoch().count());
    }

    void randomise(ledger::Tariff& tariff);
    void randomise_vat(PartnerId partner);
    void tell_tariff(const ledger::Tariff& tariff);
    [[nodiscard]] TariffVersion tariff_on(PartnerId partner, Day day) const
    {
        return coalition_.terms().find_tariff(partner, calendar_.start_of(day))->version;
    }

    void change_tariff(ledger::Month month);
    void play_step(ledger::Month month);
    void accrue(ledger::Month month, Day day);
    void spend(Day day);
    void give_back(Day day);
    void claw_back();
    void recover();
    void close(ledger::Month month);
    void dispute(const IssueTerms& terms);
    void decide(const IssueTerms& terms, bool all);
    void credit(ledger::Month month, const IssueTerms& terms);
    void record_rates(ledger::Month month);
    void change_programs();
    [[nodiscard]] std::vector<Document> drafts_in_currencies(ledger::Month month) const;
    /// On which payments of a month come, and at whose rates.
    [[nodiscard]] Day pay_day(ledger::Month month) const { return day_in(month.next(), 14); }
    [[nodiscard]] std::optional<ExchangeRate> rate_of_day(ledger::Month month, PartnerId partner);
    void net(const NetKey& key, bool is_last);
    void pay(const NetKey& key, bool is_last);
    void take_default(const NetKey& key, PartnerId partner);
    void tell(json::object event) { events_.push_back(std::move(event)); }
    void tell_documents();

    std::uint64_t seed_;
    std::mt19937_64 random_;
    ledger::Calendar calendar_{"UTC"};
    Coalition coalition_;
    PartnerId charity_;
    std::set<PartnerId> mutualised_;
    std::map<PartnerId, std::string> currencies_; // of those that have one of their own
    bool has_programs_ = false;
    std::map<PartnerId, std::string> programs_; // in which contracts are now
    std::vector<Accrual> accruals_;
    std::vector<Spent> spent_;
    json::array events_;
    json::array vat_;
    std::size_t told_ = 0; // documents
    std::unique_ptr<Record> record_;
};

void Life::randomise(ledger::Tariff& tariff)
{
    const std::array shares{Share{1, 1}, Share{1, 2}, Share{0, 1}, Share{1, 4}};
    // Quarters of a price, and halves and thirds of those, are whole, as the registry demands.
    const auto price = [&](std::size_t most) {
        return Micro{static_cast<std::int64_t>(24 * pick(most))};
    };
    tariff.issue_price = price(850);
    tariff.service_fee = price(85);
    tariff.reimbursement = price(850);
    tariff.prefund_share = shares[pick(shares.size())];
    tariff.breakage_issuer = static_cast<std::int32_t>(pick(3));
}

void Life::randomise_vat(PartnerId partner)
{
    struct Treatment {
        std::string_view name;
        std::string_view category;
        std::int32_t basis_points;
    };
    constexpr std::array treatments{
        Treatment{"taxed", "S", 2100},
        Treatment{"taxed", "S", 900},
        Treatment{"zero_rated", "Z", 0},
        Treatment{"reverse_charge", "AE", 0},
        Treatment{"out_of_scope", "O", 0}};
    for (const std::string_view flow :
         {"price", "fee", "reimbursement", "donation", "breakage_shared"}) {
        const auto& treatment = treatments[pick(treatments.size())];
        const bool is_gross = treatment.basis_points > 0 && pick(2) == 0;
        const auto tax_point =
            treatment.category != "O" && pick(4) == 0 ? TaxPoint::issue : TaxPoint::period_end;
        coalition_.contracts().vat.push_back(
            {.partner = partner,
             .charge = std::string{flow},
             .valid_from = {},
             .treatment = std::string{treatment.name},
             .category = std::string{treatment.category},
             .rate_basis_points = treatment.basis_points,
             .is_gross = is_gross,
             .tax_point = tax_point});
        vat_.push_back(json::object{
            {"partner", partner.value()},
            {"flow", flow},
            {"category", treatment.category},
            {"rate_basis_points", treatment.basis_points},
            {"price", is_gross ? "gross" : "net"},
            {"tax_point", name_of(tax_point)}});
    }
}

void Life::tell_tariff(const ledger::Tariff& tariff)
{
    tell(
        {{"what", "tariff"},
         {"partner", tariff.partner.value()},
         {"version", tariff.version.value()},
         {"from", ledger::format_day(calendar_.day_of(tariff.valid_from))},
         {"issue_price_micro", tariff.issue_price.count()},
         {"service_fee_micro", tariff.service_fee.count()},
         {"reimbursement_micro", tariff.reimbursement.count()},
         {"prefund_share", {tariff.prefund_share.numerator, tariff.prefund_share.denominator}},
         {"breakage", {tariff.breakage_operator, tariff.breakage_issuer}}});
}

void Life::change_tariff(ledger::Month month)
{
    auto tariff = coalition_.terms().tariffs[pick(partners)];
    randomise(tariff);
    tariff.valid_from = calendar_.start_of(day_in(month, static_cast<unsigned>(up_to(28))));
    const auto version = coalition_.add_tariff(tariff);
    tell_tariff(coalition_.terms().tariff(version));
}

void Life::play_step(ledger::Month month)
{
    const Day day = day_in(month, static_cast<unsigned>(up_to(28)));
    switch (pick(9)) {
    case 0:
    case 1:
    case 2: return accrue(month, day);
    case 3:
    case 4: return spend(day);
    case 5: return give_back(day);
    case 6: return recover();
    default: return claw_back();
    }
}

/// One in four comes late: its activity was in a month that is closed.
void Life::accrue(ledger::Month month, Day day)
{
    if (month != first_month && pick(4) == 0)
        day = day_in(first_month, 1) + static_cast<Day>(pick(static_cast<std::size_t>(
                                           day_in(month, 1) - day_in(first_month, 1))));
    const PartnerId partner{static_cast<std::uint32_t>(up_to(partners))};
    const auto points = up_to(pick(2) == 0 ? 50 : 20'000);
    accruals_.push_back({.tariff = tariff_on(partner, day), .left = points});
    coalition_.issue(accruals_.back().tariff, points);
    tell(
        {{"what", "accrual"},
         {"partner", partner.value()},
         {"activity", ledger::format_day(day)},
         {"points", points}});
}

void Life::spend(Day day)
{
    if (accruals_.empty()) return;
    const std::size_t place = pick(accruals_.size());
    auto& accrual = accruals_[place];
    if (accrual.left == 0) return;
    const auto points = up_to(accrual.left);
    accrual.left -= points;
    const bool is_donation = pick(4) == 0;
    const PartnerId redeemer{static_cast<std::uint32_t>(up_to(partners))};
    Spent spent{.accrual = place, .redeemer = {}, .left = points};
    if (is_donation) {
        coalition_.donate(accrual.tariff, charity_, points);
    } else {
        spent.redeemer = tariff_on(redeemer, day);
        coalition_.redeem(accrual.tariff, spent.redeemer, points);
    }
    spent_.push_back(spent);
    tell(
        {{"what", is_donation ? "donation" : "redemption"},
         {"accrual", place},
         {"partner", is_donation ? charity_.value() : redeemer.value()},
         {"day", ledger::format_day(day)},
         {"points", points}});
}

void Life::give_back(Day /*day*/)
{
    if (spent_.empty()) return;
    const std::size_t place = pick(spent_.size());
    auto& spent = spent_[place];
    if (spent.left == 0) return;
    const auto points = up_to(spent.left);
    spent.left -= points;
    auto& accrual = accruals_[spent.accrual];
    accrual.left += points;
    if (spent.redeemer.is_none()) {
        coalition_.refund_donation(accrual.tariff, charity_, points);
    } else {
        coalition_.refund(accrual.tariff, spent.redeemer, points);
    }
    tell({{"what", "refund"}, {"of", place}, {"points", points}});
}

void Life::claw_back()
{
    if (accruals_.empty()) return;
    const std::size_t place = pick(accruals_.size());
    auto& accrual = accruals_[place];
    if (accrual.left == 0) return;
    const auto points = up_to(accrual.left);
    accrual.left -= points;
    const bool expires = pick(3) == 0;
    if (expires) {
        coalition_.expire(accrual.tariff, points);
    } else {
        coalition_.claw_back(accrual.tariff, points);
    }
    tell({{"what", expires ? "expiry" : "clawback"}, {"accrual", place}, {"points", points}});
}

/// Points that were clawed back too late become a debt, which others repay.
void Life::recover()
{
    if (accruals_.empty()) return;
    const std::size_t place = pick(accruals_.size());
    const std::size_t debt = pick(accruals_.size());
    auto& accrual = accruals_[place];
    if (accrual.left == 0) return;
    const auto points = up_to(accrual.left);
    accrual.left -= points;
    coalition_.incur_debt(accruals_[debt].tariff, points);
    coalition_.recover(accrual.tariff, accruals_[debt].tariff, points);
    tell({{"what", "recovery"}, {"accrual", place}, {"debt_of", debt}, {"points", points}});
}

/// What was issued since the last time: the judge says what it should have been.
void Life::tell_documents()
{
    const auto all = record_->books().documents();
    json::array documents;
    for (; told_ < all.size(); ++told_)
        documents.push_back(json::parse(document_json(all[told_]->document)));
    tell({{"what", "issued"}, {"documents", std::move(documents)}});
}

void Life::dispute(const IssueTerms& terms)
{
    const auto all = record_->books().documents();
    const auto& document = all[pick(all.size())]->document;
    const std::size_t line = 1 + pick(document.lines.size());
    const auto net = document.lines[line - 1].net.count;
    if (net <= 0) return;
    const auto entry = record_->books().open_dispute(
        {.document = document.number,
         .line = line,
         .net = Minor{up_to(net)},
         .reason = "QTY",
         .evidence = "our till"},
        terms.today);
    if (!entry) return; // a credit note, or contested already
    const auto content = json::parse(entry->content).as_object();
    record_->append(*entry);
    tell(
        {{"what", "dispute"},
         {"id", content.at("dispute")},
         {"document", document.number},
         {"line", line},
         {"net_minor", content.at("net_minor")}});
}

void Life::decide(const IssueTerms& terms, bool all)
{
    std::vector<Dispute> open;
    for (const auto& [id, each] : record_->books().disputes())
        if (each.is_open()) open.push_back(each);
    for (const Dispute& each : open) {
        if (!all && pick(2) == 0) continue;
        auto agreed = pick(3) == 0 ? 0 : up_to(each.net.count);
        if (each.is_overdue(terms.today)) agreed = each.default_agreement().count;
        auto entry = record_->books().decide_dispute(each.id, Minor{agreed}, "agreed", terms);
        if (!entry) { // a cent of VAT too much: see credit_of
            agreed = 0;
            entry = record_->books().decide_dispute(each.id, {}, "not agreed", terms);
        }
        record_->append(record_->accepted(std::move(entry)));
        tell({{"what", "decision"}, {"id", each.id}, {"agreed_minor", agreed}});
        tell_documents();
    }
}

void Life::credit(ledger::Month month, const IssueTerms& terms)
{
    const auto all = record_->books().documents_of(month);
    if (all.empty()) return;
    const auto& issued = *all[pick(all.size())];
    // In full before any part, as the manual says.
    if (issued.credited.count != 0 || issued.disputed.count != 0) return;
    const auto entry =
        record_->books().issue_credit(full_credit_of(issued.document, terms.today), terms);
    if (!entry) return;
    record_->append(*entry);
    tell({{"what", "credit"}, {"document", issued.document.number}});
    tell_documents();
}

/// Of the last day of a month, and of the day on which it is paid.
void Life::record_rates(ledger::Month month)
{
    const std::map<std::string_view, std::int64_t> usual{
        {"SEK", 11'000'000}, {"JPY", 160'000'000}, {"GBP", 850'000}};
    for (const Day day : {day_in(month.next(), 1) - 1, pay_day(month)}) {
        for (const auto* currency : own_currencies) {
            const auto micro = usual.at(currency) / 100 * (90 + up_to(20)) + up_to(999);
            record_->append(record_->accepted(record_->books().set_rate(
                {.day = day,
                 .rate = {
                     .from = *ledger::find_currency("EUR"),
                     .to = *ledger::find_currency(currency),
                     .numerator = micro,
                     .denominator = 1'000'000}})));
            tell(
                {{"what", "rate"},
                 {"currency", currency},
                 {"day", ledger::format_day(day)},
                 {"rate_micro", micro}});
        }
    }
}

/// What was issued before stays where it was.
void Life::change_programs()
{
    json::object told;
    for (std::uint32_t partner = 1; has_programs_ && partner <= partners + 1; ++partner) {
        auto& program = programs_[PartnerId{partner}];
        if (pick(2) == 0) program = programs[pick(programs.size())];
        told.emplace(fmt::to_string(partner), program);
    }
    tell({{"what", "programs"}, {"programs", std::move(told)}});
}

std::vector<Document> Life::drafts_in_currencies(ledger::Month month) const
{
    auto drafts = drafts_of(coalition_.settled_as(month));
    for (Document& draft : drafts) {
        const auto program = programs_.find(draft.partner);
        if (program != programs_.end()) draft.program = program->second;
        const auto own = currencies_.find(draft.partner);
        if (own == currencies_.end()) continue;
        const auto rate =
            record_->books().find_rate("EUR", own->second, day_in(month.next(), 1) - 1);
        draft = in_currency(draft, rate.value()).value();
    }
    return drafts;
}

std::optional<ExchangeRate> Life::rate_of_day(ledger::Month month, PartnerId partner)
{
    const auto own = currencies_.find(partner);
    if (own == currencies_.end()) return std::nullopt;
    return record_->books().find_rate("EUR", own->second, pay_day(month));
}

void Life::net(const NetKey& key, bool is_last)
{
    const auto method =
        pick(3) == 0 ? NettingMethod::gross : static_cast<NettingMethod>(1 + pick(2));
    const Minor minimum{is_last ? 0 : static_cast<std::int64_t>(pick(400))};
    record_->append(record_->accepted(
        record_->books().net(key, {.minimum = minimum, .method = method}, record_->terms())));
    json::array payments;
    for (const auto& [partner, payment] : record_->books().net_of(key)->payments)
        payments.push_back(json::array{partner.value(), payment.due().count});
    tell(
        {{"what", "net"},
         {"month", ledger::format_month(key.window)},
         {"program", key.program},
         {"method", name_of(method)},
         {"minimum_minor", minimum.count},
         {"payments", std::move(payments)}});
}

void Life::take_default(const NetKey& key, PartnerId partner)
{
    const auto& books = record_->books();
    if (pick(2) == 0) {
        const Minor brought{up_to(3'000)};
        record_->append(record_->accepted(
            books.move_collateral({.partner = partner, .paid = brought}, record_->terms())));
        tell(
            {{"what", "collateral"},
             {"partner", partner.value()},
             {"amount_minor", brought.count}});
    }
    const auto entry = record_->accepted(books.take_default(
        {.net = key,
         .partner = partner,
         .reason = "a test",
         .mutualised = mutualised_,
         .rate = rate_of_day(key.window, partner)},
        record_->terms()));
    auto content = json::parse(entry.content).as_object();
    record_->append(entry);
    json::object told{
        {"what", "default"},
        {"month", ledger::format_month(key.window)},
        {"program", key.program},
        {"partner", partner.value()}};
    for (const auto* figure :
         {"set_off_minor",
          "collateral_minor",
          "receivable_minor",
          "house_bears_minor",
          "loss_shares"})
        told.emplace(figure, content.at(figure));
    if (const auto* paid_in = content.if_contains("paid_in")) told.emplace("paid_in", *paid_in);
    tell(std::move(told));
}

void Life::pay(const NetKey& key, bool is_last)
{
    const auto note = [&](PartnerId partner, std::int64_t paid) {
        if (paid == 0) return;
        record_->append(record_->accepted(record_->books().settle(
            key,
            {.partner = partner,
             .paid = Minor{paid},
             .evidence = "bank",
             .rate = rate_of_day(key.window, partner)},
            record_->terms())));
        tell(
            {{"what", "paid"},
             {"program", key.program},
             {"partner", partner.value()},
             {"amount_minor", paid}});
    };
    const auto payments = record_->books().net_of(key)->payments;
    for (const auto& [partner, payment] : payments) {
        const auto due = payment.due().count;
        if (due >= 0) continue;
        const bool defaults = !is_last && pick(4) == 0;
        note(partner, due + (defaults ? up_to(-due) : 0));
        if (defaults) take_default(key, partner);
    }
    for (const std::string_view currency : {"", "SEK", "JPY", "GBP"}) {
        const auto file = record_->accepted(record_->books().payment_file(key, {}, 0, currency));
        for (const auto& [partner, amount] : file.amounts) note(partner, amount.count);
    }
}

void Life::close(ledger::Month month)
{
    const bool is_last = month == first_month.next().next().next();
    record_rates(month);
    change_programs();
    const auto drafts = drafts_in_currencies(month);
    // The terms stand still while the register works: it names their partners alone.
    const IssueTerms terms{
        .today = day_in(month.next(), 2),
        .terms = std::make_shared<ledger::Terms>(coalition_.terms())};
    record_->issue(month, drafts, terms);
    tell({{"what", "close"}, {"month", ledger::format_month(month)}});
    tell_documents();
    if (!record_->books().documents().empty()) {
        if (pick(2) == 0) credit(month, terms);
        for (std::size_t count = pick(3); count > 0 && !is_last; --count) dispute(terms);
        decide(terms, false);
    }
    for (const auto& key : record_->books().nets_to_come(month)) net(key, is_last);
    for (const auto& key : record_->books().nets_of(month)) pay(key, is_last);
    decide(terms, month == first_month.next().next() || is_last);
    coalition_.close_window();
}

json::object Life::played()
{
    record_ = std::make_unique<Record>(coalition_.terms());
    auto month = first_month;
    for (int number = 0; number < months; ++number) {
        const bool is_last = number == months - 1;
        if (!is_last && pick(2) == 0) change_tariff(month);
        for (std::size_t step = is_last ? 0 : 4 + pick(22); step > 0; --step) play_step(month);
        close(month);
        month = month.next();
    }
    json::object balances;
    for (const auto& [account, amount] : record_->balances)
        if (amount != 0) balances.emplace(account, amount);
    json::array mutualised;
    for (const auto partner : mutualised_) mutualised.push_back(partner.value());
    json::object currencies;
    for (const auto& [partner, currency] : currencies_)
        currencies.emplace(fmt::to_string(partner.value()), currency);
    return {
        {"seed", seed_},
        {"vat", std::move(vat_)},
        {"mutualised", std::move(mutualised)},
        {"currencies", std::move(currencies)},
        {"events", std::move(events_)},
        {"balances_micro", std::move(balances)}};
}

bool read(std::string_view text, std::uint64_t& number)
{
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    return fault == std::errc{} && end == text.data() + text.size();
}

} // namespace
} // namespace pointhouse::settlement

int main(int count, char** words)
{
    std::uint64_t seed = 0;
    std::uint64_t lives = 0;
    using pointhouse::settlement::read;
    if (count != 3 || !read(words[1], seed) || !read(words[2], lives)) {
        fmt::print(stderr, "Usage: judged_lives SEED COUNT\n");
        return 2;
    }
    for (std::uint64_t number = 0; number < lives; ++number)
        fmt::print(
            "{}\n",
            boost::json::serialize(
                pointhouse::settlement::Life{seed * 1'000'000 + number}.played()));
    return 0;
}
