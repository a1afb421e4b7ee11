// SPDX-License-Identifier: GPL-2.0-or-later
// A network interface through AF_PACKET (packet(7)): frames in through a TPACKET_V2 ring that the kernel
// writes, frames out by sendmmsg.
//
// Frames are worked on where the kernel put them: a slot of the ring has the engine's headroom in front of
// the frame, and is given back once what became of the frame has been sent. The ring also stamps each frame
// as it arrives, which waking up and reading a clock could not do.
#pragma once

#include <array>

#include <sys/socket.h>

#include "host/clock.h"
#include "host/file_descriptor.h"
#include "host/network_interface.h"
#include "host/port.h"

namespace dyetrace::host {

/// Which frames of an interface a port takes.
enum class PacketProtocols {
    All,  ///< of a guest: whatever it says, with its VLAN tag
    /// of the underlay: one version of IP alone. Such a socket comes behind the interface's nftables ingress
    /// hook, as a protocol of the kernel does; one for all protocols would see what a rule there drops.
    Ipv4,
    Ipv6,
};

class PacketPort final : public Port {
  public:
    /// Needs CAP_NET_RAW. Throws std::system_error. `ring_bytes` is locked memory; frames longer than the
    /// interface's MTU do not fit a slot.
    PacketPort(const NetworkInterface& interface, PacketProtocols protocols, std::size_t ring_bytes,
               const HostClock& clock);
    ~PacketPort() override;

    std::span<ReceivedFrame> receive() override;
    void release() override;
    std::uint64_t send(std::span<const Bytes> frames) override;
    [[nodiscard]] int poll_fd() const override { return socket_.get(); }
    [[nodiscard]] PortCounters counters() override;

  private:
    void set_up_ring(std::size_t mtu, std::size_t ring_bytes);
    [[nodiscard]] std::uint8_t* slot(std::size_t index) const;
    /// Looks at the frame in a slot; nothing where it is not to be handed on.
    bool take(std::uint8_t* slot, ReceivedFrame& frame);
    /// Waits until the socket takes frames again; false where it does not soon.
    [[nodiscard]] bool wait_writable() const;

    const HostClock& clock_;
    FileDescriptor socket_;
    std::uint8_t* ring_ = nullptr;
    std::size_t ring_bytes_ = 0;
    std::size_t slot_bytes_ = 0;
    std::size_t block_bytes_ = 0;
    std::size_t slot_count_ = 0;
    std::size_t next_slot_ = 0;     ///< the next that the kernel fills
    std::size_t release_slot_ = 0;  ///< the first that is lent
    std::size_t lent_ = 0;          ///< slots between the two
    std::array<ReceivedFrame, kBatch> frames_{};
    std::array<mmsghdr, kBatch> messages_{};
    std::array<iovec, kBatch> vectors_{};
    Duration behind_realtime_;  ///< of the clock, at the last `receive` that found something
    PortCounters counters_;
};

}  // namespace dyetrace::host
