// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with an input file, and exactly where: collected, so that a user sees everything at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dyetrace::scenario {

/// A stretch of one line, or a `--set` of the command line.
struct Place {
    std::uint32_t line = 0;      ///< from 1; 0: the input as a whole
    std::uint32_t column = 0;    ///< from 1, in code points
    std::uint32_t width = 1;     ///< code points to underline
    std::size_t set_number = 0;  ///< from 1: that override; 0: the file

    [[nodiscard]] bool is_override() const { return set_number != 0; }
};

/// Why a value can't be used.
struct Problem {
    std::string message;
    std::string suggestion{};      ///< a sentence of what to do; may be empty
    std::optional<Place> place{};  ///< where that is not the value as a whole
};

enum class Severity : std::uint8_t { Error, Warning };

/// One message, ready to be shown.
struct Diagnostic {
    Severity severity = Severity::Error;
    std::string input;       ///< the file's name, or "--set key=value"
    std::uint32_t line = 0;  ///< 0: of the input as a whole
    std::uint32_t column = 0;
    std::uint32_t width = 1;
    std::string message;
    std::string suggestion;   ///< may be empty
    std::string source_line;  ///< without its end; empty where line is 0
};

/// Collects diagnostics of a file and of the overrides that go with it.
class Diagnostics {
  public:
    /// What is shown at most: a file of the wrong kind can be wrong in every line.
    static constexpr std::size_t most = 100;

    void add(Diagnostic diagnostic);
    void append(const Diagnostics& others);
    [[nodiscard]] bool has_errors() const { return errors_ != 0; }
    [[nodiscard]] std::size_t errors() const { return errors_; }  ///< also those not kept
    [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
    [[nodiscard]] std::size_t left_out() const { return left_out_; }
    /// Those of the input `first`, then the other inputs in order of first mention; each by place.
    void sort(const std::string& first);
    /// All as text: `file:line:column: error: message`, the source line, a caret, the suggestion.
    [[nodiscard]] std::string to_text() const;

  private:
    std::vector<Diagnostic> all_;
    std::size_t errors_ = 0;
    std::size_t left_out_ = 0;
};

/// One diagnostic as text, each line ended.
[[nodiscard]] std::string to_text(const Diagnostic& diagnostic);

/// A text and its name, for diagnostics that show the line they speak of.
class SourceText {
  public:
    /// Keeps views: both must outlive it.
    SourceText(std::string_view name, std::string_view text);
    [[nodiscard]] std::string_view name() const { return name_; }
    /// Without the byte order mark (RFC 3629 §6) that some editors put in front.
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::uint32_t line_count() const { return static_cast<std::uint32_t>(starts_.size()); }
    /// Line `number` from 1, without its end; empty where there is none.
    [[nodiscard]] std::string_view line(std::uint32_t number) const;
    [[nodiscard]] Diagnostic at(const Place& place, Severity severity, Problem problem) const;

  private:
    std::string_view name_;
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

}  // namespace dyetrace::scenario
