// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <sodium.h>

#include "core/base/bytes.h"

namespace dyetrace::runner {

/// Two lower-case digits a byte.
inline std::string hex(Bytes bytes) {
    std::string digits(2 * bytes.size() + 1, '\0');  // the library ends what it writes by a zero
    sodium_bin2hex(digits.data(), digits.size(), bytes.data(), bytes.size());
    digits.pop_back();
    return digits;
}

}  // namespace dyetrace::runner
