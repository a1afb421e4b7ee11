// SPDX-License-Identifier: GPL-2.0-or-later
// The loop between a host's port on the fabric, its guests and its engines: receive, handle, poll, send,
// sleep until the deadline. It decides nothing; decisions are core's. Not installed.
#ifndef DYETRACE_HOST_PORT_H
#define DYETRACE_HOST_PORT_H

#include <cstdint>
#include <memory>
#include <vector>

#include <ns3/ptr.h>

#include "dyetrace-engines.h"
#include "dyetrace-guest.h"
#include "dyetrace-receiver.h"

#include "core/base/time.h"
#include "core/eppc/eppc.h"
#include "core/wire/frame_buffer.h"

namespace ns3 {

class DyetraceFabric;
class DyetraceTruth;

class DyetraceHostPort : public DyetraceReceiver {
  public:
    struct Config {
        Ptr<DyetraceFabric> fabric;
        uint32_t host = 0;
        Ptr<DyetraceTruth> truth;                      ///< may be null
        std::shared_ptr<const DyetraceGuests> guests;  ///< of the whole overlay: the directory
        DyetraceEngineListener* owner = nullptr;       ///< is told first
    };

    /// Aborts, naming the field, where the engine refuses its configuration.
    DyetraceHostPort(const Config& config, const dyetrace::eppc::EppcConfig& eppc, uint64_t seed);
    ~DyetraceHostPort() override;

    dyetrace::eppc::Eppc& GetEppc() { return m_eppc; }
    void Listen(DyetraceEngineListener* listener) { m_listener = listener; }
    /// Plugs in a guest of this host, by its number in the directory.
    DyetraceGuestPort& AddGuest(uint32_t guest);
    /// Acts on whatever a call on the engine has made due.
    void Service();

    /// A frame from the fabric.
    void Receive(DyetracePacket* packet) override;

  private:
    class WakeEvent;
    class GuestPort;

    dyetrace::Time LocalTime() const;
    void FromGuest(dyetrace::GuestPort port, DyetracePacket* packet);
    void Resolve(uint32_t guest);
    void Wake();
    void ServiceAt(dyetrace::Time now);
    void Poll();
    void SendControl(dyetrace::Bytes frame);
    void ScheduleWake(dyetrace::Time now);

    Config m_config;
    dyetrace::eppc::Eppc m_eppc;
    DyetraceEngineListener* m_listener = nullptr;
    std::vector<std::unique_ptr<GuestPort>> m_guestPorts;  ///< by GuestPort's value
    std::vector<bool> m_resolved;                          ///< by guest's number
    Ptr<WakeEvent> m_wake;
    dyetrace::Time m_wakeAt;  ///< earliest wake that is scheduled
};

}  // namespace ns3

#endif  // DYETRACE_HOST_PORT_H
