// SPDX-License-Identifier: GPL-2.0-or-later
// A fingerprint of state, so that a search over states knows one that it has seen before, and a test that
// nothing has changed. Not for secrets, and never sent: it differs between versions.
//
// Each class says in `digest_into`, beside its fields, what decides its future. Left out is what decides
// nothing (statistics) and what its owner set once (configuration).
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/time.h"

namespace dyetrace {

class StateDigest {
  public:
    using Value = std::array<std::uint64_t, 2>;

    /// Times are told by how far they are from `now`: the same state, found later, has the same digest.
    explicit StateDigest(Time now) : now_(now) {}

    void add(std::uint64_t value) {
        one_ = mix64(one_ ^ value) + 0x9e3779b97f4a7c15ULL;
        other_ = mix64(other_ + value * 0xd6e8feb86659fd93ULL + 0xa0761d6478bd642fULL);
    }
    void add(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
    void add(std::uint32_t value) { add(std::uint64_t{value}); }
    void add(std::int32_t value) { add(std::int64_t{value}); }
    void add(std::uint16_t value) { add(std::uint64_t{value}); }
    void add(std::uint8_t value) { add(std::uint64_t{value}); }
    void add(bool value) { add(std::uint64_t{value}); }
    template <class Tag, class Integer>
    void add(StrongId<Tag, Integer> id) {
        add(std::uint64_t{id.value});
    }
    template <class Enum>
    requires std::is_enum_v<Enum>
    void add(Enum value) { add(static_cast<std::uint64_t>(value)); }
    void add(const IpAddress& address) {
        add(address.high);
        add(address.low);
    }
    void add(Duration duration) { add(duration.ns); }
    /// `never` and `earliest` stay what they are.
    void add(Time time) {
        const bool fixed = time == Time::never() || time == Time::earliest();
        add(fixed);
        add(fixed ? time.ns : clocks_difference(time, now_).ns);
    }
    /// A time that is zero until it is set.
    void add_once_set(Time time) { add(time == Time{} ? Time::earliest() : time); }
    /// A time that only matters while it lies ahead: all that have come are one.
    void add_if_ahead(Time time) { add(time <= now_ ? Time::earliest() : time); }
    void add(Bytes bytes) {
        add(std::uint64_t{bytes.size()});
        std::size_t at = 0;
        for (; at + 8 <= bytes.size(); at += 8)
            add(load_u64(&bytes[at]));
        for (; at < bytes.size(); ++at)
            add(bytes[at]);
    }

    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] Value value() const { return {one_, other_}; }

  private:
    Time now_;
    std::uint64_t one_ = 0x243f6a8885a308d3ULL;
    std::uint64_t other_ = 0x13198a2e03707344ULL;
};

}  // namespace dyetrace
