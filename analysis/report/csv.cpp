// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/csv.h"

#include <span>
#include <system_error>

#include "analysis/report/output_file.h"
#include "analysis/store/error.h"
#include "analysis/store/table_reader.h"

namespace dyetrace::report {
namespace {

constexpr std::string_view line_end = "\r\n";  // RFC 4180 §2 (1)

std::filesystem::path file_of(const std::filesystem::path& folder, const store::Table& table) {
    return folder / (std::string(table.name) + ".csv");
}

void prepare_folder(const std::filesystem::path& folder, bool force) {
    std::error_code error;
    if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error)) {
        throw store::OutputExists(folder.string() + " exists and is not a folder");
    }
    for (const store::Table& table : store::tables())
        refuse_existing(file_of(folder, table), force);
    std::filesystem::create_directories(folder, error);
    if (error) throw store::CannotWrite(folder.string() + " cannot be made: " + error.message());
    for (const store::Table& table : store::tables())
        std::filesystem::remove(file_of(folder, table), error);
}

void export_table(const store::RunReader& run, const store::Table& table, const std::filesystem::path& path) {
    OutputFile file(path);
    std::string line;
    for (const auto& column : table.columns) {
        if (!line.empty()) line += ',';
        line += csv_cell(std::string(column.name));
    }
    file.write(line.append(line_end));
    const auto write_row = [&](std::span<const std::optional<std::string>> cells) {
        line.clear();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i != 0) line += ',';
            line += csv_cell(cells[i]);
        }
        file.write(line.append(line_end));
    };
    store::TableReader(run).for_each_row(table, write_row);
    file.commit();
}

}  // namespace

std::string csv_cell(const std::optional<std::string>& value) {
    if (!value) return {};
    if (!value->empty() && value->find_first_of(",\"\r\n") == std::string::npos) return *value;
    std::string quoted = "\"";
    for (const char c : *value) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::vector<std::filesystem::path> export_csv(const store::RunReader& run,
                                              const std::filesystem::path& folder,
                                              const CsvOptions& options) {
    prepare_folder(folder, options.force);
    std::vector<std::filesystem::path> files;
    for (const store::Table& table : store::tables()) {
        if (table.kind == store::TableKind::Truth && !options.truth) continue;
        files.push_back(file_of(folder, table));
        export_table(run, table, files.back());
    }
    return files;
}

}  // namespace dyetrace::report
