#include "settlement/invoice_replay.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

namespace pointhouse::settlement {
namespace {

using ledger::EntryKind;
using ledger::MessageType;
using ledger::Micro;

constexpr std::size_t candidates_max = 10;

/// What is compared: points of one kind at one price, on one side of the account.
struct Key {
    StatementType type = StatementType::issuance;
    Charge charge = Charge::price;
    EntryKind kind = EntryKind::issued;
    Micro price{};
    friend auto operator<=>(const Key&, const Key&) = default;
};

/// What of that is of an earlier month.
struct EarlierKey {
    StatementType type = StatementType::issuance;
    Charge charge = Charge::price;
    EntryKind kind = EntryKind::issued;
    ledger::Month origin{};
    bool undoes = false;
    friend auto operator<=>(const EarlierKey&, const EarlierKey&) = default;
};

struct EarlierSum {
    std::int64_t points = 0;
    Micro amount{};
};

struct Contribution {
    std::string_view message_id;
    std::int64_t points = 0;
};

struct Logged {
    std::int64_t points = 0;
    std::vector<Contribution> by_message{};
};

/// Prices the log as the ledger did: an accrual by the tariff of the day on which it happened, a
/// redemption by that of the moment in which it was answered, an undoing by that of what it undoes.
class Pricing {
public:
    Pricing(std::span<const LoggedMessage> log, const ReplayTerms& terms) : log_{log}, terms_{terms}
    {
        for (const auto& message : log) {
            by_id_[message.message_id] = &message;
            if (message.type != MessageType::accrual) continue;
            for (const auto& lot : message.lots)
                if (!lot.lot.empty()) origin_of_lot_[lot.lot] = &message;
        }
    }

    [[nodiscard]] std::map<Key, Logged> priced()
    {
        const ReconciliationPeriod period{.window = terms_.window, .day = {}};
        for (const auto& message : log_)
            if (period.contains(terms_.calendar.day_of(message.answered_at))) add(message);
        return std::move(logged_);
    }
    /// Pre: `priced` was called.
    [[nodiscard]] const std::map<EarlierKey, EarlierSum>& earlier() const { return earlier_; }

private:
    [[nodiscard]] const ledger::Tariff* tariff_at(ledger::Time at) const
    {
        const ledger::Tariff* found = nullptr;
        for (const auto& tariff : terms_.tariffs)
            if (tariff.valid_from <= at) found = &tariff;
        return found;
    }

    /// Transfers and donations move no money of the partner that sends them.
    void add(const LoggedMessage& message)
    {
        const auto type = message.type;
        if (type == MessageType::accrual) {
            for (const auto& lot : message.lots)
                if (lot.issuer == terms_.partner)
                    charge(message, EntryKind::issued, tariff_at(message.occurred_at), lot.points);
        } else if (type == MessageType::redemption || type == MessageType::capture) {
            pay(message, EntryKind::redeemed, tariff_at(message.answered_at), message.points);
        } else if (type == MessageType::reversal && message.is_refund) {
            refund(message);
        } else if (type == MessageType::reversal || type == MessageType::clawback) {
            claw_back(message);
        }
    }

    void refund(const LoggedMessage& message)
    {
        const auto original = by_id_.find(message.reverses);
        const auto at =
            original == by_id_.end() ? message.answered_at : original->second->answered_at;
        pay(message, EntryKind::refunded, tariff_at(at), -message.points);
    }

    /// Own lots are credited. What came out of others' repaid the debt at once.
    void claw_back(const LoggedMessage& message)
    {
        for (const auto& lot : message.lots) {
            if (lot.issuer != terms_.partner) continue;
            const auto origin = origin_of_lot_.find(lot.lot);
            const auto at =
                origin == origin_of_lot_.end() ? message.occurred_at : origin->second->occurred_at;
            charge(message, EntryKind::clawed_back, tariff_at(at), -lot.points);
        }
    }

    void charge(
        const LoggedMessage& message,
        EntryKind kind,
        const ledger::Tariff* tariff,
        std::int64_t points)
    {
        if (tariff == nullptr || terms_.is_prepaid) return;
        count(
            message,
            {StatementType::issuance, Charge::price, kind, tariff->prefunded_price()},
            points);
        count(message, {StatementType::issuance, Charge::fee, kind, tariff->service_fee}, points);
    }

    void pay(
        const LoggedMessage& message,
        EntryKind kind,
        const ledger::Tariff* tariff,
        std::int64_t points)
    {
        if (tariff == nullptr) return;
        count(
            message,
            {StatementType::redemption, Charge::reimbursement, kind, tariff->reimbursement},
            points);
    }

    void count(const LoggedMessage& message, const Key& key, std::int64_t points)
    {
        if (points == 0 || key.price == Micro{0}) return; // no money, so no line
        auto& logged = logged_[key];
        logged.points += points;
        if (logged.by_message.empty() || logged.by_message.back().message_id != message.message_id)
            logged.by_message.push_back({.message_id = message.message_id, .points = 0});
        logged.by_message.back().points += points;
        count_earlier(message, key, points);
    }

    /// What a reversal undoes is of the window that booked its original; else of its own month.
    void count_earlier(const LoggedMessage& message, const Key& key, std::int64_t points)
    {
        EarlierKey earlier{.type = key.type, .charge = key.charge, .kind = key.kind};
        const auto original = by_id_.find(message.reverses);
        earlier.undoes = original != by_id_.end() &&
                         terms_.calendar.month_of(original->second->answered_at) < terms_.window;
        earlier.origin = terms_.calendar.month_of(
            earlier.undoes ? original->second->answered_at : message.occurred_at);
        if (earlier.origin >= terms_.window) return;
        auto& sum = earlier_[earlier];
        sum.points += points;
        sum.amount += key.price * points;
    }

    std::span<const LoggedMessage> log_;
    const ReplayTerms& terms_;
    std::unordered_map<std::string_view, const LoggedMessage*> by_id_;
    std::unordered_map<std::string_view, const LoggedMessage*> origin_of_lot_;
    std::map<Key, Logged> logged_;
    std::map<EarlierKey, EarlierSum> earlier_;
};

/// Whether a partner's own messages, and its promotions, are all that moves points of a kind.
bool is_known(StatementType type, EntryKind kind)
{
    if (type == StatementType::issuance)
        return kind == EntryKind::issued || kind == EntryKind::clawed_back;
    return type == StatementType::redemption &&
           (kind == EntryKind::redeemed || kind == EntryKind::refunded);
}

ReplayVerdict verdict_of(const Key& key, const ReplayedFigure& figure, bool others_may_have_sent)
{
    if (!is_known(key.type, key.kind)) return ReplayVerdict::as_stated;
    if (figure.stated == figure.logged) return ReplayVerdict::equal;
    // Others issue a partner's points under its promotions, and operators grant them; nobody else
    // takes points in its name.
    const bool has_more = std::abs(figure.stated) > std::abs(figure.logged);
    if (key.type == StatementType::issuance && has_more && others_may_have_sent)
        return ReplayVerdict::of_others;
    return ReplayVerdict::differs;
}

/// Messages that come to exactly what is missing from the statement, or stands on it once more.
std::vector<std::string> candidates_of(const ReplayedFigure& figure, const Logged& logged)
{
    std::vector<std::string> found;
    const std::int64_t difference = std::abs(figure.stated - figure.logged);
    for (const auto& each : logged.by_message) {
        if (std::abs(each.points) != difference) continue;
        found.emplace_back(each.message_id);
        if (found.size() == candidates_max) break;
    }
    return found;
}

const VatRule* rule_before(const ReplayTerms& terms, Charge charge, ledger::Time end)
{
    const VatRule* rule = nullptr;
    for (const auto& each : terms.vat)
        if (each.charge == name_of(charge) && each.valid_from < end &&
            (rule == nullptr || each.valid_from >= rule->valid_from))
            rule = &each;
    return rule;
}

/// Where the tax point is the issue, by the row of that day; of what is not issued, of the window's
/// end.
VatRate vat_of(const ReplayTerms& terms, Charge charge, std::optional<ledger::Day> issued_on)
{
    const auto end = terms.calendar.start_of(terms.window.next());
    const VatRule* agreed = rule_before(terms, charge, end);
    if (agreed == nullptr) return {.category = "O"};
    const bool is_later = agreed->tax_point != TaxPoint::period_end && issued_on;
    const VatRule* rule =
        is_later
            ? rule_before(terms, charge, std::max(end, terms.calendar.start_of(*issued_on + 1)))
            : agreed;
    const bool is_taxed = rule->treatment == "taxed";
    const std::string_view usual = is_taxed ? "S" : "O";
    VatRate rate{
        .category = rule->category.empty() ? std::string{usual} : rule->category,
        .basis_points = is_taxed ? rule->rate_basis_points : 0,
        .is_gross = is_taxed && agreed->is_gross};
    if (rate.category != "O") rate.tax_point = agreed->tax_point;
    return rate;
}

/// A statement of which some charges are outside the scope of VAT, or some prices hold it, is
/// several documents.
bool is_billed_on(const Key& key, const StatedDocument& document, const ReplayTerms& terms)
{
    const VatRate stated = document.lines.empty() ? VatRate{} : document.lines.front().vat;
    const VatRate agreed = vat_of(terms, key.charge, document.issued_on);
    return key.type == document.type && (stated.category == "O") == (agreed.category == "O") &&
           stated.is_gross == agreed.is_gross && stated.tax_point == agreed.tax_point;
}

std::vector<ReplayedFigure> compare(
    std::map<Key, Logged> logged,
    std::span<const StatedDocument> documents,
    bool others_may_have_sent,
    const ReplayTerms& terms)
{
    if (documents.size() == 1 && documents.front().is_alone) {
        const auto& alone = documents.front();
        std::erase_if(
            logged, [&](const auto& each) { return !is_billed_on(each.first, alone, terms); });
    }
    std::map<Key, std::int64_t> stated;
    for (const auto& document : documents)
        for (const auto& line : document.lines)
            for (const auto& detail : line.details)
                stated[{document.type, line.charge, detail.kind, detail.price}] += detail.points;
    for (const auto& [key, each] : logged) stated.try_emplace(key, 0);

    std::vector<ReplayedFigure> figures;
    for (const auto& [key, points] : stated) {
        const auto& known = logged[key];
        ReplayedFigure figure{
            .type = key.type,
            .charge = key.charge,
            .kind = key.kind,
            .price = key.price,
            .stated = points,
            .logged = known.points};
        figure.verdict = verdict_of(key, figure, others_may_have_sent);
        if (figure.verdict == ReplayVerdict::differs)
            figure.candidates = candidates_of(figure, known);
        figures.push_back(std::move(figure));
    }
    return figures;
}

/// The parts of lines that are of earlier months, as stated and as the log has them. Of what others
/// may have sent, more is taken as stated.
void compare_earlier(
    std::map<EarlierKey, EarlierSum> logged,
    std::span<const StatedDocument> documents,
    bool others_may_have_sent,
    std::vector<ArithmeticFault>& faults)
{
    std::map<EarlierKey, EarlierSum> stated;
    std::set<std::pair<StatementType, Charge>> billed;
    for (const auto& document : documents) {
        for (const auto& line : document.lines) {
            billed.insert({document.type, line.charge});
            for (const auto& part : line.earlier) {
                auto& sum =
                    stated[{document.type, line.charge, part.kind, part.origin, part.undoes}];
                sum.points += part.points;
                sum.amount += part.amount;
            }
        }
    }
    // Documents of before there were such notes state none.
    if (stated.empty()) return;
    for (const auto& [key, sum] : logged) stated.try_emplace(key);
    for (const auto& [key, sum] : stated) {
        if (!is_known(key.type, key.kind) || !billed.contains({key.type, key.charge})) continue;
        const auto& known = logged[key];
        if (sum.points == known.points && sum.amount == known.amount) continue;
        const bool has_more = std::abs(sum.points) > std::abs(known.points);
        if (others_may_have_sent && has_more && key.type == StatementType::issuance) continue;
        const auto words = [](const EarlierSum& of) {
            return fmt::format("{} points, {}", of.points, ledger::format_micro(of.amount));
        };
        faults.push_back(
            {.document = {},
             .figure = fmt::format(
                 "{} {} {} {}",
                 name_of(key.charge),
                 ledger::name_of(key.kind),
                 key.undoes ? "undone of" : "late of",
                 ledger::format_month(key.origin)),
             .stated = words(sum),
             .computed = words(known)});
    }
}

/// Sums, rounds and taxes the lines of one document anew.
class Arithmetic {
public:
    Arithmetic(const ReplayTerms& terms, std::vector<ArithmeticFault>& faults)
        : terms_{terms}, faults_{faults}
    {}

    void check(const StatedDocument& document)
    {
        number_ = document.number;
        issued_on_ = document.issued_on;
        std::map<VatRate, Sum> sums;
        ledger::Minor net;
        for (std::size_t place = 0; place < document.lines.size(); ++place) {
            const auto& line = document.lines[place];
            const auto name = fmt::format("line {}", place + 1);
            auto& sum = sums[line.vat];
            if (check_line(line, name) && line.vat.is_gross) check_gross(line, name, sum);
            sum.net += line.net.count;
            sum.gross += line.gross.count;
            net.count += line.net.count;
        }
        ledger::Minor tax;
        std::map<VatRate, VatTotal> stated;
        for (const auto& total : document.vat) stated[total.rate] = total;
        std::int64_t total = 0;
        for (const auto& [rate, sum] : sums) {
            const auto due = ledger::tax_of({sum.net}, rate.basis_points);
            tax.count += due.count;
            total += rate.is_gross ? sum.gross : sum.net + due.count;
            const auto name = fmt::format("VAT {} {}", rate.category, rate.basis_points);
            expect(name + " net", stated[rate].net.count, sum.net);
            expect(name, stated[rate].tax.count, due.count);
            expect(name + " gross", stated[rate].gross.count, sum.gross);
        }
        expect("VAT groups", std::ssize(document.vat), std::ssize(sums));
        expect("net", document.net.count, net.count);
        expect("VAT", document.tax.count, tax.count);
        expect("total", document.total.count, total);
    }

private:
    struct Sum {
        std::int64_t net = 0;
        std::int64_t gross = 0;
    };

    /// A line's net is what it adds to that of the lines of its rate so far.
    void check_gross(const StatementLine& line, const std::string& name, const Sum& before)
    {
        const auto net = ledger::net_of({before.gross + line.gross.count}, line.vat.basis_points);
        expect(name + " net", line.net.count, net.count - before.net);
    }

    /// Whether its exact amount is right.
    bool check_line(const StatementLine& line, const std::string& name)
    {
        ledger::Wide sum = 0;
        for (const auto& detail : line.details) {
            const auto amount = ledger::Wide{detail.price.count()} * detail.points;
            if (amount != detail.amount.count())
                report(name + " detail", detail.amount.count(), "points × price");
            sum += amount;
        }
        if (sum != line.exact.count()) {
            report(name + " exact", line.exact.count(), "the sum of its details");
            return false;
        }
        expect(
            name + (line.vat.is_gross ? " gross" : " net"),
            (line.vat.is_gross ? line.gross : line.net).count,
            ledger::minor_units_of(line.exact, terms_.currency).count);
        const auto vat = vat_of(terms_, line.charge, issued_on_);
        // What is not issued is shown with the VAT of the day on which it was shown.
        const bool is_known = issued_on_ || vat.tax_point == TaxPoint::period_end;
        if (is_known && vat != line.vat)
            faults_.push_back(
                {.document = number_,
                 .figure = name + " VAT",
                 .stated = fmt::format("{} {}", line.vat.category, line.vat.basis_points),
                 .computed = fmt::format("{} {}", vat.category, vat.basis_points)});
        return true;
    }

    void expect(const std::string& figure, std::int64_t stated, std::int64_t computed)
    {
        if (stated != computed) report(figure, stated, fmt::format("{}", computed));
    }

    void report(const std::string& figure, std::int64_t stated, std::string computed)
    {
        faults_.push_back(
            {.document = number_,
             .figure = figure,
             .stated = fmt::format("{}", stated),
             .computed = std::move(computed)});
    }

    const ReplayTerms& terms_;
    std::vector<ArithmeticFault>& faults_;
    std::string number_;
    std::optional<ledger::Day> issued_on_;
};

/// The log against the house's own file, whose members are references that a partner cannot read.
Reconciliation compare_messages(
    std::span<const LoggedMessage> log, const PartnerFile& file, const ReplayTerms& terms)
{
    const ReconciliationPeriod period{.window = terms.window, .day = {}};
    std::set<std::string_view> in_file;
    for (const auto& row : file.rows) in_file.insert(row.message_id);
    auto rows = rows_of(log, terms.calendar);
    std::erase_if(rows, [&](const ReconciliationRow& row) {
        return !period.contains(row.booked_on) && !in_file.contains(row.message_id);
    });
    return reconcile(period, file.rows, rows, terms.calendar);
}

} // namespace

std::string_view name_of(ReplayVerdict verdict) noexcept
{
    switch (verdict) {
    case ReplayVerdict::equal: return "equal";
    case ReplayVerdict::as_stated: return "as_stated";
    case ReplayVerdict::of_others: return "of_others";
    case ReplayVerdict::differs: return "differs";
    }
    return "unknown";
}

bool InvoiceReplay::agrees() const
{
    return arithmetic.empty() && (!messages || messages->agrees()) &&
           std::ranges::none_of(figures, [](const ReplayedFigure& figure) {
               return figure.verdict == ReplayVerdict::differs;
           });
}

InvoiceReplay replay_invoice(
    std::span<const LoggedMessage> log,
    std::span<const StatedDocument> documents,
    const ReplayTerms& terms,
    const PartnerFile* house_file)
{
    InvoiceReplay replay;
    if (house_file != nullptr) replay.messages = compare_messages(log, *house_file, terms);
    // When both sides agree message by message, what the statement has beyond them is not the
    // partner's own doing.
    const bool same_messages = replay.messages && replay.messages->agrees();
    const bool others_may_have_sent = terms.funds_promotions || same_messages;
    Pricing pricing{log, terms};
    replay.figures = compare(pricing.priced(), documents, others_may_have_sent, terms);
    compare_earlier(pricing.earlier(), documents, others_may_have_sent, replay.arithmetic);
    Arithmetic arithmetic{terms, replay.arithmetic};
    for (const auto& document : documents) arithmetic.check(document);
    return replay;
}

} // namespace pointhouse::settlement
