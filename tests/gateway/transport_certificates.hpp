#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace pointhouse::gateway::testing {

/// A throw-away CA in a folder of its own, and the certificates that it signs. Removed at the end.
class TestCa {
public:
    TestCa();
    TestCa(const TestCa&) = delete;
    TestCa& operator=(const TestCa&) = delete;
    ~TestCa();

    struct Identity {
        std::string certificate_file;
        std::string key_file;
        std::string serial; // hexadecimal, lower case
    };

    /// A P-256 certificate with the URI SAN `urn:pointhouse:<subject>`, valid until `ends` from
    /// now.
    [[nodiscard]] Identity issue(
        const std::string& subject, std::chrono::seconds ends = std::chrono::hours{24});

    [[nodiscard]] std::string ca_file() const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
    std::filesystem::path folder_;
    struct Signer;
    std::unique_ptr<Signer> signer_;
    long last_serial_ = 0x1000;
};

} // namespace pointhouse::gateway::testing
