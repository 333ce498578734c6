#include "golden.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace pointhouse::settlement {

std::string golden(const std::string& name)
{
    std::ifstream file{std::filesystem::path{GOLDEN_FOLDER} / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void expect_golden(const std::string& name, const std::string& text)
{
    const std::filesystem::path path = std::filesystem::path{GOLDEN_FOLDER} / name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream file{path, std::ios::binary};
        file << text;
    }
    EXPECT_EQ(golden(name), text) << path;
}

} // namespace pointhouse::settlement
