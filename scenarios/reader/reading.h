// SPDX-License-Identifier: GPL-2.0-or-later
// What was found where: lets checks that look at several keys point at the one that is wrong, and keep quiet
// about values that were told to be wrong already.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

class Reading {
  public:
    struct Note {
        Place place;                  ///< of the value, or of a table's header
        bool good = true;             ///< read without an error
        std::vector<Place> elements;  ///< of a list
    };

    /// `path` as in an override: "fabric.k", "fault.0", "fault.0.from".
    void add(const std::string& path, Note note) { notes_[path] = std::move(note); }

    [[nodiscard]] bool is_given(const std::string& path) const { return notes_.contains(path); }
    /// Given and read, or left to its default.
    [[nodiscard]] bool is_good(const std::string& path) const {
        const auto found = notes_.find(path);
        return found == notes_.end() || found->second.good;
    }
    /// Of the value; else of its table; else the beginning of the file.
    [[nodiscard]] Place place(const std::string& path) const {
        for (std::string at = path;; at.resize(at.rfind('.'))) {
            if (const auto found = notes_.find(at); found != notes_.end()) return found->second.place;
            if (at.find('.') == std::string::npos) return Place{1, 1, 1, 0};
        }
    }
    [[nodiscard]] Place element_place(const std::string& path, std::size_t index) const {
        const auto found = notes_.find(path);
        const bool known = found != notes_.end() && index < found->second.elements.size();
        return known ? found->second.elements[index] : place(path);
    }

  private:
    std::map<std::string, Note> notes_;
};

/// Tells one diagnostic.
using Tell = std::function<void(const Place&, Severity, Problem)>;

}  // namespace dyetrace::scenario
