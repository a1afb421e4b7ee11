// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/quantile_sketch.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace dyetrace {
namespace {

constexpr std::uint64_t kCountMost = std::numeric_limits<std::uint32_t>::max();
static_assert(kBucketsPerSign < 16 * 16 * 16, "three levels of nodes have to reach the last bucket");
static_assert(SketchPool::kFan == 16);

std::size_t magnitude_of(BucketIndex index) {
    return static_cast<std::size_t>(index < 0 ? -index : index);
}

// Level n: each 3^n neighbouring buckets of one sign are one group.

constexpr std::array<int, QuantileSketch::kLevels> kGroupWidths = {1, 3, 9, 27};

constexpr int groups_per_sign(std::uint8_t level) {
    return (kBucketsPerSign + kGroupWidths[level] - 1) / kGroupWidths[level];
}
constexpr std::uint64_t groups_most(std::uint8_t level) {
    return 2 * static_cast<std::uint64_t>(groups_per_sign(level)) + 1;
}
// First byte, three LEB128 of 64 bits, two of 16; a gap of two bytes at most once in so few groups.
static_assert(1 + 3 * 10 + 2 * 2 + 1 + groups_most(QuantileSketch::kLevels - 1) * (1 + 5) <=
              QuantileSketch::kRoomForAny);

int group_of(BucketIndex index, std::uint8_t level) {
    const int width = kGroupWidths[level];
    return index < 0 ? -((-index + width - 1) / width) : (index + width - 1) / width;
}

/// The middle bucket of a group; the last group may be cut short.
BucketIndex middle_of(int group, std::uint8_t level) {
    const int width = kGroupWidths[level];
    if (group < 0) return static_cast<BucketIndex>(-middle_of(-group, level));
    return static_cast<BucketIndex>(
        group == 0 ? 0 : std::min((group - 1) * width + 1 + width / 2, kBucketsPerSign));
}

std::uint64_t zigzag(std::int64_t value) {
    return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1 ^ -(value & 1));
}

/// Counts what would be written.
class Measure {
  public:
    void u8(std::uint8_t /*v*/) { ++size; }
    std::size_t size = 0;
};

template <class Out>
void write_leb128(Out& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        out.u8(static_cast<std::uint8_t>(value | 0x80));
    out.u8(static_cast<std::uint8_t>(value));
}

/// Reads numbers; after the first error it keeps that, and reads zeros.
class Reader {
  public:
    explicit Reader(Bytes bytes) : in_(bytes) {}

    std::uint8_t u8() {
        if (!in_.has(1)) fail(SketchError::Truncated);
        return error_ ? std::uint8_t{0} : in_.u8();
    }
    std::uint64_t leb128() {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::uint8_t byte = u8();
            if (error_) return 0;
            // The tenth byte has the 64th bit only; a last byte of zero says nothing.
            if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) {
                fail(SketchError::NotShortest);
                return 0;
            }
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
    }
    void fail(SketchError error) {
        if (!error_) error_ = error;
    }
    [[nodiscard]] const std::optional<SketchError>& error() const { return error_; }
    [[nodiscard]] bool at_end() const { return in_.remaining() == 0; }

  private:
    ByteReader in_;
    std::optional<SketchError> error_;
};

struct Header {
    std::uint8_t level = 0;
    std::uint64_t not_recorded = 0;
    std::uint64_t buckets = 0;
    std::int64_t min = 0;
    std::int64_t max = 0;
};

Header read_header(Reader& in) {
    Header header;
    header.level = in.u8();
    if (header.level >= QuantileSketch::kLevels) {
        in.fail(SketchError::BadLevel);
        header.level = 0;
    }
    header.not_recorded = in.leb128();
    header.buckets = in.leb128();
    if (header.buckets > groups_most(header.level)) in.fail(SketchError::TooManyBuckets);
    if (header.buckets == 0 && header.not_recorded == 0) return header;
    header.min = unzigzag(in.leb128());
    const std::uint64_t range = in.leb128();
    const std::uint64_t room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) -
                               static_cast<std::uint64_t>(header.min);
    if (range > room) in.fail(SketchError::BadExtremes);
    header.max = static_cast<std::int64_t>(static_cast<std::uint64_t>(header.min) + range);
    return header;
}

/// Reads a whole sketch and calls visit(group, count) for each bucket, in ascending order.
template <class Visit>
std::optional<SketchError> read_buckets(Reader& in, const Header& header, Visit&& visit) {
    const int last = groups_per_sign(header.level);
    const int least = group_of(bucket_of(header.min), header.level);
    const int greatest = group_of(bucket_of(header.max), header.level);
    std::int64_t group = 0;
    for (std::uint64_t i = 0; i < header.buckets && !in.error(); ++i) {
        const std::uint64_t number = in.leb128();
        if (number >= groups_most(0)) {  // no index is so far from any other; a sum might overflow
            in.fail(SketchError::BadIndex);
            break;
        }
        group = i == 0 ? unzigzag(number) : group + 1 + static_cast<std::int64_t>(number);
        if (group < -last || group > last) in.fail(SketchError::BadIndex);
        const std::uint64_t count = in.leb128();
        if (count == 0 || count > kCountMost) in.fail(SketchError::BadCount);
        // What was not recorded may lie outside of the buckets, and nothing else.
        const bool all_inside = header.not_recorded == 0;
        if (i == 0 && (all_inside ? group != least : group < least)) in.fail(SketchError::BadExtremes);
        const bool ends = i + 1 == header.buckets;
        if (ends && (all_inside ? group != greatest : group > greatest)) in.fail(SketchError::BadExtremes);
        if (!in.error()) visit(static_cast<int>(group), count);
    }
    if (!in.at_end()) in.fail(SketchError::TrailingBytes);
    return in.error();
}

}  // namespace

std::string_view to_string(SketchError error) {
    switch (error) {
        case SketchError::Truncated: return "truncated";
        case SketchError::NotShortest: return "not-shortest";
        case SketchError::BadLevel: return "bad-level";
        case SketchError::TooManyBuckets: return "too-many-buckets";
        case SketchError::BadIndex: return "bad-index";
        case SketchError::BadCount: return "bad-count";
        case SketchError::BadExtremes: return "bad-extremes";
        case SketchError::TrailingBytes: return "trailing-bytes";
    }
    return "unknown";
}

/// Calls visit(index, count) for each bucket that holds something, in ascending order.
template <class Visit>
void QuantileSketch::for_each_bucket(Visit&& visit) const {
    for (const bool negative : {true, false}) {
        const SketchPool::NodeId root = roots_[negative ? 1 : 0];
        if (root == SketchPool::kNoNode) continue;
        // Magnitudes go down to zero on the negative side, and up from it on the other.
        const std::size_t flip = negative ? SketchPool::kFan - 1 : 0;
        for (std::size_t i = 0; i < SketchPool::kFan; ++i) {
            const SketchPool::NodeId middle = (*pool_)[root].words[i ^ flip];
            if (middle == SketchPool::kNoNode) continue;
            for (std::size_t j = 0; j < SketchPool::kFan; ++j) {
                const SketchPool::NodeId leaf = (*pool_)[middle].words[j ^ flip];
                if (leaf == SketchPool::kNoNode) continue;
                for (std::size_t k = 0; k < SketchPool::kFan; ++k) {
                    const std::uint32_t count = (*pool_)[leaf].words[k ^ flip];
                    if (count == 0) continue;
                    const auto magnitude = static_cast<int>((i ^ flip) << 8 | (j ^ flip) << 4 | (k ^ flip));
                    visit(static_cast<BucketIndex>(negative ? -magnitude : magnitude), count);
                }
            }
        }
    }
}

/// The same by groups: visit(group, count).
template <class Visit>
void QuantileSketch::for_each_group(std::uint8_t level, Visit&& visit) const {
    if (level == 0) return for_each_bucket(visit);  // spares the divisions
    int group = 0;
    std::uint64_t count = 0;
    for_each_bucket([&](BucketIndex index, std::uint32_t in_bucket) {
        const int next = group_of(index, level);
        if (next != group && count > 0) visit(group, std::exchange(count, 0));
        group = next;
        count += in_bucket;
    });
    if (count > 0) visit(group, count);
}

void QuantileSketch::swap(QuantileSketch& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(roots_, other.roots_);
    std::swap(nodes_, other.nodes_);
    std::swap(level_, other.level_);
    std::swap(count_, other.count_);
    std::swap(not_recorded_, other.not_recorded_);
    std::swap(extremes_, other.extremes_);
}

void QuantileSketch::clear() {
    for (SketchPool::NodeId& root : roots_) {
        if (root == SketchPool::kNoNode) continue;
        for (const SketchPool::NodeId middle : (*pool_)[root].words) {
            if (middle == SketchPool::kNoNode) continue;
            for (const SketchPool::NodeId leaf : (*pool_)[middle].words) {
                if (leaf != SketchPool::kNoNode) pool_->release(leaf);
            }
            pool_->release(middle);
        }
        pool_->release(std::exchange(root, SketchPool::kNoNode));
    }
    nodes_ = 0;
    level_ = 0;
    count_ = not_recorded_ = 0;
    extremes_ = {};
}

/// Precedes the counting of what it widens for: an empty sketch has no extremes yet.
inline void QuantileSketch::widen(Extremes extremes) {
    const bool first = empty();
    extremes_.min = first ? extremes.min : std::min(extremes_.min, extremes.min);
    extremes_.max = first ? extremes.max : std::max(extremes_.max, extremes.max);
}

/// The counter of a bucket; null where there is none yet.
inline std::uint32_t* QuantileSketch::find(BucketIndex index) {
    const std::size_t magnitude = magnitude_of(index);
    // The node at kNoNode is nobody's, and of zeros: a missing branch leads back to it.
    SketchPool& pool = *pool_;
    const SketchPool::NodeId middle = pool[roots_[index < 0 ? 1 : 0]].words[magnitude >> 8];
    const SketchPool::NodeId leaf = pool[middle].words[magnitude >> 4 & 15];
    return leaf == SketchPool::kNoNode ? nullptr : &pool[leaf].words[magnitude & 15];
}

bool QuantileSketch::add(std::int64_t value) {
    widen({value, value});
    const BucketIndex index = bucket_of(value);
    std::uint32_t* counter = find(index);
    if (counter == nullptr) counter = find_or_make(index);
    if (counter == nullptr || *counter == kCountMost) {
        not_record(1);
        return false;
    }
    ++*counter;
    ++count_;
    return true;
}

void QuantileSketch::record(BucketIndex index, std::uint64_t count) {
    std::uint32_t* counter = find_or_make(index);
    const std::uint64_t room = counter == nullptr ? 0 : kCountMost - *counter;
    const std::uint64_t taken = std::min(room, count);
    if (counter != nullptr) *counter += static_cast<std::uint32_t>(taken);
    count_ += taken;
    not_record(count - taken);
}

void QuantileSketch::not_record(std::uint64_t count) {
    if (__builtin_add_overflow(not_recorded_, count, &not_recorded_))
        not_recorded_ = std::numeric_limits<std::uint64_t>::max();
}

/// The counter of a bucket, made where there is none; null where nodes are missing for it. It takes all that
/// it needs, or none.
std::uint32_t* QuantileSketch::find_or_make(BucketIndex index) {
    if (std::uint32_t* const counter = find(index)) return counter;
    const std::size_t magnitude = magnitude_of(index);
    const std::array<std::size_t, 2> turns = {magnitude >> 8, magnitude >> 4 & 15};
    SketchPool::NodeId* link = &roots_[index < 0 ? 1 : 0];
    std::uint32_t missing = 3;
    for (std::size_t depth = 0; *link != SketchPool::kNoNode; ++depth) {
        --missing;
        link = &(*pool_)[*link].words[turns[depth]];
    }
    if (missing > pool_->free() || nodes_ + missing > pool_->nodes_per_sketch()) return nullptr;
    nodes_ += missing;
    link = &roots_[index < 0 ? 1 : 0];
    for (std::uint32_t depth = 0;; ++depth) {
        if (*link == SketchPool::kNoNode) *link = pool_->allocate();
        if (depth == turns.size()) break;
        link = &(*pool_)[*link].words[turns[depth]];
    }
    return &(*pool_)[*link].words[magnitude & 15];
}

void QuantileSketch::merge(const QuantileSketch& other) {
    if (other.empty()) return;
    const std::uint64_t not_recorded = other.not_recorded_;  // it may be this very sketch
    widen(other.extremes_);
    level_ = std::max(level_, other.level_);
    other.for_each_bucket([this](BucketIndex index, std::uint32_t count) { record(index, count); });
    not_record(not_recorded);
}

std::optional<std::int64_t> QuantileSketch::min() const {
    return empty() ? std::nullopt : std::optional(extremes_.min);
}

std::optional<std::int64_t> QuantileSketch::max() const {
    return empty() ? std::nullopt : std::optional(extremes_.max);
}

std::optional<std::int64_t> QuantileSketch::quantile(double q) const {
    if (count_ == 0) return std::nullopt;
    const std::uint64_t last = count_ - 1;
    if (!(q > 0)) return value_at(0);  // not a number, too
    if (q >= 1) return value_at(last);
    return value_at(std::min(static_cast<std::uint64_t>(q * static_cast<double>(last)), last));
}

std::optional<std::int64_t> QuantileSketch::value_at(std::uint64_t rank) const {
    if (rank >= count_) return std::nullopt;
    std::uint64_t below = 0;
    std::optional<BucketIndex> found;
    for_each_bucket([&](BucketIndex index, std::uint32_t count) {
        if (!found && below + count > rank) found = index;
        below += count;
    });
    return std::clamp(bucket_value(*found), extremes_.min, extremes_.max);
}

std::optional<double> QuantileSketch::mean() const {
    if (count_ == 0) return std::nullopt;
    double sum = 0;
    for_each_bucket([&](BucketIndex index, std::uint32_t count) {
        sum += static_cast<double>(bucket_value(index)) * static_cast<double>(count);
    });
    return sum / static_cast<double>(count_);
}

std::optional<QuantileSketch> QuantileSketch::since(const QuantileSketch& before) const {
    QuantileSketch added(*pool_);
    added.level_ = std::max(level_, before.level_);
    std::vector<std::pair<int, std::uint64_t>> earlier;
    before.for_each_group(added.level_,
                          [&](int group, std::uint64_t count) { earlier.emplace_back(group, count); });
    auto next = earlier.begin();
    bool was_this = true;
    for_each_group(added.level_, [&](int group, std::uint64_t count) {
        if (next != earlier.end() && next->first < group) was_this = false;
        const bool is_known = next != earlier.end() && next->first == group;
        const std::uint64_t known = is_known ? (next++)->second : 0;
        was_this = was_this && known <= count;
        if (!was_this || known == count) return;
        const BucketIndex middle = middle_of(group, added.level_);
        const std::int64_t value = std::clamp(bucket_value(middle), extremes_.min, extremes_.max);
        added.widen({value, value});
        added.record(middle, count - known);
    });
    if (!was_this || next != earlier.end() || added.not_recorded_ > 0) return std::nullopt;
    return added;
}

std::uint32_t QuantileSketch::count_of(BucketIndex index) const {
    const std::size_t magnitude = magnitude_of(index);
    SketchPool::NodeId node = roots_[index < 0 ? 1 : 0];
    for (const std::size_t turn : {magnitude >> 8, magnitude >> 4 & 15}) {
        if (node != SketchPool::kNoNode) node = (*pool_)[node].words[turn];
    }
    return node == SketchPool::kNoNode ? 0 : (*pool_)[node].words[magnitude & 15];
}

bool QuantileSketch::operator==(const QuantileSketch& other) const {
    bool same = count_ == other.count_ && not_recorded_ == other.not_recorded_ &&
                extremes_ == other.extremes_ && level_ == other.level_;
    for_each_bucket(
        [&](BucketIndex index, std::uint32_t count) { same = same && other.count_of(index) == count; });
    return same;  // with the sums equal, the other one has no bucket more
}

template <class Out>
void QuantileSketch::write(std::uint8_t level, Out& out) const {
    std::uint64_t groups = 0;
    std::uint64_t not_recorded = not_recorded_;
    for_each_group(level, [&](int /*group*/, std::uint64_t count) {
        ++groups;
        const std::uint64_t excess = count - std::min(count, kCountMost);
        if (__builtin_add_overflow(not_recorded, excess, &not_recorded))
            not_recorded = std::numeric_limits<std::uint64_t>::max();
    });
    out.u8(level);
    write_leb128(out, not_recorded);
    write_leb128(out, groups);
    if (empty()) return;
    write_leb128(out, zigzag(extremes_.min));
    write_leb128(out, static_cast<std::uint64_t>(extremes_.max) - static_cast<std::uint64_t>(extremes_.min));
    std::optional<int> previous;
    for_each_group(level, [&](int group, std::uint64_t count) {
        write_leb128(out, previous ? static_cast<std::uint64_t>(group - *previous - 1) : zigzag(group));
        write_leb128(out, std::min(count, kCountMost));
        previous = group;
    });
}

std::optional<std::size_t> QuantileSketch::encoded_size(std::size_t room) const {
    for (std::uint8_t level = level_; level < kLevels; ++level) {
        Measure measure;
        write(level, measure);
        if (measure.size <= room) return measure.size;
    }
    return std::nullopt;
}

std::optional<std::size_t> QuantileSketch::encode_into(MutableBytes out) const {
    for (std::uint8_t level = level_; level < kLevels; ++level) {
        Measure measure;
        write(level, measure);
        if (measure.size > out.size()) continue;
        ByteWriter writer(out);
        write(level, writer);
        return writer.written();
    }
    return std::nullopt;
}

Result<Done, SketchError> QuantileSketch::parse(Bytes bytes, QuantileSketch& into) {
    Reader check(bytes);
    const Header header = read_header(check);
    const auto error = read_buckets(check, header, [](int /*group*/, std::uint64_t /*count*/) {});
    if (error) return Failure{*error};
    if (header.buckets == 0 && header.not_recorded == 0) return Done{};
    into.widen({header.min, header.max});
    into.level_ = std::max(into.level_, header.level);
    Reader in(bytes);
    (void)read_header(in);
    (void)read_buckets(in, header, [&](int group, std::uint64_t count) {
        into.record(middle_of(group, header.level), count);
    });
    into.not_record(header.not_recorded);
    return Done{};
}

}  // namespace dyetrace
