#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pointhouse::settlement {

/// What a command prints of a document, whose file stands in the place of {}.
[[nodiscard]] std::string output_of(const std::string& pdf, std::string command);
/// What poppler's pdftotext says of a document, with its options.
[[nodiscard]] std::string poppler(const std::string& pdf, const std::string& options);
/// What a reader sees; each page ends in a form feed.
[[nodiscard]] std::string text_of(const std::string& pdf);
[[nodiscard]] std::size_t occurrences(const std::string& text, std::string_view words);

} // namespace pointhouse::settlement
