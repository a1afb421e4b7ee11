// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/database_file.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "analysis/store/schema.h"

namespace dyetrace::store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_database_header: all numbers big-endian.
constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t header_size = 100;
constexpr std::size_t page_size_offset = 16;  // 2 bytes; 1 means 65536
constexpr std::size_t page_count_offset = 28;
constexpr std::size_t user_version_offset = 60;
constexpr std::size_t application_id_offset = 68;

struct Header {
    std::array<unsigned char, header_size> bytes{};
    std::size_t size = 0;  ///< how much of it the file has

    [[nodiscard]] bool is_sqlite() const {
        return size >= magic.size() &&
               std::string_view(reinterpret_cast<const char*>(bytes.data()), magic.size()) == magic;
    }
    [[nodiscard]] std::uint32_t number(std::size_t offset) const {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i)
            value = value << 8 | bytes[offset + i];
        return value;
    }
    [[nodiscard]] std::uint64_t page_size() const {
        const unsigned stored =
            static_cast<unsigned>(bytes[page_size_offset]) << 8 | bytes[page_size_offset + 1];
        return stored == 1 ? 65536 : stored;
    }
};

std::optional<Header> read_header(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    Header header;
    file.read(reinterpret_cast<char*>(header.bytes.data()), static_cast<std::streamsize>(header_size));
    header.size = static_cast<std::size_t>(file.gcount());
    return header;
}

bool has_content(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return !error && size > 0;
}

std::string problem_of_header(const Header& header) {
    if (header.size == 0) return "is empty, not a run database";
    if (!header.is_sqlite()) return "is not an SQLite database";
    if (header.size < header_size) return "is truncated: it ends within the database header";
    if (header.number(application_id_offset) != static_cast<std::uint32_t>(application_id)) {
        return "is an SQLite database, but not a run of dyetrace";
    }
    const std::uint32_t version = header.number(user_version_offset);
    if (version > static_cast<std::uint32_t>(schema_version)) {
        return "has schema version " + std::to_string(version) + "; this dyetrace reads up to version " +
               std::to_string(schema_version);
    }
    if (version == 0) return "has no schema version: its writing ended before it began";
    return {};
}

}  // namespace

std::string problem_of_file(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) return "does not exist";
    if (status.type() == std::filesystem::file_type::directory) return "is a folder, not a run database";
    const auto header = read_header(path);
    if (!header) return "cannot be read (permission denied?)";
    if (auto problem = problem_of_header(*header); !problem.empty()) return problem;
    if (has_unfinished_write(path)) return {};
    const std::uint64_t expected = header->page_size() * header->number(page_count_offset);
    const std::uint64_t actual = std::filesystem::file_size(path, error);
    if (error) return "cannot be read: " + error.message();
    if (actual < expected) {
        return "is truncated: it has " + std::to_string(actual) + " of " + std::to_string(expected) +
               " bytes";
    }
    return {};
}

bool is_run_database(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return false;
    const auto header = read_header(path);
    return header && header->size == header_size && header->is_sqlite() &&
           header->number(application_id_offset) == static_cast<std::uint32_t>(application_id);
}

std::filesystem::path journal_of(const std::filesystem::path& path) {
    return std::filesystem::path(path) += "-journal";
}
std::filesystem::path wal_of(const std::filesystem::path& path) {
    return std::filesystem::path(path) += "-wal";
}
std::filesystem::path shared_memory_of(const std::filesystem::path& path) {
    return std::filesystem::path(path) += "-shm";
}

bool has_unfinished_write(const std::filesystem::path& path) {
    return has_content(wal_of(path)) || has_content(journal_of(path));
}

}  // namespace dyetrace::store
