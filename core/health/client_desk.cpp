// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/client_desk.h"

#include <algorithm>
#include <cmath>
#include <optional>
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

/// Of the share's range of names. All are none below.
std::uint32_t names_below(double share) {
    if (share >= 1) return 0;
    return static_cast<std::uint32_t>(std::max<long long>(1, std::llround(share * 4294967296.0)));
}

}  // namespace

ClientDesk::ClientDesk(const ClientConfig& config, ClientView view, ServiceScores scores,
                       TraceNumbers numbers)
    : config_(config),
      view_(std::move(view)),
      scores_(std::move(scores)),
      probes_(config.probe_bounds),
      recent_delays_(std::make_unique<RecentDelays>(config.view.clocks_are_one)),
      numbers_(numbers) {}

Result<ClientDesk, std::string> ClientDesk::create(const ClientConfig& config, TraceNumbers numbers,
                                                   Time now) {
    auto view = ClientView::create(config.view, config.tenants);
    if (!view) return Failure{view.error()};
    auto scores = ServiceScores::create(config.scores);
    if (!scores) return Failure{"scores: " + scores.error()};
    ClientDesk desk(config, std::move(view).value(), std::move(scores).value(), numbers);
    if (auto done = desk.subscribe(); !done) return Failure{done.error()};
    if (auto done = desk.add_instances(now); !done) return Failure{done.error()};
    if (auto done = desk.add_probes(now); !done) return Failure{done.error()};
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

Result<Done, std::string> ClientDesk::add_probes(Time now) {
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
        begin_turn(probe, now);
    }
    return Done{};
}

ProbeTurn::Places ClientDesk::places_of(const Probe& probe) const {
    const ProbeSpec& spec = probe.request.spec;
    ProbeTurn::Places places;
    if (spec.share <= 0) return places;  // none of its packets
    std::optional<IpAddress> host;
    bool is_spread = false;
    for (const GuestSpec& guest : find(config_.tenants, probe.request.tenant)->guests) {
        if (guest.vni != spec.vni) continue;
        is_spread = is_spread || guest.host != host.value_or(guest.host);
        host = guest.host;
        std::uint8_t stages = 0;
        if (spec.from.empty() || spec.from == guest.name) stages |= ProbeTurn::bit(wire::FlowStage::GuestOut);
        if (spec.to.empty() || spec.to == guest.name) stages |= ProbeTurn::bit(wire::FlowStage::GuestIn);
        if (stages != 0) places[guest.host] |= stages;
    }
    // On one host nothing crosses the network.
    return is_spread ? places : ProbeTurn::Places{};
}

ClientDesk::Probe* ClientDesk::probe_of(std::uint32_t trace) {
    const auto it = probe_of_trace_.find(trace);
    return it == probe_of_trace_.end() ? nullptr : &probe_list_[it->second];
}

ClientDesk::Probe* ClientDesk::probe_in_turn(std::uint32_t trace) {
    Probe* const probe = probe_of(trace);
    return probe != nullptr && probe->turn.trace() == trace ? probe : nullptr;
}

void ClientDesk::begin_turn(Probe& probe, Time now) {
    probe_of_trace_.erase(probe.trace_before);
    probe.trace_before = probe.turn.trace();
    const ProbeTurn::Places places = places_of(probe);
    probe.turn = ProbeTurn(numbers_.take(), places, now);
    probe_of_trace_[probe.turn.trace()] = static_cast<std::size_t>(&probe - probe_list_.data());
    for (const auto& [eppc, stages] : places)
        ask_when_due(probe, eppc, now);
}

void ClientDesk::ask_when_due(const Probe& probe, IpAddress eppc, Time now) {
    ask_by(eppc, probe.turn.ask_at(eppc, now));
}

/// One that was not heard of is asked once it is.
void ClientDesk::ask_by(IpAddress eppc, Time at) {
    Host& host = hosts_[eppc];
    host.ask_at = std::min(host.ask_at, at);
    if (host.boot.value != 0) ask_at_ = std::min(ask_at_, at);
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
        probes_.doubt(probe.request.spec.vni, probe.request.spec.name);
        const ProbeTurn::Places places = places_of(probe);
        if (!probe.turn.move(places, now)) begin_turn(probe, now);
        for (const auto& [eppc, stages] : places)
            ask_when_due(probe, eppc, now);
    }
    return true;
}

bool ClientDesk::set_own(std::string_view service, std::string_view instance, double health, Time now) {
    return scores_.set_own(service, instance, health, now);
}

wire::DirectiveBody ClientDesk::directive(const Probe& probe, IpAddress eppc, std::uint8_t stages,
                                          Time now) const {
    const ProbeSpec& spec = probe.request.spec;
    wire::DirectiveBody body;
    body.kind = wire::DirectiveKind::TraceFlow;
    // Its own address would be no peer: that of another of the network's hosts.
    for (const GuestSpec& guest : find(config_.tenants, probe.request.tenant)->guests) {
        if (guest.vni == spec.vni && guest.host != eppc) body.peer = guest.host;
    }
    body.flow.stages = stages;
    body.flow.trace = probe.turn.trace();
    body.flow.flow = {spec.vni, probe.source, probe.destination, 0, 0, 0};
    body.flow.packets = ProbeTurn::kPackets;
    body.flow.duration = probe.turn.until() - now;
    body.flow.sampled = names_below(spec.share);
    return body;
}

std::vector<wire::DirectiveBody> ClientDesk::ask(IpAddress eppc, BootId boot, Time now) {
    std::vector<wire::DirectiveBody> out;
    const auto it = hosts_.find(eppc);
    if (it == hosts_.end()) return out;
    Host& host = it->second;
    const bool has_restarted = host.boot != boot;
    if (!has_restarted && now < host.ask_at) return out;
    host = {boot, Time::never()};
    for (Probe& probe : probe_list_) {
        if (has_restarted && probe.turn.on_restart(eppc, now))
            probes_.doubt(probe.request.spec.vni, probe.request.spec.name);
        if (probe.turn.ask_at(eppc, now) <= now)
            out.push_back(directive(probe, eppc, probe.turn.ask(eppc), now));
        ask_when_due(probe, eppc, now);
    }
    return out;
}

std::vector<IpAddress> ClientDesk::take_due(Time now) {
    std::vector<IpAddress> due;
    if (now < ask_at_) return due;
    ask_at_ = Time::never();
    for (const auto& [eppc, host] : hosts_) {
        if (host.boot.value == 0) continue;
        if (host.ask_at <= now) {
            due.push_back(eppc);
        } else {
            ask_at_ = std::min(ask_at_, host.ask_at);
        }
    }
    return due;
}

void ClientDesk::forget(IpAddress eppc) {
    if (const auto it = hosts_.find(eppc); it != hosts_.end()) it->second.boot = {};
}

void ClientDesk::on_answer(IpAddress eppc, std::uint32_t trace, bool follows, Time now) {
    Probe* const probe = probe_in_turn(trace);
    if (probe == nullptr) return;
    probe->turn.on_answer(eppc, follows, now);
    ask_when_due(*probe, eppc, now);
}

void ClientDesk::on_not_asked(IpAddress eppc, std::uint32_t trace, Time now) {
    Probe* const probe = probe_in_turn(trace);
    if (probe == nullptr) return;
    probe->turn.on_not_asked(eppc, now);
    ask_when_due(*probe, eppc, now);
}

/// Whether all that a packet may have gone to were looking from when it left until it would have come.
bool ClientDesk::is_judged(const Probe& probe, Time left, Time now) const {
    const Duration wait = config_.probe_bounds.matcher.wait;
    if (config_.view.clocks_are_one) return probe.turn.looked(left, left + wait);
    // On another clock; but it left before it was heard of, and not longer before than is waited for.
    return probe.turn.looked(now - wait, now + wait);
}

void ClientDesk::take(IpAddress eppc, const wire::FlowStageEntry& entry, Time now) {
    Probe* const of = probe_of(entry.trace);
    // A host that has no such guest tells nothing of it, whatever it says.
    if (of == nullptr || !of->turn.is_at(eppc, entry.stage)) return;
    Probe& probe = *of;
    const bool leaves = entry.stage == wire::FlowStage::GuestOut;
    if (entry.trace == probe.turn.trace()) {
        probe.turn.count(eppc, entry.stage, now);
    } else if (leaves) {
        return;  // of the turn before: it may have been told in this one, too
    }
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
    probes_.observe(
        spec.name,
        {spec.vni, spec.from, spec.to, side, entry.packet, at, !leaves || is_judged(probe, at, now)}, now);
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
    for (Probe& probe : probe_list_) {
        if (now >= probe.turn.over_at()) begin_turn(probe, now);
    }
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
    Time next = std::min({view_.next_deadline(), probes_.next_deadline(), look_at_, interval_ends_, ask_at_});
    for (const Probe& probe : probe_list_)
        next = std::min(next, probe.turn.over_at());
    return next;
}

std::vector<ClientOutput> ClientDesk::take() {
    return std::exchange(outputs_, {});
}

}  // namespace dyetrace::health
