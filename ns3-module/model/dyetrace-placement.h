// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_PLACEMENT_H
#define DYETRACE_PLACEMENT_H

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/event-id.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/ptr.h>
#include <ns3/traced-callback.h>

#include "dyetrace-guest.h"

namespace ns3 {

class DyetraceFabric;
class DyetraceHost;

/// \ingroup dyetrace
/// What came of moving the guests of a host elsewhere.
struct DyetraceEvacuation {
    struct Moved {
        uint32_t guest;
        uint32_t to;
    };
    struct Stayed {
        uint32_t guest;
        std::string why;
    };
    uint32_t host;
    std::vector<Moved> moved;
    std::vector<Stayed> stayed;
    bool isOld;  ///< they had left before
};

/**
 * \ingroup dyetrace
 * Who carries which guest, and who decides it: the overlay's directory with its controller, and the scheduler
 * of guests. DyetraceHelper makes it.
 *
 * A guest that moves keeps its addresses, its flows and connections, and what it has sent and received. It is
 * plugged into the EPPC of its new host and out of that of the old one at one time. All other hosts go on
 * sending to the old one until they have learned of it, LearnAfter later: the old host's EPPC drops that as
 * "guest-elsewhere", or delivers it where the guest is back by then.
 *
 * Asked to empty a host, it moves each guest of it to the host with the fewest guests. Hosts that are
 * drained, or that it was asked to empty before, get none; of equal ones chance decides, by the Seed. It
 * knows what it was asked, and nothing of how well the fabric is.
 *
 * Guests do not move in a fabric that is split among ranks.
 */
class DyetracePlacement : public Object {
  public:
    static TypeId GetTypeId();
    DyetracePlacement();
    ~DyetracePlacement() override;

    /// \param hosts by number; \param guests the directory that hosts and guests share
    void Start(Ptr<DyetraceFabric> fabric, std::vector<Ptr<DyetraceHost>> hosts,
               std::shared_ptr<DyetraceGuests> guests);

    /**
     * Moves a guest, now: call it from an event of its own. A guest without a node goes with its source, or
     * with whatever DyetraceMovable is connected to its port; anything else that is connected there gets its
     * frames from the new host, and sends by its new port.
     * \return empty where it was moved, else why it was not
     */
    std::string Move(uint32_t guest, uint32_t host);

    /// No guests are placed on a drained host.
    void SetDrained(uint32_t host, bool isDrained);
    bool IsDrained(uint32_t host) const { return m_isDrained.at(host); }

    using EvacuationCallback = std::function<void(const DyetraceEvacuation&)>;
    /// Empties a host, MigrateAfter from now, and then tells `done`, in an event of its own.
    void Evacuate(uint32_t host, EvacuationCallback done);
    /// Nobody is told any more.
    void ForgetCallbacks();

    /// Numbers of the guests of a host.
    std::vector<uint32_t> GetGuests(uint32_t host) const;

    typedef void (*MoveTracedCallback)(uint32_t guest, uint32_t from, uint32_t to);

  protected:
    void DoDispose() override;

  private:
    struct Pending {
        uint32_t host = 0;
        EvacuationCallback done;
        EventId event;
    };

    std::string GetRefusal(uint32_t guest, uint32_t host) const;
    /// Hosts that a guest of `from` may go to, best first.
    std::vector<uint32_t> Rank(uint32_t guest, uint32_t from) const;
    void DoEvacuate(uint32_t ticket);
    void MoveAway(uint32_t guest, DyetraceEvacuation& evacuation);
    void Learn(uint32_t guest);

    Time m_migrateAfter;
    Time m_learnAfter;
    uint64_t m_seed;
    Ptr<DyetraceFabric> m_fabric;
    std::vector<Ptr<DyetraceHost>> m_hosts;
    std::shared_ptr<DyetraceGuests> m_guests;
    std::vector<bool> m_isDrained;                        ///< by host
    std::vector<bool> m_isLeft;                           ///< by host: it was asked to empty it
    std::map<uint32_t, std::vector<uint32_t>> m_leavers;  ///< by such a host: the guests that it had
    std::map<uint32_t, Pending> m_pending;                ///< by ticket
    std::map<uint32_t, EventId> m_learning;               ///< by guest
    uint32_t m_nextTicket;
    TracedCallback<uint32_t, uint32_t, uint32_t> m_move;
};

}  // namespace ns3

#endif  // DYETRACE_PLACEMENT_H
