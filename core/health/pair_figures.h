// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of one direction between two guests over a span, as figures that a tenant's condition may
// name.
//
//   name          unit        formula, over the span                                   not measured where
//   loss          share       lost / sent, all packets by counts                       sent = 0, or excess
//   ce            share       CE marks / tracked packets received                      none was received
//   corrupted     share       failed their own check / tracked packets received        none was received
//   reordered     share       late (RFC 4737 §3.3) / tracked packets received          none was received
//   duplicated    share       repeats / tracked packets received                       none was received
//   jitter        time        RFC 3550 §6.4.1, mean of the paths by packets            none was received
//   queueing      time        mean delay above the path's least: no clock offset in it no delay samples
//   delay         time        mean one-way delay                                       clocks not comparable
//   delay_p50...  time        quantiles of one-way delay, as fed in                    no sketch, or as delay
//   packets       count       sent                                                     never
//
// `delay` is of corrected delays where they are fed in, else of raw ones if the configuration says that all
// clocks are one (a simulation's); raw delays of two clocks are shown to nobody.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/time.h"
#include "core/health/metrics_window.h"

namespace dyetrace::health {

enum class Figure : std::uint8_t {
    Loss,
    Ce,
    Corrupted,
    Reordered,
    Duplicated,
    Jitter,
    Queueing,
    Delay,
    DelayP50,
    DelayP90,
    DelayP99,
    DelayMax,
    Packets,
};
inline constexpr std::size_t kFigureCount = 13;

enum class FigureUnit : std::uint8_t {
    Share,  ///< of one: 0.01 is 1%
    Time,   ///< nanoseconds
    Count,  ///< packets
};

/// The name that conditions use: "loss", "delay_p99".
std::string_view to_string(Figure figure);
[[nodiscard]] FigureUnit unit_of(Figure figure);
/// Nothing where no figure has that name.
std::optional<Figure> figure_of(std::string_view name);
/// All names, in the order of the enumeration.
std::span<const std::string_view> figure_names();

/// Values by figure, in the figure's unit; nothing: not measured, which is not zero.
class Figures {
  public:
    [[nodiscard]] const std::optional<double>& operator[](Figure figure) const {
        return values_[static_cast<std::size_t>(figure)];
    }
    std::optional<double>& operator[](Figure figure) { return values_[static_cast<std::size_t>(figure)]; }

    bool operator==(const Figures&) const = default;

  private:
    std::array<std::optional<double>, kFigureCount> values_{};
};

/// One-way delays between two hosts over some recent span, clocks corrected, from whoever keeps their
/// distribution.
struct DelayFigures {
    std::uint64_t count = 0;  ///< samples; zero: the rest says nothing
    Duration mean, p50, p90, p99, max;
};

/// Sums of windows, which add up.
struct FigureSums {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    std::uint64_t received = 0;  ///< tracked
    std::uint64_t ce = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t late = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t delays = 0;   ///< samples of the two below
    double delay_ns = 0;        ///< sum of raw delays
    double queueing_ns = 0;     ///< sum of delays above the least of their path
    double jitter_packets = 0;  ///< sum of jitter times tracked packets, ns
    std::uint32_t windows = 0;
    bool excess = false;  ///< some window had more received than sent

    void add(const MetricsWindow& window);
    void add(const FigureSums& other);
    /// `clocks_are_one`: raw delays are delays.
    [[nodiscard]] Figures figures(bool clocks_are_one, const DelayFigures& delays) const;
    /// Those figures as a tenant may know them, to three digits, and shares to no more than the number of
    /// their hits has: one packet lost of n, told to the last digit, is n.
    [[nodiscard]] Figures coarse(const Figures& figures) const;
};

/// Wilson's score interval (JASA 22, 1927) of a share, 95%. It takes packets as independent; loss comes in
/// bursts, so the real share is outside more often than one time in twenty.
struct ShareInterval {
    double low = 0;
    double high = 1;
};
ShareInterval share_interval(std::uint64_t hits, std::uint64_t of);
ShareInterval interval_of_share(double share, std::uint64_t of);

}  // namespace dyetrace::health
