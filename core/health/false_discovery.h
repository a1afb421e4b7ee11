// SPDX-License-Identifier: GPL-2.0-or-later
// Of many sessions that are tested at once, how much evidence does one need to be called impaired?
//
// The e-Benjamini-Hochberg procedure (Wang and Ramdas, "False discovery rate control with e-values", JRSS B
// 84(3), 2022): of K e-values, with k the largest number such that k of them are at least K / (q k), those k
// are discoveries, and the expected share of false ones is at most q under any dependence of the tests. For
// tests that go on for ever and restart the same holds per exposure ("error over patience": Dandapanthula and
// Ramdas, arXiv 2501.04130, 2025).
//
// E-values are counted in bins of a factor sqrt(2), by their lower edge, which errs to the safe side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dyetrace::health {

class FalseDiscovery {
  public:
    static constexpr std::size_t kBins = 128;  ///< up to e-values of 2^64

    /// `share`: q. `level_most`: what a session may risk however many others have evidence.
    FalseDiscovery(double share, double level_most);

    [[nodiscard]] static std::uint8_t bin_of(double e_value);

    void enter(std::uint8_t bin);
    void move(std::uint8_t from, std::uint8_t to);
    void leave(std::uint8_t bin);

    [[nodiscard]] std::size_t tests() const { return tests_; }
    /// A session of an e-value of 1 / level() is a discovery. O(kBins) after a change above 1 / q, which is
    /// rare, else O(1).
    [[nodiscard]] double level() const;
    /// Sessions that e-BH alone calls discoveries, whatever each may risk by itself: many with some evidence
    /// make up for none with much.
    [[nodiscard]] std::size_t discoveries() const;

  private:
    double share_;
    double level_most_;
    std::uint8_t first_;  ///< bin that matters: none below 1 / q is a discovery, however many there are
    std::size_t tests_ = 0;
    std::array<std::uint32_t, kBins> counts_{};
    mutable double level_ = 0;
    mutable std::size_t discoveries_ = 0;
    mutable bool stale_ = true;
};

}  // namespace dyetrace::health
