#include "settlement/rendering.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/resource.h>
#include <system_error>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "golden.hpp"
#include "random_documents.hpp"
#include "settlement/document_json.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::settlement {
namespace {

std::string contents(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// A folder of its own, gone at the end.
class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "documents.XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

TEST(SettlementJson, OfTheWorkedMonth)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();

    expect_golden("june-2026.json", settlement_json(settlement) + '\n');
}

TEST(SettlementJson, HasTheKeysOfTheContract)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();

    const boost::json::object shown = boost::json::parse(settlement_json(settlement)).as_object();

    const boost::json::object& grocer = shown.at("partners").at(0).as_object();
    const std::vector<std::string_view> keys{
        "partner",
        "opening",
        "issued",
        "redeemed_here",
        "own_redeemed_anywhere",
        "refunded",
        "donated",
        "clawed_back",
        "recovered_given",
        "recovered_received",
        "expired",
        "closing",
        "debt",
        "net_minor",
        "currency",
    };
    ASSERT_EQ(grocer.size(), keys.size());
    for (const std::string_view key : keys) EXPECT_TRUE(grocer.contains(key)) << key;
    EXPECT_EQ(grocer.at("net_minor"), -140);
    for (const char* key :
         {"number", "type", "payer", "payee", "net_minor", "vat_minor", "total_minor", "lines"})
        EXPECT_TRUE(shown.at("documents").at(0).as_object().contains(key)) << key;
    EXPECT_EQ(shown.at("window").at("id"), "2026-06");
    EXPECT_EQ(shown.at("window").at("state"), "closed");
    EXPECT_EQ(shown.at("window").at("from"), "2026-05-31T22:00:00Z");
    EXPECT_EQ(
        shown.at("trial_balance").at("money_micro").at("EUR").at("debits"),
        shown.at("trial_balance").at("money_micro").at("EUR").at("credits"));
    EXPECT_EQ(shown.at("flows").as_array().size(), 5);
}

TEST(SettlementJson, OfAWindowWithoutMovement)
{
    June june{VatMode::all_flows};
    june.coalition.close_window();

    expect_golden(
        "june-2026-without-movement.json", settlement_json(june.coalition.settled()) + '\n');
}

/// The worked month's documents under numbers.
std::vector<Document> issued_documents()
{
    std::vector<Document> documents = drafts_of(june_with_expiry(VatMode::all_flows));
    for (std::size_t index = 0; index < documents.size(); ++index)
        documents[index].number = "INV-2026-00000" + std::to_string(index + 1);
    return documents;
}

TEST(WriteDocuments, WritesEachInItsForms)
{
    const TemporaryFolder folder;
    const std::vector<Document> documents = issued_documents();

    const auto paths = write_documents(folder.path() / "out" / "2026-06", documents);

    ASSERT_EQ(paths.size(), documents.size() * 4 - 1) << "a payment statement has no XML";
    EXPECT_EQ(paths.front().filename(), "INV-2026-000001.xml");
    EXPECT_EQ(contents(paths.at(0)), ubl_xml(documents[0]));
    EXPECT_TRUE(contents(paths.at(1)).starts_with("%PDF-"));
    EXPECT_EQ(contents(paths.at(2)), document_csv(documents[0]));
    EXPECT_EQ(contents(paths.at(3)), document_json(documents[0]) + '\n');
    EXPECT_EQ(paths.at(paths.size() - 3).filename(), "INV-2026-000007.pdf");
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator{folder.path() / "out" / "2026-06"}) {
        EXPECT_NE(entry.path().extension(), ".part");
        ++files;
    }
    EXPECT_EQ(files, paths.size());
}

TEST(WriteDocuments, WritesTheSameBytesAgain)
{
    const TemporaryFolder folder;
    const auto paths = write_documents(folder.path(), issued_documents());
    std::vector<std::string> first;
    for (const auto& path : paths) first.push_back(contents(path));

    EXPECT_EQ(write_documents(folder.path(), issued_documents()), paths);

    for (std::size_t index = 0; index < paths.size(); ++index)
        EXPECT_EQ(contents(paths[index]), first[index]) << paths[index];
}

TEST(WriteDocuments, RefusesANumberThatIsNoFileName)
{
    const TemporaryFolder folder;
    std::vector<Document> documents = issued_documents();
    documents.back().number = "../x";

    EXPECT_THROW(write_documents(folder.path(), documents), std::system_error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(WriteDocuments, SaysWhichFileItCouldNotWrite)
{
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "INV-2026-000001.csv.part");

    try {
        write_documents(folder.path(), issued_documents());
        FAIL() << "a folder stood in the way";
    } catch (const std::system_error& failure) {
        EXPECT_NE(std::string{failure.what()}.find("INV-2026-000001.csv"), std::string::npos);
    }
}

TEST(WriteDocuments, LeavesNoPartOfAFileThatDoesNotFit)
{
    const TemporaryFolder folder;
    const auto paths = write_documents(folder.path(), issued_documents());
    const auto pdf = paths.at(1);
    const auto whole = contents(pdf);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = whole.size() - 1, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    std::string reason;
    try {
        write_documents(folder.path(), issued_documents());
    } catch (const std::system_error& failure) {
        reason = failure.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(reason, "cannot write " + pdf.string() + ": File too large");
    EXPECT_FALSE(std::filesystem::exists(pdf.string() + ".part"));
    EXPECT_EQ(contents(pdf), whole) << "what was there before stays";
    EXPECT_EQ(write_documents(folder.path(), issued_documents()), paths) << "a rerun completes";
}

} // namespace
} // namespace pointhouse::settlement
