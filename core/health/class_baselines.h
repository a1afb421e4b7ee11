// SPDX-License-Identifier: GPL-2.0-or-later
// What is usual on paths of a class, learned from those that are not known to be impaired. A class is the
// paths of as many links; zero, those whose route is not known.
//
// Robust, so that a sick path does not teach its class: of delay a median is learned, by steps of one size
// (Robbins and Monro, 1951, in the logarithm), so each window counts for one, however large its delay; of
// shares each window counts one hit at most, and what is learned stays inside ShareLimits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/time.h"
#include "core/health/detector.h"

namespace dyetrace::health {

class ClassBaselines {
  public:
    static constexpr std::size_t kClasses = 16;  ///< paths of 15 links and more are one
    [[nodiscard]] static std::size_t class_of(std::uint16_t route_links) {
        return route_links < kClasses ? route_links : kClasses - 1;
    }

    /// A window of mean delay `above_floor`.
    void learn_delay(std::size_t path_class, Duration above_floor);
    /// A window with `hits` of `trials`.
    void learn_share(std::size_t path_class, ShareTest test, std::uint32_t hits, std::uint32_t trials);

    /// The median of windows' mean delays above their floors; zero before the first.
    [[nodiscard]] Duration delay(std::size_t path_class) const;
    /// About the largest of them; forgets by half in 3000 windows.
    [[nodiscard]] Duration high_delay(std::size_t path_class) const;
    /// The usual share, within its limits.
    [[nodiscard]] double share(std::size_t path_class, ShareTest test, const ShareLimits& limits) const;

  private:
    struct Share {
        double hits = 0;
        double trials = 0;
    };
    struct Class {
        double delay_ns = 0;
        double high_ns = 0;
        std::uint32_t windows = 0;  ///< saturates
        std::array<Share, kShareTests> shares{};
    };
    std::array<Class, kClasses> classes_{};
};

}  // namespace dyetrace::health
