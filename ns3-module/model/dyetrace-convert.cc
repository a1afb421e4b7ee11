// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-convert.h"

#include <optional>

#include <ns3/abort.h>

namespace ns3 {

namespace {

std::optional<uint8_t> HexDigit(char c) {
    if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace

dyetrace::auth::SharedKey DyetraceParseKey(const std::string& owner, const std::string& hex) {
    dyetrace::auth::SharedKey key{};
    NS_ABORT_MSG_IF(hex.size() != 2 * key.size(),
                    owner << ": Key has " << 2 * key.size() << " hexadecimal digits");
    for (std::size_t i = 0; i < key.size(); ++i) {
        const auto high = HexDigit(hex[2 * i]);
        const auto low = HexDigit(hex[2 * i + 1]);
        NS_ABORT_MSG_UNLESS(high && low, owner << ": Key has a character that is no hexadecimal digit");
        key[i] = static_cast<uint8_t>(*high << 4 | *low);
    }
    return key;
}

}  // namespace ns3
