#include "media_types.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace pointhouse::gateway {
namespace {

constexpr std::array document{MediaType::json, MediaType::protobuf, MediaType::xml, MediaType::pdf};

MediaType chosen(const std::string& accept, MediaType usual = MediaType::json)
{
    AcceptedTypes accepted;
    accepted.read(accept);
    return accepted.choose(document, usual);
}

TEST(AcceptedTypes, TakeTheHighestWeight)
{
    EXPECT_EQ(chosen("application/pdf;q=0.2, application/json"), MediaType::json);
    EXPECT_EQ(chosen("application/pdf;q=0.2, application/json;q=0.1"), MediaType::pdf);
    EXPECT_EQ(chosen("application/json;q=0.999,application/xml;q=1.000"), MediaType::xml);
    EXPECT_EQ(chosen("application/xml ; Q=0.5 , application/pdf;q=0.51"), MediaType::pdf);
    EXPECT_EQ(chosen("APPLICATION/PDF"), MediaType::pdf);
    EXPECT_EQ(
        chosen("application/xml;charset=utf-8;q=0.3, application/json;q=0.2"), MediaType::xml);
    EXPECT_EQ(
        chosen("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"),
        MediaType::xml);
}

TEST(AcceptedTypes, LetTheMostExactRangeSayTheWeight)
{
    EXPECT_EQ(chosen("*/*, application/json;q=0"), MediaType::protobuf);
    EXPECT_EQ(chosen("application/*;q=0.1, application/pdf;q=0.2, */*"), MediaType::pdf);
    EXPECT_EQ(chosen("application/*;q=0, */*"), MediaType::none);
    EXPECT_EQ(chosen("*/*;q=0.5, application/pdf;q=0.5"), MediaType::pdf);
    EXPECT_EQ(chosen("application/json;q=0.1, application/problem+json"), MediaType::json);
    EXPECT_EQ(chosen("application/problem+json, application/pdf;q=0.9"), MediaType::json);
}

TEST(AcceptedTypes, OfThoseWantedAlikeTakeTheFirstNamedThenTheUsual)
{
    EXPECT_EQ(chosen("application/pdf, application/json"), MediaType::pdf);
    EXPECT_EQ(chosen("application/json, application/pdf"), MediaType::json);
    EXPECT_EQ(chosen("*/*"), MediaType::json);
    EXPECT_EQ(chosen("*/*", MediaType::protobuf), MediaType::protobuf);
    EXPECT_EQ(chosen("application/*", MediaType::protobuf), MediaType::protobuf);
    EXPECT_EQ(chosen("", MediaType::protobuf), MediaType::protobuf);
    EXPECT_EQ(chosen(" , ,", MediaType::protobuf), MediaType::protobuf);
}

TEST(AcceptedTypes, WantNothingOfWhatIsNotNamed)
{
    for (const std::string accept :
         {"text/html",
          "text/*",
          "application/json;q=0",
          "application/json;q=0.000",
          "image/*;q=1",
          "application",
          "*",
          "*/json",
          "application/json;charset=latin1",
          "applications/*"})
        EXPECT_EQ(chosen(accept), MediaType::none) << accept;
}

TEST(AcceptedTypes, PassOverWeightsThatAreNone)
{
    for (const std::string weight :
         {"2",
          "1.1",
          "1.001",
          "0.1234",
          "-1",
          ".5",
          "0,5",
          "x",
          "",
          "0..5",
          "0.x",
          "00",
          "01",
          "+1",
          "1e0",
          "NaN"})
        EXPECT_EQ(chosen("application/json;q=" + weight), MediaType::none) << weight;
    EXPECT_EQ(chosen("application/json;q=1."), MediaType::json);
    EXPECT_EQ(chosen("application/json;q=0.001"), MediaType::json);
    EXPECT_EQ(chosen("application/json;q=2, application/xml;q=0.1"), MediaType::xml);
}

TEST(AcceptedTypes, GoOnWithAFurtherField)
{
    AcceptedTypes accepted;
    accepted.read("application/pdf;q=0.5");
    accepted.read("application/xml;q=0.6");
    EXPECT_EQ(accepted.choose(document, MediaType::json), MediaType::xml);
}

/// Whatever is sent, the choice is one that is offered, or none.
TEST(AcceptedTypes, ChooseOnlyWhatIsOffered)
{
    std::mt19937 random{20261122};
    const std::vector<std::string> pieces{
        "application/json",
        "application/pdf",
        "*/*",
        "text/*",
        "application/*",
        ";",
        ";q=",
        "q=0",
        "1",
        "0.5",
        ",",
        " ",
        "=",
        "\"",
        "/",
        "*",
        "charset=utf-8",
        "\t",
        "\xff",
        "application/x-protobuf",
        "text/csv"};
    for (int round = 0; round < 20'000; ++round) {
        std::string accept;
        for (auto count = random() % 12; count > 0; --count)
            accept += pieces[random() % pieces.size()];
        const auto type = chosen(accept);
        const bool is_offered = std::ranges::find(document, type) != document.end();
        ASSERT_TRUE(is_offered || type == MediaType::none) << accept;
    }
}

TEST(MediaTypes, AreNamedOnce)
{
    for (const auto type :
         {MediaType::json,
          MediaType::json_lines,
          MediaType::protobuf,
          MediaType::xml,
          MediaType::pdf,
          MediaType::csv,
          MediaType::xlsx,
          MediaType::toml,
          MediaType::text,
          MediaType::pem,
          MediaType::png})
        EXPECT_EQ(media_type_of(name_of(type)), type) << name_of(type);
    EXPECT_EQ(media_type_of("application/json; charset=UTF-8"), MediaType::json);
    EXPECT_EQ(media_type_of("application/json; charset=latin1"), MediaType::other);
    EXPECT_EQ(media_type_of("application/json2"), MediaType::other);
    EXPECT_EQ(media_type_of(""), MediaType::other);
}

} // namespace
} // namespace pointhouse::gateway
