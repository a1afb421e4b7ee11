// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/html.h"

#include <cstddef>

#include <fmt/format.h>

namespace dyetrace::report {

std::string escape(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\'': escaped += "&#39;"; break;
            default: escaped += c;
        }
    }
    return escaped;
}

std::string HtmlTable::attributes(std::size_t column) const {
    const HtmlColumn& c = columns_[column];
    if (!c.number && !c.truth) return {};
    return fmt::format(" class=\"{}{}{}\"", c.number ? "number" : "", c.number && c.truth ? " " : "",
                       c.truth ? "truth" : "");
}

void HtmlTable::add_row(const std::vector<std::string>& cells, bool marked) {
    rows_ += marked ? "<tr class=\"marked\">" : "<tr>";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        rows_ +=
            "<td" + attributes(i) + ">" + (i < cells.size() ? escape(cells[i]) : std::string()) + "</td>";
    }
    rows_ += "</tr>\n";
}

std::string HtmlTable::html() const {
    std::string html = "<table>\n<thead><tr>";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        html += "<th" + attributes(i) + ">" + escape(columns_[i].title) + "</th>";
    }
    return html + "</tr></thead>\n<tbody>\n" + rows_ + "</tbody>\n</table>\n";
}

std::string grouped(std::int64_t number) {
    std::string text = std::to_string(number);
    const std::size_t digits_begin = number < 0 ? 1 : 0;
    for (std::size_t at = text.size(); at > digits_begin + 3; at -= 3)
        text.insert(at - 3, 1, ',');
    return text;
}

}  // namespace dyetrace::report
