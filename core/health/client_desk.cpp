// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/client_desk.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace dyetrace::health {
namespace {

constexpr int kLooksOfASpan = 10;

/// The first multiple of `interval` behind `now`.
Time end_of_interval(Time now, Duration interval) {
    std::int64_t count = now.ns / interval.ns;
    if (now.ns % interval.ns < 0) --count;
    return Time{(count + 1) * interval.ns};
}

const TenantSpec* find(const std::vector<TenantSpec>& tenants, std::string_view name) {
    const auto it =
        std::find_if(tenants.begin(), tenants.end(), [&](const auto& t) { return t.name == name; });
    return it == tenants.end() ? nullptr : &*it;
}
const GuestSpec* find(const TenantSpec& tenant, std::string_view name) {
    const auto it = std::find_if(tenant.guests.begin(), tenant.guests.end(),
                                 [&](const GuestSpec& guest) { return guest.name == name; });
    return it == tenant.guests.end() ? nullptr : &*it;
}

constexpr std::uint8_t bit(wire::FlowStage stage) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(stage));
}

/// Of the share's range of names. All are none below.
std::uint32_t names_below(double share) {
    if (share >= 1) return 0;
    return static_cast<std::uint32_t>(std::max<long long>(1, std::llround(share * 4294967296.0)));
}

}  // namespace

ClientDesk::ClientDesk(const ClientConfig& config, ClientView view, ServiceScores scores)
    : config_(config),
      view_(std::move(view)),
      scores_(std::move(scores)),
      probes_(config.probe_bounds),
      recent_delays_(std::make_unique<RecentDelays>(config.view.clocks_are_one)) {}

Result<ClientDesk, std::string> ClientDesk::create(const ClientConfig& config, TraceNumbers& numbers,
                                                   Time now) {
    auto view = ClientView::create(config.view, config.tenants);
    if (!view) return Failure{view.error()};
    auto scores = ServiceScores::create(config.scores);
    if (!scores) return Failure{"scores: " + scores.error()};
    ClientDesk desk(config, std::move(view).value(), std::move(scores).value());
    if (auto done = desk.subscribe(); !done) return Failure{done.error()};
    if (auto done = desk.add_instances(now); !done) return Failure{done.error()};
    if (auto done = desk.add_probes(numbers); !done) return Failure{done.error()};
    desk.interval_ends_ = end_of_interval(now, config.view.share_interval);
    if (!desk.instances_.empty()) desk.look_at_ = now;
    return desk;
}

Result<Done, std::string> ClientDesk::subscribe() {
    for (const SubscriptionSpec& spec : config_.subscriptions) {
        const auto tenant = view_.tenant(spec.tenant);
        if (!tenant) return Failure{"subscription: there is no tenant \"" + spec.tenant + '"'};
        const auto id = view_.subscribe(*tenant, spec.state);
        if (!id)
            return Failure{"subscription of tenant \"" + spec.tenant + "\" to \"" + spec.state +
                           "\": " + id.error()};
        subscriptions_.push_back({spec.tenant, *id});
    }
    return Done{};
}

Result<Done, std::string> ClientDesk::add_instances(Time now) {
    for (const InstanceSpec& spec : config_.instances) {
        const std::string where = "service \"" + spec.service + "\", instance \"" + spec.instance + "\": ";
        const TenantSpec* const tenant = find(config_.tenants, spec.tenant);
        if (tenant == nullptr || find(*tenant, spec.guest) == nullptr)
            return Failure{where + "there is no such guest"};
        if (const auto added = scores_.add_instance(spec.service, spec.instance, now); !added)
            return Failure{where + added.error()};
        instances_.push_back({spec, *view_.tenant(spec.tenant), std::nullopt});
    }
    return Done{};
}

Result<Done, std::string> ClientDesk::add_probes(TraceNumbers& numbers) {
    for (const ProbeRequest& request : config_.probes) {
        const std::string where = "probe \"" + request.spec.name + "\": ";
        const TenantSpec* const tenant = find(config_.tenants, request.tenant);
        if (tenant == nullptr) return Failure{where + "there is no tenant \"" + request.tenant + '"'};
        if (const auto added = probes_.add(Tenant(*tenant), request.spec); !added)
            return Failure{where + added.error()};
        Probe& probe = probe_list_.emplace_back();
        probe.request = request;
        for (const auto& [name, address, host] :
             {std::tuple(&request.spec.from, &probe.source, &probe.source_host),
              std::tuple(&request.spec.to, &probe.destination, &probe.destination_host)}) {
            if (name->empty()) continue;
            const GuestSpec* const guest = find(*tenant, *name);
            if (guest->address.is_unspecified())
                return Failure{where + "guest \"" + *name + "\" has no address"};
            *address = guest->address;
            *host = guest->host;
        }
        probe.trace = numbers.take();
        probe_of_trace_[probe.trace] = probe_list_.size() - 1;
        find_ends(probe);
    }
    return Done{};
}

void ClientDesk::find_ends(Probe& probe) const {
    const ProbeSpec& spec = probe.request.spec;
    probe.ends.clear();
    for (const GuestSpec& guest : find(config_.tenants, probe.request.tenant)->guests) {
        if (guest.vni != spec.vni) continue;
        std::uint8_t stages = 0;
        if (spec.from.empty() || spec.from == guest.name) stages |= bit(wire::FlowStage::GuestOut);
        if (spec.to.empty() || spec.to == guest.name) stages |= bit(wire::FlowStage::GuestIn);
        if (stages != 0) probe.ends[guest.host] |= stages;
    }
}

void ClientDesk::add(IpAddress from_host, IpAddress to_host, const MetricsWindow& window, Time now) {
    view_.add(from_host, to_host, window, now);
}

void ClientDesk::set_health(IpAddress from_host, IpAddress to_host, Health health, double confidence,
                            Time now) {
    view_.set_health(from_host, to_host, health, confidence, now);
}

bool ClientDesk::move_guest(std::string_view name, std::string_view guest, IpAddress host, Time now) {
    const auto tenant = view_.tenant(name);
    if (!tenant || !view_.move_guest(*tenant, guest, host, now)) return false;
    for (TenantSpec& spec : config_.tenants) {
        if (spec.name != name) continue;
        for (GuestSpec& one : spec.guests) {
            if (one.name == guest) one.host = host;
        }
    }
    for (Probe& probe : probe_list_) {
        if (probe.request.tenant != name) continue;
        if (probe.request.spec.from == guest) probe.source_host = host;
        if (probe.request.spec.to == guest) probe.destination_host = host;
        if (probe.request.spec.from == guest || probe.request.spec.to == guest) probe.offset.reset();
        find_ends(probe);
    }
    return true;
}

bool ClientDesk::set_own(std::string_view service, std::string_view instance, double health, Time now) {
    return scores_.set_own(service, instance, health, now);
}

std::vector<wire::DirectiveBody> ClientDesk::directives(IpAddress eppc) const {
    std::vector<wire::DirectiveBody> out;
    for (const Probe& probe : probe_list_) {
        const ProbeSpec& spec = probe.request.spec;
        if (spec.share <= 0) continue;  // none of its packets
        const auto end = probe.ends.find(eppc);
        if (end == probe.ends.end()) continue;
        wire::DirectiveBody body;
        body.flow.stages = end->second;
        // Its own address would be no peer: that of another of the network's hosts.
        for (const GuestSpec& guest : find(config_.tenants, probe.request.tenant)->guests) {
            if (guest.vni == spec.vni && guest.host != eppc) body.peer = guest.host;
        }
        if (body.peer.is_unspecified()) continue;
        body.kind = wire::DirectiveKind::TraceFlow;
        body.flow.trace = probe.trace;
        body.flow.flow = {spec.vni, probe.source, probe.destination, 0, 0, 0};
        body.flow.packets = std::numeric_limits<std::uint16_t>::max();
        body.flow.duration = wire::FlowTraceSpec::kDurationMost;
        body.flow.sampled = names_below(spec.share);
        out.push_back(std::move(body));
    }
    return out;
}

void ClientDesk::take(IpAddress eppc, const wire::FlowStageEntry& entry, Time now) {
    const auto of = probe_of_trace_.find(entry.trace);
    if (of == probe_of_trace_.end()) return;
    Probe& probe = probe_list_[of->second];
    // A host that has no such guest tells nothing of it, whatever it says.
    const auto end = probe.ends.find(eppc);
    if (end == probe.ends.end() || (end->second & bit(entry.stage)) == 0) return;
    const bool leaves = entry.stage == wire::FlowStage::GuestOut;
    Time at{entry.at_ns};
    if (!leaves && !config_.view.clocks_are_one) {
        if (probe.offset) {
            at = at - *probe.offset;
        } else {
            probe.delays_known = false;
        }
    }
    const ProbeSpec& spec = probe.request.spec;
    const auto side = leaves ? ProbeObservation::Side::Ingress : ProbeObservation::Side::Egress;
    probes_.observe(spec.name, {spec.vni, spec.from, spec.to, side, entry.packet, at}, now);
}

void ClientDesk::on_clock(IpAddress eppc, IpAddress peer, Duration offset) {
    for (Probe& probe : probe_list_) {
        if (probe.source_host.is_unspecified() || probe.destination_host.is_unspecified()) continue;
        if (eppc == probe.source_host && peer == probe.destination_host) probe.offset = offset;
        if (eppc == probe.destination_host && peer == probe.source_host) probe.offset = Duration{} - offset;
    }
}

void ClientDesk::on_delays(IpAddress eppc, const wire::TimingEntry* before, const wire::TimingEntry& entry,
                           Time now) {
    if (const auto delays = recent_delays_->between(before, entry))
        view_.set_delays(eppc, entry.peer, *delays, now);
}

void ClientDesk::look_at_instances(Time now) {
    for (Instance& instance : instances_) {
        scores_.set_network(instance.spec.service, instance.spec.instance,
                            pairs_of(view_, instance.tenant, instance.spec.guest, config_.directions, now),
                            now);
    }
    for (Instance& instance : instances_) {
        for (InstanceScore& score : scores_.scores(instance.spec.service, now)) {
            if (score.instance != instance.spec.instance || instance.told == score.score) continue;
            instance.told = score.score;
            outputs_.emplace_back(InstanceScored{now, std::move(score)});
        }
    }
}

void ClientDesk::tell_notifications() {
    for (const Subscribed& subscribed : subscriptions_) {
        while (auto event = view_.poll(subscribed.id)) {
            const Time at = event->at;
            outputs_.emplace_back(TenantNotified{at, subscribed.tenant, std::move(*event)});
        }
    }
}

void ClientDesk::tell_interval(Time until, Time now) {
    for (const TenantSpec& tenant : config_.tenants) {
        const TenantId id = *view_.tenant(tenant.name);
        if (auto pairs = view_.pairs(id, config_.pairs_told, now); !pairs.empty())
            outputs_.emplace_back(PairsTold{now, tenant.name, std::move(pairs)});
        const auto tell_shares = [&](const std::string& state) {
            Time& told = shares_told_.try_emplace({tenant.name, state}, Time::earliest()).first->second;
            for (const StateShare& share : view_.shares(id, state, now)) {
                const Time end = share.start + share.length;
                if (share.length.ns <= 0 || share.start < told || end > until) continue;
                told = end;
                outputs_.emplace_back(ShareTold{tenant.name, state, share});
            }
        };
        tell_shares("health");
        for (const StateSpec& state : tenant.states)
            tell_shares(state.name);
    }
    probes_.advance(now);
    for (const Probe& probe : probe_list_) {
        for (ProbeResult& result : probes_.results(probe.request.spec.vni)) {
            if (result.name != probe.request.spec.name) continue;
            if (!probe.delays_known) {
                result.delays = 0;
                result.delay_p50 = result.delay_p90 = result.delay_p99 = result.delay_max = std::nullopt;
            }
            outputs_.emplace_back(ProbeTold{now, probe.request.tenant, std::move(result)});
        }
    }
}

void ClientDesk::advance(Time now) {
    view_.advance(now);
    tell_notifications();
    probes_.advance(now);
    if (now >= look_at_) {
        look_at_instances(now);
        look_at_ = now + config_.view.span / kLooksOfASpan;
    }
    if (now >= interval_ends_) {
        const Time next = end_of_interval(now, config_.view.share_interval);
        tell_interval(next - config_.view.share_interval, now);
        interval_ends_ = next;
    }
}

void ClientDesk::settle(Time now) {
    advance(now);
    if (now + config_.view.share_interval > interval_ends_) tell_interval(now, now);
    interval_ends_ = end_of_interval(now, config_.view.share_interval);
}

Time ClientDesk::next_deadline() const {
    return std::min({view_.next_deadline(), probes_.next_deadline(), look_at_, interval_ends_});
}

std::vector<ClientOutput> ClientDesk::take() {
    return std::exchange(outputs_, {});
}

}  // namespace dyetrace::health
