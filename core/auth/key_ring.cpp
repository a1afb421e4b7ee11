// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/key_ring.h"

#include <algorithm>

namespace dyetrace::auth {

Result<KeyRing, std::string> KeyRing::make(const NamedKey& sending, const std::vector<NamedKey>& others) {
    if (others.size() >= kMost) return Failure{"more than " + std::to_string(kMost) + " keys"};
    std::vector<NamedKey> keys{sending};
    for (const NamedKey& other : others) {
        const bool is_twice =
            std::any_of(keys.begin(), keys.end(), [&](const NamedKey& key) { return key.id == other.id; });
        if (is_twice) return Failure{"there are two keys with the id " + std::to_string(other.id.value)};
        keys.push_back(other);
    }
    return KeyRing(std::move(keys));
}

const NamedKey* KeyRing::find(KeyId id) const {
    const auto it =
        std::find_if(keys_.begin(), keys_.end(), [&](const NamedKey& key) { return key.id == id; });
    return it == keys_.end() ? nullptr : &*it;
}

std::optional<PairKey> KeyRing::pair_key(KeyId id, const IpAddress& one, const IpAddress& other) const {
    const NamedKey* const named = find(id);
    if (named == nullptr) return std::nullopt;
    return derive_pair_key(named->key, one, other);
}

}  // namespace dyetrace::auth
