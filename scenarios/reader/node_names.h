// SPDX-License-Identifier: GPL-2.0-or-later
// Words for names that are not in the fabric.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/localise/fabric_plan.h"
#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

class NodeNames {
  public:
    /// `fabric` has a plan, and outlives this.
    explicit NodeNames(const FabricSettings& fabric) : fabric_(fabric), plan_(*fabric.plan) {}

    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const { return plan_.find(name); }
    [[nodiscard]] bool is_host(std::uint32_t node) const { return node < plan_.host_count(); }
    [[nodiscard]] bool is_link(std::uint32_t from, std::uint32_t to) const {
        return plan_.link(from, to).has_value();
    }
    [[nodiscard]] const std::string& name(std::uint32_t node) const { return plan_.nodes()[node].name; }

    /// One end of a cable, "agg-0-0:core-0", for examples.
    [[nodiscard]] std::string some_port() const {
        const localise::PlannedCable& cable = plan_.cables().back();
        return name(cable.lower) + ":" + name(cable.upper);
    }

    /// Says that `name` is no node of the fabric, and which one may have been meant.
    [[nodiscard]] Problem unknown_node(std::string_view name);
    /// Says that the two are not joined, and what `from` is joined with.
    [[nodiscard]] Problem no_link(std::uint32_t from, std::uint32_t to) const;

  private:
    /// Nodes of one word and count of numbers, and the largest of each of these: "agg-5-2".
    struct Family {
        std::string word;
        std::vector<std::uint32_t> last;
    };

    [[nodiscard]] static std::optional<Family> take_apart(std::string_view name);
    [[nodiscard]] const Family* family_of(const Family& written) const;
    [[nodiscard]] std::string like_in_family(std::string_view name) const;
    [[nodiscard]] std::string like_any(std::string_view name);
    [[nodiscard]] std::string overview() const;
    void find_families();
    [[nodiscard]] std::string show(const std::vector<std::uint32_t>& nodes) const;
    [[nodiscard]] bool is_run(const std::vector<std::uint32_t>& nodes) const;

    const FabricSettings& fabric_;
    const localise::FabricPlan& plan_;
    std::vector<Family> families_;  ///< in the order of their first nodes; made when first needed
    std::vector<std::string> names_;
    std::size_t compared_ = 0;
};

}  // namespace dyetrace::scenario
