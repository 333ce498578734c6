#include "document_pdf_frame.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "../pdf_parts.hpp"
#include "../pdf_style.hpp"
#include "../wording.hpp"
#include "settlement/window.hpp"

namespace pointhouse::settlement {
namespace {

using namespace style;

constexpr double notice_height = 34;
constexpr double fact_height = 15;
constexpr double column_width = 155;
constexpr double column_step = 166;

/// The house writes all documents, also those in a partner's name.
const LegalParty& writer_of(const Document& document)
{
    const bool is_seller =
        document.kind == DocumentKind::invoice || document.kind == DocumentKind::credit_note;
    return is_seller ? document.seller : document.buyer;
}

std::string number_or_draft(const Document& document)
{
    return document.number.empty() ? "Draft" : document.number;
}

/// What a reader must not overlook.
std::string notice_of(const Document& document)
{
    std::string notice;
    const auto add = [&notice](std::string_view words) {
        if (!notice.empty() && !words.empty()) notice += "  ·  ";
        notice += words;
    };
    if (document.number.empty()) add("Draft, not issued");
    if (document.kind == DocumentKind::payment_statement) add("Not an invoice: no VAT is due");
    add(words_of_self_billing(document.kind));
    return notice;
}

std::string joined(std::string_view first, std::string_view separator, std::string_view second)
{
    const bool is_one = first.empty() || second.empty();
    return fmt::format("{}{}{}", first, is_one ? "" : separator, second);
}

/// Name and address in full, as the law wants them: what is long takes more lines.
std::vector<PdfCanvas::Paragraph> paragraphs_of(
    const LegalParty& party, const std::vector<std::string>& rows)
{
    const TextStyle name{.size = 10, .is_bold = true, .ink = black};
    std::vector<PdfCanvas::Paragraph> paragraphs{
        {.words = party.name, .style = name, .width = column_width, .lines_max = 4}};
    for (const std::string& row : rows) {
        if (!row.empty())
            paragraphs.push_back(
                {.words = row, .style = plain, .width = column_width, .lines_max = 3});
    }
    return paragraphs;
}

std::vector<std::string> rows_of(const LegalParty& party)
{
    const std::string place = joined(party.postal_code, " ", party.city);
    return {
        party.street,
        joined(place, ", ", party.country),
        party.vat_id.empty() ? "" : "VAT " + party.vat_id,
        party.registration.empty() ? "" : "Reg. no. " + party.registration,
        party.email};
}

constexpr double paragraph_gap = 2;

} // namespace

DocumentFrame::DocumentFrame(PdfCanvas& canvas, const Document& document, std::string_view logo)
    : canvas_{canvas}, document_{document}, logo_{logo}, notice_{notice_of(document)},
      parties_height_{std::max(
          {height_of(document.seller),
           height_of(document.buyer),
           fact_height * static_cast<double>(facts().size())})}
{}

double DocumentFrame::parties_top() const
{
    return notice_.empty() ? 114 : 114 + notice_height;
}

double DocumentFrame::first_body_top() const
{
    return parties_top() + parties_height_ + 24;
}

double DocumentFrame::next_body_top() const
{
    return notice_.empty() ? 108 : 108 + notice_height;
}

double DocumentFrame::height_of(const LegalParty& party) const
{
    const std::vector<std::string> rows = rows_of(party);
    double height = 0;
    for (const PdfCanvas::Paragraph& paragraph : paragraphs_of(party, rows))
        height += canvas_.height_of(paragraph) + paragraph_gap;
    return height;
}

void DocumentFrame::draw_letterhead()
{
    const std::string number = number_or_draft(document_);
    settlement::draw_letterhead(
        canvas_,
        {.logo = logo_,
         .name = writer_of(document_).name,
         .title = title_of(document_.kind),
         .number = number});
    if (!notice_.empty()) draw_notice(canvas_, notice_);
}

void DocumentFrame::draw_party(double x, const char* role, const LegalParty& party)
{
    canvas_.text({.x = x, .y = parties_top()}, role, quiet);
    const std::vector<std::string> rows = rows_of(party);
    double y = parties_top() + 6;
    for (const PdfCanvas::Paragraph& paragraph : paragraphs_of(party, rows))
        y += canvas_.paragraph({.x = x, .y = y}, paragraph) + paragraph_gap;
}

DocumentFrame::Facts DocumentFrame::facts() const
{
    Facts facts{
        {"Issued on", document_.number.empty() ? "—" : day_in_words(document_.issued_on)},
        {"Supplied", days_in_words(document_.from, document_.to)},
        {document_.is_prepaid() ? "Paid on" : "Due on", day_in_words(document_.due_on)},
        {"Buyer's reference", document_.buyer.id},
        {"Currency", document_.currency.code},
    };
    const auto last = document_.object_by();
    if (last && !document_.number.empty()) facts.emplace_back("Object by", day_in_words(*last));
    if (document_.corrects) {
        facts.emplace_back("Corrects", document_.corrects->number);
        facts.emplace_back("issued on", day_in_words(document_.corrects->issued_on));
    }
    return facts;
}

void DocumentFrame::draw_facts(double x)
{
    double y = parties_top();
    for (const auto& [label, value] : facts()) {
        canvas_.text({.x = x, .y = y}, label, quiet, 70);
        canvas_.text({.x = right, .y = y}, value, at_right(plain), 120);
        y += fact_height;
    }
}

void DocumentFrame::draw_parties()
{
    draw_party(left, "Seller", document_.seller);
    draw_party(left + column_step, "Buyer", document_.buyer);
    draw_facts(left + 2 * column_step - 8);
}

void DocumentFrame::draw_footer(std::size_t page, std::size_t pages)
{
    const std::string words =
        fmt::format("{} {}", title_of(document_.kind), number_or_draft(document_));
    settlement::draw_footer(canvas_, words, page, pages);
}

} // namespace pointhouse::settlement
