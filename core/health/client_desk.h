// SPDX-License-Identifier: GPL-2.0-or-later
// Where tenants are served: keeps the client view, scores and probes that a provider's configuration names,
// and says of its own accord what became of them.
//
//   windows, states of host pairs -> ClientView -> notifications; pairs, shares of states each interval
//   own health, measured pairs    -> ServiceScores -> scores that changed
//   packets of followed flows     -> LogicalProbes -> results each interval
//
// Sans-I/O: `add` and the rest as news comes in, `advance` at `next_deadline`, `take` what there is to tell.
// Nothing told to a tenant names a host; that is for who keeps the record of hosts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/client_view.h"
#include "core/health/probe.h"
#include "core/health/probe_turn.h"
#include "core/health/recent_delays.h"
#include "core/health/service_score.h"
#include "core/health/trace_numbers.h"
#include "core/wire/directive.h"
#include "core/wire/flow_trace.h"

namespace dyetrace::health {

struct SubscriptionSpec {
    std::string tenant;
    std::string state;  ///< "health" or one of the tenant's own; empty: all
};
struct InstanceSpec {
    std::string service, instance;
    std::string tenant, guest;  ///< that serves
};
struct ProbeRequest {
    std::string tenant;
    ProbeSpec spec;
};

struct ClientConfig {
    ClientViewConfig view;
    ServiceScoreConfig scores;
    ProbeBounds probe_bounds;
    std::vector<TenantSpec> tenants;
    std::vector<SubscriptionSpec> subscriptions;
    std::vector<InstanceSpec> instances;
    std::vector<ProbeRequest> probes;
    std::size_t pairs_told = 1000;  ///< of a tenant, each interval of its shares
    std::size_t directions = 1000;  ///< to and from an instance, that its score is of
};

/// A subscription has an event.
struct TenantNotified {
    Time at;
    std::string tenant;
    ClientEvent event;
};
/// How a tenant's pairs stand; those of which nothing was heard are left out.
struct PairsTold {
    Time at;
    std::string tenant;
    std::vector<PairView> pairs;
};
/// One interval of the shares of a tenant's pairs in each state: by `Health`, or by `Standing`.
struct ShareTold {
    std::string tenant;
    std::string state;  ///< "health", or the tenant's own
    StateShare share;
};
struct InstanceScored {
    Time at;
    InstanceScore score;
};
/// Totals since the probe began.
struct ProbeTold {
    Time at;
    std::string tenant;
    ProbeResult result;
};
using ClientOutput = std::variant<TenantNotified, PairsTold, ShareTold, InstanceScored, ProbeTold>;

class ClientDesk {
  public:
    /// EPPCs know its probes by `numbers`. Errors name the tenant, service or probe, or the field.
    static Result<ClientDesk, std::string> create(const ClientConfig& config, TraceNumbers numbers, Time now);
    /// Those not taken yet, for the desk that takes its place.
    [[nodiscard]] const TraceNumbers& numbers() const { return numbers_; }

    // As of ClientView. `now` never runs backwards, here and below.
    void add(IpAddress from_host, IpAddress to_host, const MetricsWindow& window, Time now);
    void set_health(IpAddress from_host, IpAddress to_host, Health health, double confidence, Time now);
    bool move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now);
    /// As of ServiceScores.
    bool set_own(std::string_view service, std::string_view instance, double health, Time now);

    /// What to ask of an EPPC that has been heard of, in this boot, for the probes that have guests there;
    /// nothing where nothing is due. Whoever asks says what came of each.
    [[nodiscard]] std::vector<wire::DirectiveBody> ask(IpAddress eppc, BootId boot, Time now);
    /// EPPCs that `ask` has something for by now, each once.
    [[nodiscard]] std::vector<IpAddress> take_due(Time now);
    /// It is not known any more.
    void forget(IpAddress eppc);
    /// What came of it; `follows` is false also where nobody answered.
    void on_answer(IpAddress eppc, std::uint32_t trace, bool follows, Time now);
    /// There was no room to ask.
    void on_not_asked(IpAddress eppc, std::uint32_t trace, Time now);
    void take(IpAddress eppc, const wire::FlowStageEntry& entry, Time now);
    /// `offset`: the clock of `peer` less that of `eppc`.
    void on_clock(IpAddress eppc, IpAddress peer, Duration offset);

    /// What `eppc` tells of the delays of its session with another EPPC, and what it told before that; null
    /// where it told nothing.
    void on_delays(IpAddress eppc, const wire::TimingEntry* before, const wire::TimingEntry& entry, Time now);

    void advance(Time now);
    [[nodiscard]] Time next_deadline() const;
    /// Has it tell also what an interval that has not come to its end amounts to, as at the end of a run.
    void settle(Time now);
    /// What there is to tell, oldest first.
    [[nodiscard]] std::vector<ClientOutput> take();

    [[nodiscard]] const ClientView& view() const { return view_; }
    [[nodiscard]] const std::vector<TenantSpec>& tenants() const { return config_.tenants; }

  private:
    struct Instance {
        InstanceSpec spec;
        TenantId tenant;
        std::optional<double> told;  ///< score
    };
    struct Probe {
        ProbeRequest request;
        IpAddress source, destination;            ///< of the guests, where they are named
        IpAddress source_host, destination_host;  ///< likewise
        ProbeTurn turn;
        std::uint32_t trace_before = 0;  ///< of the turn before
        std::optional<Duration> offset;  ///< of the second host's clock from the first's
        bool delays_known = true;        ///< no time was of a clock that could not be corrected
    };
    /// That some probe has guests on.
    struct Host {
        BootId boot;  ///< that was asked; zero where it is not known
        Time ask_at = Time::never();
    };
    struct Subscribed {
        std::string tenant;
        SubscriptionId id;
    };

    ClientDesk(const ClientConfig& config, ClientView view, ServiceScores scores, TraceNumbers numbers);
    Result<Done, std::string> subscribe();
    Result<Done, std::string> add_instances(Time now);
    Result<Done, std::string> add_probes(Time now);
    [[nodiscard]] ProbeTurn::Places places_of(const Probe& probe) const;
    /// Null where no probe has it.
    [[nodiscard]] Probe* probe_of(std::uint32_t trace);
    /// Null also where it is of the turn before.
    [[nodiscard]] Probe* probe_in_turn(std::uint32_t trace);
    void begin_turn(Probe& probe, Time now);
    void ask_by(IpAddress eppc, Time at);
    void ask_when_due(const Probe& probe, IpAddress eppc, Time now);
    [[nodiscard]] wire::DirectiveBody directive(const Probe& probe, IpAddress eppc, std::uint8_t stages,
                                                Time now) const;
    [[nodiscard]] bool is_judged(const Probe& probe, Time left, Time now) const;
    void look_at_instances(Time now);
    void tell_notifications();
    void tell_interval(Time until, Time now);

    ClientConfig config_;
    ClientView view_;
    ServiceScores scores_;
    LogicalProbes probes_;
    std::unique_ptr<RecentDelays> recent_delays_;
    std::vector<Subscribed> subscriptions_;
    std::vector<Instance> instances_;
    std::vector<Probe> probe_list_;
    TraceNumbers numbers_;
    std::map<std::uint32_t, std::size_t> probe_of_trace_;  ///< of its turn, and of the one before
    std::map<IpAddress, Host> hosts_;
    Time ask_at_ = Time::never();                                      ///< the earliest of theirs
    std::map<std::pair<std::string, std::string>, Time> shares_told_;  ///< up to when, by tenant and state
    Time look_at_ = Time::never();
    Time interval_ends_ = Time::never();
    std::vector<ClientOutput> outputs_;
};

}  // namespace dyetrace::health
