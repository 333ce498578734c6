#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include "ledger/invariant.hpp"
#include "pdf_canvas.hpp"
#include "pdf_parts.hpp"
#include "settlement/rendering.hpp"
#include "statement_frame.hpp"
#include "statement_style.hpp"
#include "wording.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using namespace style;

/// Lays a statement out in blocks, deals them to pages, then draws: the footer needs their number.
class StatementPages {
public:
    StatementPages(const Settlement& settlement, const Statement& statement)
        : settlement_{settlement}, statement_{statement},
          price_places_{price_places(statement, settlement.currency)},
          canvas_{{
              .title = fmt::format("{} {}", title_of(statement.type), statement.number),
              .author = settlement.house.name,
              .subject = pro_forma_notice,
              .created = ledger::format_time(settlement.window.to),
          }}
    {}

    std::string drawn()
    {
        for (const StatementLine& line : statement_.lines) add_line(line);
        add_summary();
        const auto pages = dealt(blocks_, first_body_top, next_body_top);
        for (std::size_t index = 0; index < pages.size(); ++index) {
            frame_.draw_letterhead();
            if (index == 0) frame_.draw_parties();
            draw_body(canvas_, pages[index], settlement_.currency.code);
            frame_.draw_footer(index + 1, pages.size());
            canvas_.end_page();
        }
        return canvas_.finish();
    }

private:
    void add_line(const StatementLine& line)
    {
        const bool shows_details = line.details.size() > 1 || !line.price;
        const double details =
            shows_details ? detail_height * static_cast<double>(line.details.size()) : 0;
        const double height = line_height + details + (shows_details ? 4 : 0);
        const auto draw = [this, &line, shows_details, height](double y) {
            draw_line(line, y + 14);
            double baseline = y + 14 + detail_height;
            for (const LineDetail& detail : line.details) {
                if (!shows_details) break;
                draw_detail(line, detail, baseline);
                baseline += detail_height;
            }
            canvas_.rule({.x = left, .y = y + height - 0.5}, width, 0.5, hairline);
        };
        blocks_.push_back({.height = height, .is_table_row = true, .draw = draw});
    }

    void draw_line(const StatementLine& line, double baseline)
    {
        const std::string label =
            fmt::format("{} · tariff {}", label_of(line.charge), line.tariff.value());
        canvas_.text({.x = left, .y = baseline}, label, plain, description_width);
        if (line.price) {
            canvas_.text(
                {.x = points_column, .y = baseline},
                points_in_words(line.points),
                at_right(plain),
                90);
            canvas_.text(
                {.x = price_column, .y = baseline},
                price_per_thousand(*line.price, price_places_),
                at_right(plain),
                80);
        }
        canvas_.text(
            {.x = vat_column, .y = baseline}, rate_in_words(line.vat), at_right(plain), 45);
        canvas_.text({.x = right, .y = baseline}, amount(line.net), at_right(plain), 160);
    }

    void draw_detail(const StatementLine& line, const LineDetail& detail, double baseline)
    {
        canvas_.text(
            {.x = left + 12, .y = baseline},
            label_of(detail.kind, line.charge),
            quiet,
            description_width);
        canvas_.text(
            {.x = points_column, .y = baseline},
            points_in_words(detail.points),
            at_right(quiet),
            90);
        if (!line.price) {
            canvas_.text(
                {.x = price_column, .y = baseline},
                price_per_thousand(detail.price, price_places_),
                at_right(quiet),
                80);
        }
    }

    /// A row of a sum at the right: label, amount.
    void draw_sum(double baseline, const std::string& label, Minor sum, const TextStyle& style)
    {
        canvas_.text({.x = points_column - 40, .y = baseline}, label, style, 180);
        canvas_.text({.x = right, .y = baseline}, amount(sum), at_right(style), 160);
    }

    std::string tax_label(const VatTotal& vat) const
    {
        if (is_outside_scope(vat.rate))
            return fmt::format("Outside the scope of VAT: {}", amount(vat.net));
        return fmt::format(
            "VAT {} ({}) on {}", rate_in_words(vat.rate), vat.rate.category, amount(vat.net));
    }

    /// Totals and net position, never apart: the page that a reader signs.
    void add_summary()
    {
        std::vector<const Statement*> of_partner;
        for (const Statement& other : settlement_.statements)
            if (other.partner == statement_.partner) of_partner.push_back(&other);
        const double totals = 88 + 16 * static_cast<double>(statement_.vat.size());
        const double nets = 62 + 16 * static_cast<double>(of_partner.size());
        const auto draw = [this, of_partner, totals, nets](double y) {
            draw_totals(y);
            canvas_.fill(
                {.corner = {.x = left, .y = y + totals}, .width = width, .height = nets}, tint, 4);
            draw_net_position(of_partner, y + totals);
        };
        blocks_.push_back({.height = totals + nets, .draw = draw});
    }

    void draw_totals(double y)
    {
        double baseline = y + 22;
        draw_sum(baseline, "Net", statement_.net, plain);
        for (const VatTotal& vat : statement_.vat) {
            baseline += 16;
            draw_sum(baseline, tax_label(vat), vat.tax, plain);
        }
        const double sum_left = points_column - 40;
        canvas_.rule({.x = sum_left, .y = baseline + 8}, right - sum_left, 0.9, black);
        const TextStyle total{.size = 11, .is_bold = true, .ink = black};
        const std::string label = fmt::format("Total, {}", settlement_.currency.code);
        draw_sum(baseline + 25, label, statement_.total, total);
    }

    void draw_net_position(const std::vector<const Statement*>& of_partner, double top)
    {
        const Party& partner = settlement_.partners.at(statement_.partner.value() - 1);
        const std::string title = fmt::format("Net position of {}", partner.name);
        canvas_.text({.x = left + 14, .y = top + 20}, title, strong, 280);
        const std::string sides = fmt::format("received − paid, {}", settlement_.currency.code);
        canvas_.text({.x = right - 14, .y = top + 20}, sides, at_right(quiet), 150);
        double baseline = top + 38;
        for (const Statement* other : of_partner) {
            const Minor effect = other->partner_pays() ? Minor{-other->total.count} : other->total;
            const std::string label = fmt::format("{} · {}", other->number, title_of(other->type));
            canvas_.text({.x = left + 14, .y = baseline}, label, plain, 340);
            canvas_.text({.x = right - 14, .y = baseline}, amount(effect), at_right(plain), 110);
            baseline += 16;
        }
        canvas_.rule({.x = left + 14, .y = baseline - 10}, width - 28, 0.5, grey);
        draw_net(baseline + 5);
    }

    void draw_net(double baseline)
    {
        const Minor net = settlement_.net_of(statement_.partner);
        const TextStyle style{.size = 9.5, .is_bold = true, .ink = accent};
        std::string words = "Nothing is due";
        if (net > Minor{0}) words = fmt::format("To receive from {}", settlement_.house.name);
        if (net < Minor{0}) words = fmt::format("To pay to {}", settlement_.house.name);
        canvas_.text({.x = left + 14, .y = baseline}, words, style, 340);
        canvas_.text({.x = right - 14, .y = baseline}, amount(net), at_right(style), 110);
    }

    [[nodiscard]] std::string amount(Minor minor) const
    {
        return amount_in_words(minor, settlement_.currency);
    }

    const Settlement& settlement_;
    const Statement& statement_;
    int price_places_;
    PdfCanvas canvas_;
    StatementFrame frame_{canvas_, settlement_, statement_};
    std::vector<Block> blocks_;
};

} // namespace

std::string statement_pdf(const Settlement& settlement, const Statement& statement)
{
    ledger::invariant(!statement.lines.empty(), "a statement has lines");
    return StatementPages{settlement, statement}.drawn();
}

} // namespace pointhouse::settlement
