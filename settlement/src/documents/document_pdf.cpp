#include "settlement/document_pdf.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "../pdf_parts.hpp"
#include "../pdf_style.hpp"
#include "../wording.hpp"
#include "document_pdf_frame.hpp"
#include "ledger/invariant.hpp"
#include "settlement/window.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using namespace style;

constexpr double sums_left = points_column - 40;
constexpr double tariff_height = 20;
constexpr double notes_width = 200;

/// Spaces after each four characters, as an IBAN is read.
std::string in_fours(std::string_view iban)
{
    std::string text;
    for (std::size_t place = 0; place < iban.size(); ++place) {
        if (place > 0 && place % 4 == 0) text += ' ';
        text += iban[place];
    }
    return text;
}

/// Lays a document out in blocks, deals them to pages, then draws: the footer needs their number.
class DocumentPages {
public:
    DocumentPages(const Document& document, std::string_view logo)
        : document_{document}, price_places_{price_places(document)},
          canvas_{{
              .title = fmt::format("{} {}", title_of(document.kind), document.number),
              .author = document.seller.name,
              .subject = days_in_words(document.from, document.to),
              .created = ledger::format_day(document.issued_on) + "T00:00:00Z",
          }},
          frame_{canvas_, document, logo}
    {}

    std::string drawn()
    {
        add_tariffs();
        add_summary();
        const auto pages = dealt(blocks_, frame_.first_body_top(), frame_.next_body_top());
        for (std::size_t index = 0; index < pages.size(); ++index) {
            frame_.draw_letterhead();
            if (index == 0) frame_.draw_parties();
            draw_body(canvas_, pages[index], document_.currency.code);
            frame_.draw_footer(index + 1, pages.size());
            canvas_.end_page();
        }
        return canvas_.finish();
    }

private:
    /// A tariff's lines stand under its name and sum: all of a window's, in the order of the lines.
    void add_tariffs()
    {
        using Group = std::pair<ledger::Month, ledger::TariffVersion>;
        std::map<Group, std::vector<const DocumentLine*>> groups;
        for (const DocumentLine& line : document_.lines)
            groups[{line.origin, line.tariff}].push_back(&line);
        for (const auto& [group, lines] : groups) {
            // The first line takes the tariff's head with it: no page ends in one.
            for (const DocumentLine* line : lines)
                add_line(
                    *line, line == lines.front() ? lines : std::span<const DocumentLine* const>{});
        }
    }

    /// `headed` are the lines of the tariff that stands above this one; none: none does.
    void add_line(const DocumentLine& line, std::span<const DocumentLine* const> headed)
    {
        // The price of a line that holds VAT is shown without: the agreed one stands below.
        const bool shows_details = line.details.size() > 1 || !line.price || line.vat.is_gross;
        const std::size_t details = shows_details ? line.details.size() : 0;
        const std::size_t rows = details + line.earlier.size();
        const double head = headed.empty() ? 0 : tariff_height;
        const double height =
            head + line_height + detail_height * static_cast<double>(rows) + (rows > 0 ? 4 : 0);
        Minor sum;
        for (const DocumentLine* one : headed) sum.count += one->net.count;
        const auto draw = [this, &line, details, head, height, sum](double y) {
            if (head > 0) draw_tariff(line, sum, y + 14);
            double baseline = y + head + 14;
            draw_line(line, baseline);
            for (std::size_t index = 0; index < details; ++index)
                draw_detail(line, line.details[index], baseline += detail_height);
            for (const EarlierPart& part : line.earlier)
                draw_earlier(part, line.charge, baseline += detail_height);
            canvas_.rule({.x = left, .y = y + height - 0.5}, width, 0.5, hairline);
        };
        blocks_.push_back({.height = height, .is_table_row = true, .draw = draw});
    }

    void draw_tariff(const DocumentLine& line, Minor sum, double baseline)
    {
        const std::string name =
            fmt::format("Tariff {} · {}", line.tariff.value(), month_in_words(line.origin));
        canvas_.text({.x = left, .y = baseline}, name, strong, 300);
        canvas_.text({.x = right, .y = baseline}, amount(sum), at_right(strong), 160);
    }

    void draw_line(const DocumentLine& line, double baseline)
    {
        canvas_.text(
            {.x = left + 12, .y = baseline}, label_of(line.charge), plain, description_width);
        if (line.price) draw_quantity(line.points, price_of(line), plain, baseline);
        canvas_.text(
            {.x = vat_column, .y = baseline}, rate_in_words(line.vat), at_right(plain), 45);
        canvas_.text({.x = right, .y = baseline}, amount(line.net), at_right(plain), 160);
    }

    [[nodiscard]] std::string price_of(const DocumentLine& line) const
    {
        return line.vat.is_gross && line.points != 0
                   ? net_price_per_thousand(line, document_.currency)
                   : price_per_thousand(*line.price, price_places_);
    }

    void draw_detail(const DocumentLine& line, const LineDetail& detail, double baseline)
    {
        const std::string_view label = label_of(detail.kind, line.charge);
        canvas_.text({.x = left + 24, .y = baseline}, label, quiet, description_width - 12);
        draw_quantity(detail.points, price_per_thousand(detail, price_places_), quiet, baseline);
    }

    void draw_earlier(const EarlierPart& part, Charge charge, double baseline)
    {
        const std::string words = "of which " + earlier_in_words(part, charge);
        canvas_.text({.x = left + 24, .y = baseline}, words, quiet, width - 24);
    }

    void draw_quantity(
        std::int64_t points, std::string_view price, const TextStyle& style, double baseline)
    {
        canvas_.text(
            {.x = points_column, .y = baseline}, points_in_words(points), at_right(style), 90);
        canvas_.text({.x = price_column, .y = baseline}, price, at_right(style), 80);
    }

    /// A row of a sum at the right: label, amount.
    void draw_sum(
        double baseline, std::string_view label, std::string_view sum, const TextStyle& style)
    {
        canvas_.text({.x = sums_left, .y = baseline}, label, style, 190);
        canvas_.text({.x = right, .y = baseline}, sum, at_right(style), 160);
    }

    [[nodiscard]] std::string tax_label(const VatTotal& vat) const
    {
        const std::string_view exemption = exemption_in_words(vat.rate.category);
        if (!exemption.empty()) return fmt::format("{}: {}", exemption, amount(vat.net));
        return fmt::format("VAT {} on {}", rate_in_words(vat.rate), amount(vat.net));
    }

    /// Totals and what to pay, never apart: the page that a reader signs.
    void add_summary()
    {
        // Room for the notes beside them.
        const double totals_least = (document_.object_by() ? 132 : 104) +
                                    (document_.tax_point() == TaxPoint::payment ? 16 : 0);
        const std::size_t rows = document_.vat.size() + (document_.accounting ? 1 : 0) +
                                 (document_.payable_rounding() != Minor{} ? 1 : 0);
        const double totals = std::max(totals_least, 72 + 16 * static_cast<double>(rows));
        const double payment = payment_height();
        const auto draw = [this, totals, payment](double y) {
            draw_totals(y);
            draw_notes(y + 13);
            const Box box{
                .corner = {.x = left, .y = y + totals}, .width = width, .height = payment};
            canvas_.fill(box, tint, 4);
            draw_payment(y + totals);
        };
        blocks_.push_back({.height = totals + payment, .draw = draw});
    }

    void draw_totals(double y)
    {
        double baseline = y + 22;
        draw_sum(baseline, "Net", amount(document_.net), plain);
        for (const VatTotal& vat : document_.vat) {
            baseline += 16;
            draw_sum(baseline, tax_label(vat), amount(vat.tax), plain);
        }
        if (const Minor rounding = document_.payable_rounding(); rounding != Minor{})
            draw_sum(baseline += 16, "Rounding", amount(rounding), plain);
        canvas_.rule({.x = sums_left, .y = baseline + 8}, right - sums_left, 0.9, black);
        const TextStyle total{.size = 11, .is_bold = true, .ink = black};
        const std::string label = fmt::format("Total, {}", document_.currency.code);
        baseline += 25;
        draw_sum(baseline, label, amount(document_.total), total);
        if (!document_.accounting) return;
        const AccountingVat& accounting = *document_.accounting;
        draw_sum(
            baseline + 16,
            fmt::format(
                "VAT in {} at {} ({})",
                accounting.currency.code,
                exchange_rate_in_words(accounting.rate_millionths),
                accounting.rate_id),
            amount_in_words(accounting.tax, accounting.currency),
            quiet);
    }

    void draw_notes(double y)
    {
        PdfCanvas::Paragraph note{
            .words = document_.reason, .style = plain, .width = notes_width, .lines_max = 4};
        if (!note.words.empty()) y += 8 + canvas_.paragraph({.x = left, .y = y}, note);
        note.words = words_of_tax_point(document_.tax_point());
        if (!note.words.empty()) y += 4 + canvas_.paragraph({.x = left, .y = y}, note);
        const std::string objection = words_of_objection(document_);
        if (!objection.empty()) {
            note.words = objection;
            y += 4 + canvas_.paragraph({.x = left, .y = y}, note);
        }
        note.words =
            document_.is_gross()
                ? "Agreed prices hold the VAT: points × price is rounded once, halves away "
                  "from zero, and its net taken on the sum of each rate. Parts of a line "
                  "are at agreed prices."
                : "Each line is points × price, rounded once, halves away from zero. VAT "
                  "is worked out on the sum of each rate.";
        note.style = quiet;
        canvas_.paragraph({.x = left, .y = y}, note);
    }

    /// Who pays whom; names in full.
    [[nodiscard]] static PdfCanvas::Paragraph headline(std::string_view words)
    {
        const TextStyle title{.size = 9.5, .is_bold = true, .ink = accent};
        return {.words = words, .style = title, .width = 270, .lines_max = 4};
    }

    [[nodiscard]] std::string payment_in_words() const
    {
        if (document_.is_prepaid())
            return document_.corrects ? "Paid back with this document: nothing is due"
                                      : "Paid when the points were bought: nothing is due";
        if (document_.total == Minor{}) return "Nothing is due";
        return fmt::format("{} pays {}", payer().name, payee().name);
    }

    double payment_height()
    {
        const double account = payee().iban.empty() || document_.is_prepaid() ? 0 : 16;
        return 46 + canvas_.height_of(headline(payment_in_words())) + account;
    }

    void draw_payment(double top)
    {
        const Spot corner{.x = left + 14, .y = top + 14};
        const double below = top + 14 + canvas_.paragraph(corner, headline(payment_in_words()));
        if (document_.total == Minor{} || document_.is_prepaid()) return;
        const Minor due{document_.total < Minor{} ? -document_.total.count : document_.total.count};
        const std::string sum = fmt::format("{} {}", document_.currency.code, amount(due));
        const TextStyle large{.size = 13, .is_bold = true, .ink = accent};
        canvas_.text({.x = right - 14, .y = top + 25}, sum, at_right(large), 240);
        const std::string when =
            fmt::format("by {}, {}", day_in_words(document_.due_on), netting_in_words(document_));
        canvas_.text({.x = left + 14, .y = below + 16}, when, plain, width - 28);
        if (!payee().iban.empty()) draw_account(below + 32);
    }

    void draw_account(double baseline)
    {
        std::string account = "IBAN " + in_fours(payee().iban);
        if (!payee().bic.empty()) account += "  ·  BIC " + payee().bic;
        if (!document_.number.empty()) account += "  ·  reference " + document_.number;
        canvas_.text({.x = left + 14, .y = baseline}, account, plain, width - 28);
    }

    /// A payment statement below zero is paid back.
    [[nodiscard]] bool is_refund() const
    {
        return is_credit(document_.kind) != (document_.total < Minor{});
    }
    [[nodiscard]] const LegalParty& payer() const
    {
        return is_refund() ? document_.seller : document_.buyer;
    }
    [[nodiscard]] const LegalParty& payee() const
    {
        return is_refund() ? document_.buyer : document_.seller;
    }

    [[nodiscard]] std::string amount(Minor minor) const
    {
        return amount_in_words(minor, document_.currency);
    }

    const Document& document_;
    int price_places_;
    PdfCanvas canvas_;
    DocumentFrame frame_;
    std::vector<Block> blocks_;
};

} // namespace

std::string document_pdf(const Document& document, std::string_view logo)
{
    ledger::invariant(!document.lines.empty(), "a document has lines");
    return DocumentPages{document, logo}.drawn();
}

} // namespace pointhouse::settlement
