#include <algorithm>
#include <fmt/format.h>

#include "../pdf_parts.hpp"
#include "../pdf_style.hpp"
#include "reminder_words.hpp"
#include "settlement/window.hpp"

namespace pointhouse::settlement {

namespace {

using namespace style;

constexpr double document_column = left;
constexpr double due_column = 250;
constexpr double late_column = 330;
constexpr double charge_column = 440;
constexpr double row_height = 18;

/// Draws the letter from the top down, on as many pages as it takes.
class LetterPages {
public:
    explicit LetterPages(const ReminderLetter& letter)
        : letter_{letter}, canvas_{{
                               .title = std::string{title_of(letter)},
                               .author = letter.house.name,
                               .subject = letter.partner.name,
                               .created = ledger::format_day(letter.day) + "T00:00:00Z",
                           }}
    {}

    std::string drawn()
    {
        add_address();
        add_row(head_of(letter_), quiet);
        for (const ReminderRow& row : rows_of(letter_)) add_row(row, plain);
        add_sum();
        add_words(request_of(letter_), strong);
        add_words(account_of(letter_), plain);
        add_words(reminder_explanation, quiet);
        const auto pages = dealt(blocks_, 114, 108);
        for (std::size_t index = 0; index < pages.size(); ++index) {
            draw_letterhead(
                canvas_,
                {.logo = letter_.logo,
                 .name = letter_.house.name,
                 .title = title_of(letter_),
                 .number = day_in_words(letter_.day)});
            draw_body(canvas_, pages[index], letter_.currency.code);
            draw_footer(canvas_, letter_.house.name, index + 1, pages.size());
            canvas_.end_page();
        }
        return canvas_.finish();
    }

private:
    void add_address()
    {
        const auto& partner = letter_.partner;
        const auto place = fmt::format("{} {}", partner.postal_code, partner.city);
        for (const auto& words : {partner.name, partner.street, place, partner.country})
            if (words.find_first_not_of(' ') != std::string::npos) add_words(words, plain, 14);
        blocks_.push_back({.height = 24, .draw = [](double) {}});
    }

    void add_row(const ReminderRow& row, const TextStyle& face)
    {
        const bool shows_charges = has_charges(letter_);
        blocks_.push_back(
            {.height = row_height, .draw = [this, row, face, shows_charges](double y) {
                 const double baseline = y + 12;
                 canvas_.text({.x = document_column, .y = baseline}, row.document, face, 180);
                 canvas_.text({.x = due_column, .y = baseline}, row.due, at_right(face), 70);
                 canvas_.text({.x = late_column, .y = baseline}, row.late, at_right(face), 70);
                 if (shows_charges)
                     canvas_.text(
                         {.x = charge_column, .y = baseline}, row.charge, at_right(face), 90);
                 canvas_.text({.x = right, .y = baseline}, row.amount, at_right(face), 90);
                 canvas_.rule({.x = left, .y = y + row_height - 1}, width, 0.5, hairline);
             }});
    }

    void add_sum()
    {
        add_row(
            {.document = "To be paid", .amount = amount_of(letter_, total_of(letter_))}, strong);
        blocks_.push_back({.height = 18, .draw = [](double) {}});
    }

    void add_words(std::string_view words, const TextStyle& face, double least = 20)
    {
        if (words.empty()) return;
        const std::string kept{words};
        const auto paragraph = [kept, face] {
            return PdfCanvas::Paragraph{
                .words = kept, .style = face, .width = width, .lines_max = 4};
        };
        const double height = std::max(least, canvas_.height_of(paragraph()) + 6);
        blocks_.push_back({.height = height, .draw = [this, kept, face](double y) {
                               canvas_.paragraph(
                                   {.x = left, .y = y},
                                   {.words = kept, .style = face, .width = width, .lines_max = 4});
                           }});
    }

    const ReminderLetter& letter_;
    PdfCanvas canvas_;
    std::vector<Block> blocks_;
};

} // namespace

std::string reminder_pdf(const ReminderLetter& letter)
{
    return LetterPages{letter}.drawn();
}

} // namespace pointhouse::settlement
