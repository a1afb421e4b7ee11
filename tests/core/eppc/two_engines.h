// SPDX-License-Identifier: GPL-2.0-or-later
// Two engines, or more, on a network that a test scripts: virtual time, a delay in each direction, routers
// that count the TTL down and name themselves, and hooks that lose, duplicate, delay or change packets.
//
// Nothing here is random by itself and no clock is read: the same script gives the same packets.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/eppc/eppc.h"
#include "tests/core/eppc/frames.h"
#include "tests/core/eppc/host_clock.h"

namespace dyetrace::test {

constexpr Vni kVni{1000};
constexpr GuestPort kGuestPort{1};

/// What a hook makes of a packet that enters a line.
struct Fate {
    int copies = 1;          ///< zero: lost
    Duration extra_delay{};  ///< beyond the line's own
};

/// A packet as a hook sees it; it may change the bytes.
struct Transit {
    std::uint64_t ordinal = 0;  ///< how many packets this line carried before
    SeenPacket seen;
    std::vector<std::uint8_t>& bytes;
};
using Hook = std::function<Fate(Transit&)>;

struct Router {
    IpAddress address;
    int silent_for = 0;  ///< answers that it still keeps to itself; negative: all
};

/// What `router` sends to the host of `config` when the TTL of that host's `frame` runs out.
std::vector<std::uint8_t> time_exceeded_frame(IpAddress router, const eppc::EppcConfig& config, Bytes frame);

/// One direction between two hosts.
struct Line {
    Duration delay = Duration::microseconds(10);
    std::vector<Router> routers;
    Hook hook;
    std::uint64_t carried = 0;
};

/// A host: an engine, its clock, one guest, and what came of it.
struct Host {
    eppc::EppcConfig config;
    std::optional<eppc::Eppc> engine;
    HostClock clock;
    MacAddress guest_mac;
    Ipv4Address guest_address;
    bool up = true;

    std::vector<eppc::SessionChanged> changes;
    std::vector<eppc::MetricsReported> metrics;
    std::vector<eppc::TimingReported> timings;
    std::vector<std::vector<std::uint8_t>> delivered;  ///< frames to its guests, in order

    /// The newest record of one path of a session that this host requested.
    [[nodiscard]] std::optional<wire::PathRecord> newest(
        IpAddress peer, SessionId session, PathIndex path,
        std::optional<PathGeneration> generation = std::nullopt) const;
    /// How often a session of `role` came into `state`.
    [[nodiscard]] int entered(session::Role role, session::State state) const;
};

/// A frame as it entered the underlay.
struct Captured {
    std::uint64_t id = 0;  ///< in order of transmission
    Time at;
    Time clock;  ///< the same, as the sending host's clock showed it
    std::size_t from = 0;
    std::size_t to = 0;
    std::vector<std::uint8_t> bytes;
    SeenPacket seen;
    std::optional<std::uint64_t> arrival;  ///< order of its first arrival; none: lost
};

/// A frame as it came out of the underlay.
struct Arrived {
    Time clock;  ///< of the receiving host
    std::size_t to = 0;
    std::vector<std::uint8_t> bytes;
};

/// The address of host n of a network over IPv6: 2001:db8::(n+1).
constexpr IpAddress ipv6_of(std::size_t host) {
    return {0x20010db8ULL << 32, host + 1};
}

class Network {
  public:
    using Configure = std::function<void(eppc::EppcConfig&)>;

    explicit Network(std::uint64_t seed = 1) : seed_(seed) {}
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    /// Adds host n, at 10.0.0.(n+1), whose guest is known to all other hosts. `configure` changes the test's
    /// defaults: every 4th packet tagged, 4 paths, reports each 10 ms, no traces.
    std::size_t add_host(const Configure& configure = {}, const HostClock& clock = {});
    Host& host(std::size_t index) { return *hosts_[index]; }
    [[nodiscard]] std::size_t host_count() const { return hosts_.size(); }
    eppc::Eppc& engine(std::size_t index) { return *hosts_[index]->engine; }
    Line& line(std::size_t from, std::size_t to);
    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] Time clock_of(std::size_t index) const { return hosts_[index]->clock.at(now_); }

    /// A packet of host `from`'s guest to host `to`'s, now. Returns the reason where it was not carried.
    wire::Refusal send(std::size_t from, std::size_t to, std::uint16_t flow = 0, std::size_t payload = 100,
                       wire::Ecn ecn = wire::Ecn::NotEct);
    wire::Refusal send_frame(std::size_t from, GuestPort port, Bytes frame);
    /// `count` packets, the first one now, spread over `flows` flows.
    void send_many(std::size_t from, std::size_t to, int count, Duration gap, std::uint16_t flows = 8);
    /// An underlay frame that appears at a host's port.
    eppc::Decapsulated inject(std::size_t to, Bytes frame);
    /// Replaces the engine by a fresh one with another boot id; guests and remotes stay.
    void restart(std::size_t index);

    void at(Time when, std::function<void()> what);
    void run_until(Time end);
    void run_for(Duration length) { run_until(now_ + length); }
    /// Ends all sessions in order and waits until all is said; false where that takes longer than `most`.
    bool close_all(Duration most = Duration::seconds(10));
    /// Does what is due at a host and takes its outputs. Whoever calls an engine directly calls this after.
    void settle(std::size_t index);

    /// Where datagrams to an address that is no host's go.
    using Service = std::function<void(Bytes frame, std::size_t from)>;
    void set_service(IpAddress address, Service service);
    void deliver_later(std::size_t to, std::vector<std::uint8_t> frame, Duration delay);

    [[nodiscard]] const std::vector<Captured>& captured() const { return captured_; }
    /// What a message of this header is under: the session's key, from the accept that went over the network;
    /// the pair's for a handshake; none where no such session was accepted.
    [[nodiscard]] std::optional<auth::ControlKey> control_key(const wire::ControlHeader& header,
                                                              IpAddress source, IpAddress destination) const;
    /// Gives a changed control packet the tag that its sender could have given it.
    void seal_anew(std::vector<std::uint8_t>& frame) const;
    /// Of all that entered the underlay, in order: times, hosts and bytes.
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    /// All of it, by the network's time.
    void write_pcap(const std::string& path) const;
    /// What left a host, and what arrived there, by that host's clock.
    void write_sent_pcap(const std::string& path, std::size_t host) const;
    void write_arrived_pcap(const std::string& path, std::size_t host) const;
    bool keep_capture = true;
    eppc::PeerOptions peer_options = {};  ///< of every host's peers; set before hosts are added

  private:
    struct Event {
        Time at;
        std::uint64_t order;
        std::function<void()> run;
        bool operator<(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    void create_engine(std::size_t index);
    void introduce(std::size_t one, std::size_t other);
    void transmit(std::size_t from, std::vector<std::uint8_t> frame);
    void note_accept(const SeenPacket& seen);
    void carry(std::size_t from, std::size_t to, std::vector<std::uint8_t> frame, std::uint64_t id,
               Duration extra);
    void time_exceeded(std::size_t from, Line& line, std::size_t router,
                       const std::vector<std::uint8_t>& frame);
    void arrive(std::size_t to, const std::vector<std::uint8_t>& frame, std::optional<std::uint64_t> id);
    [[nodiscard]] std::optional<std::size_t> find_host(IpAddress address) const;

    std::uint64_t seed_;
    std::uint64_t boots_ = 0;
    Time now_{};
    std::uint64_t order_ = 0;
    std::uint64_t arrivals_ = 0;
    std::uint64_t packets_ = 0;
    std::uint64_t digest_ = 0;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::deque<std::pair<std::pair<std::size_t, std::size_t>, Line>> lines_;
    std::priority_queue<Event> events_;
    std::vector<Captured> captured_;
    std::vector<Arrived> arrived_;
    std::vector<std::pair<IpAddress, Service>> services_;
    /// By requester's boot, acceptor's boot and session id.
    std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>, auth::SessionKeys> session_keys_;
};

/// Loses each packet for which `which` holds.
Hook lose_if(std::function<bool(const Transit&)> which);
/// Loses the first `count` control messages of `type`.
Hook lose_first(wire::ControlType type, int count);

}  // namespace dyetrace::test
