// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/client_view.h"

#include <algorithm>
#include <cmath>

#include "core/health/client_text.h"

namespace dyetrace::health {
namespace {

std::int64_t slot_number(Time now, Duration slot) {
    const std::int64_t quotient = now.ns / slot.ns;
    return now.ns % slot.ns < 0 ? quotient - 1 : quotient;  // clocks may start below zero
}

/// Of a slot in its ring.
std::size_t place(std::int64_t slot, std::size_t slots) {
    const auto count = static_cast<std::int64_t>(slots);
    return static_cast<std::size_t>((slot % count + count) % count);
}

}  // namespace

Result<ClientView, std::string> ClientView::create(const ClientViewConfig& config,
                                                   const std::vector<TenantSpec>& tenants) {
    if (config.span.ns < static_cast<std::int64_t>(kSlots))
        return Failure{std::string("span: shorter than 10 ns")};
    if (config.silence < config.span) return Failure{std::string("silence: shorter than the span")};
    if (config.share_interval.ns <= 0) return Failure{std::string("share_interval: not above zero")};
    if (config.share_intervals == 0) return Failure{std::string("share_intervals: none")};
    if (config.events_of_a_subscription == 0) return Failure{std::string("events_of_a_subscription: none")};
    if (auto wrong = wrong_tenants(tenants, config.tenants)) return Failure{std::move(*wrong)};
    ClientView view(config);
    for (const TenantSpec& spec : tenants) {
        const auto index = static_cast<std::uint32_t>(view.accounts_.size());
        Account& account = view.accounts_.emplace_back(Tenant(spec));
        account.shares.assign(1 + spec.states.size(), {config.share_interval, config.share_intervals});
        for (const GuestSpec& guest : spec.guests) {
            std::vector<std::uint32_t>& there = view.tenants_on_[guest.host];
            if (there.empty() || there.back() != index) there.push_back(index);
        }
    }
    return view;
}

ClientView::Measured* ClientView::measured(const HostPair& hosts, Time now) {
    const auto it = measured_.find(hosts);
    if (it != measured_.end()) return &it->second;
    const auto from = tenants_on_.find(hosts.first);
    const auto to = tenants_on_.find(hosts.second);
    const bool watched = from != tenants_on_.end() && to != tenants_on_.end() &&
                         hosts.first != hosts.second &&
                         std::any_of(from->second.begin(), from->second.end(), [&](std::uint32_t account) {
                             return std::binary_search(to->second.begin(), to->second.end(), account);
                         });
    if (!watched) {
        ++counters_.windows_unwatched;
        return nullptr;
    }
    if (measured_.size() >= config_.host_pairs) {
        ++counters_.pairs_over_limit;
        return nullptr;
    }
    Measured& made = measured_[hosts];
    made.newest_slot = slot_number(now, slot());
    return &made;
}

void ClientView::turn(Measured& measured, std::int64_t slot) {
    const std::int64_t behind = slot - measured.newest_slot;
    for (std::int64_t i = 1; i <= std::min<std::int64_t>(behind, kSlots); ++i)
        measured.slots[place(measured.newest_slot + i, kSlots)] = {};
    measured.newest_slot = std::max(measured.newest_slot, slot);
}

void ClientView::add(IpAddress from_host, IpAddress to_host, const MetricsWindow& window, Time now) {
    ++counters_.windows;
    Measured* const of = measured({from_host, to_host}, now);
    if (of == nullptr) return;
    turn(*of, slot_number(now, slot()));
    of->slots[place(of->newest_slot, kSlots)].add(window);
    // A record of a path on which nothing went says nothing of its health.
    if (window.sent > 0 || window.tracked_received > 0) of->heard_at = now;
    tick_ = std::min(tick_, now + slot());
}

void ClientView::set_health(IpAddress from_host, IpAddress to_host, Health health, double confidence,
                            Time now) {
    Measured* const of = measured({from_host, to_host}, now);
    if (of == nullptr) return;
    of->told = health;
    of->confidence = std::isfinite(confidence) ? std::clamp(confidence, 0.0, 1.0) : 0.0;
    if (health != Health::NotMeasured) of->heard_at = now;
    tick_ = std::min(tick_, now + slot());
}

void ClientView::set_delays(IpAddress from_host, IpAddress to_host, const DelayFigures& delays, Time now) {
    Measured* const of = measured({from_host, to_host}, now);
    if (of == nullptr) return;
    of->delays = delays;
    of->delays_at = now;
    tick_ = std::min(tick_, now + slot());
}

FigureSums ClientView::sums(const Measured& measured, Time now) const {
    FigureSums out;
    const std::int64_t oldest = slot_number(now, slot()) - static_cast<std::int64_t>(kSlots) + 1;
    for (std::int64_t i = std::max(oldest, measured.newest_slot - static_cast<std::int64_t>(kSlots) + 1);
         i <= measured.newest_slot; ++i)
        out.add(measured.slots[place(i, kSlots)]);
    return out;
}

DelayFigures ClientView::delays(const Measured& measured, Time now) const {
    return measured.delays_at > now - config_.silence ? measured.delays : DelayFigures{};
}

Figures ClientView::figures(const Measured& measured, const FigureSums& sums, Time now) const {
    Figures out = sums.figures(config_.clocks_are_one, delays(measured, now));
    out[Figure::Packets] = static_cast<double>(at_least(sums.sent));
    return out;
}

Health ClientView::health_of(const Measured& measured, Time now) const {
    // Silence is not health. That nothing arrives any more is for whoever detects to tell, and then it was
    // told within this time.
    return now - config_.silence < measured.heard_at ? measured.told : Health::NotMeasured;
}

bool ClientView::evaluate(std::uint32_t index, const HostPair& hosts, const Measured& measured, Time now) {
    Account& account = accounts_[index];
    if (account.tenant.pairs_between(hosts) == 0) {
        account.watched.erase(hosts);  // a guest has moved
        return false;
    }
    Watched& watched = account.watched[hosts];
    const std::vector<StateSpec>& states = account.tenant.states();
    watched.states.resize(states.size());
    const FigureSums sums = this->sums(measured, now);
    const Figures figures = this->figures(measured, sums, now);
    const auto reason = [&](Health health) {
        return health_text(health, sums, sums.coarse(figures), delays(measured, now).count);
    };
    bool busy = sums.windows > 0;
    const Health health = health_of(measured, now);
    busy = busy || health != Health::NotMeasured;
    if (health != watched.health) {
        const std::string_view before = to_string(watched.health);
        watched.health = health;
        watched.since = now;
        announce(index, hosts, "health", before, to_string(health), reason(health), now);
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
        ConditionTracker& tracker = watched.states[i];
        const Standing before = tracker.standing();
        const Condition& condition = states[i].condition;
        // Without one packet or delay in the span even `packets < 100` is no finding.
        const bool anything =
            sums.sent > 0 || sums.received > 0 || measured.delays_at > now - config_.silence;
        const Ternary holds = anything ? condition.evaluate(figures) : Ternary::Unknown;
        if (tracker.update(holds, condition.hold(), now))
            announce(index, hosts, states[i].name, to_string(before), to_string(tracker.standing()),
                     reason(health), now);
        busy = busy || holds != Ternary::Unknown || tracker.standing() != Standing::NotMeasured;
    }
    return busy;
}

void ClientView::announce(std::uint32_t index, const HostPair& hosts, std::string_view state,
                          std::string_view before, std::string_view after, const std::string& why, Time now) {
    const Tenant& tenant = accounts_[index].tenant;
    for (auto& [id, subscription] : subscriptions_) {
        if (subscription.tenant.value != index ||
            (!subscription.state.empty() && subscription.state != state))
            continue;
        for (const std::size_t from : tenant.on(hosts.first)) {
            for (const std::size_t to : tenant.on(hosts.second)) {
                const GuestSpec& source = tenant.guests()[from];
                const GuestSpec& destination = tenant.guests()[to];
                if (source.vni != destination.vni) continue;
                if (subscription.events.size() >= config_.events_of_a_subscription) {
                    ++subscription.lost;
                    ++counters_.events_lost;
                    continue;
                }
                subscription.events.push_back({now, source.name, destination.name, std::string(state),
                                               std::string(before), std::string(after), why});
            }
        }
    }
}

void ClientView::count_shares(Account& account, Time now) {
    std::vector<StateShares::Counts> counts(account.shares.size());
    std::uint64_t unheard = account.tenant.pairs();
    for (const auto& [hosts, watched] : account.watched) {
        const std::uint64_t weight = account.tenant.pairs_between(hosts);
        unheard -= std::min(weight, unheard);
        counts[0][static_cast<std::size_t>(watched.health)] += weight;
        for (std::size_t i = 0; i < watched.states.size(); ++i)
            counts[1 + i][static_cast<std::size_t>(watched.states[i].standing())] += weight;
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i][0] += unheard;  // both enumerations begin with "not measured"
        account.shares[i].set(counts[i], now);
    }
}

void ClientView::advance(Time now) {
    if (now < tick_) return;
    bool busy = false;
    for (auto& [hosts, measured] : measured_) {
        turn(measured, slot_number(now, slot()));
        const auto there = tenants_on_.find(hosts.first);
        if (there == tenants_on_.end()) continue;
        for (const std::uint32_t account : there->second)
            busy = evaluate(account, hosts, measured, now) || busy;
    }
    for (Account& account : accounts_)
        count_shares(account, now);
    tick_ = busy ? now + slot() : Time::never();
}

Time ClientView::next_deadline() const {
    return tick_;
}

bool ClientView::move_guest(TenantId id, std::string_view guest, IpAddress host, Time now) {
    if (!exists(id) || host.is_unspecified()) return false;
    Account& account = accounts_[id.value];
    const auto index = account.tenant.find(guest);
    if (!index) return false;
    const IpAddress before = account.tenant.guests()[*index].host;
    account.tenant.move(*index, host);
    std::vector<std::uint32_t>& there = tenants_on_[host];
    const auto place = std::lower_bound(there.begin(), there.end(), id.value);
    if (place == there.end() || *place != id.value) there.insert(place, id.value);
    if (!account.tenant.is_on(before)) std::erase(tenants_on_[before], id.value);
    // Who was watched only for this guest is not any more.
    std::erase_if(account.watched,
                  [&](const auto& entry) { return account.tenant.pairs_between(entry.first) == 0; });
    std::erase_if(measured_, [&](const auto& entry) {
        return std::none_of(accounts_.begin(), accounts_.end(), [&](const Account& one) {
            return one.tenant.is_on(entry.first.first) && one.tenant.is_on(entry.first.second);
        });
    });
    count_shares(account, now);
    return true;
}

std::optional<TenantId> ClientView::tenant(std::string_view name) const {
    for (std::uint32_t i = 0; i < accounts_.size(); ++i) {
        if (accounts_[i].tenant.name() == name) return TenantId{i};
    }
    return std::nullopt;
}

std::vector<std::string> ClientView::guests(TenantId id) const {
    std::vector<std::string> names;
    if (!exists(id)) return names;
    for (const GuestSpec& guest : accounts_[id.value].tenant.guests())
        names.push_back(guest.name);
    return names;
}

PairView ClientView::view(const Account& account, std::size_t from, std::size_t to, Time now) const {
    const GuestSpec& source = account.tenant.guests()[from];
    const GuestSpec& destination = account.tenant.guests()[to];
    PairView out;
    out.from = source.name;
    out.to = destination.name;
    out.vni = source.vni;
    for (const StateSpec& state : account.tenant.states())
        out.states.push_back({state.name, Standing::NotMeasured, {}});
    const HostPair hosts{source.host, destination.host};
    FigureSums sums;
    std::uint64_t delays = 0;
    // On one host nothing of theirs crosses the network.
    const auto it = measured_.find(hosts);
    if (it != measured_.end() && source.host != destination.host) {
        sums = this->sums(it->second, now);
        out.figures = sums.coarse(figures(it->second, sums, now));
        delays = this->delays(it->second, now).count;
        out.health = health_of(it->second, now);
        if (out.health != Health::NotMeasured) out.confidence = it->second.confidence;
        out.packets_at_least = at_least(sums.sent);
        if (const auto& loss = out.figures[Figure::Loss])
            out.loss = interval_of_share(*loss, out.packets_at_least);
        if (const auto watched = account.watched.find(hosts); watched != account.watched.end()) {
            out.since = watched->second.since;
            for (std::size_t i = 0; i < watched->second.states.size(); ++i) {
                out.states[i].standing = watched->second.states[i].standing();
                out.states[i].since = watched->second.states[i].since();
            }
        }
    }
    out.reason = health_text(out.health, sums, out.figures, delays);
    out.figures[Figure::Packets].reset();
    return out;
}

std::optional<PairView> ClientView::pair(TenantId id, std::string_view from, std::string_view to,
                                         Time now) const {
    if (!exists(id)) return std::nullopt;
    const Account& account = accounts_[id.value];
    const auto source = account.tenant.find(from);
    const auto destination = account.tenant.find(to);
    if (!source || !destination || source == destination) return std::nullopt;
    const std::vector<GuestSpec>& guests = account.tenant.guests();
    if (guests[*source].vni != guests[*destination].vni) return std::nullopt;
    return view(account, *source, *destination, now);
}

std::vector<PairView> ClientView::pairs(TenantId id, std::size_t most, Time now) const {
    std::vector<PairView> out;
    if (!exists(id)) return out;
    const Account& account = accounts_[id.value];
    const std::vector<GuestSpec>& guests = account.tenant.guests();
    std::vector<std::size_t> heard;
    for (std::size_t from = 0; from < guests.size(); ++from) {
        heard.clear();
        const IpAddress host = guests[from].host;
        for (auto it = measured_.lower_bound({host, IpAddress{}});
             it != measured_.end() && it->first.first == host; ++it) {
            for (const std::size_t to : account.tenant.on(it->first.second)) {
                if (guests[to].vni == guests[from].vni) heard.push_back(to);
            }
        }
        std::sort(heard.begin(), heard.end());  // guests are in the order of their names
        for (const std::size_t to : heard) {
            if (out.size() >= most) return out;
            out.push_back(view(account, from, to, now));
        }
    }
    return out;
}

Result<SubscriptionId, std::string> ClientView::subscribe(TenantId id, std::string_view state) {
    if (!exists(id)) return Failure{std::string("there is no such tenant")};
    const std::vector<StateSpec>& states = accounts_[id.value].tenant.states();
    const bool known =
        state.empty() || state == "health" ||
        std::any_of(states.begin(), states.end(), [&](const auto& one) { return one.name == state; });
    if (!known) return Failure{std::string("there is no such state")};
    if (subscriptions_.size() >= config_.subscriptions) return Failure{std::string("there is no room")};
    const SubscriptionId made{next_subscription_++};
    subscriptions_[made] = {id, std::string(state), {}, 0};
    return made;
}

void ClientView::unsubscribe(SubscriptionId id) {
    subscriptions_.erase(id);
}

std::optional<ClientEvent> ClientView::poll(SubscriptionId id) {
    const auto it = subscriptions_.find(id);
    if (it == subscriptions_.end() || it->second.events.empty()) return std::nullopt;
    ClientEvent event = std::move(it->second.events.front());
    it->second.events.pop_front();
    return event;
}

std::uint64_t ClientView::lost(SubscriptionId id) const {
    const auto it = subscriptions_.find(id);
    return it == subscriptions_.end() ? 0 : it->second.lost;
}

std::vector<StateShare> ClientView::shares(TenantId id, std::string_view state, Time now) const {
    if (!exists(id)) return {};
    const Account& account = accounts_[id.value];
    if (state == "health") return account.shares[0].until(now);
    for (std::size_t i = 0; i < account.tenant.states().size(); ++i) {
        if (account.tenant.states()[i].name == state) return account.shares[1 + i].until(now);
    }
    return {};
}

}  // namespace dyetrace::health
