// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/csv.h"

#include <deque>
#include <span>
#include <system_error>

#include "analysis/report/output_file.h"
#include "analysis/store/error.h"
#include "analysis/store/output_path.h"
#include "analysis/store/table_reader.h"

namespace dyetrace::report {
namespace {

constexpr std::string_view line_end = "\r\n";  // RFC 4180 §2 (1)

std::filesystem::path file_of(const std::filesystem::path& folder, const store::Table& table) {
    return folder / (std::string(table.name) + ".csv");
}

std::string header_line(const store::Table& table) {
    std::string line;
    for (const auto& column : table.columns) {
        if (!line.empty()) line += ',';
        line += csv_cell(std::string(column.name));
    }
    return line.append(line_end);
}

void refuse_foreign_files(const std::filesystem::path& folder, bool force) {
    std::error_code error;
    if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error))
        throw store::NotReplaced(folder.string() + " exists and is not a folder");
    for (const store::Table& table : store::tables()) {
        const std::string header = header_line(table);
        const auto is_export = [&](const std::filesystem::path& file) {
            return store::first_bytes(file, header.size()) == header;
        };
        store::refuse_existing(file_of(folder, table), force, {"of an earlier export", is_export});
    }
}

/// A folder that goes again with all that was made for it, unless files came to stay in it.
class ExportFolder {
  public:
    explicit ExportFolder(const std::filesystem::path& folder) {
        std::error_code error;
        for (auto one = folder; !one.empty() && !std::filesystem::exists(one, error);) {
            made_.push_back(one);
            one = one.parent_path();
        }
        std::filesystem::create_directories(folder, error);
        if (error) throw store::CannotWrite(folder.string() + " cannot be made: " + error.message());
    }
    ExportFolder(const ExportFolder&) = delete;
    ExportFolder& operator=(const ExportFolder&) = delete;
    ~ExportFolder() {
        std::error_code error;
        for (const auto& folder : made_)
            std::filesystem::remove(folder, error);  // does nothing to one that holds something
    }

  private:
    std::vector<std::filesystem::path> made_;  ///< innermost first
};

void write_table(const store::RunReader& run, const store::Table& table, OutputFile& file) {
    file.write(header_line(table));
    std::string line;
    const auto write_row = [&](std::span<const std::optional<std::string>> cells) {
        line.clear();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i != 0) line += ',';
            line += csv_cell(cells[i]);
        }
        file.write(line.append(line_end));
    };
    store::TableReader(run).for_each_row(table, write_row);
    file.close();
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
    refuse_foreign_files(folder, options.force);
    const ExportFolder made(folder);
    std::deque<OutputFile> outputs;
    std::vector<std::filesystem::path> left_over;
    for (const store::Table& table : store::tables()) {
        if (table.kind == store::TableKind::Truth && !options.truth) {
            left_over.push_back(file_of(folder, table));
        } else {
            write_table(run, table, outputs.emplace_back(file_of(folder, table)));
        }
    }
    std::vector<std::filesystem::path> files;
    for (OutputFile& output : outputs) {
        output.commit();
        files.push_back(output.path());
    }
    std::error_code error;
    for (const auto& file : left_over) {
        std::filesystem::remove(file, error);
        if (error) throw store::CannotWrite(file.string() + " cannot be removed: " + error.message());
    }
    return files;
}

}  // namespace dyetrace::report
