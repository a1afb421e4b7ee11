// SPDX-License-Identifier: GPL-2.0-or-later
// Two real engines and the network between them as one value: it is copied, acted upon, and told from others
// by its key. A search over it sees every order in which messages can be lost, repeated, delayed and overtake
// each other, with the hosts restarting and closing in between.
//
// Messages take no time: what is delivered at once was fast, what waits while time passes was slow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/eppc/eppc.h"
#include "core/wire/control.h"

namespace dyetrace::explore {

/// How often each thing may happen on one way through the search. Delivering in order is free.
struct Budgets {
    int data = 2;          ///< packets of a guest that is measured
    int replies = 0;       ///< packets of B's guest that nobody measures: records ride in them
    int advances = 3;      ///< to the next deadline of either engine
    int disturbances = 2;  ///< all of the following together, each at most as often as it says
    int losses = 9;
    int repeats = 9;
    int overtakings = 9;  ///< a message delivered before an earlier one of its direction
    int restarts = 2;
    int closes = 2;
};

/// Defects put in on purpose, to see that they are found.
enum class Defect : std::uint8_t {
    None,
    EarlyTag,        ///< data is tagged before there was an accept
    HiddenDeadline,  ///< an engine that closes does not say when it wants to go on
    SleepsOn,        ///< an acceptor wants to be woken, but much too late
    EatenAccepts,    ///< no accept ever arrives
    ForgetfulKey,    ///< the key leaves one engine out
};

struct Setup {
    Budgets budgets;
    bool both_ways = false;  ///< guests of both hosts send, so that each engine has both roles
    bool rides = false;      ///< reports wait for packets to ride in, and time passes to where they do
    bool delays = false;     ///< delays are measured, and their sketch told
    int paths = 1;           ///< the guests' packets take them in turn
    Defect defect = Defect::None;
};

struct Action {
    enum class Kind : std::uint8_t { Deliver, Lose, Repeat, Advance, Data, Reply, Restart, Close };
    Kind kind{};
    std::uint8_t host = 0;     ///< who acts, or for whom the message is
    std::uint8_t message = 0;  ///< which of those on the way to `host`, oldest first

    [[nodiscard]] std::string to_string() const;
};

/// A frame on its way.
struct Message {
    std::vector<std::uint8_t> bytes;
    StateDigest::Value hash{};  ///< without what routers and receivers do not look at
    std::optional<wire::ControlType> type;
    bool tracked = false;
    bool handshake = false;
    SessionId session;
    std::optional<SessionId> ridden;  ///< a record of that session rides in it
    std::uint16_t port = 0;

    [[nodiscard]] std::string to_string() const;
};

/// What an onlooker notes of one session at one of its ends.
struct Life {
    session::Role role{};
    SessionId session;
    session::State state{};
    Time born;
    Time heard;                    ///< when a message of this session was last delivered there
    Time closing = Time::never();  ///< since when it is
};

class World {
  public:
    explicit World(const Setup& setup);

    /// All that may happen now.
    [[nodiscard]] std::vector<Action> actions() const;
    /// What follows. Whether something is wrong then, `wrong` says.
    [[nodiscard]] World after(const Action& action) const;

    /// Of engines, network and time.
    [[nodiscard]] StateDigest::Value system_key() const;
    /// The same with what is left of the budgets and what the onlooker has noted: equal keys, equal futures.
    [[nodiscard]] StateDigest::Value key() const;

    /// The property that does not hold here; empty where all do.
    [[nodiscard]] const std::string& wrong() const { return wrong_; }
    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] std::size_t on_the_way(std::size_t host) const { return flights_[host].size(); }
    /// Whether such a message is on its way.
    template <class Which>
    [[nodiscard]] bool carries(const Which& which) const {
        return std::any_of(flights_.begin(), flights_.end(), [&](const auto& flights) {
            return std::any_of(flights.begin(), flights.end(),
                               [&](const Flight& flight) { return which(*flight); });
        });
    }
    [[nodiscard]] const Message& message(const Action& action) const {
        return *flights_[action.host][action.message];
    }

    // The end of all trouble: what became of it is said as by `wrong`.
    /// From here on nothing arrives: every session must end within its bound, and the engines fall silent.
    [[nodiscard]] std::string end_in_silence() const;
    /// From here on nothing is lost: both ends must come to agree, open a session anew when there is data,
    /// and close it in order.
    [[nodiscard]] std::string end_in_peace() const;

  private:
    struct Host {
        Host(eppc::Eppc its_engine, int its_boots) : engine(std::move(its_engine)), boots(its_boots) {}
        eppc::Eppc engine;
        int boots;  ///< restarts so far
        std::vector<eppc::SessionView> sessions;
    };
    using Flight = std::shared_ptr<const Message>;
    using Frames = std::vector<std::vector<std::uint8_t>>;

    [[nodiscard]] bool may(int left) const { return left > 0 && left_.disturbances > 0; }
    void disturb(int& left) {
        --left;
        --left_.disturbances;
    }
    [[nodiscard]] std::shared_ptr<Host> fresh_host(std::size_t index, int boots) const;
    [[nodiscard]] std::shared_ptr<Host> copy_of(std::size_t index) const;
    [[nodiscard]] Time deadline(const Host& host) const;
    [[nodiscard]] Time next_deadline() const;
    void deliver(std::size_t host, const Message& message);
    void send_data(std::size_t from);
    /// When time next stops: at a deadline, or where a report may begin to ride.
    [[nodiscard]] Time next_stop() const;
    /// The acceptor has closed the session: its requester has all that was measured, if it is there still.
    void look_at_end(std::size_t acceptor, SessionId id);
    [[nodiscard]] std::shared_ptr<const std::array<Frames, 2>> frames_by_path() const;
    void advance();
    void restart(std::size_t index);
    void close(std::size_t index);
    /// Does what is due at the host, takes its outputs, and looks at it.
    void settle(std::size_t index, const std::shared_ptr<Host>& host);
    void launch(std::size_t from, std::vector<std::uint8_t> bytes);
    void look(std::size_t index);
    void fault(const std::string& what);
    /// Time goes on to `until`, and every message is delivered at once, or lost.
    void run(Time until, bool deliver_all);
    [[nodiscard]] bool has_sessions() const;
    [[nodiscard]] bool agree_on_an_active_session() const;

    Setup setup_;
    Budgets left_;
    std::shared_ptr<const std::array<Frames, 2>> frames_;  ///< of each host's guest, by path
    std::array<std::size_t, 2> turn_{};                    ///< of each host: whose path it is
    Time now_{};
    std::array<std::shared_ptr<const Host>, 2> hosts_;
    std::array<StateDigest::Value, 2> digests_{};     ///< of the engines, as of now
    std::array<std::vector<Flight>, 2> flights_;      ///< by receiver, oldest first
    std::array<std::vector<SessionId>, 2> accepted_;  ///< whose accept was delivered to the host's engine
    std::array<std::vector<Life>, 2> lives_;
    std::array<int, 2> closed_in_order_{};  ///< requested sessions
    std::string wrong_;
};

}  // namespace dyetrace::explore
