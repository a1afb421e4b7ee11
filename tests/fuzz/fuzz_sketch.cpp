// SPDX-License-Identifier: GPL-2.0-or-later
// Encoded quantile sketches, as they come in reports and updates: what is taken must come back equal from its
// own encoding, and a pool without room must neither be overrun nor leak.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/quantile_sketch.h"
#include "core/base/result.h"

namespace {

using namespace dyetrace;

void comes_back_equal(Bytes bytes) {
    SketchPool pool(4 * SketchPool::kNodesOfFullSketch);
    QuantileSketch first(pool);
    if (!QuantileSketch::parse(bytes, first)) {
        DYETRACE_ASSERT(first.count() == 0 && pool.free() == pool.capacity());
        return;
    }
    std::vector<std::uint8_t> encoded(1 << 16);
    const auto size = first.encode_into(encoded);
    DYETRACE_ASSERT(size.has_value());
    encoded.resize(*size);
    QuantileSketch second(pool);
    DYETRACE_ASSERT(QuantileSketch::parse(encoded, second).ok() && second == first);
    for (const double q : {0.0, 0.5, 0.99, 1.0}) {
        const auto value = first.quantile(q);
        DYETRACE_ASSERT(value.has_value() == (first.count() > 0));
    }
    std::array<std::uint8_t, QuantileSketch::kRoomForAny> room{};
    DYETRACE_ASSERT(first.encode_into(room).has_value());
    first.merge(second);
}

/// Into what is left of a small pool, with something in it already.
void fits_or_is_left_out(Bytes bytes) {
    SketchPool pool(16, 8);
    {
        QuantileSketch sketch(pool);
        for (std::int64_t value = 1; value < 1'000'000'000; value *= 10)
            sketch.add(value);
        const std::uint64_t before = sketch.count() + sketch.not_recorded();
        const bool taken = QuantileSketch::parse(bytes, sketch).ok();
        DYETRACE_ASSERT(taken || sketch.count() + sketch.not_recorded() == before);
        DYETRACE_ASSERT(sketch.nodes() <= pool.nodes_per_sketch());
    }
    DYETRACE_ASSERT(pool.free() == pool.capacity());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    comes_back_equal(Bytes(data, size));
    fits_or_is_left_out(Bytes(data, size));
    return 0;
}
