// SPDX-License-Identifier: GPL-2.0-or-later
// Quantiles of many numbers in little memory, within 1% of the value; sketches of parts add up to that of the
// whole.
//
// Counts of logarithmic buckets (sketch_buckets.h), sparse: a tree of three levels of 16-way nodes from a
// shared pool, one tree a sign. So adding takes three steps, and a sketch of delays between 10 us and 2 ms,
// 265 buckets wide, takes about 20 nodes of 64 bytes.
//
// Encoding, for a message of bounded size: each number but the first byte is an unsigned LEB128 in its
// shortest form
//
//   level (8 bits) | not recorded | bucket count |
//   zigzag(min) | max - min        (only if anything was added)
//   zigzag(first index) | its count | then for each further bucket, ascending: index less the previous, less
//   1 | its count
//
// At level 0 an index is a bucket's. At level n each 3^n neighbouring buckets of one sign are one, 1 to 3^n
// the first, and are read back as their middle bucket: the error grows as `error_per_mille` says, the size
// shrinks to a third. The finest level that fits is written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/sketch_buckets.h"
#include "core/base/sketch_pool.h"

namespace dyetrace {

/// Why an encoded sketch is refused.
enum class SketchError : std::uint8_t {
    Truncated,       ///< it ends in the middle
    NotShortest,     ///< a number has more bytes than it needs, or more than 64 bits
    BadLevel,        ///< a level that does not exist
    TooManyBuckets,  ///< more than there are
    BadIndex,        ///< a bucket that does not exist
    BadCount,        ///< a bucket of nothing, or of more than 32 bits
    BadExtremes,     ///< least and greatest value do not belong to the buckets
    TrailingBytes,   ///< it goes on after its end
};
[[nodiscard]] std::string_view to_string(SketchError error);

/// A handle of 56 bytes; its buckets are in the pool. Move-only.
class QuantileSketch {
  public:
    static constexpr int kLevels = 4;
    /// Error of a quantile by level, per mille of the value, or half of 3^level where that is more. (From
    /// 1000 up the coarser ones are 31, 95 and 311; among small integers a bucket is relatively wider.)
    static constexpr std::array<int, kLevels> kErrorPerMille = {10, 40, 129, 313};
    /// Any sketch fits into so many bytes, at the last level.
    static constexpr std::size_t kRoomForAny = 1024;

    explicit QuantileSketch(SketchPool& pool) : pool_(&pool) {}
    ~QuantileSketch() { clear(); }
    QuantileSketch(QuantileSketch&& other) noexcept : QuantileSketch(*other.pool_) { swap(other); }
    QuantileSketch& operator=(QuantileSketch&& other) noexcept {
        swap(other);
        return *this;
    }
    QuantileSketch(const QuantileSketch&) = delete;
    QuantileSketch& operator=(const QuantileSketch&) = delete;

    /// Allocates nothing but nodes of the pool. When the pool, or this sketch's share, is exhausted, or a
    /// bucket holds 2^32 - 1 already, the value enters `not_recorded`, least and greatest, and no quantile:
    /// false.
    bool add(std::int64_t value);
    /// The same as adding all that was added to the other one, where the pool has the room.
    void merge(const QuantileSketch& other);
    void clear();

    /// Values in the buckets: what the quantiles are of.
    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// Values for which there was no room. Each moves the rank of every quantile by up to one.
    [[nodiscard]] std::uint64_t not_recorded() const { return not_recorded_; }
    /// Exact, of all values added, recorded or not; nothing of an empty sketch.
    [[nodiscard]] std::optional<std::int64_t> min() const;
    [[nodiscard]] std::optional<std::int64_t> max() const;
    /// The value of rank floor(q (count - 1)), counted from 0 in ascending order, within error_per_mille(); q
    /// outside [0, 1] is the nearer end. Nothing where count() is 0.
    [[nodiscard]] std::optional<std::int64_t> quantile(double q) const;
    [[nodiscard]] std::optional<std::int64_t> value_at(std::uint64_t rank) const;
    /// Mean of what is in the buckets, within error_per_mille(). Nothing where count() is 0.
    [[nodiscard]] std::optional<double> mean() const;
    /// What was added since this sketch was as `before`, which may have been written into less room: its
    /// least and greatest are those of buckets. Nothing where `before` has more in some bucket, and so never
    /// was this one, or where the pool has no room.
    [[nodiscard]] std::optional<QuantileSketch> since(const QuantileSketch& before) const;
    /// 10 (1%), or more where something was merged that had been encoded into too small a room.
    [[nodiscard]] int error_per_mille() const { return kErrorPerMille[level_]; }
    /// Nodes of the pool that it holds.
    [[nodiscard]] std::uint32_t nodes() const { return nodes_; }

    /// At the finest level that fits into `room`; nothing where none does, which takes a room below
    /// kRoomForAny.
    [[nodiscard]] std::optional<std::size_t> encoded_size(std::size_t room) const;
    /// Writes that many bytes and returns the number.
    std::optional<std::size_t> encode_into(MutableBytes out) const;
    /// Adds an encoded sketch to `into`, as `merge` does; changes nothing where it refuses.
    static Result<Done, SketchError> parse(Bytes bytes, QuantileSketch& into);

    /// The same buckets, counts, extremes and error.
    bool operator==(const QuantileSketch& other) const;

  private:
    struct Extremes {
        std::int64_t min = 0;
        std::int64_t max = 0;
        bool operator==(const Extremes&) const = default;
    };

    [[nodiscard]] bool empty() const { return count_ == 0 && not_recorded_ == 0; }
    void swap(QuantileSketch& other) noexcept;
    void widen(Extremes extremes);
    void record(BucketIndex index, std::uint64_t count);
    std::uint32_t* find(BucketIndex index);
    std::uint32_t* find_or_make(BucketIndex index);
    void not_record(std::uint64_t count);
    [[nodiscard]] std::uint32_t count_of(BucketIndex index) const;
    template <class Visit>
    void for_each_bucket(Visit&& visit) const;
    template <class Visit>
    void for_each_group(std::uint8_t level, Visit&& visit) const;
    template <class Out>
    void write(std::uint8_t level, Out& out) const;

    SketchPool* pool_;
    std::array<SketchPool::NodeId, 2> roots_{};  ///< of buckets 0 and above, and below 0
    std::uint32_t nodes_ = 0;
    std::uint8_t level_ = 0;
    std::uint64_t count_ = 0;
    std::uint64_t not_recorded_ = 0;
    Extremes extremes_;  ///< of nothing where the sketch is empty
};

}  // namespace dyetrace
