#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "../pdf_parts.hpp"
#include "../pdf_style.hpp"
#include "../wording.hpp"
#include "settlement/restatement.hpp"
#include "settlement/window.hpp"

namespace pointhouse::settlement {

namespace {

using namespace style;
using ledger::Minor;

constexpr double points_right = 300;
constexpr double old_right = 385;
constexpr double new_right = 463;
constexpr double head_height = 24;
constexpr double first_top = 170;
constexpr double next_top = 108;
constexpr double row_height = 20;
constexpr double cause_height = 13;

std::string_view title_of(StatementType type)
{
    switch (type) {
    case StatementType::issuance: return "points issued";
    case StatementType::redemption: return "points taken";
    case StatementType::donation: return "points donated to it";
    case StatementType::breakage: return "points that expired";
    case StatementType::block: break;
    }
    return "points bought ahead";
}

/// "+12.00", "−3.10": a difference shows its sign.
std::string signed_words(const std::string& words, bool is_above_zero)
{
    return is_above_zero ? "+" + words : words;
}

/// Draws what two versions have differently, partner by partner.
class DifferencePages {
public:
    DifferencePages(
        const Restatement& before,
        const Restatement& after,
        const ledger::Terms& terms,
        const Contracts& contracts,
        std::string_view logo)
        : before_{before}, after_{after}, terms_{terms}, contracts_{contracts}, logo_{logo},
          canvas_{{
              .title = fmt::format("Restatement of {}", month_in_words(after.window)),
              .author = contracts.house.name,
              .subject = days_in_words(after.window),
              .created = ledger::format_time(after.made_at),
          }}
    {}

    std::string drawn()
    {
        add_statements();
        add_points();
        add_words(
            "Nothing was booked by this restatement: an item counts in the window in which it "
            "happened, and is billed by the document that is named beside it.");
        const auto pages = dealt(blocks_, first_top + head_height, next_top + head_height);
        for (std::size_t index = 0; index < pages.size(); ++index) {
            draw_letterhead(
                canvas_,
                {.logo = logo_,
                 .name = contracts_.house.name,
                 .title = "Restatement",
                 .number = month_in_words(after_.window)});
            if (index == 0) draw_summary();
            draw_head(pages[index].body_top - head_height);
            draw_body(canvas_, pages[index], terms_.currency.code);
            draw_footer(
                canvas_,
                fmt::format(
                    "{}, versions {} and {}",
                    ledger::format_month(after_.window),
                    before_.version,
                    after_.version),
                index + 1,
                pages.size());
            canvas_.end_page();
        }
        return canvas_.finish();
    }

private:
    [[nodiscard]] std::string amount(Minor minor) const
    {
        return amount_in_words(minor, terms_.currency);
    }

    void draw_summary()
    {
        const auto words = fmt::format(
            "Version {} beside version {}, as known on {}",
            after_.version,
            before_.version,
            day_in_words(terms_.calendar->day_of(after_.made_at)));
        draw_notice(canvas_, words);
        canvas_.paragraph(
            {.x = left, .y = notice_top + 36},
            {.words = "Amounts are those of the window's statements: above zero adds to what the "
                      "partner pays for points issued, and to what it is paid for points taken.",
             .style = quiet,
             .width = width,
             .lines_max = 2});
    }

    void draw_head(double y)
    {
        const double baseline = y + 11;
        canvas_.text({.x = left, .y = baseline}, "Partner, statement and line", quiet, 160);
        canvas_.text({.x = points_right, .y = baseline}, "Points", at_right(quiet), 80);
        draw_columns(
            baseline,
            {fmt::format("Version {}, {}", before_.version, terms_.currency.code),
             fmt::format("Version {}", after_.version),
             "Difference"},
            quiet);
        canvas_.rule({.x = left, .y = y + head_height - 6}, width, 0.9, black);
    }

    /// What both versions have, and the difference, each in its column.
    void draw_columns(
        double baseline, const std::array<std::string, 3>& words, const TextStyle& face)
    {
        canvas_.text({.x = old_right, .y = baseline}, words[0], at_right(face), 84);
        canvas_.text({.x = new_right, .y = baseline}, words[1], at_right(face), 76);
        canvas_.text({.x = right, .y = baseline}, words[2], at_right(face), 76);
    }

    /// A row of amounts: what both versions have, and the difference of what is shown.
    void draw_amounts(double baseline, Minor before, Minor after, const TextStyle& face)
    {
        const Minor change = after + -before;
        draw_columns(
            baseline,
            {amount(before), amount(after), signed_words(amount(change), change > Minor{})},
            face);
    }

    void add_statements()
    {
        auto was = totals_of(before_, terms_.currency);
        auto is = totals_of(after_, terms_.currency);
        const auto changed = differences(before_, after_);
        for (std::size_t place = 0; place < changed.size(); ++place) {
            const auto& line = changed[place].line;
            const StatementKey key{line.partner, line.type};
            const bool is_first =
                place == 0 ||
                StatementKey{changed[place - 1].line.partner, changed[place - 1].line.type} != key;
            add_line(changed[place], is_first);
            const bool is_last =
                place + 1 == changed.size() ||
                StatementKey{changed[place + 1].line.partner, changed[place + 1].line.type} != key;
            if (is_last) add_totals(was[key], is[key]);
        }
    }

    void add_line(const RestatedDifference& difference, bool is_first)
    {
        const double head = is_first ? row_height : 0;
        const auto height =
            head + row_height + cause_height * static_cast<double>(difference.parts.size()) + 3;
        blocks_.push_back({.height = height, .draw = [this, difference, head](double y) {
                               if (head > 0) draw_partner(difference.line, y + 14);
                               draw_line(difference, y + head);
                           }});
    }

    void draw_partner(const RestatedLineKey& line, double baseline)
    {
        canvas_.text(
            {.x = left, .y = baseline},
            fmt::format(
                "{} · {}",
                contracts_.partners.at(line.partner.value() - 1).name,
                title_of(line.type)),
            strong,
            width);
    }

    void draw_line(const RestatedDifference& difference, double y)
    {
        const auto change = difference.after - difference.before;
        double baseline = y + 13;
        canvas_.text(
            {.x = left + 12, .y = baseline},
            fmt::format(
                "{}, tariff {}", label_of(difference.line.charge), difference.line.tariff.value()),
            plain,
            180);
        canvas_.text(
            {.x = points_right, .y = baseline},
            signed_words(points_in_words(change.points), change.points > 0),
            at_right(plain),
            80);
        draw_amounts(
            baseline,
            net_amount(difference.before, difference.vat, terms_.currency),
            net_amount(difference.after, difference.vat, terms_.currency),
            plain);
        for (const auto& [cause, part] : difference.parts) {
            baseline += cause_height;
            canvas_.text({.x = left + 24, .y = baseline}, words_of(cause, part), quiet, width - 24);
        }
        canvas_.rule({.x = left, .y = baseline + 9.5}, width, 0.5, hairline);
    }

    [[nodiscard]] static std::string words_of(
        const RestatementCause& cause, const RestatedPart& part)
    {
        const auto points =
            signed_words(points_in_words(part.amount.points), part.amount.points > 0);
        if (!cause.correction.empty())
            return fmt::format("corrected by {}: {} points", cause.correction, points);
        return fmt::format(
            "posted in {}: {} points, {}",
            month_in_words(cause.posted_in),
            points,
            part.document.empty() ? "on no document yet" : "billed by " + part.document);
    }

    void add_totals(const StatementTotals& was, const StatementTotals& is)
    {
        blocks_.push_back({.height = 2 * cause_height + 16, .draw = [this, was, is](double y) {
                               canvas_.text({.x = left + 12, .y = y + 12}, "VAT", quiet, 100);
                               draw_amounts(y + 12, was.tax, is.tax, quiet);
                               canvas_.text(
                                   {.x = left + 12, .y = y + 12 + cause_height + 1},
                                   "Whole statement, with VAT",
                                   strong,
                                   230);
                               draw_amounts(y + 12 + cause_height + 1, was.total, is.total, strong);
                           }});
    }

    /// What moved in points, where that is all that differs.
    void add_points()
    {
        const auto report = difference_report(before_, after_, terms_);
        const auto& table = report.tables.back();
        if (table.rows.empty()) return;
        add_words("Points that moved in the window", strong);
        for (const auto& row : table.rows)
            blocks_.push_back({.height = cause_height, .draw = [this, row](double y) {
                                   draw_moved(row, y + 10);
                               }});
        blocks_.push_back({.height = 14, .draw = [](double) {}});
    }

    void draw_moved(const std::vector<ReportCell>& row, double baseline)
    {
        auto name = cell_text(row[1]);
        std::ranges::replace(name, '_', ' ');
        canvas_.text(
            {.x = left + 12, .y = baseline},
            fmt::format("{}, {}", cell_text(row[0]), name),
            plain,
            200);
        const auto count = [&](std::size_t column) { return std::get<std::int64_t>(row[column]); };
        draw_columns(
            baseline,
            {points_in_words(count(2)),
             points_in_words(count(3)),
             signed_words(points_in_words(count(4)), count(4) > 0)},
            plain);
    }

    void add_words(std::string_view words, const TextStyle& face = quiet)
    {
        const std::string kept{words};
        blocks_.push_back({.height = 26, .draw = [this, kept, face](double y) {
                               canvas_.paragraph(
                                   {.x = left, .y = y + 6},
                                   {.words = kept, .style = face, .width = width, .lines_max = 2});
                           }});
    }

    const Restatement& before_;
    const Restatement& after_;
    const ledger::Terms& terms_;
    const Contracts& contracts_;
    std::string_view logo_;
    PdfCanvas canvas_;
    std::vector<Block> blocks_;
};

} // namespace

std::string difference_pdf(
    const Restatement& before,
    const Restatement& after,
    const ledger::Terms& terms,
    const Contracts& contracts,
    std::string_view logo)
{
    return DifferencePages{before, after, terms, contracts, logo}.drawn();
}

}; // namespace pointhouse::settlement
