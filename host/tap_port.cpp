// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/tap_port.h"

#include <algorithm>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "core/base/result.h"
#include "core/eppc/eppc.h"

namespace dyetrace::host {
namespace {

constexpr std::size_t kReserve = 256;
static_assert(kReserve >= eppc::Eppc::kHeadroom);
/// A frame longer than this is truncated by read(), and counted so: jumbo frames fit, no sane MTU is above.
constexpr std::size_t kFrameMost = 9216 + 18;

FileDescriptor open_tap(const std::string& name) {
    const std::string what = "TAP device " + name;
    if (name.size() >= IFNAMSIZ) throw std::system_error(EINVAL, std::generic_category(), what);
    FileDescriptor device(checked(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun"));
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    std::copy(name.begin(), name.end(), request.ifr_name);
    checked(::ioctl(device.get(), TUNSETIFF, &request), what);
    return device;
}

}  // namespace

TapPort::TapPort(const std::string& name, HostClock& clock)
    : clock_(clock),
      device_(open_tap(name)),
      slot_bytes_(kReserve + kFrameMost + 1),
      memory_(kBatch * slot_bytes_) {}

std::span<ReceivedFrame> TapPort::receive() {
    std::size_t count = 0;
    while (count < kBatch) {
        std::uint8_t* slot = &memory_[count * slot_bytes_];
        const ssize_t size = ::read(device_.get(), slot + kReserve, slot_bytes_ - kReserve);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;  // EAGAIN: none waits; EIO: the device is down
        ++counters_.received;
        if (static_cast<std::size_t>(size) > kFrameMost) {
            ++counters_.truncated;
            continue;
        }
        frames_[count].frame = {slot, kReserve, kReserve + static_cast<std::size_t>(size), 0};
        frames_[count++].at = clock_.now();
    }
    return {frames_.data(), count};
}

std::uint64_t TapPort::send(std::span<const Bytes> frames) {
    DYETRACE_ASSERT(frames.size() <= kBatch);
    std::uint64_t failed = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        ssize_t written = 0;
        do {
            written = ::write(device_.get(), frames[i].data(), frames[i].size());
        } while (written < 0 && errno == EINTR);
        if (written < 0) {
            failed |= std::uint64_t{1} << i;
            ++counters_.send_failed;
        } else {
            ++counters_.sent;
        }
    }
    return failed;
}

}  // namespace dyetrace::host
