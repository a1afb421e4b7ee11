// SPDX-License-Identifier: GPL-2.0-or-later
// The engines inside a DyetraceHost, for programs that are built with core: what they put out, with core's
// own types. Not installed; users of ns-3 have the trace sources of DyetraceHost.
#ifndef DYETRACE_ENGINES_H
#define DYETRACE_ENGINES_H

#include <cstdint>

#include "core/eppc/eppc.h"

namespace ns3 {

class DyetraceHost;

/// Is told what a host's engines put out besides packets, as it happens.
class DyetraceEngineListener {
  public:
    virtual ~DyetraceEngineListener() = default;
    /// \param output never a packet to transmit
    virtual void EppcOutput(uint32_t host, const dyetrace::eppc::Output& output) = 0;
};

class DyetraceEngines {
  public:
    /// The engine of a host that has been started.
    static dyetrace::eppc::Eppc& GetEppc(const DyetraceHost& host);
    /// \param listener not owned; one a host
    static void Listen(const DyetraceHost& host, DyetraceEngineListener* listener);
};

}  // namespace ns3

#endif  // DYETRACE_ENGINES_H
