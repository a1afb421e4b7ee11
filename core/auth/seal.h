// SPDX-License-Identifier: GPL-2.0-or-later
// A control message complete with its tag.
#pragma once

#include <cstdint>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/wire/control.h"

namespace dyetrace::auth {

/// Header, body and tag, ready to be the payload of a packet from `source` to `destination`.
std::vector<std::uint8_t> seal(const wire::ControlHeader& header, Bytes body, const ControlKey& key,
                               const Endpoint& source, const Endpoint& destination);
/// The same in place of what `message` holds, whose room is used again.
void seal_into(std::vector<std::uint8_t>& message, const wire::ControlHeader& header, Bytes body,
               const ControlKey& key, const Endpoint& source, const Endpoint& destination);

}  // namespace dyetrace::auth
