// SPDX-License-Identifier: GPL-2.0-or-later
// What an EPPC knows of the health service: its boot as this boot of ours was shown it, and which of its
// directives were done.
//
// Nothing recorded counts again. An answer to an update must repeat the challenge of the update's newest
// transmission; by it the boot is learned, and a directive must come from the boot so learned, under a number
// that was not done before.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/digest.h"
#include "core/base/ids.h"
#include "core/base/replay_window.h"
#include "core/wire/directive.h"

namespace dyetrace::eppc {

class NhmsChannel {
  public:
    /// Zero until the health service has proven which one it is.
    [[nodiscard]] BootId boot() const { return boot_; }
    [[nodiscard]] bool is_current(BootId boot) const { return boot_.value != 0 && boot == boot_; }

    /// A fresh answer says that the service runs as `boot`. What an earlier boot asked for is no longer
    /// heard.
    void learn(BootId boot) {
        if (boot == boot_) return;
        boot_ = boot;
        directives_ = {};
    }

    /// What to do about the directive of that number.
    ReplayWindow::Verdict take_directive(std::uint32_t number) { return directives_.take(number); }
    /// Keeps what came of it, for when it is asked again.
    void keep_result(std::uint32_t number, const wire::DirectiveResultBody& result) {
        results_[number % results_.size()] = result;
    }
    [[nodiscard]] const wire::DirectiveResultBody& result_of(std::uint32_t number) const {
        return results_[number % results_.size()];
    }
    void digest_into(StateDigest& digest) const;

  private:
    BootId boot_;
    ReplayWindow directives_;
    std::array<wire::DirectiveResultBody, ReplayWindow::kWidth>
        results_{};  ///< by number, of those in the window
};

}  // namespace dyetrace::eppc
