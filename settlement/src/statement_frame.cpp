#include "statement_frame.hpp"

#include <fmt/format.h>

#include "settlement/rendering.hpp"
#include "statement_style.hpp"
#include "wording.hpp"

namespace pointhouse::settlement {

using namespace style;

void StatementFrame::draw_letterhead()
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

    canvas_.fill({.corner = {.x = left, .y = notice_top}, .width = width, .height = 22}, tint, 3);
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

void StatementFrame::draw_party(double x, std::string_view role, const Party& party)
{
    canvas_.text({.x = x, .y = parties_top}, role, quiet);
    const TextStyle name{.size = 10, .is_bold = true, .ink = black};
    canvas_.text({.x = x, .y = parties_top + 16}, party.name, name, 155);
    canvas_.text({.x = x, .y = parties_top + 30}, party.id, plain, 155);
}

void StatementFrame::draw_parties()
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

void StatementFrame::draw_table_head(double y)
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

void StatementFrame::draw_footer(std::size_t page, std::size_t pages)
{
    canvas_.rule({.x = left, .y = footer_baseline - 14}, width, 0.5, hairline);
    const std::string text = fmt::format("{} · {}", statement_.number, pro_forma_notice);
    canvas_.text({.x = left, .y = footer_baseline}, text, quiet, 380);
    const std::string count = fmt::format("Page {} of {}", page, pages);
    canvas_.text({.x = right, .y = footer_baseline}, count, at_right(quiet), 90);
}

} // namespace pointhouse::settlement
