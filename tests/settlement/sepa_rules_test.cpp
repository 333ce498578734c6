#include "settlement/sepa_rules.hpp"

#include <random>

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

TEST(SepaCountries, IsInSepaOrNot)
{
    EXPECT_TRUE(is_in_sepa("NL91ABNA0417164300"));
    EXPECT_TRUE(is_in_sepa("GB29NWBK60161331926819"));
    EXPECT_FALSE(is_in_sepa("TR330006100519786457841326"));
    EXPECT_FALSE(is_in_sepa("L"));
    EXPECT_FALSE(is_in_sepa("L N"));
    EXPECT_FALSE(is_in_sepa(" N"));
}

TEST(CreditorReference, Form)
{
    EXPECT_TRUE(is_creditor_reference("RF18539007547034"));
    EXPECT_FALSE(is_creditor_reference("RF19539007547034"));
    EXPECT_FALSE(is_creditor_reference("RX18539007547034"));
    EXPECT_FALSE(is_creditor_reference("RF18"));
    EXPECT_FALSE(is_creditor_reference("RF18539007547034539007547034"));
    EXPECT_FALSE(is_creditor_reference("RF18 5390 0754 7034"));
}

TEST(SepaText, KeepsWhatEveryBankTakes)
{
    const std::string kept = "abcxyzABCXYZ0189/-?:().,'+ ";

    EXPECT_EQ(sepa_text(kept), kept);
}

TEST(SepaText, TransliteratesTheLettersOfSepa)
{
    EXPECT_EQ(sepa_text("Müller & Söhne"), "Muller + Sohne");
    EXPECT_EQ(sepa_text("Straße Łódź Çağrı"), "Strase Lodz Cagri");
    EXPECT_EQ(sepa_text("Århus Þór Œuvre Ștefan"), "Arhus Tor Ouvre Stefan");
    EXPECT_EQ(sepa_text("Αθήνα Ψάρι"), "Athina PSari");
    EXPECT_EQ(sepa_text("Пловдив Щастие"), "Plovdiv SHTastie");
    EXPECT_EQ(sepa_text("a_b|c;d[e]~€"), "a-b/c,d(e)-E");
    EXPECT_EQ(
        sepa_text("a\xC2\xA0"
                  "b\nc"),
        "a b c");
    EXPECT_EQ(sepa_text("日本 😀 <x>"), ".. . .x.");
}

// Any bytes come out as text that every bank takes.
TEST(SepaText, TakesAnyBytes)
{
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        std::mt19937_64 random{seed};
        std::string bytes(random() % 40, ' ');
        for (char& byte : bytes) byte = static_cast<char>(random());

        const std::string text = sepa_text(bytes);

        EXPECT_EQ(
            text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/"
                                   "-?:().,'+ "),
            std::string::npos)
            << "seed " << seed;
    }
}

TEST(SepaIdentification, Form)
{
    EXPECT_TRUE(is_sepa_identification("2026-06/BOE.1"));
    EXPECT_TRUE(is_sepa_identification(std::string(35, 'x')));
    EXPECT_FALSE(is_sepa_identification(std::string(36, 'x')));
    EXPECT_FALSE(is_sepa_identification(""));
    EXPECT_FALSE(is_sepa_identification("/BOE"));
    EXPECT_FALSE(is_sepa_identification("BOE/"));
    EXPECT_FALSE(is_sepa_identification("BOE//1"));
    EXPECT_FALSE(is_sepa_identification(" BOE"));
    EXPECT_FALSE(is_sepa_identification("BOE "));
    EXPECT_FALSE(is_sepa_identification("BOE_1"));
    EXPECT_FALSE(is_sepa_identification("BOÉ"));
}

} // namespace
} // namespace pointhouse::settlement
