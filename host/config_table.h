// SPDX-License-Identifier: GPL-2.0-or-later
// Takes values out of one table of a configuration, each with its type and range, and tells what is wrong at
// its place. A key that nobody asked for by the time of `finish` is unknown.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/result.h"
#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/document.h"

namespace dyetrace::host {

/// "02:aa:00:00:00:01", of one station.
struct MacType {
    using Value = MacAddress;
    [[nodiscard]] Result<Value, scenario::Problem> read(const scenario::Node& node) const;
};
/// "192.0.2.1" or "2001:db8::1", of one host.
struct IpType {
    using Value = IpAddress;
    [[nodiscard]] Result<Value, scenario::Problem> read(const scenario::Node& node) const;
};
/// "192.0.2.1:46081" or "[2001:db8::1]:46081".
struct EndpointType {
    using Value = Endpoint;
    [[nodiscard]] Result<Value, scenario::Problem> read(const scenario::Node& node) const;
};

/// Where errors go, and which keys there are.
struct ConfigInput {
    const scenario::SourceText& source;
    scenario::Diagnostics& diagnostics;
    std::vector<std::string> known{};  ///< "section.key" of everything that was asked for
    /// False where a syntax error hides so much that what seems to be missing may be there.
    bool whole = true;
};

class ConfigTable {
  public:
    /// `name` as in messages, "underlay"; empty for the file's own table. `place` is where what is missing is
    /// told.
    ConfigTable(const scenario::Table& table, std::string name, scenario::Place place, ConfigInput& input)
        : table_(table), name_(std::move(name)), place_(place), input_(input) {}

    /// Reads `key` as a type of scenarios/reader/types.h or of this file. Returns whether it was there and
    /// good; else `value` stays as it is.
    template <class Type, class Value>
    bool read(std::string_view key, const Type& type, Value& value) {
        const scenario::Node* node = find(key);
        if (node == nullptr) return false;
        auto result = type.read(*node);
        if (!result) {
            error(key, result.error());
            return false;
        }
        value = static_cast<Value>(std::move(result).value());
        return true;
    }
    /// The same; that the key is not there is an error.
    template <class Type, class Value>
    bool require(std::string_view key, const Type& type, Value& value) {
        if (!has(key)) missing(key);
        return read(key, type, value);
    }

    /// The table `key`; an empty one where there is none.
    ConfigTable table(std::string_view key);
    /// The tables of the array `key`; none where there is none.
    std::vector<ConfigTable> tables(std::string_view key);

    [[nodiscard]] bool has(std::string_view key) const { return table_.get().find(key) != nullptr; }
    /// An error at the value of `key`; at the table where it is not there.
    void error(std::string_view key, scenario::Problem problem);
    void warning(std::string_view key, scenario::Problem problem);
    void missing(std::string_view key);
    void finish();

  private:
    /// Nothing where the key is not there, or could not be read, which was told then.
    const scenario::Node* find(std::string_view key);
    [[nodiscard]] std::string full(std::string_view key) const;
    [[nodiscard]] const scenario::Place& place_of(std::string_view key) const;
    void tell(const scenario::Place& place, scenario::Severity severity, scenario::Problem problem);

    std::reference_wrapper<const scenario::Table> table_;
    std::string name_;
    scenario::Place place_;
    std::reference_wrapper<ConfigInput> input_;
    std::vector<std::string> asked_;
};

}  // namespace dyetrace::host
