// SPDX-License-Identifier: GPL-2.0-or-later
// Arithmetic on all rates of the grid side by side, written so that compilers make vector instructions of it:
// no branches, no calls, no sums whose order matters. The same operations in the same order give the same
// bits on every processor, however wide its vectors are.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

/// Widths that lanes are a multiple of.
inline constexpr std::size_t kWidth = 4;
/// Healthy rates first, filled up with the smallest to a multiple of the width; then the faulty ones.
inline constexpr std::size_t kHealthyLanes = (kHealthyRates + kWidth - 1) / kWidth * kWidth;
inline constexpr std::size_t kLanes = kHealthyLanes + kFaultyRates;
static_assert(kFaultyRates % kWidth == 0);

struct alignas(32) Lanes {
    std::array<double, kLanes> at;

    double& operator[](std::size_t lane) { return at[lane]; }
    double operator[](std::size_t lane) const { return at[lane]; }
};

/// Where rate `r` of the grid is.
[[nodiscard]] constexpr std::size_t lane_of(std::size_t r) {
    return r < kHealthyRates ? r : r - kHealthyRates + kHealthyLanes;
}

[[nodiscard]] inline Lanes lanes_of(const PerRate& rates) {
    Lanes lanes;
    lanes.at.fill(rates[0]);
    for (std::size_t r = 0; r < kRates; ++r)
        lanes[lane_of(r)] = rates[r];
    return lanes;
}

/// Makes e^x of each x, to one unit in the last place; where that is less than e^-500, next to nothing, it is
/// that: there has to be room below before products of it become denormal, which is slow. Precondition:
/// x < 709.
template <std::size_t N>
inline void exponentiate(std::array<double, N>& values) {
    // x = n ln 2 + rest, |rest| <= ln 2 / 2; ln 2 in two parts, so that n times the first is exact.
    constexpr double kLeast = -500, kOverLn2 = 1.4426950408889634, kLn2High = 6.93147180369123816490e-01,
                     kLn2Low = 1.90821492927058770002e-10;
    constexpr double kToWhole = 0x1.8p52;  // added, the sum's last bits are n
    for (double& x : values)               // a loop of its own, or compilers branch
        x = x < kLeast ? kLeast : x;
    for (double& x : values) {
        const double shifted = x * kOverLn2 + kToWhole;
        const double n = shifted - kToWhole;
        const double rest = (x - n * kLn2High) - n * kLn2Low;
        double sum = 1.0 / 479001600;  // the series up to rest^12 / 12!
        sum = sum * rest + 1.0 / 39916800;
        sum = sum * rest + 1.0 / 3628800;
        sum = sum * rest + 1.0 / 362880;
        sum = sum * rest + 1.0 / 40320;
        sum = sum * rest + 1.0 / 5040;
        sum = sum * rest + 1.0 / 720;
        sum = sum * rest + 1.0 / 120;
        sum = sum * rest + 1.0 / 24;
        sum = sum * rest + 1.0 / 6;
        sum = sum * rest + 1.0 / 2;
        sum = sum * rest + 1;
        sum = sum * rest + 1;
        const std::uint64_t times_2_to_n = std::bit_cast<std::uint64_t>(shifted) << 52;
        x = std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) + times_2_to_n);
    }
}

/// Largest of all; a number of lanes that the width divides.
template <std::size_t N>
[[nodiscard]] inline double largest(const std::array<double, N>& values) {
    static_assert(N % kWidth == 0);
    std::array<double, kWidth> top{};
    for (std::size_t k = 0; k < kWidth; ++k)
        top[k] = values[k];
    for (std::size_t i = kWidth; i < N; i += kWidth) {
        for (std::size_t k = 0; k < kWidth; ++k)
            top[k] = values[i + k] > top[k] ? values[i + k] : top[k];
    }
    return std::max(std::max(top[0], top[1]), std::max(top[2], top[3]));
}

/// A product of many positive factors, with few logarithms taken. Factors are within [1e-150, 1e150].
class ScaledProduct {
  public:
    void multiply(double factor) {
        product_ *= factor;
        if (product_ < 1 / kLarge || product_ > kLarge) {
            log_ += std::log(product_);
            product_ = 1;
        }
    }
    void multiply_exp(double log) { log_ += log; }
    [[nodiscard]] double log() const { return log_ + std::log(product_); }

  private:
    static constexpr double kLarge = 1e150;
    double product_ = 1;
    double log_ = 0;
};

/// At each rate, the likelihood of what was lost: a product of (1 + rate / others)^lost over paths on which
/// others lose `others` together. In the first `kUsed` lanes.
template <std::size_t kUsed>
class LossProduct {
  public:
    LossProduct() { product_.fill(1); }
    void multiply(const Lanes& rates, double lost, double per_rate) {
        if (lost > kMostPower || lost != std::floor(lost)) {
            begin_logs();
            for (std::size_t i = 0; i < kUsed; ++i)
                log_[i] += lost * std::log(1 + rates[i] * per_rate);
            return;
        }
        std::array<double, kUsed> base;
        for (std::size_t i = 0; i < kUsed; ++i)
            base[i] = 1 + rates[i] * per_rate;
        for (auto left = static_cast<unsigned>(lost); left != 0;) {
            if ((left & 1U) != 0) {
                for (std::size_t i = 0; i < kUsed; ++i)
                    product_[i] *= base[i];
            }
            left >>= 1U;
            if (left == 0) break;
            for (std::size_t i = 0; i < kUsed; ++i)
                base[i] *= base[i];
        }
        if (product_[kUsed - 1] > kLarge) settle();  // of the largest rate
    }
    /// Whether all of it is in `product()`: if so, that is at most 1e150.
    [[nodiscard]] bool is_plain() const { return !in_logs_; }
    [[nodiscard]] const std::array<double, kUsed>& product() const { return product_; }
    /// Logarithms of all of it.
    [[nodiscard]] const std::array<double, kUsed>& logs() {
        settle();
        return log_;
    }

  private:
    static constexpr double kLarge = 1e150;
    static constexpr double kMostPower = 20;  // 1e7 ^ 20, above a rate of 1 over the least of others'

    void begin_logs() {
        if (!in_logs_) log_.fill(0);
        in_logs_ = true;
    }
    void settle() {
        begin_logs();
        for (std::size_t i = 0; i < kUsed; ++i)
            log_[i] += std::log(product_[i]);
        product_.fill(1);
    }

    alignas(32) std::array<double, kUsed> product_;
    alignas(32) std::array<double, kUsed> log_;  ///< of what is no longer in the product
    bool in_logs_ = false;
};

/// Whether this processor has vectors of four; without, functions compiled for them may not be called.
[[nodiscard]] inline bool has_wide_vectors() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return false;
#endif
}

}  // namespace dyetrace::localise
