// SPDX-License-Identifier: GPL-2.0-or-later
// The file below a run database: what it is, judged from its first bytes and its size. Internal to this
// folder.
#pragma once

#include <filesystem>
#include <string>

namespace dyetrace::store {

/// What is wrong with the file as a run database; empty where its header is that of a run this version reads.
/// Looks at the file only, so that damage is named as what it is and not as SQLite's first complaint.
[[nodiscard]] std::string problem_of_file(const std::filesystem::path& path);

/// Whether the file is a run database of any version, also a truncated one: what `Overwrite::Replace` may
/// remove.
[[nodiscard]] bool is_run_database(const std::filesystem::path& path);

/// The names that SQLite gives to what it keeps beside a database that is, or was, being written.
[[nodiscard]] std::filesystem::path journal_of(const std::filesystem::path& path);
[[nodiscard]] std::filesystem::path wal_of(const std::filesystem::path& path);
[[nodiscard]] std::filesystem::path shared_memory_of(const std::filesystem::path& path);

/// Whether a write-ahead log or a journal with content lies beside the database: its header may be older than
/// that.
[[nodiscard]] bool has_unfinished_write(const std::filesystem::path& path);

}  // namespace dyetrace::store
