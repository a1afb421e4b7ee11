// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/document.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "scenarios/reader/key_depth.h"
#include "scenarios/reader/utf8.h"

namespace dyetrace::scenario {
namespace {

/// Syntax errors that are told of one file; after so many it isn't meant to be TOML.
constexpr int syntax_errors_most = 20;

Place place_of(const toml::source_region& region) {
    Place place{region.begin.line, region.begin.column, 1, 0};
    if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
        place.width = region.end.column - region.begin.column;
    }
    return place;
}

/// Makes our tree of toml++'s.
class Converter {
  public:
    /// Values on `unreadable` lines become Unreadable. A `fixed` place overrules those of the text.
    explicit Converter(const std::set<std::uint32_t>& unreadable, const Place* fixed = nullptr)
        : unreadable_(unreadable), fixed_(fixed) {}

    Table convert(const toml::table& from, int depth = 0) const {
        Table table;
        for (const auto& [key, node] : from) {
            const Place place = fixed_ != nullptr ? *fixed_ : place_of(key.source());
            table.entries.push_back({std::string(key.str()), place, convert(node, depth + 1)});
        }
        return table;
    }

    Node convert(const toml::node& from, int depth = 0) const {
        // Nothing is so deep: whatever leads here is told as unknown, or of the wrong type, further up.
        constexpr int deepest = 16;
        Node node;
        node.place = fixed_ != nullptr ? *fixed_ : place_of(from.source());
        if (depth > deepest) return node;
        if (fixed_ == nullptr && !from.is_table() && unreadable_.contains(node.place.line)) return node;
        from.visit([&](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            if constexpr (toml::is_table<Value>) {
                node.value = convert(value, depth);
            } else if constexpr (toml::is_array<Value>) {
                Array array;
                for (const toml::node& element : value)
                    array.push_back(convert(element, depth + 1));
                node.value = std::move(array);
            } else if constexpr (toml::is_date<Value> || toml::is_time<Value> || toml::is_date_time<Value>) {
                node.value = DateOrTime{};
            } else {
                node.value = value.get();
            }
        });
        return node;
    }

  private:
    const std::set<std::uint32_t>& unreadable_;
    const Place* fixed_;
};

constexpr std::string_view blank = " \t";

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    while (!text.empty() && blank.find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    return text;
}

/// A line `key = value`, taken apart; the key is empty where it is none.
struct Assignment {
    std::string_view key;
    std::string_view value;  ///< without comment
    std::uint32_t value_column = 0;
};

Assignment take_apart(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view key = trimmed(line.substr(0, equals));
    const bool is_bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (!is_bare) return {};
    std::string_view rest = line.substr(equals + 1);
    const std::string_view value = trimmed(rest.substr(0, rest.find('#')));
    const std::size_t offset =
        value.empty() ? equals + 1 : static_cast<std::size_t>(value.data() - line.data());
    return {key, value, static_cast<std::uint32_t>(count_code_points(line.substr(0, offset)) + 1)};
}

/// toml++ says "Error while parsing x: y"; the second half is what a reader needs.
std::string description_of(const toml::parse_error& error) {
    std::string text(error.description());
    constexpr std::string_view intro = "Error while parsing ";
    if (text.starts_with(intro)) text.erase(0, intro.size());
    return text;
}

/// The key that toml++ says is there already; empty where that is not what it says.
std::string_view given_again(std::string_view description) {
    if (description.find("cannot redefine") == std::string_view::npos) return {};
    const std::size_t open = description.find('\'');
    const std::size_t close = description.rfind('\'');
    if (open == close) return {};
    return trimmed(description.substr(open + 1, close - open - 1));
}

/// Line and column of an offset.
Place place_at(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const auto line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
    const auto column = static_cast<std::uint32_t>(count_code_points(before.substr(start)) + 1);
    return {line, column, 1, 0};
}

/// What is wrong with the value, if it's one of the usual slips.
Problem explain(const Assignment& line, std::string description) {
    const std::string_view value = line.value;
    if (value.empty()) return {fmt::format("{} has no value", line.key), ""};
    if (value == "True" || value == "False") {
        return {fmt::format("{} is not a TOML value", value), value == "True" ? "write true" : "write false"};
    }
    const bool is_word = value.find_first_of("\"'[]{}, \t") == std::string_view::npos;
    const bool is_number = value.find_first_not_of("0123456789+-_.eExob") == std::string_view::npos;
    if (is_word && !is_number) {
        return {fmt::format("{} is not a TOML value", value),
                fmt::format("text and values with a unit stand in quotes: {} = \"{}\"", line.key, value)};
    }
    if ((value.front() == '"' || value.front() == '\'') &&
        std::count(value.begin(), value.end(), value.front()) == 1) {
        return {"this text does not end on its line", fmt::format("a {} is missing", value.front())};
    }
    return {std::move(description), ""};
}

/// Parses, and after an error within one line parses again without that line's value.
class Reader {
  public:
    Reader(const SourceText& source, Diagnostics& diagnostics) : source_(source), diagnostics_(diagnostics) {
        for (std::uint32_t number = 1; number <= source.line_count(); ++number)
            lines_.emplace_back(source.line(number));
    }

    Document run() {
        Document document;
        for (int errors = 0; errors < syntax_errors_most; ++errors) {
            const std::string text = join();
            if (const auto deep = find_deep_key(text)) {
                tell(place_at(text, *deep),
                     {fmt::format("no key has more than {} parts", key_parts_most), ""});
                break;
            }
            try {
                document.root = Converter(unreadable_).convert(toml::parse(std::string_view(text)));
                return document;
            } catch (const toml::parse_error& error) {
                if (!recover(error)) {
                    document.whole = false;
                    return document;
                }
            }
        }
        document.whole = false;
        return document;
    }

  private:
    std::string join() const {
        std::string text;
        for (const std::string& line : lines_) {
            text += line;
            text += '\n';
        }
        return text;
    }

    void tell(const Place& place, Problem problem) {
        diagnostics_.add(source_.at(place, Severity::Error, std::move(problem)));
    }

    /// Tells the error and changes the text so that reading may go on; false where it can't.
    bool recover(const toml::parse_error& error) {
        Place place = place_of(error.source());
        place.line = std::clamp(place.line, std::uint32_t{1}, source_.line_count());
        const std::string description = description_of(error);
        const std::string_view original = source_.line(place.line);
        const Assignment line = take_apart(original);
        // Text or a list that runs on to here from a line above is nothing that leaving out this line would
        // mend.
        const bool is_of_line = !line.key.empty() && place.column > original.find('=') &&
                                description.find("end-of-file") == std::string::npos;
        if (!is_of_line || !unreadable_.insert(place.line).second) {
            tell(place, {description, ""});
            return false;
        }
        const std::string_view again = given_again(description);
        // What an inline table has twice stands within the value.
        const bool is_inside = again != line.key;
        const std::size_t at = is_inside ? original.rfind(again, place.column) : original.find(again);
        if (!again.empty() && at != std::string_view::npos) {
            const auto column = static_cast<std::uint32_t>(count_code_points(original.substr(0, at)) + 1);
            tell({place.line, column, static_cast<std::uint32_t>(again.size()), 0},
                 {fmt::format("{} is given a second time", again), "remove one of the two"});
            lines_[place.line - 1] = is_inside ? stand_in(line) : "";
            return true;
        }
        const auto width =
            static_cast<std::uint32_t>(std::max<std::size_t>(1, count_code_points(line.value)));
        tell({place.line, line.value_column, width, 0}, explain(line, description));
        lines_[place.line - 1] = stand_in(line);
        return true;
    }

    /// Keeps the key known; Converter makes it Unreadable.
    static std::string stand_in(const Assignment& line) { return std::string(line.key) + " = 0"; }

    const SourceText& source_;
    Diagnostics& diagnostics_;
    std::vector<std::string> lines_;
    std::set<std::uint32_t> unreadable_;
};

}  // namespace

Entry* Table::find(std::string_view key) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

const Entry* Table::find(std::string_view key) const {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

std::string_view Node::type_name() const {
    constexpr std::string_view names[] = {"nothing", "true or false",  "an integer", "a number with a point",
                                          "a text",  "a date or time", "a text",     "a list",
                                          "a table"};
    return names[value.index()];
}

Document parse_document(const SourceText& source, Diagnostics& diagnostics) {
    if (const auto offset = first_invalid_utf8(source.text())) {
        const auto byte = static_cast<unsigned>(static_cast<unsigned char>(source.text()[*offset]));
        diagnostics.add(
            source.at(place_at(source.text(), *offset), Severity::Error,
                      {fmt::format("byte 0x{:02x} is not UTF-8", byte), "save the file as UTF-8"}));
        return {{}, false};
    }
    return Reader(source, diagnostics).run();
}

Node parse_value(std::string_view text, const Place& place) {
    Node unreadable;
    unreadable.place = place;
    const std::string line = "value = " + std::string(text) + "\n";
    if (find_deep_key(line)) return unreadable;
    try {
        const toml::table table = toml::parse(std::string_view(line));
        if (table.size() != 1) return unreadable;
        const std::set<std::uint32_t> none;
        return Converter(none, &place).convert(table.begin()->second);
    } catch (const toml::parse_error&) {
        return unreadable;
    }
}

}  // namespace dyetrace::scenario
