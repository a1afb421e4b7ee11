// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/seal.h"

#include <algorithm>

namespace dyetrace::auth {

std::vector<std::uint8_t> seal(const wire::ControlHeader& header, Bytes body, const ControlKey& key,
                               const Endpoint& source, const Endpoint& destination) {
    std::vector<std::uint8_t> message;
    seal_into(message, header, body, key, source, destination);
    return message;
}

void seal_into(std::vector<std::uint8_t>& message, const wire::ControlHeader& header, Bytes body,
               const ControlKey& key, const Endpoint& source, const Endpoint& destination) {
    const std::size_t tagged = wire::ControlHeader::kSize + body.size();
    message.resize(tagged + wire::ControlHeader::kTagSize);
    header.encode_into(message, message.size());
    std::copy(body.begin(), body.end(), message.begin() + wire::ControlHeader::kSize);
    const wire::ControlTag tag = control_tag(key, source, destination, Bytes(message).first(tagged));
    std::copy(tag.begin(), tag.end(), message.begin() + static_cast<std::ptrdiff_t>(tagged));
}

}  // namespace dyetrace::auth
