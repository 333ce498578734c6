#pragma once

#include <cairo.h>
#include <cstdint>
#include <memory>
#include <pango/pangocairo.h>
#include <string>
#include <string_view>

namespace pointhouse::settlement {

/// Lengths and places on paper are points of 1/72 inch, from the top left. They are the one use of
/// floating point in this folder: no amount ever is a double.
struct Spot {
    double x = 0;
    double y = 0;
};

struct Box {
    Spot corner{};
    double width = 0;
    double height = 0;
};

struct Ink {
    double red = 0;
    double green = 0;
    double blue = 0;
};

enum class Alignment : std::uint8_t { left, right, centre };

struct TextStyle {
    double size = 8.5;
    bool is_bold = false;
    Ink ink{};
    Alignment alignment = Alignment::left;
};

/// What a PDF says of itself. `created` is RFC 3339, so that the bytes do not depend on the clock.
struct PdfProperties {
    std::string title{};
    std::string author{};
    std::string subject{};
    std::string created{};
};

inline constexpr double a4_width = 595.28;
inline constexpr double a4_height = 841.89;

/// Draws an A4 document of several pages. One thread. Throws std::runtime_error when Cairo fails.
class PdfCanvas {
public:
    explicit PdfCanvas(const PdfProperties& properties);

    /// Writes one line; `spot` is its baseline's left (or right) end, or its middle. Longer than
    /// `width_max`: cut off with an ellipsis.
    void text(
        Spot spot, std::string_view words, const TextStyle& style, double width_max = a4_width);
    /// Several lines, broken at words to `width`; what is more than `lines_max` ends in an
    /// ellipsis.
    struct Paragraph {
        std::string_view words{};
        TextStyle style{};
        double width = a4_width;
        int lines_max = 1;
    };
    /// Writes it down from `spot`: the top of the first line's left end. Returns its height.
    double paragraph(Spot spot, const Paragraph& paragraph);
    [[nodiscard]] double height_of(const Paragraph& paragraph);
    /// How wide a line is that nothing cuts off.
    [[nodiscard]] double width_of(std::string_view words, const TextStyle& style);
    /// Draws a PNG as large as it goes into the box, at its left and half-way down, and returns how
    /// wide it is there. A document that draws the same again and again has it once. Throws
    /// std::runtime_error when Cairo cannot read it.
    double picture(const Box& box, std::string_view png);
    void rule(Spot left, double width, double thickness, Ink ink);
    void fill(const Box& box, Ink ink, double radius = 0);
    void disc(Spot centre, double radius, Ink ink);
    void end_page();
    /// Closes the document and returns its bytes. Nothing may be drawn after.
    [[nodiscard]] std::string finish();

private:
    struct Free {
        void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
        void operator()(cairo_t* context) const { cairo_destroy(context); }
        void operator()(PangoLayout* layout) const { g_object_unref(layout); }
    };

    void set_properties(const PdfProperties& properties);
    void set_ink(Ink ink);
    void set_words(std::string_view words, const TextStyle& style, double width);
    double set_paragraph(const Paragraph& paragraph);

    std::string bytes_;
    std::unique_ptr<cairo_surface_t, Free> surface_;
    std::unique_ptr<cairo_t, Free> context_;
    std::unique_ptr<PangoLayout, Free> layout_;
    std::string picture_file_{};                     // the last that was drawn, and
    std::unique_ptr<cairo_surface_t, Free> picture_; // what it shows
};

} // namespace pointhouse::settlement
