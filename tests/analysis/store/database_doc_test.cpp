// SPDX-License-Identifier: GPL-2.0-or-later
// docs/database.md and the schema say the same.
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/store/schema.h"

namespace dyetrace::store {
namespace {

struct Described {
    std::string kind;                                          ///< 'measured', 'truth' or 'provenance'
    std::vector<std::pair<std::string, std::string>> columns;  ///< name and type
};

/// The text between the first `begin` and the next `end`; "" where there is none.
std::string between(const std::string& line, char begin, char end) {
    const std::size_t from = line.find(begin);
    const std::size_t to = from == std::string::npos ? from : line.find(end, from + 1);
    return to == std::string::npos ? std::string() : line.substr(from + 1, to - from - 1);
}

/// The tables that docs/database.md describes: a heading "### `name` (kind)", then rows "| `column` | TYPE |
/// ...".
std::map<std::string, Described> described_tables() {
    std::ifstream file(std::string(DYETRACE_SOURCE_DIR) + "/docs/database.md");
    std::map<std::string, Described> tables;
    Described* current = nullptr;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("### `")) {
            current = &tables[between(line, '`', '`')];
            current->kind = between(line, '(', ')');
        } else if (current != nullptr && line.starts_with("| `")) {
            const std::string type = between(line.substr(1), '|', '|');
            const bool of_schema = type == " INTEGER " || type == " REAL " || type == " TEXT ";
            if (of_schema)
                current->columns.emplace_back(between(line, '`', '`'), type.substr(1, type.size() - 2));
        }
    }
    return tables;
}

std::string to_string(TableKind kind) {
    switch (kind) {
        case TableKind::Measured: return "measured";
        case TableKind::Truth: return "truth";
        case TableKind::Provenance: return "provenance";
    }
    return "?";
}

TEST(DatabaseDocument, DescribesEveryTableAndColumnInOrderAndNoOther) {
    const auto described = described_tables();
    EXPECT_EQ(described.size(), tables().size());
    for (const Table& table : tables()) {
        const auto found = described.find(std::string(table.name));
        ASSERT_NE(found, described.end()) << table.name << " is not described";
        std::vector<std::pair<std::string, std::string>> columns;
        for (const Column& column : table.columns)
            columns.emplace_back(column.name, column.type);
        EXPECT_EQ(found->second.columns, columns) << table.name;
        EXPECT_EQ(found->second.kind, to_string(table.kind)) << table.name;
    }
}

TEST(DatabaseDocument, NamesTheSchemaVersion) {
    std::ifstream file(std::string(DYETRACE_SOURCE_DIR) + "/docs/database.md");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_NE(text.find("schema version " + std::to_string(schema_version)), std::string::npos);
}

}  // namespace
}  // namespace dyetrace::store
