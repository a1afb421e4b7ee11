// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/shared_key.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file_descriptor.h"
#include "scenarios/reader/types.h"

namespace dyetrace::host {
namespace {

using scenario::Problem;

Problem system_problem(const std::string& path) {
    return {fmt::format("{}: {}", path, std::generic_category().message(errno)), ""};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

Result<auth::SharedKey, Problem> read_key_file(const std::string& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) return Failure{system_problem(path)};
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return Failure{system_problem(path)};
    if (!S_ISREG(status.st_mode)) return Failure{Problem{path + " is not a regular file", ""}};
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return Failure{Problem{path + " belongs to another user", "it must be root's or the daemon's own"}};
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Failure{
            Problem{fmt::format("{} is open to others (mode {:04o})", path, status.st_mode & 07777U),
                    fmt::format("chmod 600 {}", path)}};
    }
    std::array<char, 256> text{};  // longer than any key with blanks around it
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    if (size < 0) return Failure{system_problem(path)};
    scenario::Node node;
    node.value = std::string(trimmed({text.data(), static_cast<std::size_t>(size)}));
    const auto key = scenario::SecretType{}.read(node);
    if (!key) return Failure{Problem{path + ": " + key.error().message, "`openssl rand -hex 32` makes one"}};
    return *key;
}

}  // namespace dyetrace::host
