#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../pdf_canvas.hpp"
#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// What surrounds the lines of a document on its pages. Refers to what it is made from.
class DocumentFrame {
public:
    /// `logo` is a PNG; empty: the drawn mark.
    DocumentFrame(PdfCanvas& canvas, const Document& document, std::string_view logo);

    /// Logo, title, number and what kind of document this is: on every page.
    void draw_letterhead();
    /// Seller, buyer, days: on the first page.
    void draw_parties();
    void draw_footer(std::size_t page, std::size_t pages);

    /// Where the lines may begin on the first page and on the others.
    [[nodiscard]] double first_body_top() const;
    [[nodiscard]] double next_body_top() const;

private:
    using Facts = std::vector<std::pair<std::string_view, std::string>>;

    [[nodiscard]] double parties_top() const;
    [[nodiscard]] double height_of(const LegalParty& party) const;
    void draw_party(double x, const char* role, const LegalParty& party);
    [[nodiscard]] Facts facts() const;
    void draw_facts(double x);

    PdfCanvas& canvas_;
    const Document& document_;
    std::string_view logo_;
    std::string notice_;
    double parties_height_;
};

} // namespace pointhouse::settlement
