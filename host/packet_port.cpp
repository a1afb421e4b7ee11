// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/packet_port.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/mman.h>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/eppc/eppc.h"

namespace dyetrace::host {
namespace {

/// Room in front of each frame, for the engine.
constexpr unsigned kReserve = 256;
constexpr unsigned kVlanTag = 4;
static_assert(kReserve >= eppc::Eppc::kHeadroom + kVlanTag);
/// A block of the ring is contiguous kernel memory; larger ones may not be had on a busy host.
constexpr std::size_t kBlockBytes = 1 << 17;
/// How long to wait for room in the send queue before frames are given up. Guests' transports take it from
/// there; a daemon that waits longer loses more at its receiving side.
constexpr int kSendWaitMs = 10;

/// For bind(2).
constexpr std::uint16_t ether_type_of(PacketProtocols protocols) {
    switch (protocols) {
        case PacketProtocols::All: return ETH_P_ALL;
        case PacketProtocols::Ipv4: return ETH_P_IP;
        case PacketProtocols::Ipv6: return ETH_P_IPV6;
    }
    return 0;
}

/// Puts a tag back that the kernel took out of the frame at `frame`, which begins kVlanTag bytes earlier then
/// (IEEE 802.1Q: between the addresses and the EtherType).
void put_vlan_tag_back(std::uint8_t* frame, const tpacket2_hdr& header) {
    constexpr std::size_t kAddresses = 12;
    std::memmove(frame - kVlanTag, frame, kAddresses);
    // Kernels before 3.14 tell no TPID; it is 802.1Q's then.
    const bool has_tpid = (header.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    store_u16(frame - kVlanTag + kAddresses, has_tpid ? header.tp_vlan_tpid : ETH_P_8021Q);
    store_u16(frame - kVlanTag + kAddresses + 2, header.tp_vlan_tci);
}

template <class Value>
void set_option(int socket, int option, const Value& value, const std::string& what) {
    checked(::setsockopt(socket, SOL_PACKET, option, &value, sizeof value), what);
}

}  // namespace

PacketPort::PacketPort(const NetworkInterface& interface, PacketProtocols protocols, std::size_t ring_bytes,
                       const HostClock& clock)
    : clock_(clock),
      // Protocol 0: nothing is queued before the ring stands and the interface is chosen.
      socket_(checked(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "packet socket")) {
    const int fd = socket_.get();
    set_option(fd, PACKET_VERSION, int{TPACKET_V2}, "PACKET_VERSION");
    set_option(fd, PACKET_RESERVE, kReserve, "PACKET_RESERVE");
    set_option(fd, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
    set_up_ring(interface.mtu, ring_bytes);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ether_type_of(protocols));
    address.sll_ifindex = interface.index;
    checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address),
            "interface " + interface.name);
    for (std::size_t i = 0; i < kBatch; ++i) {
        messages_[i].msg_hdr.msg_iov = &vectors_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
    }
}

PacketPort::~PacketPort() {
    if (ring_ != nullptr) ::munmap(ring_, ring_bytes_);
}

void PacketPort::set_up_ring(std::size_t mtu, std::size_t ring_bytes) {
    // In front of the frame a slot has its header, the sender's address and the headroom; behind it nothing.
    constexpr std::size_t kAround = TPACKET2_HDRLEN + ETH_HLEN + TPACKET_ALIGNMENT + kReserve;
    // A frame may have one more tag than the kernel takes out.
    slot_bytes_ = std::bit_ceil(kAround + ETH_HLEN + kVlanTag + mtu);
    block_bytes_ = std::max(kBlockBytes, slot_bytes_);
    const std::size_t blocks = std::max<std::size_t>(ring_bytes / block_bytes_, 1);
    tpacket_req request{};
    request.tp_block_size = static_cast<unsigned>(block_bytes_);
    request.tp_frame_size = static_cast<unsigned>(slot_bytes_);
    request.tp_block_nr = static_cast<unsigned>(blocks);
    request.tp_frame_nr = static_cast<unsigned>(blocks * (block_bytes_ / slot_bytes_));
    set_option(socket_.get(), PACKET_RX_RING, request,
               "receive ring of " + std::to_string(ring_bytes) + " bytes");
    slot_count_ = request.tp_frame_nr;
    ring_bytes_ = blocks * block_bytes_;
    void* memory = ::mmap(nullptr, ring_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, socket_.get(), 0);
    if (memory == MAP_FAILED) checked(-1, "map the receive ring");
    ring_ = static_cast<std::uint8_t*>(memory);
}

std::uint8_t* PacketPort::slot(std::size_t index) const {
    return ring_ + index * slot_bytes_;  // slots are powers of two, so blocks have no gap behind their last
}

std::span<ReceivedFrame> PacketPort::receive() {
    std::size_t count = 0;
    while (count < kBatch && lent_ < slot_count_) {
        auto* header = reinterpret_cast<tpacket2_hdr*>(slot(next_slot_));
        if ((__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) break;
        if (lent_ == 0) behind_realtime_ = clock_.behind_realtime();
        if (take(slot(next_slot_), frames_[count])) ++count;
        next_slot_ = (next_slot_ + 1) % slot_count_;
        ++lent_;
    }
    return {frames_.data(), count};
}

bool PacketPort::take(std::uint8_t* slot, ReceivedFrame& received) {
    const auto* header = reinterpret_cast<const tpacket2_hdr*>(slot);
    ++counters_.received;
    if ((header->tp_status & TP_STATUS_CSUMNOTREADY) != 0) {
        ++counters_.partial_checksum;
        return false;
    }
    if (header->tp_snaplen < header->tp_len) {
        ++counters_.truncated;
        return false;
    }
    received.frame.data = slot + header->tp_mac - kReserve;
    received.frame.begin = kReserve;
    received.frame.end = kReserve + header->tp_snaplen;
    received.frame.tail = 0;
    // Only of a guest: for a socket of one protocol the kernel has forgotten a tag that no device of its own
    // asks for.
    if ((header->tp_status & TP_STATUS_VLAN_VALID) != 0) {
        put_vlan_tag_back(slot + header->tp_mac, *header);
        received.frame.begin -= kVlanTag;
    }
    constexpr std::int64_t kSecond = 1'000'000'000;
    received.at = Time{header->tp_sec * kSecond + header->tp_nsec - behind_realtime_.ns};
    return true;
}

void PacketPort::release() {
    for (; lent_ > 0; --lent_) {
        auto* header = reinterpret_cast<tpacket2_hdr*>(slot(release_slot_));
        __atomic_store_n(&header->tp_status, static_cast<__u32>(TP_STATUS_KERNEL), __ATOMIC_RELEASE);
        release_slot_ = (release_slot_ + 1) % slot_count_;
    }
}

bool PacketPort::wait_writable() const {
    pollfd wait{socket_.get(), POLLOUT, 0};
    return ::poll(&wait, 1, kSendWaitMs) > 0;
}

std::uint64_t PacketPort::send(std::span<const Bytes> frames) {
    DYETRACE_ASSERT(frames.size() <= kBatch);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        // The kernel only reads what it is to send.
        vectors_[i] = {const_cast<std::uint8_t*>(frames[i].data()), frames[i].size()};
    }
    std::uint64_t failed = 0;
    bool may_wait = true;
    for (std::size_t done = 0; done < frames.size();) {
        const int sent =
            ::sendmmsg(socket_.get(), &messages_[done], static_cast<unsigned>(frames.size() - done), 0);
        if (sent > 0) {
            counters_.sent += static_cast<std::uint64_t>(sent);
            done += static_cast<std::size_t>(sent);
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN && may_wait) {
            may_wait = wait_writable();
            if (may_wait) continue;
        }
        failed |= std::uint64_t{1} << done++;
        ++counters_.send_failed;
    }
    return failed;
}

PortCounters PacketPort::counters() {
    // Reading resets the kernel's own, so ours are the totals (packet(7), PACKET_STATISTICS).
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) {
        counters_.ring_full += statistics.tp_drops;
    }
    return counters_;
}

}  // namespace dyetrace::host
