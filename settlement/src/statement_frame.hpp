#pragma once

#include <cstddef>
#include <string_view>

#include "pdf_canvas.hpp"
#include "settlement/settlement.hpp"

namespace pointhouse::settlement {

/// What surrounds the lines of a statement on its pages. Refers to what it is made from.
class StatementFrame {
public:
    StatementFrame(PdfCanvas& canvas, const Settlement& settlement, const Statement& statement)
        : canvas_{canvas}, settlement_{settlement}, statement_{statement}
    {}

    /// Logo, title and the pro forma notice: on every page.
    void draw_letterhead();
    /// Who pays whom, for which window: on the first page.
    void draw_parties();
    void draw_footer(std::size_t page, std::size_t pages);

private:
    void draw_party(double x, std::string_view role, const Party& party);

    PdfCanvas& canvas_;
    const Settlement& settlement_;
    const Statement& statement_;
};

} // namespace pointhouse::settlement
