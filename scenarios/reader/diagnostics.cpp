// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/diagnostics.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "scenarios/reader/utf8.h"

namespace dyetrace::scenario {
namespace {

/// Of a longer line only the neighbourhood of the fault is shown, in code points.
constexpr std::size_t longest_line = 140;
constexpr std::size_t before_fault = 60;

struct Excerpt {
    std::string line;
    std::string padding;  ///< as wide as what is before the fault; tabs kept, so that the caret stands right
    std::size_t width = 1;
};

Excerpt excerpt_of(const Diagnostic& diagnostic) {
    const std::vector<std::string> points = printable_code_points(diagnostic.source_line);
    const std::size_t fault = diagnostic.column > 0 ? diagnostic.column - 1 : 0;
    std::size_t begin = 0;
    std::size_t end = points.size();
    if (points.size() > longest_line) {
        begin = fault > before_fault ? std::min(fault - before_fault, points.size()) : 0;
        end = std::min(points.size(), begin + longest_line);
    }
    Excerpt excerpt;
    if (begin > 0) {
        excerpt.line = "...";
        excerpt.padding = "   ";
    }
    for (std::size_t i = begin; i < end; ++i) {
        excerpt.line += points[i];
        if (i < fault) excerpt.padding += points[i] == "\t" ? '\t' : ' ';
    }
    if (end < points.size()) excerpt.line += "...";
    if (fault > points.size()) excerpt.padding.append(fault - points.size(), ' ');
    const std::size_t room = end > fault ? end - fault : 1;
    excerpt.width = std::clamp<std::size_t>(diagnostic.width, 1, room);
    return excerpt;
}

}  // namespace

std::string to_text(const Diagnostic& diagnostic) {
    std::string text = printable(diagnostic.input);
    if (diagnostic.line != 0) text += fmt::format(":{}:{}", diagnostic.line, diagnostic.column);
    text += diagnostic.severity == Severity::Error ? ": error: " : ": warning: ";
    text += printable(diagnostic.message) + "\n";
    std::string margin = "  ";
    if (diagnostic.line != 0) {
        const Excerpt excerpt = excerpt_of(diagnostic);
        const std::string number = fmt::format("{:>5}", diagnostic.line);
        margin = std::string(number.size(), ' ');
        text += fmt::format("{} | {}\n", number, excerpt.line);
        text += fmt::format("{} | {}^{}\n", margin, excerpt.padding, std::string(excerpt.width - 1, '~'));
    }
    if (!diagnostic.suggestion.empty())
        text += fmt::format("{} = {}\n", margin, printable(diagnostic.suggestion));
    return text;
}

void Diagnostics::add(Diagnostic diagnostic) {
    if (diagnostic.severity == Severity::Error) ++errors_;
    if (all_.size() == most) {
        ++left_out_;
        return;
    }
    all_.push_back(std::move(diagnostic));
}

void Diagnostics::append(const Diagnostics& others) {
    for (const Diagnostic& diagnostic : others.all_)
        add(diagnostic);
    errors_ += others.left_out_;
    left_out_ += others.left_out_;
}

void Diagnostics::sort(const std::string& first) {
    std::unordered_map<std::string, std::size_t> order{{first, 0}};
    for (const Diagnostic& diagnostic : all_)
        order.try_emplace(diagnostic.input, order.size());
    std::stable_sort(all_.begin(), all_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
        const auto rank_a = order.at(a.input);
        const auto rank_b = order.at(b.input);
        if (rank_a != rank_b) return rank_a < rank_b;
        return a.line != b.line ? a.line < b.line : a.column < b.column;
    });
}

std::string Diagnostics::to_text() const {
    std::string text;
    for (const Diagnostic& diagnostic : all_)
        text += scenario::to_text(diagnostic);
    if (left_out_ != 0) text += fmt::format("and {} more\n", left_out_);
    return text;
}

SourceText::SourceText(std::string_view name, std::string_view text) : name_(name), text_(text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
    starts_.push_back(0);
    for (std::size_t at = text_.find('\n'); at != std::string_view::npos; at = text_.find('\n', at + 1)) {
        if (at + 1 < text_.size()) starts_.push_back(at + 1);
    }
}

std::string_view SourceText::line(std::uint32_t number) const {
    if (number == 0 || number > starts_.size()) return {};
    std::string_view line = text_.substr(starts_[number - 1]);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Diagnostic SourceText::at(const Place& place, Severity severity, Problem problem) const {
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.input = name_;
    diagnostic.line = place.line;
    diagnostic.column = place.column;
    diagnostic.width = place.width;
    diagnostic.message = std::move(problem.message);
    diagnostic.suggestion = std::move(problem.suggestion);
    diagnostic.source_line = line(place.line);
    return diagnostic;
}

}  // namespace dyetrace::scenario
