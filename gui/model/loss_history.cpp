// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/loss_history.h"

#include <algorithm>

#include "core/base/result.h"

namespace dyetrace::viewer {
namespace {

constexpr double bin_ns_min = 1e6;

}  // namespace

LossHistory::LossHistory(std::size_t rows, std::int64_t end_ns, std::size_t cells_max)
    : rows_(rows), end_ns_(std::max<std::int64_t>(end_ns, 1)) {
    const auto bins_max = std::max<std::size_t>(1, cells_max / std::max<std::size_t>(rows, 1));
    bin_ns_ = round_step(std::max(bin_ns_min, static_cast<double>(end_ns_) / static_cast<double>(bins_max)));
    // One more for what happens exactly at the end.
    bins_ = static_cast<std::size_t>(end_ns_ / bin_ns_) + 1;
    cells_.resize(rows_ * (bins_ + 1));
}

void LossHistory::add(std::size_t row, std::int64_t t_ns, const Loss& loss) {
    DYETRACE_ASSERT(row < rows_);
    const auto bin = static_cast<std::size_t>(std::clamp<std::int64_t>(t_ns, 0, end_ns_) / bin_ns_);
    cells_[row * (bins_ + 1) + bin + 1] += loss;
}

void LossHistory::seal() {
    for (std::size_t row = 0; row < rows_; ++row) {
        Loss* cells = &cells_[row * (bins_ + 1)];
        for (std::size_t bin = 1; bin <= bins_; ++bin) {
            Loss total = cells[bin - 1];
            cells[bin] = total += cells[bin];
        }
    }
}

TimeRange LossHistory::bins_before(std::int64_t t_ns, std::int64_t length_ns) const {
    const auto bins = static_cast<std::int64_t>(bins_);
    const auto end = t_ns >= end_ns_ ? bins : std::clamp<std::int64_t>(t_ns / bin_ns_, 0, bins);
    const auto length = std::max<std::int64_t>(1, (length_ns + bin_ns_ - 1) / bin_ns_);
    return {std::max<std::int64_t>(0, end - length) * bin_ns_, end * bin_ns_};
}

Loss LossHistory::over(std::size_t row, TimeRange range) const {
    DYETRACE_ASSERT(row < rows_);
    const auto border = [&](std::int64_t t_ns) {
        return static_cast<std::size_t>(
            std::clamp<std::int64_t>(t_ns / bin_ns_, 0, static_cast<std::int64_t>(bins_)));
    };
    const Loss* cells = &cells_[row * (bins_ + 1)];
    const Loss& begin = cells[border(range.begin_ns)];
    const Loss& end = cells[border(range.end_ns)];
    return {end.sent - begin.sent, end.lost - begin.lost};
}

}  // namespace dyetrace::viewer
