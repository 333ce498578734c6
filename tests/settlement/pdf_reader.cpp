#include "pdf_reader.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unistd.h>

// Fontconfig keeps its caches until the process ends; LeakSanitizer asks this function at its
// start.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions()
{
    return "leak:libfontconfig";
}

namespace pointhouse::settlement {
namespace {

std::string output_of(const std::string& command)
{
    const auto close = [](std::FILE* stream) { pclose(stream); };
    const std::unique_ptr<std::FILE, decltype(close)> stream{popen(command.c_str(), "r"), close};
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), stream.get()))
        text.append(part.data(), size);
    return text;
}

} // namespace

std::string output_of(const std::string& pdf, std::string command)
{
    std::string path = (std::filesystem::temp_directory_path() / "statement.XXXXXX").string();
    const int file = mkstemp(path.data());
    if (file < 0) return {};
    close(file);
    std::ofstream{path, std::ios::binary} << pdf;
    std::string text = output_of(command.replace(command.find("{}"), 2, path));
    std::filesystem::remove(path);
    return text;
}

std::string poppler(const std::string& pdf, const std::string& options)
{
    return output_of(pdf, "pdftotext " + options + " {} -");
}

std::string text_of(const std::string& pdf)
{
    return poppler(pdf, "-layout");
}

std::size_t occurrences(const std::string& text, std::string_view words)
{
    std::size_t count = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++count;
    return count;
}

} // namespace pointhouse::settlement
