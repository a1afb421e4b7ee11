// SPDX-License-Identifier: GPL-2.0-or-later
// Learned routes, each link list kept once. A route is kept as two halves, because halves repeat where whole
// routes don't: between a thousand hosts of a fat-tree run 64 million routes, of 130,000 different halves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/base/flat_table.h"
#include "core/base/random.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::localise {

/// The links of a route: those of `first`, then those of `second`.
struct RouteHalves {
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t first = kNone;
    std::uint32_t second = kNone;

    [[nodiscard]] constexpr bool is_known() const { return first != kNone; }
    constexpr bool operator==(const RouteHalves&) const = default;
};

class RouteTable {
  public:
    explicit RouteTable(std::size_t most) : most_(most) {}

    /// None where `most` different halves are held and this needs one more. Precondition: not empty.
    std::optional<RouteHalves> intern(std::span<const LinkId> links) {
        const std::size_t middle = links.size() / 2;
        const auto first = intern_half(links.first(middle));
        const auto second = intern_half(links.subspan(middle));
        if (!first || !second) return std::nullopt;
        return RouteHalves{*first, *second};
    }

    /// A second half without links, unlike any other: for a route of which only the first one is certain.
    /// None where `most` are held.
    std::optional<std::uint32_t> add_placeholder() {
        if (half_count() >= most_) return std::nullopt;
        begin_.push_back(begin_.back());
        return static_cast<std::uint32_t>(half_count() - 1);
    }
    std::optional<std::uint32_t> intern_half(std::span<const LinkId> links) {
        std::uint64_t print = links.size();
        for (const LinkId link : links)
            print = mix64(print + link.value + 1);
        for (;; print = mix64(print)) {  // until the same, or free: two lists may share a fingerprint
            const std::uint32_t* const found = index_.find(print);
            if (found == nullptr) break;
            const auto same = half(*found);
            if (std::equal(same.begin(), same.end(), links.begin(), links.end())) return *found;
        }
        if (half_count() >= most_) return std::nullopt;
        const auto index = static_cast<std::uint32_t>(half_count());
        links_.insert(links_.end(), links.begin(), links.end());
        begin_.push_back(static_cast<std::uint32_t>(links_.size()));
        index_[print] = index;
        return index;
    }

    [[nodiscard]] std::span<const LinkId> half(std::uint32_t index) const {
        return std::span(links_).subspan(begin_[index], begin_[index + 1] - begin_[index]);
    }
    [[nodiscard]] std::size_t length(RouteHalves route) const {
        return half(route.first).size() + half(route.second).size();
    }
    template <class Visit>
    void for_each_link(RouteHalves route, Visit visit) const {
        for (const LinkId link : half(route.first))
            visit(link);
        for (const LinkId link : half(route.second))
            visit(link);
    }
    [[nodiscard]] std::size_t half_count() const { return begin_.size() - 1; }

  private:
    struct Hash {
        std::size_t operator()(std::uint64_t print) const { return table_hash(print); }
    };

    std::size_t most_;
    std::vector<LinkId> links_;
    std::vector<std::uint32_t> begin_{0};
    FlatTable<std::uint64_t, std::uint32_t, Hash> index_;
};

}  // namespace dyetrace::localise
