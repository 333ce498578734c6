#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace pointhouse::ledger {

/// Writes the journal's primitives at a pointer: little-endian integers, LEB128 varints, zigzag for
/// signed ones. The caller makes room first; a varint takes at most ten bytes.
class ByteWriter {
public:
    explicit ByteWriter(std::byte* at) : at_{at} {}

    void u8(std::uint8_t value) { *at_++ = std::byte{value}; }
    void varint(std::uint64_t value)
    {
        while (value >= 0x80) {
            u8(static_cast<std::uint8_t>(value | 0x80));
            value >>= 7;
        }
        u8(static_cast<std::uint8_t>(value));
    }
    void zigzag(std::int64_t value)
    {
        varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    template <class Integer>
    void fixed(Integer value)
    {
        std::memcpy(at_, &value, sizeof value); // the machines we run on are little-endian
        at_ += sizeof value;
    }
    void bytes(std::span<const std::byte> value)
    {
        if (!value.empty()) std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }
    [[nodiscard]] std::byte* at() const { return at_; }

private:
    std::byte* at_;
};

/// Reads them back. A read beyond the end, or a varint that is too long, makes the reader failed
/// for good and yields zeros: check `ok()` once, at the end.
class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) : rest_{bytes} {}

    [[nodiscard]] bool ok() const { return !failed_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

    std::uint8_t u8()
    {
        if (rest_.empty()) return fail(), std::uint8_t{0};
        const auto value = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return value;
    }
    std::uint64_t varint()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t byte = u8();
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return shift == 63 && byte > 1 ? (fail(), 0) : value;
        }
        return fail(), 0;
    }
    std::int64_t zigzag()
    {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
    }
    template <class Integer>
    Integer fixed()
    {
        Integer value{};
        const auto raw = bytes(sizeof value);
        if (raw.size() == sizeof value) std::memcpy(&value, raw.data(), sizeof value);
        return value;
    }
    std::span<const std::byte> bytes(std::size_t size)
    {
        if (size > rest_.size()) return fail(), std::span<const std::byte>{};
        const auto taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }
    std::string_view text(std::size_t size)
    {
        const auto taken = bytes(size);
        return {reinterpret_cast<const char*>(taken.data()), taken.size()};
    }
    /// For a caller that sees a value out of its range.
    void fail()
    {
        failed_ = true;
        rest_ = {};
    }

private:
    std::span<const std::byte> rest_;
    bool failed_ = false;
};

} // namespace pointhouse::ledger
