// SPDX-License-Identifier: GPL-2.0-or-later
// Tenants' conditions, which come from anywhere: each reads back as it is, or is refused at a place that it
// has.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/health/condition.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dyetrace;
    using namespace dyetrace::health;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto condition = Condition::parse(text);
    if (!condition) {
        const ConditionError& error = condition.error();
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
        DYETRACE_ASSERT(error.line >= 1 && error.line <= lines);
        DYETRACE_ASSERT(error.column >= 1 && error.column <= size + 1 && !error.message.empty());
        for (const char c : error.to_string())
            DYETRACE_ASSERT(c >= ' ' && c <= '~');
        return 0;
    }
    const std::string form = condition->to_string();
    if (form.size() <= Condition::kTextMost) {
        const auto again = Condition::parse(form);
        DYETRACE_ASSERT(again.ok() && *again == *condition);
    }
    // What nothing is known of, what is all zero, and what is large.
    Figures figures;
    (void)condition->evaluate(figures);
    for (const double value : {0.0, 1e18}) {
        for (std::size_t i = 0; i < kFigureCount; ++i)
            figures[static_cast<Figure>(i)] = value;
        DYETRACE_ASSERT(condition->evaluate(figures) != Ternary::Unknown);
    }
    return 0;
}
