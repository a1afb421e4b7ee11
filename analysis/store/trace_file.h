// SPDX-License-Identifier: GPL-2.0-or-later
// Reads fault-localisation traces in the text format that published tools share.
//
//     Failing_link U V P                          truth; skipped unread
//     FP N1 N2 ...                                a candidate switch path between two racks; skipped unread
//     unless asked for FID SRC DST SRCRACK DSTRACK BYTES T_MS      a flow begins; hosts are numbered from
//     10000 FPT N1 N2 ...                               the switch path it took SS T_MS SENT LOST RANDOM its
//     packets sent and lost so far; the last one counts
//
// A line that cannot be read, or that is cut off, ends reading with an `Error` "FILE:LINE: reason".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace dyetrace::store {

struct TraceFlow {
    std::vector<std::uint32_t> hops;  ///< source host, switches, target host
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;  ///< at most `sent`
};

/// Numbers from here on are hosts, below are switches.
inline constexpr std::uint32_t kTraceFirstHost = 10'000;

class TraceFile {
  public:
    enum class Candidates { Skip, Read };
    /// Throws `Error` where the file cannot be opened.
    explicit TraceFile(const std::filesystem::path& path, Candidates candidates = Candidates::Skip);

    /// Fills in the next flow; false at the end. Throws `Error`. Memory does not grow with the file.
    bool next(TraceFlow& flow);
    /// Links of candidate paths read so far, each once, in the order of their numbers; none unless asked for.
    [[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint32_t>> candidate_links() const;

  private:
    enum class Keyword { FailingLink, CandidatePath, Flow, PathTaken, Snapshot };

    bool next_line(std::string_view& line);
    bool refill();
    Keyword take_keyword(std::string_view& line) const;
    void read_flow(std::string_view line, TraceFlow& flow);
    void read_candidate(std::string_view line);
    void read_path(std::string_view line, TraceFlow& flow);
    void read_snapshot(std::string_view line, TraceFlow& flow);
    std::uint64_t take_number(std::string_view& line, std::string_view what, std::uint64_t max) const;
    std::uint32_t take_node(std::string_view& line, std::string_view what, bool host) const;
    void take_time(std::string_view& line) const;
    void expect_end(std::string_view line) const;
    [[noreturn]] void fail(const std::string& reason) const;

    std::string name_;
    std::ifstream file_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;  ///< of what is buffered and not yet read
    std::size_t end_ = 0;
    std::uint64_t line_ = 0;
    Candidates candidates_;
    std::unordered_set<std::uint64_t> candidate_links_;  ///< both ends in one number
    std::optional<std::string_view> held_;               ///< a line that was read too far: the next flow's
    // Of the flow being read.
    std::uint32_t source_ = 0, target_ = 0, source_rack_ = 0, target_rack_ = 0;
    bool has_path_ = false, has_counts_ = false;
};

}  // namespace dyetrace::store
