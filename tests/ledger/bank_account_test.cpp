#include "ledger/bank_account.hpp"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace pointhouse::ledger {
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

} // namespace
} // namespace pointhouse::ledger
