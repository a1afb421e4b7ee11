// SPDX-License-Identifier: GPL-2.0-or-later
// The shared keys of an engine by their ids: the one that it sends under, and others that it takes as well.
//
// Keys change without a gap in three steps, each on every host before the next: take the new key too; send
// under the new one; take the old one no more.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/digest.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace dyetrace::auth {

struct NamedKey {
    KeyId id;
    SharedKey key{};

    bool operator==(const NamedKey&) const = default;
};

class KeyRing {
  public:
    static constexpr std::size_t kMost = 8;

    /// Fails, in words, where an id is given twice or there are more than kMost keys.
    static Result<KeyRing, std::string> make(const NamedKey& sending, const std::vector<NamedKey>& others);

    /// The key that engines send under.
    [[nodiscard]] KeyId sending() const { return keys_.front().id; }
    [[nodiscard]] bool has(KeyId id) const { return find(id) != nullptr; }
    /// The key of a pair under the shared key of that id; none where there is no such key.
    [[nodiscard]] std::optional<PairKey> pair_key(KeyId id, const IpAddress& one,
                                                  const IpAddress& other) const;

    /// Which keys there are.
    void digest_into(StateDigest& digest) const {
        for (const NamedKey& named : keys_)
            digest.add(named.id);
    }

  private:
    explicit KeyRing(std::vector<NamedKey> keys) : keys_(std::move(keys)) {}
    [[nodiscard]] const NamedKey* find(KeyId id) const;

    std::vector<NamedKey> keys_;  ///< the sending one first
};

}  // namespace dyetrace::auth
