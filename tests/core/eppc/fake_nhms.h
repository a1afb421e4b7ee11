// SPDX-License-Identifier: GPL-2.0-or-later
// A health service that only keeps what it is told: acknowledges updates while it is up, sends directives. To
// restart it, give it another boot.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/wire/directive.h"
#include "core/wire/update.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {

class FakeNhms {
  public:
    static constexpr IpAddress kAddress{Ipv4Address{0x0a00ff01}};
    static constexpr Endpoint kEndpoint{kAddress, 46081};

    /// Answers for `endpoint` on `network`, which must outlive it.
    explicit FakeNhms(Network& network, const Endpoint& endpoint = kEndpoint);

    /// Sends a directive to a host that has sent an update.
    void direct(std::size_t host, std::uint32_t number, const wire::DirectiveBody& directive);
    /// Acknowledges an update whatever boot it names.
    void acknowledge(std::size_t host, const wire::ControlHeader& update) {
        answer(host, wire::ControlType::UpdateAck, update, {});
    }

    /// The newest entry of each kind that a test asks for.
    [[nodiscard]] std::optional<wire::MetricsEntry> newest_metrics(IpAddress peer, PathIndex path) const;
    [[nodiscard]] std::vector<wire::PathEntry> paths() const;

    bool up = true;
    bool mute = false;       ///< listens, and keeps its answers to itself
    int repeat_answers = 1;  ///< how often each answer is sent
    BootId boot{0xb007};
    std::vector<wire::UpdateEntry> entries;  ///< of each update once, in order of arrival
    std::vector<std::uint32_t> numbers;      ///< of each datagram that was taken, repeats too
    std::vector<std::uint32_t> challenges;   ///< likewise
    std::uint64_t hellos = 0;                ///< updates that named another boot
    std::vector<wire::DirectiveResultBody> results;
    std::vector<std::vector<std::uint8_t>> answers;  ///< frames, sent or kept
    std::uint64_t malformed = 0;

  private:
    void receive(Bytes frame, std::size_t host);
    void answer(std::size_t host, wire::ControlType type, const wire::ControlHeader& to, Bytes body);

    Network& network_;
    Endpoint endpoint_;
    std::vector<BootId> boots_;  ///< by host
    std::set<std::pair<std::uint64_t, std::uint32_t>> seen_;
};

}  // namespace dyetrace::test
