// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/other_evidence.h"

#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/store/error.h"
#include "core/localise/conclusion.h"

namespace dyetrace::cli {
namespace {

using Json = nlohmann::json;
using localise::FabricGraph;
using localise::LinkId;
using localise::NodeId;

Json read_json(const std::filesystem::path& file) {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored))
        throw store::Error(file.string() + ": is a folder, not a file of JSON");
    std::ifstream in(file);
    if (!in) throw store::Error(file.string() + ": cannot be read");
    try {
        Json json = Json::parse(in);
        if (!json.is_object()) throw store::Error(file.string() + ": is no JSON object");
        return json;
    } catch (const Json::exception& error) {
        // "[json.exception.parse_error.101] parse error at line 3, column 5: ..."
        const std::string_view what = error.what();
        const std::size_t begin = what.find("] ");
        throw store::Error(file.string() + ": " +
                           std::string(begin == std::string_view::npos ? what : what.substr(begin + 2)));
    }
}

const Json& list_of(const Json& json, const std::filesystem::path& file, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array())
        throw store::Error(fmt::format("{}: has no list \"{}\"", file.string(), key));
    return *found;
}

/// One entry of a list, which tells what it lacks by its place.
class Entry {
  public:
    Entry(const std::filesystem::path& file, const char* list, std::size_t number, const Json& json)
        : place_(fmt::format("{}: {}[{}]", file.string(), list, number)), json_(json) {
        if (!json.is_object()) throw store::Error(place_ + ": must be an object");
    }

    [[nodiscard]] const std::string& place() const { return place_; }
    /// A name, or the number that stands for one in a trace.
    [[nodiscard]] std::string name(const char* key) const {
        const Json& value = get(key);
        if (value.is_string()) return value.get<std::string>();
        if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
        wrong(key, "must be a node's name, or its number");
    }
    [[nodiscard]] std::uint64_t count(const char* key) const {
        const Json& value = get(key);
        if (value.is_number_unsigned()) return value.get<std::uint64_t>();
        wrong(key, "must be a whole number, not negative");
    }
    [[nodiscard]] double number(const char* key) const {
        const Json& value = get(key);
        if (value.is_number()) return value.get<double>();
        wrong(key, "must be a number");
    }
    [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }
    [[noreturn]] void wrong(const char* key, const char* what) const {
        throw store::Error(fmt::format("{}: \"{}\" {}", place_, key, what));
    }

  private:
    [[nodiscard]] const Json& get(const char* key) const {
        const auto found = json_.find(key);
        if (found == json_.end()) wrong(key, "is missing");
        return *found;
    }

    std::string place_;
    const Json& json_;
};

}  // namespace

void OtherEvidence::read_counters(const std::filesystem::path& file) {
    const Json json = read_json(file);
    std::size_t number = 0;
    for (const Json& one : list_of(json, file, "counters")) {
        const Entry entry(file, "counters", number++, one);
        Counter& counter = counters_.emplace_back();
        counter.place = entry.place();
        counter.from = entry.name("from");
        counter.to = entry.name("to");
        counter.sent = entry.count("sent");
        counter.lost = entry.count("lost");
    }
}

void OtherEvidence::read_conclusions(const std::filesystem::path& file) {
    const Json json = read_json(file);
    const std::size_t first = conclusions_.size();
    std::vector<std::optional<std::int64_t>> groups;
    for (const char* list : {"suspects", "candidates"}) {
        std::size_t number = 0;
        for (const Json& one : list_of(json, file, list)) {
            const Entry entry(file, list, number++, one);
            Conclusion& conclusion = conclusions_.emplace_back();
            conclusion.place = entry.place();
            const std::string kind = entry.name("kind");
            if (kind == "link") {
                conclusion.from = entry.name("from");
                conclusion.to = entry.name("to");
            } else if (kind == "device") {
                conclusion.device = entry.name("name");
            } else {
                entry.wrong("kind", "must be \"link\" or \"device\"");
            }
            conclusion.log_odds = entry.number("log_odds");
            if (entry.has("loss_rate")) conclusion.loss_rate = entry.number("loss_rate");
            if (conclusion.loss_rate < 0 || conclusion.loss_rate > 1)
                entry.wrong("loss_rate", "must be between 0 and 1");
            groups.push_back(entry.has("group")
                                 ? std::optional(static_cast<std::int64_t>(entry.count("group")))
                                 : std::nullopt);
        }
    }
    std::map<std::int64_t, std::size_t> sizes;
    for (const auto& group : groups) {
        if (group) ++sizes[*group];
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i]) conclusions_[first + i].group_size = sizes[*groups[i]];
    }
}

std::vector<std::string> OtherEvidence::add_to(localise::Localiser& localiser, const FabricGraph& graph,
                                               bool timed) const {
    std::vector<std::string> unused;
    const auto link_of = [&](const std::string& place, const std::string& from,
                             const std::string& to) -> std::optional<LinkId> {
        const auto a = graph.find(std::string_view(from)), b = graph.find(std::string_view(to));
        if (a && b) {
            const NodeId ends[] = {*a, *b};
            if (const auto links = graph.links_along(ends)) return links->front();
        }
        unused.push_back(fmt::format("{}: there is no link {} > {}", place, from, to));
        return std::nullopt;
    };
    for (const Counter& counter : counters_) {
        const auto link = link_of(counter.place, counter.from, counter.to);
        if (!link) continue;
        if (counter.lost > counter.sent) {
            unused.push_back(
                fmt::format("{}: {} lost of {} sent", counter.place, counter.lost, counter.sent));
        } else if (counter.sent == 0) {
            unused.push_back(counter.place + ": nothing was sent");
        } else {
            localiser.add_counter(*link, counter.sent, counter.lost);
        }
    }
    for (const Conclusion& conclusion : conclusions_) {
        localise::Suspect suspect;
        suspect.log_odds = conclusion.log_odds;
        localise::Conclusion told;
        if (!conclusion.device.empty()) {
            const auto device = graph.find(std::string_view(conclusion.device));
            if (!device) {
                unused.push_back(fmt::format("{}: there is no node {}", conclusion.place, conclusion.device));
                continue;
            }
            suspect.kind = localise::Suspect::Kind::Device;
            told.device = suspect.device = *device;
        } else {
            told.link = link_of(conclusion.place, conclusion.from, conclusion.to);
            if (!told.link) continue;
            suspect.from = graph.from(*told.link);
            suspect.to = graph.to(*told.link);
        }
        told.loss_rate = conclusion.loss_rate;
        told.log_bayes_factor = localise::log_bayes_factor(suspect, conclusion.group_size, graph, {}, timed);
        localiser.add_conclusion(told);
    }
    return unused;
}

}  // namespace dyetrace::cli
