// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/overrides.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace dyetrace::scenario {
namespace {

/// Deeper than any key.
constexpr std::size_t parts_most = 8;

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t dot = path.find('.');
        parts.push_back(path.substr(0, dot));
        if (dot == std::string_view::npos) return parts;
        path.remove_prefix(dot + 1);
    }
}

std::optional<std::size_t> read_index(std::string_view text) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return index;
}

/// Walks down the tree, making what is missing, one part of the path at a time.
class Walk {
  public:
    Walk(std::vector<std::string_view> parts, Place place) : parts_(std::move(parts)), place_(place) {}

    std::optional<Problem> put(Table& root, std::string_view value) {
        Node* node = enter(root, 0);
        for (std::size_t i = 1; node != nullptr && i < parts_.size(); ++i)
            node = step(*node, i);
        if (problem_) return problem_;
        if (node == nullptr) return std::nullopt;  // within something unreadable, which was told
        if (node->as<Table>() != nullptr) return is_table(node->as<Table>());
        if (const auto* list = node->as<Array>();
            list != nullptr && !list->empty() && list->front().as<Table>()) {
            return Problem{fmt::format("{} is a list of tables", up_to(parts_.size())),
                           fmt::format("name the entry and the key, for example {}.0.{}",
                                       up_to(parts_.size()), first_key(list->front().as<Table>()))};
        }
        node->place = place_;
        node->value = RawText{std::string(value)};
        return std::nullopt;
    }

  private:
    std::string up_to(std::size_t count) const {
        return fmt::format(
            "{}", fmt::join(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(count), "."));
    }
    static std::string first_key(const Table* table) {
        return table->entries.empty() ? "key" : table->entries.front().key;
    }

    Problem is_table(const Table* table) const {
        const std::string path = up_to(parts_.size());
        return {fmt::format("{} is a table, not a value", path),
                fmt::format("name the key, for example {}.{}", path, first_key(table))};
    }

    /// A new node for part `i`: what it holds shows in the next part.
    Node made_for(std::size_t i) const {
        Node node;
        node.place = place_;
        if (i + 1 == parts_.size()) {
            node.value = RawText{};
        } else if (read_index(parts_[i + 1])) {
            node.value = Array{};
        } else {
            node.value = Table{};
        }
        return node;
    }

    Node* enter(Table& table, std::size_t i) {
        if (Entry* entry = table.find(parts_[i])) {
            const bool is_last = i + 1 == parts_.size();
            if (is_last) entry->key_place = place_;
            return &entry->node;
        }
        table.entries.push_back({std::string(parts_[i]), place_, made_for(i)});
        return &table.entries.back().node;
    }

    Node* enter(Array& array, std::size_t i) {
        const std::string list = up_to(i);
        const auto index = read_index(parts_[i]);
        if (!index) {
            problem_ = Problem{fmt::format("{} is a list; \"{}\" is no number of an entry", list, parts_[i]),
                               fmt::format("for example {}.0.{}", list, parts_[i])};
            return nullptr;
        }
        if (*index > array.size()) {
            problem_ = Problem{fmt::format("{} has {} {}; the next one is {}.{}", list, array.size(),
                                           array.size() == 1 ? "entry" : "entries", list, array.size())};
            return nullptr;
        }
        if (*index == array.size()) array.push_back(made_for(i));
        return &array[*index];
    }

    Node* step(Node& node, std::size_t i) {
        if (auto* table = node.as<Table>()) return enter(*table, i);
        if (auto* array = node.as<Array>()) return enter(*array, i);
        if (node.as<Unreadable>() == nullptr) {
            problem_ = Problem{fmt::format("{} is a value; it has no {}", up_to(i), parts_[i]),
                               fmt::format("{}=... sets it", up_to(i))};
        }
        return nullptr;
    }

    std::vector<std::string_view> parts_;
    Place place_;
    std::optional<Problem> problem_;
};

}  // namespace

std::optional<Problem> apply_override(Table& root, const std::string& override_text, std::size_t number) {
    const std::size_t equals = override_text.find('=');
    if (equals == std::string::npos) {
        return Problem{"this has no \"=\"", "write it as key=value, for example tracking.rate=0.05"};
    }
    const auto parts = split(trimmed(std::string_view(override_text).substr(0, equals)));
    if (std::any_of(parts.begin(), parts.end(), [](std::string_view part) { return part.empty(); })) {
        return Problem{"a part of the key is empty", "write table.key=value, for example tracking.rate=0.05"};
    }
    if (parts.size() > parts_most) return Problem{"no key has so many parts"};
    return Walk(parts, Place{0, 0, 1, number})
        .put(root, trimmed(std::string_view(override_text).substr(equals + 1)));
}

}  // namespace dyetrace::scenario
