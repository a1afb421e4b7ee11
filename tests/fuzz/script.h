// SPDX-License-Identifier: GPL-2.0-or-later
// A fuzzer's input as a script; past its end everything is zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"

namespace dyetrace::test {

class Script {
  public:
    explicit Script(Bytes bytes) : bytes_(bytes) {}
    [[nodiscard]] bool done() const { return bytes_.empty(); }
    std::uint8_t u8() {
        if (bytes_.empty()) return 0;
        const std::uint8_t value = bytes_[0];
        bytes_ = bytes_.subspan(1);
        return value;
    }
    std::uint16_t u16() {
        const std::uint8_t high = u8();
        return static_cast<std::uint16_t>(high << 8 | u8());
    }
    /// The next `most` bytes, or as many as are left.
    std::vector<std::uint8_t> take(std::size_t most) {
        const std::size_t size = std::min(most, bytes_.size());
        std::vector<std::uint8_t> taken(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
        bytes_ = bytes_.subspan(size);
        return taken;
    }

  private:
    Bytes bytes_;
};

}  // namespace dyetrace::test
