// SPDX-License-Identifier: GPL-2.0-or-later
// Big-endian reads and writes on bounded views (network byte order, RFC 1700 "Data Notations").
//
// A codec checks the length once at its door; after that these accessors cannot fail. Their assertions stay
// on and cost a compare each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/result.h"

namespace dyetrace {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

constexpr std::uint16_t load_u16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
constexpr std::uint32_t load_u32(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(load_u16(p)) << 16 | load_u16(p + 2);
}
constexpr std::uint64_t load_u64(const std::uint8_t* p) {
    return static_cast<std::uint64_t>(load_u32(p)) << 32 | load_u32(p + 4);
}
inline void store_u16(std::uint8_t* p, std::uint16_t v) {
    p[0] = static_cast<std::uint8_t>(v >> 8);
    p[1] = static_cast<std::uint8_t>(v);
}
inline void store_u32(std::uint8_t* p, std::uint32_t v) {
    store_u16(p, static_cast<std::uint16_t>(v >> 16));
    store_u16(p + 2, static_cast<std::uint16_t>(v));
}
inline void store_u64(std::uint8_t* p, std::uint64_t v) {
    store_u32(p, static_cast<std::uint32_t>(v >> 32));
    store_u32(p + 4, static_cast<std::uint32_t>(v));
}

/// Reads fields in order. Ask `has(n)` before a run of reads whose length the input decides.
class ByteReader {
  public:
    explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }
    [[nodiscard]] bool has(std::size_t n) const { return remaining() >= n; }
    std::uint8_t u8() { return *take(1); }
    std::uint16_t u16() { return load_u16(take(2)); }
    std::uint32_t u32() { return load_u32(take(4)); }
    std::uint64_t u64() { return load_u64(take(8)); }
    std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
    Bytes bytes(std::size_t n) { return {take(n), n}; }
    void skip(std::size_t n) { take(n); }

  private:
    const std::uint8_t* take(std::size_t n) {
        DYETRACE_ASSERT(has(n));
        const std::uint8_t* p = bytes_.data() + position_;
        position_ += n;
        return p;
    }

    Bytes bytes_;
    std::size_t position_ = 0;
};

/// Writes fields in order into a view that the caller made large enough (`encoded_size`).
class ByteWriter {
  public:
    explicit ByteWriter(MutableBytes bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t written() const { return position_; }
    [[nodiscard]] std::size_t room() const { return bytes_.size() - position_; }
    void u8(std::uint8_t v) { *take(1) = v; }
    void u16(std::uint16_t v) { store_u16(take(2), v); }
    void u32(std::uint32_t v) { store_u32(take(4), v); }
    void u64(std::uint64_t v) { store_u64(take(8), v); }
    void i64(std::int64_t v) { u64(static_cast<std::uint64_t>(v)); }
    void bytes(Bytes b) {
        if (!b.empty()) std::memcpy(take(b.size()), b.data(), b.size());
    }
    void zeros(std::size_t n) { std::memset(take(n), 0, n); }

  private:
    std::uint8_t* take(std::size_t n) {
        DYETRACE_ASSERT(room() >= n);
        std::uint8_t* p = bytes_.data() + position_;
        position_ += n;
        return p;
    }

    MutableBytes bytes_;
    std::size_t position_ = 0;
};

}  // namespace dyetrace
