// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the vectors of tests/data/wire, and the checks that every codec shares.
#pragma once

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::test {

using Buffer = std::vector<std::uint8_t>;

inline Buffer vector_of(const std::string& name) {
    std::ifstream file(std::string(DYETRACE_TEST_DATA_DIR) + "/wire/" + name + ".hex");
    EXPECT_TRUE(file) << name;
    Buffer bytes;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        for (unsigned byte = 0; words >> std::hex >> byte;)
            bytes.push_back(static_cast<std::uint8_t>(byte));
    }
    EXPECT_FALSE(bytes.empty()) << name;
    return bytes;
}

/// A copy in a block of exactly its size, so that the address sanitizer sees a read past the end.
inline Buffer first_of(const Buffer& bytes, std::size_t size) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

inline Buffer random_bytes(Random& random, std::size_t size) {
    Buffer bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random.next());
    return bytes;
}

/// `bytes` read as `expected`, which is written so, and no other length is accepted.
template <class Body>
void expect_body(const Buffer& bytes, const Body& expected) {
    const auto parsed = Body::parse(bytes);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, expected);
    Buffer encoded(bytes.size(), 0xee);
    expected.encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
    for (std::size_t size = 0; size < bytes.size() + 8; ++size) {
        if (size == bytes.size()) continue;
        Buffer other = bytes;
        other.resize(size);
        const auto refused = Body::parse(first_of(other, size));
        ASSERT_FALSE(refused.ok()) << size;
        EXPECT_EQ(refused.error(), wire::DropReason::ControlBadLength) << size;
    }
}

/// The same of the vector of a body of fixed size.
template <class Body>
void expect_fixed_body(const std::string& name, const Body& expected) {
    SCOPED_TRACE(name);
    const Buffer bytes = vector_of(name);
    ASSERT_EQ(bytes.size(), Body::kSize);
    expect_body(bytes, expected);
}

/// Bytes that are reserved: whatever they hold, the vector reads the same.
template <class Body>
void expect_ignored(const std::string& name,
                    std::initializer_list<std::pair<std::size_t, std::size_t>> ranges) {
    const Buffer bytes = vector_of(name);
    const auto expected = Body::parse(bytes);
    ASSERT_TRUE(expected.ok());
    for (const auto& [from, to] : ranges) {
        for (std::size_t at = from; at < to; ++at) {
            Buffer changed = bytes;
            changed[at] = 0xff;
            const auto parsed = Body::parse(changed);
            ASSERT_TRUE(parsed.ok()) << name << " byte " << at;
            EXPECT_EQ(*parsed, *expected) << name << " byte " << at;
        }
    }
}

/// The vector with some bytes changed is refused for a field out of range.
template <class Body>
void expect_bad_field(const std::string& name, std::size_t at, const Buffer& value) {
    Buffer bytes = vector_of(name);
    std::copy(value.begin(), value.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    const auto parsed = Body::parse(bytes);
    ASSERT_FALSE(parsed.ok()) << name << " byte " << at;
    EXPECT_EQ(parsed.error(), wire::DropReason::ControlBadField) << name << " byte " << at;
}

}  // namespace dyetrace::test
