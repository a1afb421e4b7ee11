// SPDX-License-Identifier: GPL-2.0-or-later
// The connection that the readers of one run share. Internal to this folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "analysis/store/schema.h"
#include "analysis/store/statements.h"

namespace dyetrace::store {

struct RunReader::Impl {
    explicit Impl(const std::filesystem::path& path);

    /// Does something with SQLite, and names the file and the table where that finds damage.
    template <class Action>
    auto guarded(std::string_view table_name, Action action) const -> decltype(action()) {
        try {
            return action();
        } catch (const SQLite::Exception& error) {
            throw Error(path.string() + " is damaged: table " + std::string(table_name) + ": " +
                        error.what());
        } catch (const BadCell& error) {
            throw Error(path.string() + " is damaged: table " + std::string(table_name) + ": " +
                        error.what());
        }
    }

    /// Calls `visit` for each row of the row's table; `rest` is what follows the table's name in the query,
    /// with `arguments` for its places.
    template <class Row, class Visit, class... Arguments>
    void visit_where(const std::string& rest, Visit visit, const Arguments&... arguments) const {
        const Table& source = table(table_of<Row>);
        if (!has(source)) return;
        guarded(source.name, [&] {
            SQLite::Statement query(db, select_sql(source) + " " + rest);
            int place = 0;
            (bind_one(query, ++place, arguments), ...);
            Row row;
            while (query.executeStep()) {
                read_row(query, row);
                visit(row);
            }
        });
    }

    template <class Row, class... Arguments>
    [[nodiscard]] std::vector<Row> list_where(const std::string& rest, const Arguments&... arguments) const {
        std::vector<Row> rows;
        visit_where<Row>(
            rest, [&](const Row& row) { rows.push_back(row); }, arguments...);
        return rows;
    }

    template <class Row>
    [[nodiscard]] std::vector<Row> list() const {
        return list_where<Row>("ORDER BY " + std::string(table(table_of<Row>).order));
    }

    /// Whether a run of this version has the table.
    [[nodiscard]] bool has(const Table& source) const { return source.since <= version; }

    std::filesystem::path path;
    SQLite::Database db;
    int version = 0;
};

}  // namespace dyetrace::store
