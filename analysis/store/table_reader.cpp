// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/table_reader.h"

#include <array>
#include <charconv>
#include <vector>

#include "analysis/store/run_reader_impl.h"

namespace dyetrace::store {
namespace {

template <class Number>
std::string shortest(Number number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return {text.data(), end};
}

std::optional<std::string> cell_text(const SQLite::Column& cell) {
    if (cell.isNull()) return std::nullopt;
    if (cell.isInteger()) return shortest(cell.getInt64());
    if (cell.isFloat()) return shortest(cell.getDouble());
    return cell.getString();
}

}  // namespace

void TableReader::for_each_row(
    const Table& table, const std::function<void(std::span<const std::optional<std::string>>)>& visit) const {
    const RunReader::Impl& run = *run_.impl_;
    if (!run.has(table)) return;
    run.guarded(table.name, [&] {
        SQLite::Statement query(run.db, select_sql(table) + " ORDER BY " + std::string(table.order));
        std::vector<std::optional<std::string>> cells(table.columns.size());
        while (query.executeStep()) {
            for (std::size_t i = 0; i < cells.size(); ++i)
                cells[i] = cell_text(query.getColumn(static_cast<int>(i)));
            visit(cells);
        }
    });
}

}  // namespace dyetrace::store
