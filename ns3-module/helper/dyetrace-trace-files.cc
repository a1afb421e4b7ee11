// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-trace-files.h"

#include <ns3/node.h>
#include <ns3/pcap-file-wrapper.h>
#include <ns3/trace-helper.h>

namespace ns3 {

void DyetraceEnablePcap(const std::string& prefix, Ptr<NetDevice> device, bool promiscuous,
                        bool explicitFilename) {
    PcapHelper pcap;
    const std::string file = explicitFilename ? prefix : pcap.GetFilenameFromDevice(prefix, device);
    Ptr<PcapFileWrapper> wrapper = pcap.CreateFile(file, std::ios::out, PcapHelper::DLT_EN10MB);
    pcap.HookDefaultSink<NetDevice>(device, promiscuous ? "PromiscSniffer" : "Sniffer", wrapper);
}

void DyetraceEnableAscii(Ptr<OutputStreamWrapper> stream, const std::string& prefix, Ptr<NetDevice> device,
                         bool explicitFilename, const std::string& enqueue, const std::string& drop) {
    AsciiTraceHelper ascii;
    if (!stream) {
        const std::string file = explicitFilename ? prefix : ascii.GetFilenameFromDevice(prefix, device);
        Ptr<OutputStreamWrapper> own = ascii.CreateFileStream(file);
        ascii.HookDefaultEnqueueSinkWithoutContext<NetDevice>(device, enqueue, own);
        ascii.HookDefaultDropSinkWithoutContext<NetDevice>(device, drop, own);
        ascii.HookDefaultReceiveSinkWithoutContext<NetDevice>(device, "MacRx", own);
        return;
    }
    // All devices share the stream, so each line says of which it is.
    const std::string at = "/NodeList/" + std::to_string(device->GetNode()->GetId()) + "/DeviceList/" +
                           std::to_string(device->GetIfIndex()) + '/';
    device->TraceConnect(enqueue, at + enqueue,
                         MakeBoundCallback(&AsciiTraceHelper::DefaultEnqueueSinkWithContext, stream));
    device->TraceConnect(drop, at + drop,
                         MakeBoundCallback(&AsciiTraceHelper::DefaultDropSinkWithContext, stream));
    device->TraceConnect("MacRx", at + "MacRx",
                         MakeBoundCallback(&AsciiTraceHelper::DefaultReceiveSinkWithContext, stream));
}

}  // namespace ns3
