// SPDX-License-Identifier: GPL-2.0-or-later
// What tenants may see of the health service: the pairs of their own guests, in their own words.
//
// Nothing that comes out names a host, a device, an underlay address or another tenant; there is no such
// field, and no text is made from what has one. What is measured is measured between hosts, of all packets
// between them, so two things are coarsened: sample sizes, which would tell how busy others are, are told as
// "at least 1, 2 or 5 times a power of ten", and everything else that is told could be of that many; and
// guests on one host, between whom the network carries
// nothing, are "not measured" like any other pair without packets. It stays visible that two pairs of one's
// own fare alike.
//
//   windows, states, delays of host pairs -> spans -> tenants' pairs -> conditions -> events, shares
//
// Sans-I/O: `add` and the `set`s as news comes in, `advance` at `next_deadline`, `poll` each subscription.
// Conditions are looked at at ticks, a tenth of the span apart, so a state is entered up to one tick late.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/condition.h"
#include "core/health/detector.h"
#include "core/health/metrics_window.h"
#include "core/health/pair_figures.h"
#include "core/health/state_shares.h"
#include "core/health/tenants.h"

namespace dyetrace::health {

struct ClientViewConfig {
    TenantBounds tenants;
    /// Figures are of the last so long. Long enough for ten reports of the default interval.
    Duration span = Duration::seconds(1);
    /// A pair of which nothing was heard for so long is not measured, whatever it was before; three spans.
    Duration silence = Duration::seconds(3);
    Duration share_interval = Duration::seconds(1);
    std::size_t share_intervals = 60;
    std::size_t host_pairs = 100'000;  ///< with guests of one tenant at both ends, about 2 KB each
    std::size_t subscriptions = 1024;
    std::size_t events_of_a_subscription = 256;
    /// All hosts read one clock, as in a simulation: raw delays are delays.
    bool clocks_are_one = false;
};

/// One direction between two guests of a tenant, as that tenant sees it.
struct PairView {
    struct State {
        std::string name;
        Standing standing{};
        Time since;
    };

    std::string from, to;  ///< guests
    Vni vni;
    Health health = Health::NotMeasured;
    Time since;             ///< of `health`
    double confidence = 0;  ///< in `health`, 0 to 1; zero where it is not measured
    std::string
        reason;  ///< "loss 0.74% (0.42% to 1.3% with 95% confidence), jitter 30us, at least 1000 packets"
    Figures figures;                     ///< over the span, `FigureSums::coarse`; but no `packets`
    ShareInterval loss;                  ///< 95% interval of that loss, of `packets_at_least`
    std::uint64_t packets_at_least = 0;  ///< 1, 2 or 5 times a power of ten
    std::vector<State> states;           ///< the tenant's own, in the order of its configuration
};
/// On one line.
std::string to_string(const PairView& pair);

using SubscriptionId = StrongId<struct SubscriptionTag, std::uint32_t>;

/// A pair entered or left a state.
struct ClientEvent {
    Time at;
    std::string from, to;
    std::string state;   ///< "health", or the tenant's own
    std::string before;  ///< "healthy", "inside", ...
    std::string after;
    std::string reason;
};
std::string to_string(const ClientEvent& event);

struct ClientViewCounters {
    std::uint64_t windows = 0;
    std::uint64_t windows_unwatched = 0;  ///< between hosts that no tenant has guests on
    std::uint64_t pairs_over_limit = 0;   ///< windows of host pairs for which there was no room
    std::uint64_t events_lost = 0;        ///< of full subscriptions; each knows its own
};

class ClientView {
  public:
    /// Errors name the tenant or the field.
    static Result<ClientView, std::string> create(const ClientViewConfig& config,
                                                  const std::vector<TenantSpec>& tenants);

    // What the health service feeds in. `now` is its clock and never runs backwards; so for all below.
    void add(IpAddress from_host, IpAddress to_host, const MetricsWindow& window, Time now);
    /// `confidence` 0 to 1.
    void set_health(IpAddress from_host, IpAddress to_host, Health health, double confidence, Time now);
    void set_delays(IpAddress from_host, IpAddress to_host, const DelayFigures& delays, Time now);
    /// A guest lives on another host from now on. False where there is no such guest.
    bool move_guest(TenantId tenant, std::string_view guest, IpAddress host, Time now);

    void advance(Time now);
    [[nodiscard]] Time next_deadline() const;

    // What tenants ask. Whoever calls has made sure that the caller is that tenant.
    [[nodiscard]] std::optional<TenantId> tenant(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> guests(TenantId tenant) const;
    /// Nothing where the tenant has no two such guests in one virtual network: another's guest and one that
    /// does not exist look the same.
    [[nodiscard]] std::optional<PairView> pair(TenantId tenant, std::string_view from, std::string_view to,
                                               Time now) const;
    /// Pairs of which something was heard, up to `most`, by name.
    [[nodiscard]] std::vector<PairView> pairs(TenantId tenant, std::size_t most, Time now) const;

    /// Events of the state named, "health" or one of the tenant's own; an empty name asks for all. Fails, in
    /// words, where there is no such state, or no room.
    Result<SubscriptionId, std::string> subscribe(TenantId tenant, std::string_view state);
    void unsubscribe(SubscriptionId id);
    /// The oldest event; nothing where none waits.
    std::optional<ClientEvent> poll(SubscriptionId id);
    /// Events that found the queue full, of this subscription.
    [[nodiscard]] std::uint64_t lost(SubscriptionId id) const;

    /// Shares of the tenant's pairs by `Health` (its values are the indexes) or, for one of its own states,
    /// by `Standing`. Pairs that were never heard of count as not measured. Empty where there is no such
    /// state.
    [[nodiscard]] std::vector<StateShare> shares(TenantId tenant, std::string_view state, Time now) const;

    [[nodiscard]] const ClientViewCounters& counters() const { return counters_; }

  private:
    static constexpr std::size_t kSlots = 10;  ///< of a span

    /// Measured between two hosts, whoever's guests are there.
    struct Measured {
        std::array<FigureSums, kSlots> slots{};
        std::int64_t newest_slot = 0;  ///< number since the origin of the clock
        Time heard_at = Time::earliest();
        Health told = Health::NotMeasured;
        double confidence = 0;
        DelayFigures delays;
        Time delays_at = Time::earliest();
    };
    /// How one tenant's pairs between two hosts stand.
    struct Watched {
        Health health = Health::NotMeasured;
        Time since;
        std::vector<ConditionTracker> states;
    };
    struct Account {
        explicit Account(const Tenant& who) : tenant(who) {}
        Tenant tenant;
        std::map<HostPair, Watched> watched;
        std::vector<StateShares> shares;  ///< of health, then of each of its states
    };
    struct Subscription {
        TenantId tenant;
        std::string state;
        std::deque<ClientEvent> events;
        std::uint64_t lost = 0;
    };

    explicit ClientView(const ClientViewConfig& config) : config_(config) {}
    [[nodiscard]] Duration slot() const { return config_.span / static_cast<std::int64_t>(kSlots); }
    [[nodiscard]] Measured* measured(const HostPair& hosts, Time now);
    static void turn(Measured& measured, std::int64_t slot);
    [[nodiscard]] FigureSums sums(const Measured& measured, Time now) const;
    [[nodiscard]] DelayFigures delays(const Measured& measured, Time now) const;
    /// As conditions see them: packets by what is told of their number.
    [[nodiscard]] Figures figures(const Measured& measured, const FigureSums& sums, Time now) const;
    [[nodiscard]] Health health_of(const Measured& measured, Time now) const;
    bool evaluate(std::uint32_t account, const HostPair& hosts, const Measured& measured, Time now);
    void announce(std::uint32_t account, const HostPair& hosts, std::string_view state,
                  std::string_view before, std::string_view after, const std::string& reason, Time now);
    void count_shares(Account& account, Time now);
    [[nodiscard]] PairView view(const Account& account, std::size_t from, std::size_t to, Time now) const;
    [[nodiscard]] bool exists(TenantId tenant) const { return tenant.value < accounts_.size(); }

    ClientViewConfig config_;
    std::vector<Account> accounts_;
    std::map<IpAddress, std::vector<std::uint32_t>> tenants_on_;  ///< by host, ascending
    std::map<HostPair, Measured> measured_;
    std::map<SubscriptionId, Subscription> subscriptions_;
    std::uint32_t next_subscription_ = 1;
    Time tick_ = Time::never();
    ClientViewCounters counters_;
};

/// The greatest of 0, and 1, 2 and 5 times the powers of ten, that is not above `count`.
std::uint64_t at_least(std::uint64_t count);

}  // namespace dyetrace::health
