// SPDX-License-Identifier: GPL-2.0-or-later
// The schema of a run database, as data: what creates it, what checks it and what exports it read the same
// list.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dyetrace::store {

/// Raised with every change that an older reader would misread; a reader refuses a newer one.
inline constexpr int schema_version = 2;
/// `PRAGMA application_id`: 'dyet'. Tells a run from any other SQLite file.
inline constexpr std::int32_t application_id = 0x64796574;

enum class TableKind {
    Measured,    ///< what was configured, measured and decided: the same for the same scenario, seed and run
    Truth,       ///< what the simulator knows: for scoring only
    Provenance,  ///< where the run came from; the only place of wall times
};

struct Column {
    std::string_view name;
    std::string_view type;              ///< 'INTEGER', 'REAL' or 'TEXT'
    std::string_view constraints = {};  ///< as in SQL; empty: may be NULL
};

struct Table {
    std::string_view name;
    TableKind kind;
    std::vector<Column> columns;
    std::string_view primary_key =
        {};                  ///< where it is not the column `id`; empty also for tables without any
    std::string_view order;  ///< of its rows in every list and export
    int since = 1;           ///< version that it came with; a run of an earlier one has no rows of it
};

/// Every table of the schema, each after those that it refers to.
[[nodiscard]] std::span<const Table> tables();
/// The table of that name, which must be one of `tables()`.
[[nodiscard]] const Table& table(std::string_view name);

[[nodiscard]] std::string create_table_sql(const Table& table);
/// Built when a run ends: inserting into a growing index would cost each of millions of rows.
[[nodiscard]] std::span<const std::string_view> create_index_sql();

/// "INSERT INTO t (a, b) VALUES (?, ?)", all columns in schema order.
[[nodiscard]] std::string insert_sql(const Table& table);
/// "SELECT a, b FROM t", all columns in schema order.
[[nodiscard]] std::string select_sql(const Table& table);
/// "UPDATE t SET b = ?2, c = ?3 WHERE id = ?1" for a table whose first column is `id`.
[[nodiscard]] std::string update_sql(const Table& table);

}  // namespace dyetrace::store
