// SPDX-License-Identifier: GPL-2.0-or-later
// Between what users of ns-3 say of tenants and the engine's own types. Not installed.
#ifndef DYETRACE_CLIENT_CONVERT_H
#define DYETRACE_CLIENT_CONVERT_H

#include <functional>

#include "dyetrace-clients.h"
#include "dyetrace-guest.h"

#include "core/health/client_desk.h"
#include "core/health/flow_trace.h"
#include "core/localise/fabric_graph.h"

namespace ns3 {

/// The address of a host in the underlay, by its number.
using DyetraceHostAddresses = std::function<dyetrace::IpAddress(uint32_t host)>;

/// Adds the clients to `config`. Aborts, naming the condition, where one does not parse.
void DyetraceAddClients(const DyetraceClients& clients, const DyetraceGuests& guests,
                        const DyetraceHostAddresses& addresses, dyetrace::health::ClientConfig& config);
dyetrace::health::FlowTraceRequest DyetraceToRequest(const DyetraceFlowTraceRequest& request,
                                                     const DyetraceGuests& guests,
                                                     const DyetraceHostAddresses& addresses);
DyetraceFlowTrace DyetraceFromResult(const dyetrace::health::FlowTraceResult& result,
                                     const dyetrace::localise::FabricGraph& graph);
DyetracePairHealth DyetraceFromPair(const dyetrace::health::PairView& pair);
DyetraceTenantEvent DyetraceFromEvent(const dyetrace::health::TenantNotified& told);
DyetraceInstanceScore DyetraceFromScore(const dyetrace::health::InstanceScore& score);

}  // namespace ns3

#endif  // DYETRACE_CLIENT_CONVERT_H
