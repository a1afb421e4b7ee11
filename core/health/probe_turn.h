// SPDX-License-Identifier: GPL-2.0-or-later
// One turn of a probe: the EPPCs with guests at its ends are asked to follow its packets, under one number
// and until one time.
//
//   to be asked -> waits for an answer -> looks, until the turn is over
//        ^------------- pause ------------ refused, or nobody answered
//
// A packet that left is only lost where whoever should have seen it arrive was looking. So losses are judged
// while all far ends look. A turn is over after its time, or once an EPPC has told half as many packets as it
// was asked for: so that the next turn begins before the far end has told them all and looks no more.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>

#include "core/base/addresses.h"
#include "core/base/time.h"
#include "core/wire/flow_trace.h"

namespace dyetrace::health {

class ProbeTurn {
  public:
    /// EPPCs, and the stages that each tells of: bit n is FlowStage n.
    using Places = std::map<IpAddress, std::uint8_t>;

    /// Short enough that an EPPC whose room is taken by what nobody wants any more has room again soon.
    static constexpr Duration kLength = Duration::seconds(300);
    /// Before an EPPC is asked again; doubled each time, where it refuses or says nothing.
    static constexpr Duration kPause = Duration::seconds(5);
    /// Until EPPCs that were asked late, because a directive had to be sent again, have ended too.
    static constexpr Duration kEndsLate = Duration::seconds(1);
    /// That an EPPC tells of, at each stage.
    static constexpr std::uint16_t kPackets = std::numeric_limits<std::uint16_t>::max();

    static constexpr std::uint8_t bit(wire::FlowStage stage) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(stage));
    }

    ProbeTurn() = default;
    ProbeTurn(std::uint32_t trace, const Places& places, Time now);

    [[nodiscard]] std::uint32_t trace() const { return trace_; }
    [[nodiscard]] Time until() const { return until_; }
    /// When another has to take its place.
    [[nodiscard]] Time over_at() const { return over_at_; }

    /// Guests have moved. False where that takes another turn: an EPPC that was asked already does not learn
    /// of another stage.
    bool move(const Places& places, Time now);

    /// When that EPPC is to be asked; never where it is at no end, or was asked, or the turn has ended.
    [[nodiscard]] Time ask_at(IpAddress eppc, Time now) const;
    /// It is asked, of the stages returned.
    std::uint8_t ask(IpAddress eppc);
    void on_answer(IpAddress eppc, bool follows, Time now);
    /// There is nobody, or no room, to ask it.
    void on_not_asked(IpAddress eppc, Time now);
    /// It has begun anew, and knows of nothing. True where what is on its way to it may not be seen.
    bool on_restart(IpAddress eppc, Time now);

    [[nodiscard]] bool is_at(IpAddress eppc, wire::FlowStage stage) const;
    /// It told of a packet.
    void count(IpAddress eppc, wire::FlowStage stage, Time now);
    /// Whether all far ends looked all that time.
    [[nodiscard]] bool looked(Time from, Time to) const {
        return blind_ == 0 && from >= all_look_since_ && to <= until_;
    }

  private:
    struct End {
        std::uint8_t stages = 0;  ///< none: its guests have moved away
        std::uint8_t asked = 0;   ///< those that it was asked for
        bool looks = false;
        Time ask_at;
        Duration pause = kPause;
        std::array<std::uint32_t, wire::kFlowStages> told{};
        [[nodiscard]] bool is_far() const { return (stages & bit(wire::FlowStage::GuestIn)) != 0; }
    };
    [[nodiscard]] End* find(IpAddress eppc);

    std::uint32_t trace_ = 0;
    Time until_ = Time::never();
    Time over_at_ = Time::never();
    std::map<IpAddress, End> ends_;
    std::size_t blind_ = 0;  ///< far ends that do not look
    Time all_look_since_ = Time::earliest();
};

}  // namespace dyetrace::health
