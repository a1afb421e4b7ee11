// SPDX-License-Identifier: GPL-2.0-or-later
// HTML in small: text that is always escaped, and tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dyetrace::report {

/// Text for the inside of an element or a quoted attribute.
[[nodiscard]] std::string escape(std::string_view text);

struct HtmlColumn {
    std::string title;
    bool number = false;  ///< set right, in digits of one width
    bool truth = false;   ///< set apart: the simulator's knowledge, not measured
};

/// A table row by row. Cells are text, never markup.
class HtmlTable {
  public:
    explicit HtmlTable(std::vector<HtmlColumn> columns) : columns_(std::move(columns)) {}

    /// Fewer cells than columns leave the last ones empty. A marked row stands out.
    void add_row(const std::vector<std::string>& cells, bool marked = false);
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::string html() const;

  private:
    [[nodiscard]] std::string attributes(std::size_t column) const;

    std::vector<HtmlColumn> columns_;
    std::string rows_;
};

/// Digits in groups of three: 1234567 is "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t number);

}  // namespace dyetrace::report
