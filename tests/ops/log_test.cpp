#include "log.hpp"

#include <string>

#include <gtest/gtest.h>

namespace pointhouse::gateway {
namespace {

std::string logged(std::string_view value)
{
    testing::internal::CaptureStderr();
    log_event(LogLevel::warning, "tried", {{LogField::reason, value}, {LogField::status, "7"}});
    std::string line = testing::internal::GetCapturedStderr();
    return line.substr(line.find("event="));
}

TEST(Log, WritesKeysAndValues)
{
    EXPECT_EQ(logged("plain"), "event=tried reason=plain status=7\n");
    EXPECT_EQ(logged("two words"), "event=tried reason=\"two words\" status=7\n");
    EXPECT_EQ(logged(""), "event=tried reason=\"\" status=7\n");
}

TEST(Log, LetsNoValueForgeAnotherFieldOrLine)
{
    EXPECT_EQ(logged("a\nevent=forged"), "event=tried reason=\"a\\x0aevent=forged\" status=7\n");
    EXPECT_EQ(logged("a\" status=8"), "event=tried reason=\"a\\\" status=8\" status=7\n");
    EXPECT_EQ(logged("a=b"), "event=tried reason=\"a=b\" status=7\n");
    EXPECT_EQ(logged("\x1b[2J\x7f\xff"), "event=tried reason=\"\\x1b[2J\\x7f\\xff\" status=7\n");
    EXPECT_EQ(logged("a\\"), "event=tried reason=\"a\\\\\" status=7\n");
}

TEST(Log, CutsLongValues)
{
    EXPECT_LT(logged(std::string(100'000, 'x')).size(), 1000U);
}

} // namespace
} // namespace pointhouse::gateway
