// SPDX-License-Identifier: GPL-2.0-or-later
// A TAP device of our own: what its kernel side sends is a guest's frame, and the other way round.
//
// For a guest that is a network stack (in a namespace, behind a bridge). A virtual machine's TAP is held by
// its hypervisor; that one is an interface like any other, for PacketPort.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "host/clock.h"
#include "host/file_descriptor.h"
#include "host/port.h"

namespace dyetrace::host {

class TapPort final : public Port {
  public:
    /// Makes the device `name`, or attaches to a persistent one that this user owns. Making needs
    /// CAP_NET_ADMIN. Throws std::system_error.
    TapPort(const std::string& name, HostClock& clock);

    std::span<ReceivedFrame> receive() override;
    void release() override {}
    std::uint64_t send(std::span<const Bytes> frames) override;
    [[nodiscard]] int poll_fd() const override { return device_.get(); }
    [[nodiscard]] PortCounters counters() override { return counters_; }

  private:
    HostClock& clock_;
    FileDescriptor device_;
    std::size_t slot_bytes_;
    std::vector<std::uint8_t> memory_;
    std::array<ReceivedFrame, kBatch> frames_{};
    PortCounters counters_;
};

}  // namespace dyetrace::host
