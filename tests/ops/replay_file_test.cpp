#include "replay_file.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>
#include <zlib.h>

#include <gtest/gtest.h>

namespace pointhouse::ops {
namespace {

constexpr auto good_line =
    "2016-04-01T12:00:00Z,bcc-0018,bp,bcc-201604-00054,6949,GBP,purchase,pos,vehicle-fuel";

std::string fault_of(std::string_view line)
{
    try {
        (void)parse_purchase_row(line);
    } catch (const FileFault& fault) {
        return fault.what();
    }
    return "";
}

/// A file under the temporary folder that goes with the test.
class ReplayFile : public testing::Test {
protected:
    ReplayFile()
        : path_{
              std::filesystem::temp_directory_path() /
              ("replay_file_test_" + std::to_string(::getpid()) + ".csv")}
    {}
    ~ReplayFile() override { std::filesystem::remove(path_); }

    void write(const std::string& content) const { std::ofstream{path_} << content; }

    std::vector<PurchaseRow> read() const
    {
        std::vector<PurchaseRow> rows;
        for_each_purchase_row(path_, [&](PurchaseRow&& row) { rows.push_back(std::move(row)); });
        return rows;
    }

    std::string fault() const
    {
        try {
            (void)read();
        } catch (const FileFault& fault) {
            return fault.what();
        }
        return "";
    }

    std::filesystem::path path_;
};

TEST(PurchaseRow, ReadsEveryField)
{
    const auto row = parse_purchase_row(good_line);

    EXPECT_EQ(row.occurred_at, ledger::parse_time("2016-04-01T12:00:00Z"));
    EXPECT_EQ(row.member, "bcc-0018");
    EXPECT_EQ(row.partner, "bp");
    EXPECT_EQ(row.basket, "bcc-201604-00054");
    EXPECT_EQ(row.amount_minor, 6949);
    EXPECT_EQ(row.currency, "GBP");
    EXPECT_EQ(row.kind, RowKind::purchase);
    EXPECT_EQ(row.channel, "pos");
    EXPECT_EQ(row.category, "vehicle-fuel");
}

TEST(PurchaseRow, ReadsQuotedFields)
{
    const auto row = parse_purchase_row(
        R"(2016-04-01T12:00:00Z,m,p,b,-1,GBP,return,"till 3, left","""fresh""")");

    EXPECT_EQ(row.kind, RowKind::goods_return);
    EXPECT_EQ(row.channel, "till 3, left");
    EXPECT_EQ(row.category, R"("fresh")");
}

TEST(PurchaseRow, RefusesWhatIsNotInTheForm)
{
    const std::vector<std::pair<std::string, std::string>> faults{
        {"", "there are 1 fields, not 9"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,purchase,c", "there are 8 fields"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,purchase,c,d,e", "more than 9 fields"},
        {"2016-04-31T12:00:00Z,m,p,b,1,GBP,purchase,c,d", "occurred_at '2016-04-31"},
        {"2016-04-01,m,p,b,1,GBP,purchase,c,d", "occurred_at '2016-04-01'"},
        {"2016-04-01T12:00:00Z,,p,b,1,GBP,purchase,c,d", "member ''"},
        {"2016-04-01T12:00:00Z,m m,p,b,1,GBP,purchase,c,d", "member 'm m'"},
        {"2016-04-01T12:00:00Z,m,../p,b,1,GBP,purchase,c,d", "partner '../p'"},
        {"2016-04-01T12:00:00Z,m,..,b,1,GBP,purchase,c,d", "partner '..'"},
        {"2016-04-01T12:00:00Z,m,p,,1,GBP,purchase,c,d", "basket is missing"},
        {"2016-04-01T12:00:00Z,m,p,b,1.5,GBP,purchase,c,d", "amount_minor '1.5'"},
        {"2016-04-01T12:00:00Z,m,p,b,+1,GBP,purchase,c,d", "amount_minor '+1'"},
        {"2016-04-01T12:00:00Z,m,p,b,,GBP,purchase,c,d", "amount_minor ''"},
        {"2016-04-01T12:00:00Z,m,p,b,9223372036854775808,GBP,purchase,c,d", "amount_minor '9"},
        {"2016-04-01T12:00:00Z,m,p,b,-9223372036854775808,GBP,return,c,d", "amount_minor '-9"},
        {"2016-04-01T12:00:00Z,m,p,b,-1,GBP,purchase,c,d", "purchase has an amount below zero"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,return,c,d", "return has an amount"},
        {"2016-04-01T12:00:00Z,m,p,b,0,GBP,return,c,d", "return has an amount"},
        {"2016-04-01T12:00:00Z,m,p,b,0,GBP,redemption,c,d", "redemption has the amount zero"},
        {"2016-04-01T12:00:00Z,m,p,b,1,gbp,purchase,c,d", "currency 'gbp'"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,sale,c,d", "kind 'sale'"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,purchase,\"c,d", "quoted field has no end"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,purchase,\"c\"x,d", "more than a comma"},
        {"2016-04-01T12:00:00Z,m,p,b,1,GBP,purchase,c\x01,d", "control character"},
        {"2016-04-01T12:00:00Z,m,p," + std::string(101, 'b') + ",1,GBP,purchase,c,d", "longer"},
    };
    for (const auto& [line, reason] : faults) {
        EXPECT_NE(fault_of(line).find(reason), std::string::npos) << line << "\n" << fault_of(line);
    }
}

TEST_F(ReplayFile, ReadsLinesWithEitherEndAndALastOneWithout)
{
    write(std::string{purchases_header} + "\r\n" + good_line + "\r\n" + good_line);

    EXPECT_EQ(read().size(), 2U);
}

TEST_F(ReplayFile, NamesTheLineOfAFault)
{
    write(std::string{purchases_header} + "\n" + good_line + "\nnonsense\n");

    EXPECT_NE(fault().find(": line 3: there are 1 fields"), std::string::npos) << fault();
}

TEST_F(ReplayFile, RefusesAnotherHeader)
{
    write(std::string{"member,occurred_at\n"} + good_line);
    EXPECT_NE(fault().find(": line 1: the header is not occurred_at,"), std::string::npos);

    write("");
    EXPECT_NE(fault().find("line 1: the file is empty"), std::string::npos);
    write(std::string{purchases_header} + "\n");
    EXPECT_NE(fault().find("line 2: no purchase follows the header"), std::string::npos);
}

TEST_F(ReplayFile, RefusesALineThatIsTooLong)
{
    write(std::string{purchases_header} + "\n" + std::string(10'000, 'x') + "\n");

    EXPECT_NE(fault().find("line 2: the line is longer than"), std::string::npos) << fault();
}

TEST_F(ReplayFile, RefusesAMissingFile)
{
    EXPECT_NE(fault().find("cannot be opened"), std::string::npos) << fault();
}

TEST_F(ReplayFile, RefusesGzipDataThatAreCutShort)
{
    gzFile file = ::gzopen(path_.c_str(), "wb");
    ::gzprintf(file, "%s\n", std::string{purchases_header}.c_str());
    for (int i = 0; i < 1000; ++i) ::gzprintf(file, "%s%d\n", good_line, i);
    ::gzclose(file);
    EXPECT_EQ(read().size(), 1000U);

    std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);

    EXPECT_NE(fault().find("in the middle of its gzip data"), std::string::npos) << fault();
}

TEST_F(ReplayFile, RefusesABrokenGzip)
{
    gzFile file = ::gzopen(path_.c_str(), "wb");
    ::gzprintf(file, "%s\n%s\n", std::string{purchases_header}.c_str(), good_line);
    ::gzclose(file);
    std::fstream broken{path_};
    broken.seekp(40).put('\x55').put('\x55');
    broken.close();

    EXPECT_FALSE(fault().empty());
}

} // namespace
} // namespace pointhouse::ops
