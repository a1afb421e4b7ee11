// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/network_interface.h"

#include <algorithm>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "host/file_descriptor.h"

namespace dyetrace::host {

NetworkInterface NetworkInterface::find(const std::string& name) {
    const std::string what = "interface " + name;
    if (name.size() >= IFNAMSIZ) throw std::system_error(ENODEV, std::generic_category(), what);
    const FileDescriptor socket(checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), what));
    ifreq request{};
    std::copy(name.begin(), name.end(), request.ifr_name);
    const auto ask = [&](unsigned long command) { checked(::ioctl(socket.get(), command, &request), what); };

    NetworkInterface found;
    found.name = name;
    ask(SIOCGIFINDEX);
    found.index = request.ifr_ifindex;
    ask(SIOCGIFHWADDR);
    std::copy_n(request.ifr_hwaddr.sa_data, found.mac.octets.size(), found.mac.octets.begin());
    ask(SIOCGIFMTU);
    found.mtu = static_cast<std::size_t>(request.ifr_mtu);
    ask(SIOCGIFFLAGS);
    found.up = (request.ifr_flags & IFF_UP) != 0;
    return found;
}

}  // namespace dyetrace::host
