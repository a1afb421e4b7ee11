// SPDX-License-Identifier: GPL-2.0-or-later
// The EPPCs that send updates, and what of theirs is fresh.
//
// Nothing recorded may count again, whoever has restarted since. So an update must name our boot, as we
// showed it to this boot of its sender in a hello; and we show a boot of our own to each:
//
//   shown boot = mix(our boot, epoch, the EPPC's boot)      epoch: how many boots of this EPPC were taken,
//   plus
//                                                           one for one that was not yet
//
// Once a new boot of an EPPC is taken, its epoch moves on, and whatever the boots before it have said names
// what is not shown any more. Nothing needs to be kept of the dead, and nothing at all of an EPPC before it
// has named what was shown to it. Where there is no room for another, one that has long been silent is
// forgotten; whoever is not known begins in an epoch that no forgotten one has been in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "core/auth/keys.h"
#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/replay_window.h"
#include "core/base/time.h"

namespace dyetrace::health {

/// One that has proven that it lives.
struct KnownEppc {
    Endpoint endpoint;  ///< where its newest update came from
    BootId boot;
    BootId shown_boot;  ///< ours, as it knows us
    std::uint32_t epoch = 0;
    Time heard;           ///< when its newest update came
    KeyId key_id;         ///< that its newest update came under
    auth::PairKey key{};  ///< of the pair, under that one
    ReplayWindow updates;
    std::uint32_t updates_left = 0;    ///< that may be new before it is shown another boot
    std::uint32_t next_directive = 1;  ///< its directives are numbered for itself
};

class EppcTable {
  public:
    /// Numbers of updates wrap at 2^32 and a window tells old from new by half of that; an EPPC is shown
    /// another boot of ours in time.
    static constexpr std::uint32_t kUpdatesPerBoot = 1U << 30;

    EppcTable(BootId own_boot, std::size_t most, Duration forget_after,
              std::uint32_t updates_per_boot = kUpdatesPerBoot)
        : own_boot_(own_boot),
          most_(most),
          forget_after_(forget_after),
          updates_per_boot_(updates_per_boot) {}

    [[nodiscard]] const KnownEppc* find(IpAddress address) const;
    [[nodiscard]] KnownEppc* find(IpAddress address);

    /// The boot of ours that an update of that boot of that EPPC has to name.
    [[nodiscard]] BootId shown_boot(IpAddress address, BootId its_boot) const;

    /// Takes update `number` of an EPPC that named what `shown_boot` says: enters it, or its new boot, where
    /// it is not known yet. Null where the table is full of others that were heard of lately.
    struct Taken {
        KnownEppc* eppc = nullptr;
        ReplayWindow::Verdict verdict{};
    };
    Taken take(const Endpoint& from, BootId its_boot, std::uint32_t number, Time now);

    [[nodiscard]] std::map<IpAddress, KnownEppc>& all() { return eppcs_; }
    [[nodiscard]] std::size_t size() const { return eppcs_.size(); }
    [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  private:
    [[nodiscard]] bool is_current(const KnownEppc& eppc, BootId its_boot) const {
        return eppc.boot == its_boot && eppc.updates_left > 0;
    }
    [[nodiscard]] BootId shown(std::uint32_t epoch, BootId its_boot) const;
    bool forget_one(Time now);

    BootId own_boot_;
    std::size_t most_;
    Duration forget_after_;
    std::uint32_t updates_per_boot_;
    std::map<IpAddress, KnownEppc> eppcs_;
    std::uint32_t epoch_of_forgotten_ = 0;  ///< the latest that one of them was in
    std::uint64_t forgotten_ = 0;
    IpAddress looked_at_;  ///< last, for one to forget
};

}  // namespace dyetrace::health
