#include "settlement/bank_identifiers.hpp"

#include <random>

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

// Examples of the registry of ISO 13616.
constexpr std::array sound{
    "AL47212110090000000235698741",
    "BE68539007547034",
    "CH9300762011623852957",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "GR1601101250000000012300695",
    "LC55HEMM000100010012001200023015",
    "MT84MALT011000012345MTLCAST001S",
    "NL91ABNA0417164300",
    "NO9386011117947",
};

TEST(Iban, IsSound)
{
    for (const char* iban : sound) EXPECT_EQ(find_iban_fault(iban), std::nullopt) << iban;
}

TEST(Iban, IsRefusedWithItsFault)
{
    EXPECT_EQ(find_iban_fault(""), IbanFault::form);
    EXPECT_EQ(find_iban_fault("NL91"), IbanFault::form);
    EXPECT_EQ(find_iban_fault("nl91ABNA0417164300"), IbanFault::form);
    EXPECT_EQ(find_iban_fault("NL91 ABNA 0417 1643 00"), IbanFault::form);
    EXPECT_EQ(find_iban_fault("NLX1ABNA0417164300"), IbanFault::form);
    EXPECT_EQ(find_iban_fault("NL91ABNA04171643é0"), IbanFault::form);
    EXPECT_EQ(find_iban_fault("US91ABNA0417164300"), IbanFault::country_unknown);
    EXPECT_EQ(find_iban_fault("NL91ABNA041716430"), IbanFault::length);
    EXPECT_EQ(find_iban_fault("NL91ABNA04171643000"), IbanFault::length);
    EXPECT_EQ(find_iban_fault("NL92ABNA0417164300"), IbanFault::check_digits);
    for (const IbanFault fault :
         {IbanFault::form, IbanFault::country_unknown, IbanFault::length, IbanFault::check_digits})
        EXPECT_FALSE(in_words(fault).empty());
}

// Check digits are 98 less a remainder, so 02 to 98; their twins 97 apart are no IBAN.
TEST(Iban, HasOneSetOfCheckDigits)
{
    for (const char* iban : sound) {
        int fitting = 0;
        for (int digits = 0; digits < 100; ++digits) {
            std::string other = iban;
            other[2] = static_cast<char>('0' + digits / 10);
            other[3] = static_cast<char>('0' + digits % 10);
            if (!find_iban_fault(other)) ++fitting;
        }
        EXPECT_EQ(fitting, 1) << iban;
    }
}

// What check digits are for: any one digit mistyped, and any two neighbours exchanged.
TEST(Iban, FindsWhatPeopleMistype)
{
    for (const std::string iban : sound) {
        for (std::size_t place = 4; place < iban.size(); ++place) {
            std::string mistyped = iban;
            if (mistyped[place] >= '0' && mistyped[place] <= '9')
                mistyped[place] = static_cast<char>('0' + (mistyped[place] - '0' + 1) % 10);
            else
                mistyped[place] = mistyped[place] == 'A' ? 'B' : 'A';
            EXPECT_EQ(find_iban_fault(mistyped), IbanFault::check_digits) << mistyped;

            std::string exchanged = iban;
            std::swap(exchanged[place], exchanged[place - 1]);
            if (exchanged == iban) continue;
            EXPECT_NE(find_iban_fault(exchanged), std::nullopt) << exchanged;
        }
    }
}

TEST(Iban, MayBeWrittenForPeople)
{
    EXPECT_EQ(electronic_iban("nl91 abna 0417 1643 00"), "NL91ABNA0417164300");
    EXPECT_EQ(electronic_iban("NL91-ABNA"), "NL91-ABNA");
}

TEST(Iban, IsInSepaOrNot)
{
    EXPECT_TRUE(is_in_sepa("NL91ABNA0417164300"));
    EXPECT_TRUE(is_in_sepa("GB29NWBK60161331926819"));
    EXPECT_FALSE(is_in_sepa("TR330006100519786457841326"));
    EXPECT_FALSE(is_in_sepa("L"));
    EXPECT_FALSE(is_in_sepa("L N"));
    EXPECT_FALSE(is_in_sepa(" N"));
}

TEST(Bic, Form)
{
    EXPECT_TRUE(is_bic("ABNANL2A"));
    EXPECT_TRUE(is_bic("DEUTDEFF500"));
    EXPECT_FALSE(is_bic("ABNANL2"));
    EXPECT_FALSE(is_bic("ABNANL2AX"));
    EXPECT_FALSE(is_bic("ABNA1L2A"));
    EXPECT_FALSE(is_bic("abnanl2a"));
    EXPECT_FALSE(is_bic(""));
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
