// SPDX-License-Identifier: GPL-2.0-or-later
// The trace files that ns-3's helpers write, for devices of ours that have CsmaNetDevice's trace sources. Not
// installed.
#ifndef DYETRACE_TRACE_FILES_H
#define DYETRACE_TRACE_FILES_H

#include <string>

#include <ns3/net-device.h>
#include <ns3/output-stream-wrapper.h>
#include <ns3/ptr.h>

namespace ns3 {

/// Captures "PromiscSniffer" or "Sniffer" as Ethernet.
void DyetraceEnablePcap(const std::string& prefix, Ptr<NetDevice> device, bool promiscuous,
                        bool explicitFilename);
/// Writes one of ns-3's lines for each packet of a trace source; `stream` null: to a file of its own.
void DyetraceEnableAscii(Ptr<OutputStreamWrapper> stream, const std::string& prefix, Ptr<NetDevice> device,
                         bool explicitFilename, const std::string& enqueue, const std::string& drop);

}  // namespace ns3

#endif  // DYETRACE_TRACE_FILES_H
