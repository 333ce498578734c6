#include <algorithm>
#include <utility>

#include "ledger/invariant.hpp"
#include "moved_figures.hpp"
#include "settlement/line_trace.hpp"
#include "settlement/register.hpp"
#include "settlement/restatement.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Month;
using ledger::Wide;

std::int64_t sum_of(std::int64_t left, std::int64_t right)
{
    std::int64_t sum = 0;
    if (__builtin_add_overflow(left, right, &sum))
        ledger::invariant(false, "sums of points fit 64 bits");
    return sum;
}

RestatedAmount negated(const RestatedAmount& amount)
{
    return {.points = -amount.points, .exact = -amount.exact};
}

/// The document of a window that bills a line; empty: none does yet.
std::string billing_document(const Register& documents, Month window, const RestatedLineKey& line)
{
    for (const auto* issued : documents.documents_of(window)) {
        const Document& document = issued->document;
        if (document.corrects || document.partner != line.partner || document.supply != line.type)
            continue;
        const bool has_line = std::ranges::any_of(document.lines, [&](const DocumentLine& each) {
            return each.tariff == line.tariff && each.charge == line.charge;
        });
        if (has_line) return document.number;
    }
    return {};
}

/// The exact amounts of a document's lines in the house's currency: of one in another currency,
/// each its part of what the document was booked at, so that they add up to that.
std::vector<Micro> booked_exact(const Document& document)
{
    std::vector<Micro> amounts;
    if (!document.booked) {
        for (const DocumentLine& line : document.lines) amounts.push_back(line.exact);
        return amounts;
    }
    Wide whole = 0;
    for (const DocumentLine& line : document.lines) whole += line.exact.count();
    Wide running = 0;
    Micro given;
    for (const DocumentLine& line : document.lines) {
        running += line.exact.count();
        const Wide share = whole == 0 ? 0 : running * document.booked->exact.count() / whole;
        const Micro so_far{static_cast<std::int64_t>(share)};
        amounts.push_back(so_far - given);
        given = so_far;
    }
    return amounts;
}

/// A line at several prices has its points in its parts.
std::int64_t points_of(const DocumentLine& line)
{
    if (line.price) return line.points;
    std::int64_t points = 0;
    for (const LineDetail& detail : line.details) points = sum_of(points, detail.points);
    return points;
}

class Restating {
public:
    explicit Restating(const RestatementInput& input) : input_{input}
    {
        made_.window = input.window.month;
        made_.documents_through = input.documents.through();
    }

    Restatement done()
    {
        for (const auto& [key, vat, amount] : lines_of(input_.closed)) {
            auto& line = made_.lines[key];
            line.vat = vat;
            line.closed = line.closed + amount;
        }
        made_.closed = movements(input_.closed, input_.terms);
        made_.restated = made_.closed;
        for (const auto& late : input_.late) add_late(late);
        // A correction is of the window in which it was issued; its lines say what they correct.
        for (const auto* issued : input_.documents.documents())
            if (issued->document.corrects && !issued->document.is_prepaid())
                add_correction(issued->document);
        return std::move(made_);
    }

private:
    struct Line {
        RestatedLineKey key{};
        VatRate vat{};
        RestatedAmount amount{};
    };

    /// What rows come to on the window's statements, taxed as these are.
    [[nodiscard]] std::vector<Line> lines_of(std::span<const ledger::PositionRow> rows) const
    {
        std::vector<Line> found;
        for (const auto& statement :
             statements(input_.window, rows, input_.terms, input_.contracts)) {
            for (const auto& line : statement.lines) {
                found.push_back(
                    {.key =
                         {.partner = statement.partner,
                          .type = statement.type,
                          .tariff = line.tariff,
                          .charge = line.charge},
                     .vat = line.vat,
                     .amount = {.points = line.points, .exact = line.exact}});
            }
        }
        return found;
    }

    void add_late(const LatePositions& late)
    {
        const RestatementCause cause{.posted_in = late.posted_in, .correction = {}};
        for (const auto& [key, vat, amount] : lines_of(late.rows)) {
            auto& line = made_.lines[key];
            line.vat = vat;
            auto& part = line.parts[cause];
            part.amount = part.amount + amount;
            part.document = billing_document(input_.documents, late.posted_in, key);
        }
        for (const auto& [partner, figures] : movements(late.rows, input_.terms)) {
            auto& restated = made_.restated[partner];
            restated.partner = partner;
            for (const auto& [name, field] : moved_figures)
                restated.*field = sum_of(restated.*field, figures.*field);
            if (restated == PartnerFigures{.partner = partner}) made_.restated.erase(partner);
        }
    }

    void add_correction(const Document& document)
    {
        const RestatementCause cause{.posted_in = document.window, .correction = document.number};
        const auto exact = booked_exact(document);
        const auto sign = sign_on_statement(document);
        for (std::size_t place = 0; place < document.lines.size(); ++place) {
            const DocumentLine& line = document.lines[place];
            if (line.origin != made_.window) continue;
            auto& restated = made_.lines[{
                .partner = document.partner,
                .type = document.supply,
                .tariff = line.tariff,
                .charge = line.charge}];
            if (restated.closed == RestatedAmount{}) restated.vat = line.vat;
            auto& part = restated.parts[cause];
            part.amount =
                part.amount +
                RestatedAmount{.points = sign * points_of(line), .exact = exact[place] * sign};
            part.document = document.number;
        }
    }

    const RestatementInput& input_;
    Restatement made_;
};

} // namespace

RestatedAmount operator+(const RestatedAmount& left, const RestatedAmount& right)
{
    return {.points = sum_of(left.points, right.points), .exact = left.exact + right.exact};
}

RestatedAmount operator-(const RestatedAmount& left, const RestatedAmount& right)
{
    return left + negated(right);
}

RestatedAmount RestatedLine::restated() const
{
    auto sum = closed;
    for (const auto& [cause, part] : parts) sum = sum + part.amount;
    return sum;
}

Restatement restate(const RestatementInput& input)
{
    return Restating{input}.done();
}

Restatement as_closed(const Restatement& restatement)
{
    Restatement closed{
        .window = restatement.window,
        .version = 1,
        .closed = restatement.closed,
        .restated = restatement.closed};
    for (const auto& [key, line] : restatement.lines)
        if (line.closed != RestatedAmount{})
            closed.lines.emplace(
                key, RestatedLine{.vat = line.vat, .closed = line.closed, .parts = {}});
    return closed;
}

std::vector<RestatedDifference> differences(const Restatement& before, const Restatement& after)
{
    std::map<RestatedLineKey, RestatedDifference> found;
    const auto at = [&](const RestatedLineKey& key, const RestatedLine& line) -> auto& {
        auto& difference = found[key];
        difference.line = key;
        difference.vat = line.vat;
        return difference;
    };
    for (const auto& [key, line] : before.lines) {
        auto& difference = at(key, line);
        difference.before = line.restated();
        for (const auto& [cause, part] : line.parts)
            difference.parts[cause] = {.amount = negated(part.amount), .document = part.document};
    }
    for (const auto& [key, line] : after.lines) {
        auto& difference = at(key, line);
        difference.after = line.restated();
        for (const auto& [cause, part] : line.parts) {
            auto& change = difference.parts[cause];
            change = {.amount = change.amount + part.amount, .document = part.document};
        }
    }
    std::vector<RestatedDifference> changed;
    for (auto& [key, difference] : found) {
        std::erase_if(difference.parts, [](const auto& each) {
            return each.second.amount == RestatedAmount{};
        });
        if (!difference.parts.empty() || difference.before != difference.after)
            changed.push_back(std::move(difference));
    }
    return changed;
}

bool is_same(const Restatement& before, const Restatement& after)
{
    return before.restated == after.restated && differences(before, after).empty();
}

} // namespace pointhouse::settlement
