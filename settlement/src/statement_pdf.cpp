#include <fmt/format.h>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ledger/invariant.hpp"
#include "pdf_canvas.hpp"
#include "settlement/rendering.hpp"
#include "wording.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

constexpr Ink black{.red = 0.11, .green = 0.13, .blue = 0.16};
constexpr Ink grey{.red = 0.42, .green = 0.45, .blue = 0.50};
constexpr Ink hairline{.red = 0.84, .green = 0.86, .blue = 0.88};
constexpr Ink accent{.red = 0.06, .green = 0.30, .blue = 0.36};
constexpr Ink tint{.red = 0.94, .green = 0.96, .blue = 0.965};
constexpr Ink white{.red = 1, .green = 1, .blue = 1};

constexpr double left = 54;
constexpr double width = a4_width - 2 * left;
constexpr double right = left + width;
constexpr double points_column = 318;
constexpr double price_column = 404;
constexpr double vat_column = 456;
constexpr double description_width = 190;

constexpr double notice_top = 98;
constexpr double parties_top = 148;
constexpr double first_body_top = 222;
constexpr double next_body_top = 142;
constexpr double body_bottom = 770;
constexpr double footer_baseline = 806;

constexpr double table_head_height = 24;
constexpr double line_height = 22;
constexpr double detail_height = 13;

constexpr TextStyle plain{.ink = black};
constexpr TextStyle strong{.is_bold = true, .ink = black};
constexpr TextStyle quiet{.size = 7.5, .ink = grey};

TextStyle at_right(TextStyle style)
{
    style.alignment = Alignment::right;
    return style;
}

/// A part of the body that is never split between pages. `draw` gets the y of its top.
struct Block {
    double height = 0;
    bool is_table_row = false;
    std::function<void(double)> draw;
};

/// Lays a statement out in blocks, deals them to pages, then draws: the footer needs their number.
class StatementPages {
public:
    StatementPages(const Settlement& settlement, const Statement& statement)
        : settlement_{settlement}, statement_{statement},
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
        add_totals();
        add_net_position();
        deal();
        for (std::size_t page = 0; page < pages_.size(); ++page) draw_page(page);
        return canvas_.finish();
    }

private:
    struct Page {
        std::vector<const Block*> blocks;
        double body_top = 0;
    };

    void deal()
    {
        pages_.push_back({.blocks = {}, .body_top = first_body_top});
        double y = first_body_top;
        for (const Block& block : blocks_) {
            const Page& page = pages_.back();
            const bool is_first = page.blocks.empty();
            const double head = is_first && block.is_table_row ? table_head_height : 0;
            if (!is_first && y + block.height > body_bottom) {
                pages_.push_back({.blocks = {}, .body_top = next_body_top});
                y = next_body_top + (block.is_table_row ? table_head_height : 0);
            } else {
                y += head;
            }
            pages_.back().blocks.push_back(&block);
            y += block.height;
        }
    }

    void draw_page(std::size_t index)
    {
        const Page& page = pages_[index];
        draw_letterhead();
        if (index == 0) draw_parties();
        double y = page.body_top;
        if (page.blocks.front()->is_table_row) {
            draw_table_head(y);
            y += table_head_height;
        }
        for (const Block* block : page.blocks) {
            block->draw(y);
            y += block->height;
        }
        draw_footer(index + 1);
        canvas_.end_page();
    }

    void draw_letterhead()
    {
        // The place of the house's logo: until it has one, two coins that pass each other.
        canvas_.fill({.corner = {.x = left, .y = 46}, .width = 34, .height = 34}, accent, 7);
        canvas_.disc({.x = left + 13, .y = 63}, 6.5, white);
        canvas_.disc({.x = left + 21, .y = 63}, 6.5, hairline);
        const TextStyle name{.size = 12, .is_bold = true, .ink = accent};
        canvas_.text({.x = left + 44, .y = 67}, settlement_.house.name, name, 190);

        const TextStyle title{.size = 16, .is_bold = true, .ink = black};
        canvas_.text({.x = right, .y = 61}, title_of(statement_.type), at_right(title), 250);
        const TextStyle number{.size = 9, .ink = grey};
        canvas_.text({.x = right, .y = 77}, statement_.number, at_right(number), 250);

        canvas_.fill(
            {.corner = {.x = left, .y = notice_top}, .width = width, .height = 22}, tint, 3);
        const TextStyle notice{.size = 8.5, .is_bold = true, .ink = accent};
        canvas_.text({.x = left + 10, .y = notice_top + 14.2}, pro_forma_notice, notice);
        if (settlement_.window.state == WindowState::open) {
            const TextStyle warning{.size = 8.5, .ink = accent};
            canvas_.text(
                {.x = right - 10, .y = notice_top + 14.2},
                "The window is open: figures may still change",
                at_right(warning),
                300);
        }
    }

    void draw_party(double x, std::string_view role, const Party& party)
    {
        canvas_.text({.x = x, .y = parties_top}, role, quiet);
        const TextStyle name{.size = 10, .is_bold = true, .ink = black};
        canvas_.text({.x = x, .y = parties_top + 16}, party.name, name, 155);
        canvas_.text({.x = x, .y = parties_top + 30}, party.id, plain, 155);
    }

    void draw_parties()
    {
        draw_party(left, "Payer", statement_.payer);
        draw_party(left + 166, "Payee", statement_.payee);
        const double x = left + 332;
        canvas_.text({.x = x, .y = parties_top}, "Window", quiet);
        const TextStyle days{.size = 10, .is_bold = true, .ink = black};
        canvas_.text(
            {.x = x, .y = parties_top + 16}, days_in_words(settlement_.window.month), days, 155);
        const std::string terms = fmt::format(
            "{} · amounts in {}", name_of(settlement_.window.state), settlement_.currency.code);
        canvas_.text({.x = x, .y = parties_top + 30}, terms, plain, 155);
    }

    void draw_table_head(double y)
    {
        const double baseline = y + 11;
        canvas_.text({.x = left, .y = baseline}, "Description", quiet);
        canvas_.text({.x = points_column, .y = baseline}, "Points", at_right(quiet), 90);
        canvas_.text({.x = price_column, .y = baseline}, "Price per 1,000", at_right(quiet), 90);
        canvas_.text({.x = vat_column, .y = baseline}, "VAT", at_right(quiet), 45);
        const std::string net = fmt::format("Net, {}", settlement_.currency.code);
        canvas_.text({.x = right, .y = baseline}, net, at_right(quiet), 80);
        canvas_.rule({.x = left, .y = y + table_head_height - 6}, width, 0.9, black);
    }

    void draw_footer(std::size_t page)
    {
        canvas_.rule({.x = left, .y = footer_baseline - 14}, width, 0.5, hairline);
        const std::string text = fmt::format("{} · {}", statement_.number, pro_forma_notice);
        canvas_.text({.x = left, .y = footer_baseline}, text, quiet, 380);
        const std::string count = fmt::format("Page {} of {}", page, pages_.size());
        canvas_.text({.x = right, .y = footer_baseline}, count, at_right(quiet), 90);
    }

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
                price_per_thousand(*line.price, settlement_.currency),
                at_right(plain),
                80);
        }
        canvas_.text(
            {.x = vat_column, .y = baseline},
            percent_in_words(line.vat.basis_points),
            at_right(plain),
            45);
        canvas_.text({.x = right, .y = baseline}, amount(line.net), at_right(plain), 80);
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
                price_per_thousand(detail.price, settlement_.currency),
                at_right(quiet),
                80);
        }
    }

    /// A row of a sum at the right: label, amount.
    void draw_sum(double baseline, const std::string& label, Minor sum, const TextStyle& style)
    {
        canvas_.text({.x = points_column - 40, .y = baseline}, label, style, 180);
        canvas_.text({.x = right, .y = baseline}, amount(sum), at_right(style), 80);
    }

    void add_totals()
    {
        const double height = 62 + 16 * static_cast<double>(statement_.vat.size());
        const auto draw = [this](double y) {
            double baseline = y + 22;
            draw_sum(baseline, "Net", statement_.net, plain);
            for (const VatTotal& vat : statement_.vat) {
                baseline += 16;
                const std::string label = fmt::format(
                    "VAT {} ({}) on {}",
                    percent_in_words(vat.rate.basis_points),
                    vat.rate.category,
                    amount(vat.net));
                draw_sum(baseline, label, vat.tax, plain);
            }
            const double sum_left = points_column - 40;
            canvas_.rule({.x = sum_left, .y = baseline + 8}, right - sum_left, 0.9, black);
            const TextStyle total{.size = 11, .is_bold = true, .ink = black};
            const std::string label = fmt::format("Total, {}", settlement_.currency.code);
            draw_sum(baseline + 25, label, statement_.total, total);
        };
        blocks_.push_back({.height = height, .draw = draw});
    }

    void add_net_position()
    {
        std::vector<const Statement*> of_partner;
        for (const Statement& other : settlement_.statements)
            if (other.partner == statement_.partner) of_partner.push_back(&other);
        const double height = 24 + 62 + 16 * static_cast<double>(of_partner.size());
        const auto draw = [this, of_partner, height](double y) {
            const double top = y + 24;
            canvas_.fill(
                {.corner = {.x = left, .y = top}, .width = width, .height = height - 24}, tint, 4);
            const Party& partner = settlement_.partners.at(statement_.partner.value() - 1);
            const std::string title = fmt::format(
                "Net position of {}, {}", partner.name, format_month(settlement_.window.month));
            canvas_.text({.x = left + 14, .y = top + 20}, title, strong, 300);
            double baseline = top + 38;
            for (const Statement* other : of_partner) {
                const Minor effect =
                    other->partner_pays() ? Minor{-other->total.count} : other->total;
                const std::string label =
                    fmt::format("{} · {}", other->number, title_of(other->type));
                canvas_.text({.x = left + 14, .y = baseline}, label, plain, 340);
                canvas_.text({.x = right - 14, .y = baseline}, amount(effect), at_right(plain), 90);
                baseline += 16;
            }
            canvas_.rule({.x = left + 14, .y = baseline - 10}, width - 28, 0.5, grey);
            draw_net(baseline + 5, partner);
        };
        blocks_.push_back({.height = height, .draw = draw});
    }

    void draw_net(double baseline, const Party& partner)
    {
        const Minor net = settlement_.net_of(statement_.partner);
        const TextStyle style{.size = 9.5, .is_bold = true, .ink = accent};
        const std::string& house = settlement_.house.name;
        std::string words = "Nothing is due";
        if (net > Minor{0}) words = fmt::format("{} pays {}", house, partner.name);
        if (net < Minor{0}) words = fmt::format("{} pays {}", partner.name, house);
        canvas_.text({.x = left + 14, .y = baseline}, words, style, 340);
        canvas_.text({.x = right - 14, .y = baseline}, amount(net), at_right(style), 110);
    }

    [[nodiscard]] std::string amount(Minor minor) const
    {
        return amount_in_words(minor, settlement_.currency);
    }

    const Settlement& settlement_;
    const Statement& statement_;
    PdfCanvas canvas_;
    std::vector<Block> blocks_;
    std::vector<Page> pages_;
};

} // namespace

std::string statement_pdf(const Settlement& settlement, const Statement& statement)
{
    ledger::invariant(!statement.lines.empty(), "a statement has lines");
    return StatementPages{settlement, statement}.drawn();
}

} // namespace pointhouse::settlement
