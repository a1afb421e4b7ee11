// SPDX-License-Identifier: GPL-2.0-or-later
// Between a row's members and a prepared statement's places. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include "analysis/store/row_fields.h"

namespace dyetrace::store {

/// What a cell holds is nothing that a writer of ours puts there. Turned into an `Error` that names the
/// place.
class BadCell : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// SQLite's integers are signed: a count beyond 2^63 is refused, not stored as something else.
[[nodiscard]] std::int64_t to_stored(std::uint64_t count);
[[nodiscard]] std::string to_stored(HexId id);
[[nodiscard]] HexId hex_id_from_stored(const std::string& digits);

template <class T>
void bind_one(SQLite::Statement& statement, int place, const T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, double>) {
        statement.bind(place, value);
    } else if constexpr (std::is_same_v<T, HexId> || std::is_same_v<T, std::uint64_t>) {
        statement.bind(place, to_stored(value));
    } else {
        static_assert(std::is_integral_v<T>);
        statement.bind(place, static_cast<std::int64_t>(value));
    }
}
template <class T>
void bind_one(SQLite::Statement& statement, int place, const std::optional<T>& value) {
    if (value) {
        bind_one(statement, place, *value);
    } else {
        statement.bind(place);
    }
}

/// Binds the row's members to the places 1, 2, ... of the statement.
template <class Row>
void bind_row(SQLite::Statement& statement, const Row& row) {
    std::apply(
        [&](const auto&... member) {
            int place = 0;
            (bind_one(statement, ++place, member), ...);
        },
        fields(row));
}

template <class T>
void read_one(const SQLite::Column& column, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
        value = column.getString();
    } else if constexpr (std::is_same_v<T, double>) {
        value = column.getDouble();
    } else if constexpr (std::is_same_v<T, HexId>) {
        value = hex_id_from_stored(column.getString());
    } else if constexpr (std::is_same_v<T, bool>) {
        value = column.getInt64() != 0;
    } else {
        static_assert(std::is_integral_v<T>);
        value = static_cast<T>(column.getInt64());
    }
}
template <class T>
void read_one(const SQLite::Column& column, std::optional<T>& value) {
    if (column.isNull()) {
        value.reset();
    } else {
        read_one(column, value.emplace());
    }
}

/// Reads the statement's present row, whose columns are those of the row's table.
template <class Row>
void read_row(const SQLite::Statement& statement, Row& row) {
    std::apply(
        [&](auto&... member) {
            int column = 0;
            (read_one(statement.getColumn(column++), member), ...);
        },
        fields(row));
}

}  // namespace dyetrace::store
