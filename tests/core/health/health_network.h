// SPDX-License-Identifier: GPL-2.0-or-later
// A health service with a small fabric, and EPPCs that are only keys and counters: their updates are made by
// hand.
//
//   host-a -- left -- spine-0 / spine-1 -- right -- host-b         path index i goes by spine-(i % 2)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/auth/seal.h"
#include "core/health/nhms.h"
#include "core/wire/directive.h"

namespace dyetrace::health {

inline constexpr Ipv4Address kNhms{0x0a000001};
inline constexpr Ipv4Address kHostA{0x0a000002};
inline constexpr Ipv4Address kHostB{0x0a000003};
inline constexpr Ipv4Address kLeft{0x0a010001};
inline constexpr Ipv4Address kRight{0x0a010002};
inline constexpr Ipv4Address kSpine[] = {Ipv4Address{0x0a020000}, Ipv4Address{0x0a020001}};

class HealthNetwork {
  public:
    static constexpr int kPaths = 8;
    static constexpr BootId kBoot{77};
    static constexpr std::uint16_t kEppcPort = 46082;

    explicit HealthNetwork(const NhmsConfig& given = config());
    HealthNetwork(const HealthNetwork&) = delete;
    HealthNetwork& operator=(const HealthNetwork&) = delete;
    static NhmsConfig config();
    static auth::SharedKey key();

    /// Host A tells how its paths to B run, each by the spine of its index.
    void learn_paths();
    /// One window later each path has sent `packets` more, of which those by spine-0 lost `lost`.
    void window(std::uint64_t packets, std::uint64_t lost);
    /// An update of host A's with these entries. Returns the datagram, so that it can be repeated or harmed.
    std::vector<std::uint8_t> update(const std::vector<wire::UpdateEntry>& entries);
    /// Any message of host A's, or another's.
    static std::vector<std::uint8_t> seal(wire::ControlHeader header, Bytes body, IpAddress from = kHostA);
    void deliver(const std::vector<std::uint8_t>& datagram) {
        nhms.handle({kHostA, kEppcPort}, datagram, now);
    }
    /// Lets host A learn from a hello which boot of the service to name. Leaves no output behind.
    void greet();
    /// Another boot of the service, which has forgotten everything; or of host A, which greets it.
    void restart_service();
    void restart_host(BootId boot);
    /// Answers the last directive.
    void answer_directive();
    /// Lets time pass, and does what is due by then.
    void advance(Duration by);
    /// Takes the outputs that wait, answers nothing.
    void collect();

    template <class Event>
    [[nodiscard]] std::vector<Event> all() const {
        std::vector<Event> found;
        for (const Output& output : outputs) {
            if (const auto* event = std::get_if<Event>(&output)) found.push_back(*event);
        }
        return found;
    }
    [[nodiscard]] std::vector<IncidentStep> steps() const;

    Time now{};
    std::uint64_t service_boots = 1;
    NhmsConfig given;
    Nhms nhms;
    BootId host_boot = kBoot;
    BootId service_boot;                               ///< as host A was shown it
    std::vector<Output> outputs;                       ///< all so far; datagrams without their bytes
    std::vector<std::vector<std::uint8_t>> datagrams;  ///< bytes of the datagrams
    std::vector<std::vector<std::uint8_t>> results;    ///< host A's, of directives
    std::uint32_t next_sequence = 1;

  private:
    std::map<int, wire::PathRecord> records_;
};

}  // namespace dyetrace::health
