#include "pdf_diagrams.hpp"

#include <algorithm>
#include <vector>

#include "pdf_style.hpp"

namespace pointhouse::settlement {

namespace {

using namespace style;

constexpr Ink middle{.red = 0.45, .green = 0.62, .blue = 0.66};
constexpr double title_height = 26;

constexpr double bar_pitch = 21;
constexpr double bar_thickness = 12;
constexpr double label_width = 118;
constexpr double words_width = 96;

constexpr double step_area = 150;
constexpr double step_words = 14;
constexpr double step_labels = 30;

TextStyle centred(TextStyle face)
{
    face.alignment = Alignment::centre;
    return face;
}

/// A length on paper for a part of the largest amount.
double length_of(ledger::Wide part, ledger::Wide whole, double length)
{
    return length * static_cast<double>(part) / static_cast<double>(whole);
}

void fill_bar(PdfCanvas& canvas, const Box& box, DiagramShade shade)
{
    constexpr double line = 0.9;
    if (box.width <= 0 || box.height <= 0) return;
    canvas.fill(box, shade == DiagramShade::middle ? middle : accent);
    if (shade != DiagramShade::outline || box.width <= 2 * line || box.height <= 2 * line) return;
    canvas.fill(
        {.corner = {.x = box.corner.x + line, .y = box.corner.y + line},
         .width = box.width - 2 * line,
         .height = box.height - 2 * line},
        white);
}

/// How far bars go on either side of zero.
struct Reach {
    std::int64_t least = 0;
    std::int64_t most = 0;
    [[nodiscard]] ledger::Wide span() const { return ledger::Wide{most} - least; }
    void take(std::int64_t value)
    {
        least = std::min(least, value);
        most = std::max(most, value);
    }
};

Reach reach_of(const Diagram& diagram)
{
    Reach reach;
    std::int64_t level = 0;
    for (const auto& bar : diagram.bars) {
        const bool is_step = diagram.form == DiagramForm::steps && !bar.is_level;
        level = is_step ? level + bar.value : bar.value;
        reach.take(level);
    }
    return reach;
}

void draw_bars(PdfCanvas& canvas, const Diagram& diagram, double top)
{
    const auto reach = reach_of(diagram);
    const double area_left = left + label_width + (reach.least < 0 ? words_width : 0);
    const double area = right - words_width - area_left;
    const double zero = area_left + length_of(-ledger::Wide{reach.least}, reach.span(), area);
    double y = top;
    for (const auto& bar : diagram.bars) {
        const double length =
            length_of(bar.value < 0 ? -ledger::Wide{bar.value} : bar.value, reach.span(), area);
        const double baseline = y + 9.5;
        canvas.text({.x = left, .y = baseline}, bar.label, plain, label_width - 8);
        const double from = bar.value < 0 ? zero - length : zero;
        fill_bar(
            canvas,
            {.corner = {.x = from, .y = y}, .width = length, .height = bar_thickness},
            bar.shade);
        if (bar.value < 0)
            canvas.text({.x = from - 5, .y = baseline}, bar.words, at_right(plain), words_width);
        else
            canvas.text({.x = zero + length + 5, .y = baseline}, bar.words, plain, words_width - 5);
        y += bar_pitch;
    }
    canvas.fill(
        {.corner = {.x = zero - 0.4, .y = top - 4},
         .width = 0.8,
         .height = bar_pitch * static_cast<double>(diagram.bars.size()) - 1},
        black);
}

void draw_steps(PdfCanvas& canvas, const Diagram& diagram, double top)
{
    const auto reach = reach_of(diagram);
    const double area_top = top + step_words;
    const auto y_of = [&](std::int64_t level) {
        return area_top + length_of(ledger::Wide{reach.most} - level, reach.span(), step_area);
    };
    const double slot = width / static_cast<double>(diagram.bars.size());
    const double thickness = std::min(46.0, slot * 0.66);
    std::int64_t level = 0;
    for (std::size_t place = 0; place < diagram.bars.size(); ++place) {
        const auto& bar = diagram.bars[place];
        const double centre = left + slot * (static_cast<double>(place) + 0.5);
        const std::int64_t before = bar.is_level ? 0 : level;
        level = bar.is_level ? bar.value : level + bar.value;
        const double upper = y_of(std::max(before, level));
        const double lower = y_of(std::min(before, level));
        fill_bar(
            canvas,
            {.corner = {.x = centre - thickness / 2, .y = upper},
             .width = thickness,
             .height = std::max(lower - upper, 0.9)},
            bar.shade);
        if (place + 1 < diagram.bars.size())
            canvas.rule(
                {.x = centre + thickness / 2, .y = y_of(level) - 0.3}, slot - thickness, 0.6, grey);
        canvas.text({.x = centre, .y = upper - 4}, bar.words, centred(quiet), slot);
        canvas.text({.x = centre, .y = area_top + step_area + 13}, bar.label, centred(plain), slot);
    }
    canvas.rule({.x = left, .y = y_of(0) - 0.4}, width, 0.8, black);
}

} // namespace

double height_of(const Diagram& diagram)
{
    const bool is_empty =
        std::ranges::all_of(diagram.bars, [](const DiagramBar& bar) { return bar.value == 0; });
    if (is_empty) return 0;
    const double body = diagram.form == DiagramForm::bars
                            ? bar_pitch * static_cast<double>(diagram.bars.size())
                            : step_words + step_area + step_labels;
    return title_height + body + 12;
}

void draw_diagram(PdfCanvas& canvas, const Diagram& diagram, double y)
{
    canvas.text({.x = left, .y = y + 10}, diagram.title, strong, width);
    if (diagram.form == DiagramForm::bars)
        draw_bars(canvas, diagram, y + title_height);
    else
        draw_steps(canvas, diagram, y + title_height);
}

} // namespace pointhouse::settlement
