#include "pdf_canvas.hpp"

#include <algorithm>
#include <cairo-pdf.h>
#include <numbers>
#include <stdexcept>

#include "settlement/logo.hpp"

namespace pointhouse::settlement {
namespace {

cairo_status_t append_bytes(void* closure, const unsigned char* data, unsigned int length)
{
    static_cast<std::string*>(closure)->append(data, data + length);
    return CAIRO_STATUS_SUCCESS;
}

/// The closure is what is left of the bytes.
cairo_status_t take_bytes(void* closure, unsigned char* data, unsigned int length)
{
    auto& left = *static_cast<std::string_view*>(closure);
    if (left.size() < length) return CAIRO_STATUS_READ_ERROR;
    std::ranges::copy(left.substr(0, length), data);
    left.remove_prefix(length);
    return CAIRO_STATUS_SUCCESS;
}

/// Never null: what cannot be read is a surface that says so.
cairo_surface_t* surface_of(std::string_view png)
{
    return cairo_image_surface_create_from_png_stream(take_bytes, &png);
}

void check(cairo_status_t status)
{
    if (status == CAIRO_STATUS_SUCCESS) return;
    throw std::runtime_error{std::string{"drawing a PDF: "} + cairo_status_to_string(status)};
}

PangoAlignment pango_alignment(Alignment alignment)
{
    switch (alignment) {
    case Alignment::left: break;
    case Alignment::right: return PANGO_ALIGN_RIGHT;
    case Alignment::centre: return PANGO_ALIGN_CENTER;
    }
    return PANGO_ALIGN_LEFT;
}

} // namespace

std::optional<std::size_t> drawn_bytes(std::string_view png)
{
    try {
        PdfCanvas canvas{{}};
        canvas.picture({.corner = {}, .width = a4_width, .height = a4_height}, png);
        canvas.end_page();
        return canvas.finish().size();
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

PdfCanvas::PdfCanvas(const PdfProperties& properties)
    : surface_{cairo_pdf_surface_create_for_stream(append_bytes, &bytes_, a4_width, a4_height)},
      context_{cairo_create(surface_.get())}, layout_{pango_cairo_create_layout(context_.get())}
{
    check(cairo_surface_status(surface_.get()));
    set_properties(properties);

    // Paper has no pixels: without this, glyphs are spaced as on a screen.
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(pango_layout_get_context(layout_.get()), options);
    cairo_font_options_destroy(options);
    pango_layout_set_single_paragraph_mode(layout_.get(), TRUE);
    pango_layout_set_ellipsize(layout_.get(), PANGO_ELLIPSIZE_END);
}

void PdfCanvas::set_properties(const PdfProperties& properties)
{
    const auto set = [this](cairo_pdf_metadata_t key, const std::string& value) {
        cairo_pdf_surface_set_metadata(surface_.get(), key, value.c_str());
    };
    set(CAIRO_PDF_METADATA_TITLE, properties.title);
    set(CAIRO_PDF_METADATA_AUTHOR, properties.author);
    set(CAIRO_PDF_METADATA_SUBJECT, properties.subject);
    set(CAIRO_PDF_METADATA_CREATOR, "Pointhouse");
    set(CAIRO_PDF_METADATA_CREATE_DATE, properties.created);
}

void PdfCanvas::set_ink(Ink ink)
{
    cairo_set_source_rgb(context_.get(), ink.red, ink.green, ink.blue);
}

void PdfCanvas::set_words(std::string_view words, const TextStyle& style, double width)
{
    PangoFontDescription* font = pango_font_description_from_string("DejaVu Sans");
    pango_font_description_set_absolute_size(font, style.size * PANGO_SCALE);
    pango_font_description_set_weight(
        font, style.is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout_.get(), font);
    pango_font_description_free(font);

    pango_layout_set_alignment(layout_.get(), pango_alignment(style.alignment));
    pango_layout_set_width(layout_.get(), pango_units_from_double(width));
    pango_layout_set_text(layout_.get(), words.data(), static_cast<int>(words.size()));
    set_ink(style.ink);
}

void PdfCanvas::text(Spot spot, std::string_view words, const TextStyle& style, double width_max)
{
    set_words(words, style, width_max);
    const double baseline = pango_units_to_double(pango_layout_get_baseline(layout_.get()));
    double x = spot.x;
    if (style.alignment == Alignment::right) x -= width_max;
    if (style.alignment == Alignment::centre) x -= width_max / 2;
    cairo_move_to(context_.get(), x, spot.y - baseline);
    pango_cairo_show_layout(context_.get(), layout_.get());
}

double PdfCanvas::set_paragraph(const Paragraph& paragraph)
{
    pango_layout_set_height(layout_.get(), -paragraph.lines_max); // below zero: lines
    pango_layout_set_wrap(layout_.get(), PANGO_WRAP_WORD_CHAR);
    set_words(paragraph.words, paragraph.style, paragraph.width);
    int height = 0;
    pango_layout_get_size(layout_.get(), nullptr, &height);
    return pango_units_to_double(height);
}

double PdfCanvas::paragraph(Spot spot, const Paragraph& paragraph)
{
    const double height = set_paragraph(paragraph);
    cairo_move_to(context_.get(), spot.x, spot.y);
    pango_cairo_show_layout(context_.get(), layout_.get());
    pango_layout_set_height(layout_.get(), -1);
    return height;
}

double PdfCanvas::height_of(const Paragraph& paragraph)
{
    const double height = set_paragraph(paragraph);
    pango_layout_set_height(layout_.get(), -1);
    return height;
}

double PdfCanvas::width_of(std::string_view words, const TextStyle& style)
{
    set_words(words, style, -1);
    int width = 0;
    pango_layout_get_size(layout_.get(), &width, nullptr);
    return pango_units_to_double(width);
}

double PdfCanvas::picture(const Box& box, std::string_view png)
{
    if (!picture_ || picture_file_ != png) {
        picture_.reset(surface_of(png));
        picture_file_ = png;
    }
    check(cairo_surface_status(picture_.get()));
    const double across = cairo_image_surface_get_width(picture_.get());
    const double down = cairo_image_surface_get_height(picture_.get());
    const double scale = std::min(box.width / across, box.height / down);
    cairo_save(context_.get());
    cairo_translate(context_.get(), box.corner.x, box.corner.y + (box.height - scale * down) / 2);
    cairo_scale(context_.get(), scale, scale);
    cairo_set_source_surface(context_.get(), picture_.get(), 0, 0);
    cairo_paint(context_.get());
    cairo_restore(context_.get());
    return scale * across;
}

void PdfCanvas::rule(Spot left, double width, double thickness, Ink ink)
{
    fill({.corner = left, .width = width, .height = thickness}, ink);
}

void PdfCanvas::fill(const Box& box, Ink ink, double radius)
{
    constexpr double quarter = std::numbers::pi / 2;
    const auto [x, y] = box.corner;
    const double right = x + box.width;
    const double bottom = y + box.height;
    set_ink(ink);
    cairo_new_sub_path(context_.get());
    cairo_arc(context_.get(), right - radius, y + radius, radius, -quarter, 0);
    cairo_arc(context_.get(), right - radius, bottom - radius, radius, 0, quarter);
    cairo_arc(context_.get(), x + radius, bottom - radius, radius, quarter, 2 * quarter);
    cairo_arc(context_.get(), x + radius, y + radius, radius, 2 * quarter, 3 * quarter);
    cairo_close_path(context_.get());
    cairo_fill(context_.get());
}

void PdfCanvas::disc(Spot centre, double radius, Ink ink)
{
    set_ink(ink);
    cairo_arc(context_.get(), centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
    cairo_fill(context_.get());
}

void PdfCanvas::end_page()
{
    cairo_show_page(context_.get());
}

std::string PdfCanvas::finish()
{
    check(cairo_status(context_.get()));
    cairo_surface_finish(surface_.get());
    check(cairo_surface_status(surface_.get()));
    return std::move(bytes_);
}

} // namespace pointhouse::settlement
