// SPDX-License-Identifier: GPL-2.0-or-later
// A health service and the EPPCs of a small fabric, played by hand: hosts send on all paths to all others,
// links lose what a test says, directives are obeyed as an EPPC would.
//
//   host-r-h -- leaf-r -- spine-s -- leaf-q -- host-q-g          the spine follows from pair, path and
//   generation
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/auth/seal.h"
#include "core/health/nhms.h"
#include "core/wire/directive.h"

namespace dyetrace::health {

class SmallFabric {
  public:
    static constexpr std::uint32_t kLeaves = 4;
    static constexpr std::uint32_t kSpines = 4;
    static constexpr std::uint32_t kHosts = 2;  ///< of a leaf
    static constexpr int kPaths = 4;            ///< of a pair

    explicit SmallFabric(const std::function<void(NhmsConfig&)>& change = {});
    SmallFabric(const SmallFabric&) = delete;
    SmallFabric& operator=(const SmallFabric&) = delete;

    /// One or more windows of 20 ms, in each of which each path sends `packets`.
    void run(int windows, std::uint64_t packets = 200);
    /// Hosts say nothing meanwhile; the service does what is due by then.
    void let_pass(Duration by = {});
    /// Another service, which knows nothing but what it is given.
    void restart_service(const Memory* memory);

    /// Share of packets that the link loses: "leaf-0 > spine-1".
    std::map<std::string, double> loss;
    /// What no path takes.
    std::set<std::string> drained;
    std::set<std::string> silent;  ///< switches that answer no trace
    bool obeys_drains = true;
    std::set<std::string> mute;  ///< hosts that answer no directive
    /// Hosts whose paths carry nothing, from them or to them.
    std::set<std::string> empty;
    /// Answers a request to move guests, at the end of the window.
    std::function<GuestsMoved(const MigrationRequested&)> moves_guests;
    bool moves = true;  ///< a repath leads elsewhere; else a path keeps its spine

    template <class Event>
    [[nodiscard]] std::vector<Event> all() const {
        std::vector<Event> found;
        for (const Output& output : outputs) {
            if (const auto* event = std::get_if<Event>(&output)) found.push_back(*event);
        }
        return found;
    }
    /// Steps of the incident about "leaf-0 > spine-1" or "spine-1", in order.
    [[nodiscard]] std::vector<IncidentStep> steps_of(const std::string& subject) const;
    [[nodiscard]] std::string detail_of(const std::string& subject, IncidentStep step) const;
    /// Paths whose route has this link or node now.
    [[nodiscard]] std::size_t paths_across(const std::string& what) const;
    [[nodiscard]] IpAddress address(const std::string& host) const;
    [[nodiscard]] const localise::FabricGraph& graph() const { return nhms.graph(); }

    NhmsConfig config;
    Time now{};
    std::uint64_t boots = 1;
    Nhms nhms;
    std::vector<Output> outputs;  ///< all but datagrams, records and updates

  private:
    struct Path {
        std::uint8_t generation = 0;
        wire::PathRecord record;
        double owed = 0;  ///< of a packet that is lost
        bool told = false;
        std::vector<localise::NodeId> hops;
    };
    struct Host {
        std::uint32_t sequence = 1;
        BootId service_boot;
    };
    using Pair = std::pair<std::uint32_t, std::uint32_t>;  ///< hosts by number

    [[nodiscard]] std::vector<localise::NodeId> route(const Pair& pair, int index,
                                                      std::uint8_t generation) const;
    [[nodiscard]] double loss_along(const Path& path) const;
    void send(std::uint32_t host, wire::ControlHeader header, Bytes body);
    void update(std::uint32_t host, const std::vector<wire::UpdateEntry>& entries);
    void collect();
    void answer_migrations();
    void receive(std::uint32_t host, Bytes datagram);
    wire::DirectiveResultBody obey(std::uint32_t host, const wire::DirectiveBody& directive);

    std::vector<Host> hosts_;
    std::map<std::pair<Pair, int>, Path> paths_;
    std::vector<MigrationRequested> migrations_;  ///< to answer
    std::vector<std::pair<std::uint32_t, std::vector<std::uint8_t>>> inbox_;
};

}  // namespace dyetrace::health
