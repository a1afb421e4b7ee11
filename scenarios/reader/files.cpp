// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/files.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "scenarios/reader/spelling.h"

namespace dyetrace::scenario {
namespace {

namespace fs = std::filesystem;

/// Looked at for a name like the one that is missing.
constexpr int folder_entries_most = 1000;

/// Names in `folder` with this extension, sorted; none where it can't be listed.
std::vector<std::string> names_in(const fs::path& folder, const std::string& extension) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, error);
    for (int i = 0; !error && entry != fs::directory_iterator() && i < folder_entries_most; ++i) {
        if (entry->path().extension() == extension) names.push_back(entry->path().filename().string());
        entry.increment(error);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Problem no_such_file(const fs::path& path) {
    Problem problem{"there is no such file"};
    std::error_code error;
    if (!path.parent_path().empty() && !fs::exists(path.parent_path(), error)) {
        problem.message = fmt::format("there is no folder {}", path.parent_path().string());
        return problem;
    }
    const auto near = nearest(path.filename().string(), names_in(path.parent_path(), ".toml"));
    if (near) problem.suggestion = fmt::format("did you mean {}?", (path.parent_path() / *near).string());
    return problem;
}

}  // namespace

Result<std::string, Problem> read_input(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) return Failure{no_such_file(path)};
    if (status.type() == fs::file_type::directory) {
        return Failure{Problem{"this is a folder, not a file", "name a file in it"}};
    }
    if (error) return Failure{Problem{fmt::format("can't be read: {}", error.message())}};
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (file) {
        text.resize(input_bytes_most + 1);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad()) {
        const int reason = errno != 0 ? errno : EIO;
        return Failure{Problem{fmt::format("can't be read: {}", std::generic_category().message(reason))}};
    }
    if (text.size() > input_bytes_most) {
        return Failure{
            Problem{fmt::format("is larger than {} bytes, so it can't be what is meant", input_bytes_most)}};
    }
    return text;
}

Result<fs::path, Problem> find_file(const Shelf& shelf, const std::string& name, const fs::path& beside,
                                    const fs::path& share) {
    const fs::path folders[] = {beside, beside / shelf.folder, share / shelf.folder};
    std::vector<std::string> known;
    for (const fs::path& folder : folders) {
        for (const fs::path& candidate : {folder / name, folder / (name + shelf.extension)}) {
            std::error_code error;
            // Not a folder that happens to have that name.
            if (fs::exists(candidate, error) && !fs::is_directory(candidate, error)) return candidate;
        }
        for (const std::string& file : names_in(folder, shelf.extension))
            known.push_back(fs::path(file).stem().string());
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    Problem problem{fmt::format("there is no {} \"{}\"", shelf.what, name)};
    if (!known.empty()) problem.message += "; there are " + fmt::format("{}", fmt::join(known, ", "));
    problem.suggestion = did_you_mean(name, known);
    return Failure{problem};
}

Result<fs::path, Problem> find_distribution(const std::string& name, const fs::path& beside,
                                            const fs::path& share) {
    return find_file({"distribution", "distributions", ".cdf"}, name, beside, share);
}

}  // namespace dyetrace::scenario
