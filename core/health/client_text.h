// SPDX-License-Identifier: GPL-2.0-or-later
// What tenants are told, in words made of figures alone: nothing here is given a host or a device.
#pragma once

#include <cstdint>
#include <string>

#include "core/health/detector.h"
#include "core/health/pair_figures.h"

namespace dyetrace::health {

/// Of fewer delays no quantile says what 99% are below.
inline constexpr std::uint64_t kDelaysForP99 = 100;

/// "loss 0.74% (0.42% to 1.3% with 95% confidence), jitter 30us, at least 1000 packets"; `figures` are the
/// coarse ones, and quantiles of `delays`.
std::string health_text(Health health, const FigureSums& sums, const Figures& figures, std::uint64_t delays);

/// Three digits: "0.74%", "120us".
std::string figure_text(Figure figure, double value);

}  // namespace dyetrace::health
