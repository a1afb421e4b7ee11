// SPDX-License-Identifier: GPL-2.0-or-later
// eppcd: the engine between a host's guests and its underlay, until a signal ends it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/eppc/eppc.h"
#include "host/clock.h"
#include "host/config.h"
#include "host/event_loop.h"
#include "host/ledger.h"
#include "host/port.h"
#include "host/summary.h"
#include "host/waiter.h"

namespace dyetrace::host {

class Daemon {
  public:
    using SummaryHandler = std::function<void(const Summary&)>;
    /// Reads the configuration anew; none where that fails, which was told then.
    using ConfigReader = std::function<std::optional<HostConfig>()>;

    /// Opens every port. Throws std::runtime_error naming what could not be opened, or what the engine
    /// refuses. `seed` must be unpredictable to peers.
    Daemon(const HostConfig& config, const auth::Seed& seed);
    ~Daemon();

    /// Carries frames until SIGTERM or SIGINT, then closes the sessions, for at most the drain timeout or
    /// until a second signal. `on_summary` gets one for each SIGUSR1, and the final one. SIGHUP takes the
    /// keys of what `reread` gives and moves the paths whose generation there is another one than was read
    /// last; it takes nothing else.
    void run(const SummaryHandler& on_summary, const ConfigReader& reread);

  private:
    struct OpenPort {
        std::string name;
        std::string role;
        std::unique_ptr<Port> port;
    };

    static eppc::Eppc make_engine(const HostConfig& config, const auth::Seed& seed, Time now);
    void open_guest(GuestPort id, const GuestSettings& guest);
    void on_event(const eppc::Output& output);
    void reload(const std::optional<HostConfig>& config);
    void take_keys(const HostConfig& config);
    void move_paths(const HostConfig& config);
    bool move_path(IpAddress peer, PathIndex path);
    void start_draining();
    [[nodiscard]] bool has_drained() const;
    void warn_of_trouble();
    /// Tells the engine what share of the time since the last look this thread was at work.
    void note_load();
    [[nodiscard]] Summary summary(bool final);

    HostConfig config_;
    HostClock clock_;
    Waiter waiter_;
    eppc::Eppc engine_;
    std::vector<OpenPort> ports_;  ///< the underlay's first
    std::unique_ptr<EventLoop> loop_;
    Ledger ledger_;
    Time drain_until_ = Time::never();
    bool draining_ = false;
    Time next_check_{};
    Time looked_at_{};
    Duration worked_{};  ///< processor time of this thread, by then
    std::vector<PortCounters> last_check_;
};

}  // namespace dyetrace::host
