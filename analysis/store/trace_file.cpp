// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/trace_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "analysis/store/error.h"

namespace dyetrace::store {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;  // also the longest line that is read
constexpr std::uint64_t kMaxPackets = std::uint64_t{1} << 48;
constexpr std::size_t kMaxHops = 64;

void skip_spaces(std::string_view& line) {
    const std::size_t word = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(word);
}

/// The next word, printable and short enough to be shown in a message.
std::string shown(std::string_view text) {
    std::string word(text.substr(0, std::min<std::size_t>(text.find(' '), 20)));
    std::replace_if(
        word.begin(), word.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return "'" + word + "'";
}

}  // namespace

TraceFile::TraceFile(const std::filesystem::path& path, Candidates candidates)
    : name_(path.string()), buffer_(kBufferBytes), candidates_(candidates) {
    if (std::filesystem::is_directory(path)) throw Error(name_ + ": is a folder, not a trace");
    errno = 0;
    file_.open(path, std::ios::binary);
    if (!file_) throw Error(name_ + ": cannot be opened: " + std::strerror(errno != 0 ? errno : EIO));
}

void TraceFile::fail(const std::string& reason) const {
    throw Error(name_ + ":" + std::to_string(line_) + ": " + reason);
}

/// Moves what is left to the front and reads on behind it; false where there is no more.
bool TraceFile::refill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    file_.read(buffer_.data() + end_, static_cast<std::streamsize>(buffer_.size() - end_));
    end_ += static_cast<std::size_t>(file_.gcount());
    if (file_.bad()) fail("cannot be read on");
    return file_.gcount() > 0;
}

bool TraceFile::next_line(std::string_view& line) {
    const char* newline = nullptr;
    while ((newline = static_cast<const char*>(std::memchr(buffer_.data() + begin_, '\n', end_ - begin_))) ==
           nullptr) {
        if (end_ - begin_ == buffer_.size()) {
            ++line_;
            fail("the line is longer than " + std::to_string(kBufferBytes) + " bytes");
        }
        if (refill()) continue;
        if (begin_ == end_) return false;
        ++line_;
        fail("the line is cut off: the file ends within it");
    }
    const char* const start = buffer_.data() + begin_;
    line = std::string_view(start, static_cast<std::size_t>(newline - start));
    begin_ += line.size() + 1;
    ++line_;
    return true;
}

TraceFile::Keyword TraceFile::take_keyword(std::string_view& line) const {
    static constexpr std::array<std::pair<std::string_view, Keyword>, 5> kKeywords = {
        {{"FP", Keyword::CandidatePath},
         {"FID", Keyword::Flow},
         {"FPT", Keyword::PathTaken},
         {"SS", Keyword::Snapshot},
         {"Failing_link", Keyword::FailingLink}}};
    const std::string_view word = line.substr(0, line.find(' '));
    for (const auto& [name, keyword] : kKeywords) {
        if (word != name) continue;
        line.remove_prefix(word.size());
        return keyword;
    }
    fail("a line of a trace begins with FP, FID, FPT, SS or Failing_link, not with " + shown(line));
}

bool TraceFile::next(TraceFlow& flow) {
    bool open = false;
    std::string_view line;
    while (true) {
        if (held_) {
            line = *std::exchange(held_, std::nullopt);
        } else if (!next_line(line)) {
            break;
        }
        if (line.empty()) continue;
        std::string_view rest = line;
        const Keyword keyword = take_keyword(rest);
        if (open && has_counts_ && keyword != Keyword::Snapshot) {
            held_ = line;
            return true;
        }
        switch (keyword) {
            case Keyword::FailingLink:
            case Keyword::CandidatePath:
                if (open) fail("the flow that began above has no counts (SS)");
                if (keyword == Keyword::CandidatePath && candidates_ == Candidates::Read)
                    read_candidate(rest);
                break;
            case Keyword::Flow:
                if (open) fail("the flow that began above has no counts (SS)");
                read_flow(rest, flow);
                open = true;
                break;
            case Keyword::PathTaken:
                if (!open || has_path_) fail("a path (FPT) that belongs to no flow (FID)");
                read_path(rest, flow);
                break;
            case Keyword::Snapshot:
                if (!open) fail("counts (SS) that belong to no flow (FID)");
                if (!has_path_) fail("the flow that began above has no path (FPT)");
                read_snapshot(rest, flow);
                break;
        }
    }
    if (open && !has_counts_) fail("the file ends before the counts (SS) of its last flow");
    return open;
}

void TraceFile::read_flow(std::string_view line, TraceFlow& flow) {
    flow.hops.clear();
    flow.sent = flow.lost = 0;
    has_path_ = has_counts_ = false;
    source_ = take_node(line, "source host", true);
    target_ = take_node(line, "target host", true);
    source_rack_ = take_node(line, "source rack", false);
    target_rack_ = take_node(line, "target rack", false);
    take_number(line, "bytes", std::uint64_t{1} << 62);
    take_time(line);
    expect_end(line);
    if (source_ == target_) fail("the flow ends at the host where it begins");
}

void TraceFile::read_candidate(std::string_view line) {
    std::optional<std::uint32_t> last;
    std::size_t hops = 0;
    for (skip_spaces(line); !line.empty(); skip_spaces(line)) {
        if (++hops > kMaxHops) fail("a path of more than " + std::to_string(kMaxHops) + " switches");
        const std::uint32_t node = take_node(line, "switch", false);
        if (last == node) fail("the path goes from " + std::to_string(node) + " to itself");
        if (last) candidate_links_.insert(std::uint64_t{*last} << 32 | node);
        last = node;
    }
    if (!last) fail("the path is empty");
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> TraceFile::candidate_links() const {
    std::vector<std::uint64_t> both(candidate_links_.begin(), candidate_links_.end());
    std::sort(both.begin(), both.end());
    std::vector<std::pair<std::uint32_t, std::uint32_t>> links;
    links.reserve(both.size());
    for (const std::uint64_t ends : both)
        links.emplace_back(static_cast<std::uint32_t>(ends >> 32), static_cast<std::uint32_t>(ends));
    return links;
}

void TraceFile::read_path(std::string_view line, TraceFlow& flow) {
    flow.hops.push_back(source_);
    for (skip_spaces(line); !line.empty(); skip_spaces(line)) {
        if (flow.hops.size() > kMaxHops)
            fail("a path of more than " + std::to_string(kMaxHops) + " switches");
        const std::uint32_t node = take_node(line, "switch", false);
        if (node == flow.hops.back()) fail("the path goes from " + std::to_string(node) + " to itself");
        flow.hops.push_back(node);
    }
    if (flow.hops.size() == 1) fail("the path is empty");
    if (flow.hops[1] != source_rack_ || flow.hops.back() != target_rack_) {
        fail("the path does not lead from the flow's source rack " + std::to_string(source_rack_) +
             " to its target rack " + std::to_string(target_rack_));
    }
    flow.hops.push_back(target_);
    has_path_ = true;
}

void TraceFile::read_snapshot(std::string_view line, TraceFlow& flow) {
    take_time(line);
    const std::uint64_t sent = take_number(line, "packets sent", kMaxPackets);
    const std::uint64_t lost = take_number(line, "packets lost", kMaxPackets);
    take_number(line, "packets lost at random", kMaxPackets);
    expect_end(line);
    if (lost > sent) fail("more packets lost than sent");
    if (sent < flow.sent || lost < flow.lost) fail("counts go down from one SS of a flow to the next");
    flow.sent = sent;
    flow.lost = lost;
    has_counts_ = true;
}

std::uint64_t TraceFile::take_number(std::string_view& line, std::string_view what, std::uint64_t max) const {
    skip_spaces(line);
    if (line.empty()) fail("the line ends where " + std::string(what) + " should be");
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    const auto length = static_cast<std::size_t>(stop - line.data());
    if (error == std::errc::result_out_of_range || (error == std::errc{} && number > max)) {
        fail(std::string(what) + " " + shown(line) + " is too large");
    }
    if (error != std::errc{} || (length < line.size() && line[length] != ' ')) {
        fail(std::string(what) + " should be a number, not " + shown(line));
    }
    line.remove_prefix(length);
    return number;
}

std::uint32_t TraceFile::take_node(std::string_view& line, std::string_view what, bool host) const {
    const auto node = static_cast<std::uint32_t>(take_number(line, what, 0x7fff'ffff));
    if (host != (node >= kTraceFirstHost)) {
        fail(std::string(what) + " " + std::to_string(node) + " is no " + (host ? "host" : "switch") +
             ": hosts are numbered from " + std::to_string(kTraceFirstHost));
    }
    return node;
}

/// Of a flow or a snapshot; when is not needed, but it must be there.
void TraceFile::take_time(std::string_view& line) const {
    skip_spaces(line);
    if (line.empty()) fail("the line ends where a time should be");
    double time = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), time);
    const auto length = static_cast<std::size_t>(stop - line.data());
    if (error != std::errc{} || !std::isfinite(time) || (length < line.size() && line[length] != ' ')) {
        fail("a time should be a number of milliseconds, not " + shown(line));
    }
    line.remove_prefix(length);
}

void TraceFile::expect_end(std::string_view line) const {
    skip_spaces(line);
    if (!line.empty()) fail("more on the line than belongs there: " + shown(line));
}

}  // namespace dyetrace::store
