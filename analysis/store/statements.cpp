// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/statements.h"

#include <charconv>
#include <cstdio>
#include <limits>

#include "analysis/store/error.h"

namespace dyetrace::store {

std::int64_t to_stored(std::uint64_t count) {
    if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        throw Error("a count of " + std::to_string(count) + " does not fit into the database (63 bits)");
    }
    return static_cast<std::int64_t>(count);
}

std::string to_stored(HexId id) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(id.value));
    return digits;
}

HexId hex_id_from_stored(const std::string& digits) {
    HexId id;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.value, 16);
    if (error != std::errc{} || stop != digits.data() + digits.size()) {
        throw BadCell("'" + digits + "' is not a hexadecimal id");
    }
    return id;
}

}  // namespace dyetrace::store
