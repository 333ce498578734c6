#include "golden_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace pointhouse::settlement {

void expect_golden(const std::string& name, const std::string& text)
{
    const std::filesystem::path path = std::filesystem::path{GOLDEN_FOLDER} / name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream file{path, std::ios::binary};
        file << text;
    }
    std::ifstream file{path, std::ios::binary};
    const std::string expected{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_EQ(expected, text) << path;
}

} // namespace pointhouse::settlement
