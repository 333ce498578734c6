#include "opaque_ids.hpp"

#include <algorithm>
#include <new>

#include <openssl/evp.h>

#include "ledger/invariant.hpp"

namespace pointhouse::gateway {
namespace {

constexpr std::size_t block_bytes = 16;
constexpr std::size_t blocks_max = OpaqueIds::at_once_max;
constexpr std::uint16_t shard = 1; // the embedded default has one
constexpr std::uint8_t check = 0x5A;

using Block = std::array<std::uint8_t, block_bytes>;

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr auto values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t index = 0; index < alphabet.size(); ++index)
        table[static_cast<std::uint8_t>(alphabet[index])] = static_cast<std::int8_t>(index);
    return table;
}();

char prefix_of(OpaqueKind kind)
{
    switch (kind) {
    case OpaqueKind::posting: return 'p';
    case OpaqueKind::lot: return 'l';
    case OpaqueKind::cursor: return 'c';
    case OpaqueKind::hold: return 'h';
    case OpaqueKind::member: return 'm';
    }
    return '?';
}

void put(std::uint8_t* at, std::uint64_t number, int bytes)
{
    for (int index = bytes - 1; index >= 0; --index, number >>= 8)
        at[index] = static_cast<std::uint8_t>(number);
}

std::uint64_t get(const std::uint8_t* at, int bytes)
{
    std::uint64_t number = 0;
    for (int index = 0; index < bytes; ++index) number = number << 8 | at[index];
    return number;
}

// kind 1, partner 3, shard 2, sequence 7, position 2, check 1: 16 bytes, big endian.
void put_block(std::uint8_t* block, const OpaqueSubject& subject)
{
    ledger::invariant(subject.partner.value() < 1U << 24, "a partner's number fits an opaque id");
    ledger::invariant(subject.sequence.value() < 1ULL << 56, "a sequence fits an opaque id");
    block[0] = static_cast<std::uint8_t>(subject.kind);
    put(block + 1, subject.partner.value(), 3);
    put(block + 4, shard, 2);
    put(block + 6, subject.sequence.value(), 7);
    put(block + 13, subject.position, 2);
    block[15] = check;
}

// 16 bytes are 21 characters of six bits and one of two.
void write_base64(const std::uint8_t* block, char* out)
{
    for (int triple = 0; triple < 5; ++triple, block += 3, out += 4) {
        const auto bits = static_cast<std::uint32_t>(get(block, 3));
        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[bits >> 12 & 63];
        out[2] = alphabet[bits >> 6 & 63];
        out[3] = alphabet[bits & 63];
    }
    out[0] = alphabet[*block >> 2];
    out[1] = alphabet[static_cast<std::size_t>(*block & 3) << 4];
}

bool read_base64(std::string_view text, Block& block)
{
    std::uint32_t bits = 0;
    int held = 0;
    std::size_t filled = 0;
    for (const char character : text) {
        const auto value = values[static_cast<std::uint8_t>(character)];
        if (value < 0) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held < 8 || filled == block.size()) continue;
        held -= 8;
        block[filled++] = static_cast<std::uint8_t>(bits >> held);
    }
    return filled == block.size() && (bits & 15) == 0; // one spelling for each id
}

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

} // namespace

struct OpaqueIds::Ciphers {
    std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> encrypt{EVP_CIPHER_CTX_new()};
    std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> decrypt{EVP_CIPHER_CTX_new()};
};

OpaqueIds::OpaqueIds(const OpaqueKey& key) : ciphers_{std::make_unique<Ciphers>()}
{
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(key.data());
    if (!ciphers_->encrypt || !ciphers_->decrypt) throw std::bad_alloc{};
    // Single blocks that differ by construction: ECB is a permutation of them, which is what we
    // want.
    const bool ready =
        EVP_EncryptInit_ex(ciphers_->encrypt.get(), EVP_aes_128_ecb(), nullptr, bytes, nullptr) ==
            1 &&
        EVP_DecryptInit_ex(ciphers_->decrypt.get(), EVP_aes_128_ecb(), nullptr, bytes, nullptr) ==
            1 &&
        EVP_CIPHER_CTX_set_padding(ciphers_->encrypt.get(), 0) == 1 &&
        EVP_CIPHER_CTX_set_padding(ciphers_->decrypt.get(), 0) == 1;
    ledger::invariant(ready, "AES-128 is available");
}

OpaqueIds::~OpaqueIds() = default;

void OpaqueIds::encode(std::span<const OpaqueSubject> subjects, std::span<OpaqueId> ids)
{
    ledger::invariant(
        subjects.size() == ids.size() && subjects.size() <= blocks_max,
        "opaque ids are encoded a bounded number at once");
    std::array<std::uint8_t, blocks_max * block_bytes>
        blocks; // NOLINT: filled as far as it is used
    for (std::size_t index = 0; index < subjects.size(); ++index)
        put_block(&blocks[index * block_bytes], subjects[index]);

    const int bytes = static_cast<int>(subjects.size() * block_bytes);
    int written = 0;
    const bool done =
        EVP_EncryptUpdate(ciphers_->encrypt.get(), blocks.data(), &written, blocks.data(), bytes) ==
        1;
    ledger::invariant(done && written == bytes, "AES encrypts whole blocks");

    for (std::size_t index = 0; index < subjects.size(); ++index) {
        char* const out = ids[index].characters_.data();
        out[0] = prefix_of(subjects[index].kind);
        out[1] = '_';
        write_base64(&blocks[index * block_bytes], out + 2);
    }
}

OpaqueId OpaqueIds::encode(const OpaqueSubject& subject)
{
    OpaqueId id;
    encode({&subject, 1}, {&id, 1});
    return id;
}

std::optional<OpaqueSubject> OpaqueIds::decode(
    std::string_view text, OpaqueKind kind, ledger::PartnerId partner)
{
    if (text.size() != 24 || text[0] != prefix_of(kind) || text[1] != '_') return std::nullopt;
    Block block{};
    if (!read_base64(text.substr(2), block)) return std::nullopt;

    int written = 0;
    const bool done =
        EVP_DecryptUpdate(
            ciphers_->decrypt.get(), block.data(), &written, block.data(), block_bytes) == 1;
    ledger::invariant(done && written == block_bytes, "AES decrypts whole blocks");

    const OpaqueSubject subject{
        .kind = kind,
        .partner = partner,
        .sequence = ledger::Sequence{get(&block[6], 7)},
        .position = static_cast<std::uint16_t>(get(&block[13], 2))};
    Block expected{};
    put_block(expected.data(), subject);
    if (block != expected) return std::nullopt;
    return subject;
}

} // namespace pointhouse::gateway
