// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel says of a network interface.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/addresses.h"

namespace dyetrace::host {

struct NetworkInterface {
    std::string name;
    int index = 0;
    MacAddress mac;
    std::size_t mtu = 0;
    bool up = false;

    /// Throws std::system_error naming the interface where there is none.
    static NetworkInterface find(const std::string& name);
};

}  // namespace dyetrace::host
