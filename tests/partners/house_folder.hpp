#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <stdlib.h> // mkdtemp
#include <string>

#include <gtest/gtest.h>

#include "ledger/house_record.hpp"
#include "partners/registry.hpp"
#include "store/sqlite_store.hpp"

namespace pointhouse::partners {

/// A house's record in a folder of its own, removed at the end.
class HouseFolder {
public:
    HouseFolder()
    {
        std::string name =
            (std::filesystem::temp_directory_path() / "partners_test_XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        path_ = name;
        store_ = ledger::open_sqlite_store(path_ / "house.db");
    }
    ~HouseFolder()
    {
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    HouseFolder(const HouseFolder&) = delete;
    HouseFolder& operator=(const HouseFolder&) = delete;

    [[nodiscard]] ledger::Store& store() { return *store_; }

private:
    std::filesystem::path path_;
    std::unique_ptr<ledger::Store> store_;
};

/// A registry on an empty record.
class EmptyHouse : public ::testing::Test {
protected:
    static constexpr Registry::Act act_{
        .actor = "anna", .at = ledger::Time{std::chrono::sys_days{std::chrono::June / 1 / 2026}}};

    HouseFolder folder_;
    ledger::HouseRecord record_{folder_.store()};
    Registry registry_{record_};
};

/// A sandbox in euros and Amsterdam time, without partners.
class FoundedHouse : public EmptyHouse {
protected:
    void SetUp() override
    {
        const auto founded = registry_.found(
            {.currency = "EUR", .time_zone = "Europe/Amsterdam", .face_value = "0.01"}, act_);
        ASSERT_TRUE(founded) << founded.error().reason;
    }
};

/// All that the terms say, in text, so that two can be compared and a difference be read.
[[nodiscard]] std::string text_of(const ledger::Terms& terms);
/// All that the registry says but its terms at earlier entries.
[[nodiscard]] std::string text_of(const Registry& registry);

} // namespace pointhouse::partners
