#include "statement_frame.hpp"

#include <fmt/format.h>

#include "pdf_parts.hpp"
#include "settlement/rendering.hpp"
#include "statement_style.hpp"
#include "wording.hpp"

namespace pointhouse::settlement {

using namespace style;

void StatementFrame::draw_letterhead()
{
    settlement::draw_letterhead(
        canvas_,
        {.name = settlement_.house.name,
         .title = title_of(statement_.type),
         .number = statement_.number});
    draw_notice(canvas_, pro_forma_notice);
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

void StatementFrame::draw_footer(std::size_t page, std::size_t pages)
{
    const std::string words = fmt::format("{} · {}", statement_.number, pro_forma_notice);
    settlement::draw_footer(canvas_, words, page, pages);
}

} // namespace pointhouse::settlement
