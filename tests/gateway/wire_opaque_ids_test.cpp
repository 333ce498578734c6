#include <random>
#include <set>

#include <gtest/gtest.h>

#include "opaque_ids.hpp"
#include "wire_house.hpp"

namespace pointhouse::gateway {
namespace {

OpaqueSubject lot_of(ledger::PartnerId partner)
{
    return {
        .kind = OpaqueKind::lot,
        .partner = partner,
        .sequence = ledger::Sequence{17},
        .position = 3};
}

TEST(OpaqueIds, ComeBackToTheirPartnerAlone)
{
    OpaqueIds ids{wire_key()};
    const auto subject = lot_of(grocer);
    const OpaqueId id = ids.encode(subject);

    EXPECT_EQ(ids.decode(id.text(), OpaqueKind::lot, grocer), subject);
    EXPECT_EQ(ids.decode(id.text(), OpaqueKind::lot, bookshop), std::nullopt);
    EXPECT_EQ(ids.decode(id.text(), OpaqueKind::lot, {}), std::nullopt);
    EXPECT_EQ(ids.decode(id.text(), OpaqueKind::posting, grocer), std::nullopt);
    EXPECT_EQ(ids.decode(id.text(), OpaqueKind::cursor, grocer), std::nullopt);
    auto other = wire_key();
    other[0] ^= std::byte{1};
    EXPECT_EQ(OpaqueIds{other}.decode(id.text(), OpaqueKind::lot, grocer), std::nullopt);
}

TEST(OpaqueIds, DifferByPartnerKindSequenceAndPosition)
{
    OpaqueIds ids{wire_key()};
    std::set<std::string> seen;
    for (const auto kind : {OpaqueKind::posting, OpaqueKind::lot, OpaqueKind::cursor})
        for (std::uint32_t partner = 0; partner < 3; ++partner)
            for (std::uint64_t sequence = 1; sequence < 50; ++sequence)
                for (std::uint16_t position = 0; position < 2; ++position)
                    // Without the prefix, which says the kind.
                    seen.emplace(ids.encode({.kind = kind,
                                             .partner = ledger::PartnerId{partner},
                                             .sequence = ledger::Sequence{sequence},
                                             .position = position})
                                     .text()
                                     .substr(2));
    EXPECT_EQ(seen.size(), 3U * 3 * 49 * 2);
}

TEST(OpaqueIds, RefuseEveryChangedCharacter)
{
    OpaqueIds ids{wire_key()};
    const std::string good{ids.encode(lot_of(grocer)).text()};
    ASSERT_EQ(good.size(), 24U);
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string bad = good;
            bad[at] = static_cast<char>(byte);
            if (bad == good) continue;
            EXPECT_EQ(ids.decode(bad, OpaqueKind::lot, grocer), std::nullopt) << bad;
        }
    }
    for (const std::string& bad :
         {std::string{}, good.substr(0, 23), good + "A", good.substr(2), "l_" + good})
        EXPECT_EQ(ids.decode(bad, OpaqueKind::lot, grocer), std::nullopt) << bad;
}

TEST(OpaqueIds, RandomSubjectsComeBack)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    OpaqueIds ids{wire_key()};
    std::vector<OpaqueSubject> subjects;
    for (int index = 0; index < 64; ++index)
        subjects.push_back(
            {.kind = OpaqueKind::posting,
             .partner = ledger::PartnerId{static_cast<std::uint32_t>(random() >> 40)},
             .sequence = ledger::Sequence{random() >> 8},
             .position = static_cast<std::uint16_t>(random())});
    std::vector<OpaqueId> encoded(subjects.size());

    ids.encode(subjects, encoded);

    for (std::size_t index = 0; index < subjects.size(); ++index) {
        const auto& subject = subjects[index];
        EXPECT_EQ(encoded[index].text(), ids.encode(subject).text());
        EXPECT_EQ(ids.decode(encoded[index].text(), OpaqueKind::posting, subject.partner), subject);
    }
}

} // namespace
} // namespace pointhouse::gateway
