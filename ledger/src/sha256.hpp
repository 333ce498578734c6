#pragma once

#include <cstddef>
#include <span>

#include "ledger/posting.hpp"

struct evp_md_st;
struct evp_md_ctx_st;

namespace pointhouse::ledger {

/// SHA-256 over OpenSSL, with the algorithm fetched once: reuse one object for many digests.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void update(std::span<const std::byte> bytes);
    /// The digest of all updates since the last finish.
    [[nodiscard]] Digest finish();

    [[nodiscard]] Digest of(std::span<const std::byte> bytes);

private:
    evp_md_st* algorithm_;
    evp_md_ctx_st* context_;
};

/// HMAC-SHA-256 of one short text, e.g. a member's identifier.
[[nodiscard]] Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> text);

} // namespace pointhouse::ledger
