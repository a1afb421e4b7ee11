// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/explore/model.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/auth/cookie.h"
#include "core/base/bytes.h"
#include "core/base/random.h"
#include "core/session/machine.h"
#include "core/wire/track_option.h"
#include "tests/core/eppc/frames.h"

namespace dyetrace::explore {

using eppc::Eppc;
using session::Role;
using session::State;

namespace {

const std::vector<eppc::SessionView> kNoSessions;
constexpr GuestPort kPort{1};
constexpr Vni kVni{1000};

// Few transmissions and short bounds, so that a search of a few steps sees peers lost and sessions expire.
constexpr Duration kRetransmit = Duration::milliseconds(20);
constexpr int kTransmissions = 2;
constexpr Duration kKeepAlive = Duration::milliseconds(60);
constexpr Duration kDuration = Duration::milliseconds(150);
constexpr Duration kReportInterval = Duration::milliseconds(10);
constexpr Duration kRideWait = Duration::milliseconds(15);

// The bounds that docs/sessions.md states.
constexpr Duration kSpan = kRetransmit * kTransmissions;
/// A START, the END behind it and the close may each need all their transmissions.
constexpr Duration kRequesterMost = kDuration + kSpan * 3;
/// The acceptor waits for the requester's close a second longer.
constexpr Duration kAcceptorMost = kDuration + Duration::seconds(1);
/// Silence is noticed after three keep-alives, at a requester when the next one is due.
constexpr Duration kSilenceMost = kKeepAlive * 4;
/// An end waits so long for the last delay sketch.
constexpr Duration kSketchMost = kSpan / 2;
/// Where nothing is lost any more, what was measured is told after this: the next report is due, waits for a
/// ride, and what was lost before goes again.
constexpr Duration kToldMost = kReportInterval + kRideWait + kRetransmit;

IpAddress address_of(std::size_t host) {
    return Ipv4Address{0x0a000001 + static_cast<std::uint32_t>(host)};
}
MacAddress guest_of(std::size_t host) {
    return MacAddress::from_integer(0x020100000001 + host);
}

eppc::EppcConfig config_of(std::size_t host, const Setup& setup) {
    eppc::EppcConfig config;
    config.address = address_of(host);
    config.mac = MacAddress::from_integer(0x020000000001 + host);
    config.gateway_mac = MacAddress::from_integer(0x02ffffffffff);
    config.key = auth::SharedKey{};
    config.key->fill(0x42);
    // Clocks and delays decide nothing about sessions, and their values would make every moment another
    // state.
    if (!setup.delays)
        config.metrics = wire::kMetricsAll & ~std::uint32_t{wire::kMetricDelay | wire::kMetricQuantiles};
    config.path_count = static_cast<std::uint16_t>(setup.paths);
    config.port_count = config.path_count;
    config.open_on_traffic = host == 0 || setup.both_ways;
    config.sampling = wire::SamplingSpec::every_nth(1);
    config.report_interval = kReportInterval;
    config.ride_wait = setup.rides ? kRideWait : Duration{};
    // With rides the END of an idle path, which tells everything, comes behind all that may ride.
    config.path_idle = Duration::milliseconds(setup.rides ? 100 : 50);
    config.retransmit_first = kRetransmit;
    config.retransmit_last = kRetransmit;
    config.retransmit_most = kTransmissions;
    config.keep_alive_interval = kKeepAlive;
    config.session_duration = kDuration;
    config.reject_back_off = Duration::milliseconds(30);
    config.trace_paths = false;
    return config;
}

std::vector<std::uint8_t> guest_frame(std::size_t from, std::uint16_t port) {
    test::GuestPacket packet;
    packet.source_mac = guest_of(from);
    packet.destination_mac = guest_of(1 - from);
    packet.source = Ipv4Address{0xc0a80001 + static_cast<std::uint32_t>(from)};
    packet.destination = Ipv4Address{0xc0a80002 - static_cast<std::uint32_t>(from)};
    packet.source_port = port;
    packet.payload = 20;
    return packet.frame();
}

/// Puts a track option, of no session that there is, into an untagged packet.
void tag_early(std::vector<std::uint8_t>& frame) {
    std::vector<std::uint8_t> option(wire::TrackOption::kSize);
    wire::TrackOption{}.encode_into(option, wire::TrackOption::kClassDefault);
    frame.insert(frame.begin() + test::kGenevePayload, option.begin(), option.end());
    frame[test::kGeneve] = wire::TrackOption::kSize / 4;
    store_u16(&frame[test::kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - test::kOuterIp));
    store_u16(&frame[test::kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - test::kOuterUdp));
    test::mend_ip(frame);
}

void note(StateDigest& digest, const StateDigest::Value& value) {
    digest.add(value[0]);
    digest.add(value[1]);
}

const char* name_of(std::size_t host) {
    return host == 0 ? "A" : "B";
}

const eppc::SessionView* find_session(const std::vector<eppc::SessionView>& sessions, Role role,
                                      SessionId id) {
    const auto it = std::find_if(sessions.begin(), sessions.end(),
                                 [&](const auto& view) { return view.role == role && view.session == id; });
    return it == sessions.end() ? nullptr : &*it;
}

/// Whether `now` has all that `then` had, path for path. Totals of one generation only grow.
bool goes_on(const eppc::SessionView& then, const eppc::SessionView& now) {
    return std::all_of(then.paths.begin(), then.paths.end(), [&](const wire::PathRecord& before) {
        return std::any_of(now.paths.begin(), now.paths.end(), [&](const wire::PathRecord& record) {
            return record.path == before.path && record.intervals >= before.intervals &&
                   record.sent >= before.sent && record.received >= before.received &&
                   record.tracked_sent >= before.tracked_sent &&
                   record.tracked_received >= before.tracked_received &&
                   record.duplicates >= before.duplicates && record.delay_count >= before.delay_count;
        });
    });
}

}  // namespace

std::string Action::to_string() const {
    const std::string who = name_of(host);
    const std::string which = " message " + std::to_string(message) + " to " + who;
    switch (kind) {
        case Kind::Deliver: return "deliver" + which;
        case Kind::Lose: return "lose" + which;
        case Kind::Repeat: return "repeat" + which;
        case Kind::Advance: return "time passes";
        case Kind::Data:
        case Kind::Reply: return "guest of " + who + " sends";
        case Kind::Restart: return who + " restarts";
        case Kind::Close: return who + " closes";
    }
    return {};
}

std::string Message::to_string() const {
    if (!type) return std::string(tracked ? "tagged data" : "data") + (ridden ? " with a record" : "");
    return std::string(wire::to_string(*type)) + " of session " + std::to_string(session.value);
}

World::World(const Setup& setup) : setup_(setup), left_(setup.budgets) {
    for (std::size_t i = 0; i < 2; ++i) {
        const auto host = fresh_host(i, 0);
        hosts_[i] = host;
        settle(i, host);
    }
    frames_ = frames_by_path();
}

/// Which path a guest's packet takes is a secret of its host's engine; it shows at the outside.
std::shared_ptr<const std::array<World::Frames, 2>> World::frames_by_path() const {
    auto frames = std::make_shared<std::array<Frames, 2>>();
    for (std::size_t from = 0; from < 2; ++from) {
        std::vector<std::uint16_t> ports;
        for (std::uint16_t port = 1000; static_cast<int>(ports.size()) < setup_.paths; ++port) {
            auto bytes = guest_frame(from, port);
            test::OwnedFrame frame(bytes, Eppc::kHeadroom);
            Eppc engine = hosts_[from]->engine.clone();
            DYETRACE_ASSERT(!engine.encapsulate(kPort, frame.buffer, now_));
            const std::uint16_t outer = test::look_at(frame.bytes()).source_port;
            if (std::find(ports.begin(), ports.end(), outer) != ports.end()) continue;
            ports.push_back(outer);
            (*frames)[from].push_back(std::move(bytes));
        }
    }
    return frames;
}

std::shared_ptr<World::Host> World::fresh_host(std::size_t index, int boots) const {
    auto engine = Eppc::create(config_of(index, setup_),
                               mix64(1 + index * 100 + static_cast<std::uint64_t>(boots)), now_);
    DYETRACE_ASSERT(engine.ok());
    auto host = std::make_shared<Host>(std::move(engine).value(), boots);
    DYETRACE_ASSERT(host->engine.add_guest(kPort, kVni, guest_of(index)).ok());
    DYETRACE_ASSERT(host->engine.add_remote(kVni, guest_of(1 - index), address_of(1 - index)).ok());
    return host;
}

std::shared_ptr<World::Host> World::copy_of(std::size_t index) const {
    return std::make_shared<Host>(hosts_[index]->engine.clone(), hosts_[index]->boots);
}

Time World::deadline(const Host& host) const {
    const Time said = host.engine.next_deadline();
    const auto has = [&](auto which) {
        return std::any_of(host.sessions.begin(), host.sessions.end(), which);
    };
    if (setup_.defect == Defect::HiddenDeadline &&
        has([](const auto& s) { return s.state == State::Closing; }))
        return Time::never();
    if (setup_.defect == Defect::SleepsOn && has([](const auto& s) { return s.role == Role::Acceptor; }))
        return said + Duration::seconds(10);
    return said;
}

Time World::next_deadline() const {
    return std::min(deadline(*hosts_[0]), deadline(*hosts_[1]));
}

Time World::next_stop() const {
    const Time next = std::max(now_, next_deadline());
    if (!setup_.rides) return next;
    // No deadline says when a report is due that waits for its ride: whole intervals after its session began.
    const Time due = now_ + (kReportInterval - Duration{now_.ns % kReportInterval.ns});
    return std::min(next, due);
}

std::vector<Action> World::actions() const {
    using Kind = Action::Kind;
    std::vector<Action> all;
    for (std::uint8_t host = 0; host < 2; ++host) {
        const auto& flights = flights_[host];
        for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(flights.size()); ++i) {
            // Of equal ones the first stands for all.
            const bool again = std::any_of(flights.begin(), flights.begin() + i,
                                           [&](const Flight& f) { return f->hash == flights[i]->hash; });
            if (again) continue;
            if (i == 0 || may(left_.overtakings)) all.push_back({Kind::Deliver, host, i});
            if (may(left_.losses)) all.push_back({Kind::Lose, host, i});
            if (may(left_.repeats)) all.push_back({Kind::Repeat, host, i});
        }
        if (left_.data > 0 && (host == 0 || setup_.both_ways)) all.push_back({Kind::Data, host, 0});
        if (left_.replies > 0 && host == 1) all.push_back({Kind::Reply, host, 0});
        if (may(left_.restarts)) all.push_back({Kind::Restart, host, 0});
        if (may(left_.closes) && !hosts_[host]->sessions.empty()) all.push_back({Kind::Close, host, 0});
    }
    if (left_.advances > 0 && next_deadline() != Time::never()) all.push_back({Kind::Advance, 0, 0});
    return all;
}

World World::after(const Action& action) const {
    using Kind = Action::Kind;
    World next(*this);
    auto& flights = next.flights_[action.host];
    const auto at = flights.begin() + action.message;
    switch (action.kind) {
        case Kind::Deliver: {
            const Flight message = *at;
            flights.erase(at);
            if (action.message > 0) next.disturb(next.left_.overtakings);
            next.deliver(action.host, *message);
            break;
        }
        case Kind::Lose:
            flights.erase(at);
            next.disturb(next.left_.losses);
            break;
        case Kind::Repeat:  // the copy may go on its way later than all others
            flights.push_back(Flight(*at));
            next.disturb(next.left_.repeats);
            break;
        case Kind::Advance:
            --next.left_.advances;
            next.advance();
            break;
        case Kind::Data:
            --next.left_.data;
            next.send_data(action.host);
            break;
        case Kind::Reply:
            --next.left_.replies;
            next.send_data(action.host);
            break;
        case Kind::Restart:
            next.disturb(next.left_.restarts);
            next.restart(action.host);
            break;
        case Kind::Close:
            next.disturb(next.left_.closes);
            next.close(action.host);
            break;
    }
    return next;
}

void World::deliver(std::size_t index, const Message& message) {
    if (message.type == wire::ControlType::Accept) {
        if (setup_.defect == Defect::EatenAccepts) return;
        accepted_[index].push_back(message.session);
    }
    for (Life& life : lives_[index]) {
        const bool heard = message.tracked || (message.type && !message.handshake);
        if ((heard && life.session == message.session) || message.ridden == life.session) life.heard = now_;
    }
    const auto host = copy_of(index);
    test::OwnedFrame frame(message.bytes);
    (void)host->engine.decapsulate(frame.buffer, now_);
    settle(index, host);
}

void World::send_data(std::size_t from) {
    const Frames& frames = (*frames_)[from];
    const auto host = copy_of(from);
    test::OwnedFrame frame(frames[turn_[from]++ % frames.size()], Eppc::kHeadroom);
    DYETRACE_ASSERT(!host->engine.encapsulate(kPort, frame.buffer, now_));
    auto bytes = frame.bytes();
    if (setup_.defect == Defect::EarlyTag && accepted_[from].empty()) tag_early(bytes);
    launch(from, std::move(bytes));
    settle(from, host);
}

void World::advance() {
    now_ = next_stop();
    for (std::size_t i = 0; i < 2; ++i) {
        if (deadline(*hosts_[i]) <= now_) {
            settle(i, copy_of(i));
        } else {
            look(i);
        }
    }
}

void World::restart(std::size_t index) {
    accepted_[index].clear();
    lives_[index].clear();
    settle(index, fresh_host(index, hosts_[index]->boots + 1));
}

void World::close(std::size_t index) {
    const auto host = copy_of(index);
    for (const eppc::SessionView& view : hosts_[index]->sessions) {
        DYETRACE_ASSERT(
            host->engine.close_session(view.role, view.peer, view.session, wire::CloseReason::Asked, now_)
                .ok());
    }
    settle(index, host);
}

void World::settle(std::size_t index, const std::shared_ptr<Host>& host) {
    if (deadline(*host) <= now_) {
        host->engine.advance(now_);
        if (host->engine.next_deadline() <= now_)
            fault(std::string(name_of(index)) + " wants to do what it has done");
    }
    while (const auto output = host->engine.poll()) {
        if (const auto* frame = std::get_if<eppc::Transmit>(&*output)) {
            launch(index, {frame->bytes.begin(), frame->bytes.end()});
        } else if (const auto* change = std::get_if<eppc::SessionChanged>(&*output)) {
            if (change->to != State::Closed) continue;
            if (change->role == Role::Requester) ++closed_in_order_[index];
            if (change->role == Role::Acceptor) look_at_end(index, change->session);
        }
    }
    host->sessions = host->engine.sessions();
    for (const eppc::SessionView& before : hosts_[index] ? hosts_[index]->sessions : kNoSessions) {
        const auto* const after = find_session(host->sessions, before.role, before.session);
        if (before.role == Role::Requester && after != nullptr && !goes_on(before, *after))
            fault(std::string(name_of(index)) + " was told of less than before");
    }
    hosts_[index] = host;
    look(index);
}

void World::look_at_end(std::size_t acceptor, SessionId id) {
    const auto* const measured = find_session(hosts_[acceptor]->sessions, Role::Acceptor, id);
    const auto* const told = find_session(hosts_[1 - acceptor]->sessions, Role::Requester, id);
    if (measured == nullptr || told == nullptr) return;  // it came and went, or the requester has gone
    const auto same = [](const wire::PathRecord& one, const wire::PathRecord& other) {
        return one.path == other.path && one.generation == other.generation && one.sent == other.sent &&
               one.received == other.received && one.tracked_sent == other.tracked_sent &&
               one.tracked_received == other.tracked_received && one.intervals == other.intervals &&
               one.duplicates == other.duplicates && one.delay_count == other.delay_count;
    };
    if (!std::equal(measured->paths.begin(), measured->paths.end(), told->paths.begin(), told->paths.end(),
                    same))
        fault(std::string(name_of(acceptor)) + " closed a session of which not everything was told");
    for (const Life& life : lives_[acceptor]) {
        if (life.role != Role::Acceptor || life.session != id) continue;
        const bool waited = life.closing != Time::never() && now_ - life.closing >= kSketchMost;
        if (!waited && measured->delays != told->delays)
            fault(std::string(name_of(acceptor)) + " closed a session whose last delays were not told");
    }
}

void World::launch(std::size_t from, std::vector<std::uint8_t> bytes) {
    auto message = std::make_shared<Message>();
    const test::SeenPacket seen = test::look_at(bytes);
    message->port = seen.source_port;
    if (seen.control) {
        message->type = seen.control->type;
        message->handshake = wire::is_handshake(seen.control->type);
        message->session = seen.control->session;
    } else if (seen.track) {
        message->tracked = true;
        message->session = seen.track->session;
        const auto& known = accepted_[from];
        if (std::find(known.begin(), known.end(), seen.track->session) == known.end())
            fault(std::string(name_of(from)) + " tagged a packet before its session was accepted");
    }
    if (seen.ride) message->ridden = seen.ride->session;
    // The IP header in front says nothing more: what differs there is its identification.
    StateDigest digest(Time{});
    digest.add(Bytes(bytes).subspan(test::kOuterUdp));
    message->hash = digest.value();
    message->bytes = std::move(bytes);
    flights_[1 - from].push_back(std::move(message));
}

void World::fault(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
}

void World::look(std::size_t index) {
    const Host& host = *hosts_[index];
    digests_[index] = host.engine.digest(now_);
    std::vector<Life> lives;
    lives.reserve(host.sessions.size());
    for (const eppc::SessionView& view : host.sessions) {
        Life life{view.role, view.session, view.state, now_, now_, Time::never()};
        for (const Life& before : lives_[index]) {
            if (before.role != view.role || before.session != view.session) continue;
            life.born = before.born;
            life.heard = before.heard;
            life.closing = before.closing;
        }
        if (view.state == State::Closing && life.closing == Time::never()) life.closing = now_;
        lives.push_back(life);
        const std::string what = std::string(name_of(index)) + "'s session as " +
                                 std::string(session::to_string(view.role)) + " is " +
                                 std::string(session::to_string(view.state));
        if (session::is_final(view.state)) fault(what + " and was not forgotten");
        if (now_ - life.born > (view.role == Role::Requester ? kRequesterMost : kAcceptorMost))
            fault(what + " beyond its duration");
        if (now_ - life.heard > kSilenceMost) fault(what + " though its peer is silent");
    }
    lives_[index] = std::move(lives);
    if (!host.sessions.empty() && deadline(host) == Time::never())
        fault(std::string(name_of(index)) + " has a session and no deadline: a dead end");
}

StateDigest::Value World::system_key() const {
    StateDigest digest(now_);
    // Challenges and stamps tell the time as it is.
    digest.add(now_.ns / auth::CookieMaker::kTick.ns);
    for (std::size_t i = 0; i < 2; ++i) {
        if (setup_.defect != Defect::ForgetfulKey || i == 0) note(digest, digests_[i]);
        digest.add(hosts_[i]->boots);  // decides which boot comes next
        digest.add(flights_[i].size());
        for (const Flight& flight : flights_[i])
            note(digest, flight->hash);
    }
    return digest.value();
}

StateDigest::Value World::key() const {
    StateDigest digest(now_);
    note(digest, system_key());
    for (const int left : {left_.data, left_.replies, left_.advances, left_.disturbances})
        digest.add(left);
    for (const int left : {left_.losses, left_.repeats, left_.overtakings, left_.restarts, left_.closes})
        digest.add(std::min(left, left_.disturbances));
    for (std::size_t i = 0; i < 2; ++i) {
        if (setup_.paths > 1) digest.add(turn_[i] % (*frames_)[i].size());
        digest.add(accepted_[i].size());
        for (const SessionId id : accepted_[i])
            digest.add(id);
        digest.add(lives_[i].size());
        for (const Life& life : lives_[i]) {
            digest.add(life.session);
            digest.add(life.born);
            digest.add(life.heard);
            if (setup_.delays) digest.add(life.closing);
        }
    }
    return digest.value();
}

bool World::has_sessions() const {
    return !hosts_[0]->sessions.empty() || !hosts_[1]->sessions.empty();
}

bool World::agree_on_an_active_session() const {
    const auto& requested = hosts_[0]->sessions;
    const auto& accepted = hosts_[1]->sessions;
    return std::any_of(requested.begin(), requested.end(), [&](const eppc::SessionView& one) {
        return one.role == Role::Requester && one.state == State::Active &&
               std::any_of(accepted.begin(), accepted.end(), [&](const eppc::SessionView& other) {
                   return other.role == Role::Acceptor && other.state == State::Active &&
                          other.session == one.session;
               });
    });
}

void World::run(Time until, bool deliver_all) {
    constexpr int kStepsMost = 20'000;
    for (int step = 0; wrong_.empty(); ++step) {
        if (step > kStepsMost) return fault("the engines go on without end");
        if (!deliver_all) flights_[0].clear(), flights_[1].clear();
        const std::size_t to = flights_[step % 2].empty() ? 1 - step % 2 : step % 2;
        if (!flights_[to].empty()) {
            const Flight message = flights_[to].front();
            flights_[to].erase(flights_[to].begin());
            deliver(to, *message);
        } else if (next_deadline() <= until) {
            advance();
        } else {
            now_ = std::max(now_, until);
            look(0);
            look(1);
            return;
        }
    }
}

std::string World::end_in_silence() const {
    World end(*this);
    end.run(now_ + kSilenceMost, false);
    if (end.wrong_.empty() && end.has_sessions()) return "a session outlives the silence of its peer";
    end.run(end.now_ + Duration::seconds(60), false);
    if (end.wrong_.empty() && end.next_deadline() != Time::never())
        return "an engine has work without a session";
    return end.wrong_;
}

std::string World::end_in_peace() const {
    World end(*this);
    end.run(now_ + kToldMost, true);
    for (std::size_t i = 0; i < 2; ++i) {
        for (const eppc::SessionView& measured : hosts_[i]->sessions) {
            if (measured.role != Role::Acceptor) continue;
            const auto& requested = end.hosts_[1 - i]->sessions;
            const auto* const told = find_session(requested, Role::Requester, measured.session);
            const bool goes_on_here =
                find_session(end.hosts_[i]->sessions, Role::Acceptor, measured.session) != nullptr;
            if (told != nullptr && goes_on_here && !goes_on(measured, *told))
                return std::string(name_of(i)) + " does not tell what it has measured";
        }
    }
    // What was broken is noticed, what was going on comes to its end.
    end.run(now_ + kDuration + kSilenceMost, true);
    const Time limit = end.now_ + kDuration + kSilenceMost;
    while (end.wrong_.empty() && !end.agree_on_an_active_session()) {
        if (end.now_ > limit) return "no session comes about any more";
        end.send_data(0);
        end.run(end.now_ + Duration::milliseconds(10), true);
    }
    const int closed = end.closed_in_order_[0];
    end.run(end.now_ + kAcceptorMost + kSpan, true);
    if (!end.wrong_.empty()) return end.wrong_;
    if (end.has_sessions()) return "a session goes on beyond its duration";
    if (end.closed_in_order_[0] <= closed) return "the last session was not closed in order";
    return {};
}

}  // namespace dyetrace::explore
