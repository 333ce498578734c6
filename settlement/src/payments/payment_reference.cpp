#include "payment_reference.hpp"

#include "settlement/bank_matching.hpp"
#include "settlement/sepa_rules.hpp"

namespace pointhouse::settlement {
namespace {

bool is_letter_or_digit(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9');
}

/// Whether a word goes on at `place`, seen in the direction of `step`.
bool goes_on(std::string_view text, std::size_t place, std::size_t step)
{
    if (place >= text.size()) return false;
    if (is_letter_or_digit(text[place])) return true;
    const std::size_t next = place + step;
    // Partners' ids have dots, and so has what stands for ids that no reference carries.
    const bool joins = text[place] == '-' || (text[place] == '.' && step == 1);
    return joins && next < text.size() && is_letter_or_digit(text[next]);
}

bool is_word_of(std::string_view text, std::string_view word)
{
    constexpr auto backwards = static_cast<std::size_t>(-1);
    for (std::size_t place = text.find(word); place != std::string_view::npos;
         place = text.find(word, place + 1)) {
        if (!goes_on(text, place - 1, backwards) && !goes_on(text, place + word.size(), 1))
            return true;
    }
    return false;
}

} // namespace

std::string comparable(std::string_view text)
{
    std::string capitals = sepa_text(text);
    for (char& character : capitals)
        if (character >= 'a' && character <= 'z')
            character = static_cast<char>(character - 'a' + 'A');
    return capitals;
}

RowTexts texts_of(const BankRow& row)
{
    return {
        .end_to_end_id = comparable(row.end_to_end_id),
        .creditor_reference = comparable(row.creditor_reference),
        .remittance = comparable(row.remittance)};
}

bool names(const RowTexts& texts, std::string_view reference)
{
    if (reference.empty()) return false;
    if (reference == texts.end_to_end_id || reference == texts.creditor_reference) return true;
    return reference.size() >= text_reference_min && is_word_of(texts.remittance, reference);
}

} // namespace pointhouse::settlement
