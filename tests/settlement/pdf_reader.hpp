#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pointhouse::settlement {

/// What poppler's pdftotext says of a document, with its options.
[[nodiscard]] std::string poppler(const std::string& pdf, const std::string& options);
/// What a reader sees; each page ends in a form feed.
[[nodiscard]] std::string text_of(const std::string& pdf);
[[nodiscard]] std::size_t occurrences(const std::string& text, std::string_view words);

} // namespace pointhouse::settlement
