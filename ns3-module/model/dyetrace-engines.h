// SPDX-License-Identifier: GPL-2.0-or-later
// The engines inside a DyetraceHost and a DyetraceNhms, for programs that are built with core: what they put
// out, with core's own types. Not installed; users of ns-3 have the objects' trace sources.
#ifndef DYETRACE_ENGINES_H
#define DYETRACE_ENGINES_H

#include <cstdint>

#include "core/eppc/eppc.h"
#include "core/health/nhms.h"

namespace ns3 {

class DyetraceHost;
class DyetraceHostPort;
class DyetraceNhms;

/// Is told what engines put out besides packets, as it happens.
class DyetraceEngineListener {
  public:
    virtual ~DyetraceEngineListener() = default;
    /// \param output never a packet to transmit
    virtual void EppcOutput(uint32_t host, const dyetrace::eppc::Output& output) = 0;
    /// \param output never a datagram to send
    virtual void NhmsOutput(uint32_t host, const dyetrace::health::Output& output) = 0;
};

/// Everything but GetConfig needs the host, or the service, to have been started.
class DyetraceEngines {
  public:
    /// What the attributes come to; Start() adds the addresses, which are the fabric's.
    static dyetrace::eppc::EppcConfig GetConfig(const DyetraceHost& host);
    static dyetrace::health::NhmsConfig GetConfig(const DyetraceNhms& nhms);
    /// Without tenants, which SetClients() adds.
    static dyetrace::health::ClientConfig GetClientConfig(const DyetraceNhms& nhms);
    static dyetrace::eppc::Eppc& GetEppc(const DyetraceHost& host);
    static dyetrace::health::Nhms& GetNhms(const DyetraceNhms& nhms);
    static DyetraceHostPort& GetPort(const DyetraceHost& host);
    /// \param listener not owned; one a host or service
    static void Listen(const DyetraceHost& host, DyetraceEngineListener* listener);
    static void Listen(const DyetraceNhms& nhms, DyetraceEngineListener* listener);
};

}  // namespace ns3

#endif  // DYETRACE_ENGINES_H
