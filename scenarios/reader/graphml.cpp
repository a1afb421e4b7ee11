// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/graphml.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/reader/spelling.h"
#include "scenarios/reader/units.h"
#include "scenarios/reader/utf8.h"
#include "scenarios/reader/xml_reader.h"

namespace dyetrace::scenario {
namespace {

constexpr std::string_view known_keys[] = {"label", "Latitude",     "Longitude", "hosts",         "rate",
                                           "delay", "LinkSpeedRaw", "LinkSpeed", "LinkSpeedUnits"};

/// Data of a node or edge: known key, and text; each at most once.
using Data = std::vector<std::pair<std::string, std::string>>;

std::string_view trimmed(std::string_view text) {
    const std::string_view blank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) + 1 - first);
}

/// Empty where there is none.
std::string_view find(const Data& data, std::string_view name) {
    for (const auto& [key, value] : data) {
        if (key == name) return trimmed(value);
    }
    return {};
}

/// Adds what means something and is not there yet.
void add(Data& data, std::string_view name, const std::string& text) {
    const auto known = std::find_if(std::begin(known_keys), std::end(known_keys),
                                    [&](std::string_view key) { return equal_but_case(key, name); });
    if (known == std::end(known_keys)) return;
    const bool is_there =
        std::any_of(data.begin(), data.end(), [&](const auto& one) { return one.first == *known; });
    if (!is_there) data.emplace_back(*known, text);
}

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

/// As it is shown in a message: not all of it where that is absurdly long.
std::string shown(std::string_view text) {
    constexpr std::size_t most = 40;
    return printable(text.size() <= most ? text : text.substr(0, most)) + (text.size() <= most ? "" : "...");
}

struct RawNode {
    std::string id;
    std::uint32_t line = 0;
    Data data;
};

struct RawEdge {
    std::string source;
    std::string target;
    std::uint32_t line = 0;
    bool directed = false;
    Data data;
};

/// Keeps what a document has of nodes and edges.
class Collector : public XmlHandler {
  public:
    explicit Collector(FileReport& report) : report_(report) {}

    std::vector<RawNode> nodes;
    std::vector<RawEdge> edges;
    std::map<std::string, std::size_t, std::less<>> node_by_id;

    bool begin(const Element& element) override {
        const Place place = report_.line(element.line);
        if (!has_root_) {
            has_root_ = true;
            if (element.name == "graphml") return true;
            report_.error(
                place,
                {fmt::format("this is no GraphML: its outermost element is <{}>", shown(element.name)), ""});
            return false;
        }
        if (element.name == "key") {
            begin_key(element);
        } else if (element.name == "graph") {
            return begin_graph(element, place);
        } else if (element.name == "node") {
            return begin_node(element, place);
        } else if (element.name == "edge") {
            return begin_edge(element, place);
        } else if (element.name == "hyperedge") {
            report_.error(place, {"a hyperedge is no link", "join its nodes with edges"});
        } else if (element.name == "data" || element.name == "default") {
            takes_text_ = true;
            text_.clear();
            data_key_ = element.attribute("key");
        }
        return true;
    }

    void text(std::string_view more) override {
        if (takes_text_) text_ += more;
    }

    void end(std::string_view name) override {
        if (name == "data" && takes_text_ && data_ != nullptr) {
            const auto key = keys_.find(data_key_);
            add(*data_, key == keys_.end() ? data_key_ : key->second.name, text_);
        } else if (name == "default" && takes_text_) {
            if (last_key_.kind != "edge") add(node_defaults_, last_key_.name, text_);
            if (last_key_.kind != "node") add(edge_defaults_, last_key_.name, text_);
        }
        if (name == "data" || name == "default") takes_text_ = false;
        if ((name == "node" || name == "edge") && data_ != nullptr) {
            for (const auto& [key, value] : name == "node" ? node_defaults_ : edge_defaults_)
                add(*data_, key, value);
            data_ = nullptr;
        }
    }

    [[nodiscard]] bool has_graph() const { return has_graph_; }

  private:
    struct Key {
        std::string name;
        std::string kind;  ///< "node", "edge", "all", ...
    };

    void begin_key(const Element& element) {
        const std::string id(element.attribute("id"));
        const std::string_view name = element.attribute("attr.name");
        const std::string_view kind = element.attribute("for");
        last_key_ = {std::string(name.empty() ? id : name), std::string(kind)};
        keys_.insert_or_assign(id, last_key_);
    }

    bool begin_graph(const Element& element, const Place& place) {
        if (has_graph_) {
            report_.error(place, {"a second graph: a fabric is one", "keep one graph in the file"});
            return false;
        }
        has_graph_ = true;
        is_directed_ = element.attribute("edgedefault") == "directed";
        return true;
    }

    bool begin_node(const Element& element, const Place& place) {
        if (nodes.size() == network_nodes_most) {
            report_.error(place, {fmt::format("more than {} nodes", network_nodes_most), ""});
            return false;
        }
        const std::string id(element.attribute("id"));
        if (id.empty()) {
            report_.error(place, {"this node has no id", ""});
        } else if (const auto [found, is_new] = node_by_id.try_emplace(id, nodes.size()); !is_new) {
            report_.error(place, {fmt::format("a second node has the id \"{}\", after line {}", shown(id),
                                              nodes[found->second].line),
                                  ""});
        }
        nodes.push_back({id, element.line, {}});
        data_ = &nodes.back().data;
        return true;
    }

    bool begin_edge(const Element& element, const Place& place) {
        if (edges.size() == network_edges_most) {
            report_.error(place, {fmt::format("more than {} edges", network_edges_most), ""});
            return false;
        }
        const std::string_view directed = element.attribute("directed");
        edges.push_back({std::string(element.attribute("source")),
                         std::string(element.attribute("target")),
                         element.line,
                         directed.empty() ? is_directed_ : directed == "true",
                         {}});
        for (const char* end : {"source", "target"}) {
            if (element.attribute(end).empty())
                report_.error(place, {fmt::format("this edge has no {}", end), ""});
        }
        data_ = &edges.back().data;
        return true;
    }

    FileReport& report_;
    std::map<std::string, Key, std::less<>> keys_;
    Key last_key_;
    Data node_defaults_;
    Data edge_defaults_;
    Data* data_ = nullptr;  ///< of the node or edge that is open
    std::string data_key_;
    std::string text_;
    bool takes_text_ = false;
    bool has_root_ = false;
    bool has_graph_ = false;
    bool is_directed_ = false;
};

/// Makes a network of what was collected.
class GraphMlReader {
  public:
    explicit GraphMlReader(FileReport& report) : report_(report), collected_(report) {}

    Network run() {
        network_.is_whole = read_xml(report_, collected_);
        if (!network_.is_whole) return std::move(network_);
        if (!collected_.has_graph()) report_.error({}, {"there is no graph in this file", ""});
        for (const RawNode& node : collected_.nodes)
            network_.nodes.push_back(read_node(node));
        for (const RawEdge& edge : collected_.edges)
            read_edge(edge);
        return std::move(network_);
    }

  private:
    NetworkNode read_node(const RawNode& raw) {
        NetworkNode node{free_name(raw), report_.line(raw.line)};
        node.latitude = degrees(raw, "Latitude", 90);
        node.longitude = degrees(raw, "Longitude", 180);
        if (const std::string_view hosts = find(raw.data, "hosts"); !hosts.empty()) {
            const auto count = number(hosts);
            if (count && *count >= 0 && *count <= node_hosts_most && *count == std::floor(*count)) {
                node.hosts = static_cast<std::uint32_t>(*count);
            } else {
                report_.error(
                    node.place,
                    {fmt::format("hosts: \"{}\" is not 0 to {}", shown(hosts), node_hosts_most), ""});
            }
        }
        return node;
    }

    /// The label, or the id, as a name that no node before has.
    std::string free_name(const RawNode& raw) {
        std::string name = as_name(find(raw.data, "label"));
        if (name.empty()) name = as_name("node-" + raw.id);
        int& used = used_[name];  // so that many of one label are numbered in one go
        const std::string wanted = name;
        while (!names_.insert(name).second)
            name = fmt::format("{}_{}", wanted, ++used + 1);
        return name;
    }

    /// A place that can't be read is none: links from there have the scenario's delay.
    std::optional<double> degrees(const RawNode& raw, std::string_view key, double most) {
        const std::string_view text = find(raw.data, key);
        if (text.empty()) return std::nullopt;
        const auto value = number(text);
        if (value && std::abs(*value) <= most) return value;
        report_.warning(report_.line(raw.line),
                        {fmt::format("{}: \"{}\" is not {} to {}", key, shown(text), -most, most), ""});
        return std::nullopt;
    }

    void read_edge(const RawEdge& raw) {
        const Place place = report_.line(raw.line);
        const auto from = end_of(raw.source, place);
        const auto to = end_of(raw.target, place);
        if (!from || !to) return;
        NetworkEdge edge{*from, *to, place, raw.directed};
        edge.rate_bps = rate_of(raw, place);
        edge.delay = delay_of(raw, place, network_.nodes[*from], network_.nodes[*to]);
        network_.edges.push_back(edge);
    }

    std::optional<std::uint32_t> end_of(const std::string& id, const Place& place) {
        if (id.empty()) return std::nullopt;  // which was told
        const auto found = collected_.node_by_id.find(id);
        if (found != collected_.node_by_id.end()) return static_cast<std::uint32_t>(found->second);
        report_.error(place,
                      {fmt::format("this edge leads to \"{}\", and no node has that id", shown(id)), ""});
        return std::nullopt;
    }

    std::optional<std::uint64_t> rate_of(const RawEdge& raw, const Place& place) {
        std::optional<double> bps;
        if (const std::string_view text = find(raw.data, "rate"); !text.empty()) {
            const auto rate = parse_rate(text);
            if (!rate) {
                report_.error(place, {"rate: " + rate.error().message, rate.error().suggestion});
                return std::nullopt;
            }
            if (!is_link_rate(static_cast<double>(*rate), place, report_)) return std::nullopt;
            return *rate;
        }
        if (const std::string_view speed = find(raw.data, "LinkSpeedRaw"); !speed.empty()) {
            bps = number(speed);
            if (!bps) warn_of_speed("LinkSpeedRaw", speed, place);
        } else if (const std::string_view amount = find(raw.data, "LinkSpeed"); !amount.empty()) {
            const std::string_view unit = find(raw.data, "LinkSpeedUnits");
            const auto value = number(amount);
            const auto factor = factor_of(unit);
            if (value && factor) bps = *value * *factor;
            if (!bps) warn_of_speed("LinkSpeed", fmt::format("{} {}", amount, unit), place);
        }
        return bps ? std::optional(within_limits(*bps, place)) : std::nullopt;
    }

    /// The Zoo's older networks have links of 64 kbps: no reason to refuse their file.
    std::uint64_t within_limits(double bps, const Place& place) {
        constexpr auto least = static_cast<double>(link_rate_least);
        constexpr auto most = static_cast<double>(link_rate_most);
        const auto rate = static_cast<std::uint64_t>(std::llround(std::clamp(bps, least, most)));
        if (bps < least || bps > most) {
            report_.warning(place, {fmt::format("a link of {:g} bits a second is out of range: it has {}",
                                                bps, format_rate(rate)),
                                    ""});
        }
        return rate;
    }

    /// The Zoo has its speeds from maps that say "155-622" or "dark fibre", too.
    void warn_of_speed(std::string_view key, std::string_view text, const Place& place) {
        report_.warning(
            place, {fmt::format("{}: \"{}\" is no speed; this link has link_rate", key, shown(text)), ""});
    }

    static std::optional<double> factor_of(std::string_view unit) {
        if (unit.empty()) return std::nullopt;
        switch (unit.front()) {
            case 'k':
            case 'K': return 1e3;
            case 'm':
            case 'M': return 1e6;
            case 'g':
            case 'G': return 1e9;
            case 't':
            case 'T': return 1e12;
            default: return std::nullopt;
        }
    }

    std::optional<Duration> delay_of(const RawEdge& raw, const Place& place, const NetworkNode& from,
                                     const NetworkNode& to) {
        if (const std::string_view text = find(raw.data, "delay"); !text.empty()) {
            const auto delay = parse_duration(text);
            if (!delay) {
                report_.error(place, {"delay: " + delay.error().message, delay.error().suggestion});
                return std::nullopt;
            }
            if (!is_link_delay(*delay, place, report_)) return std::nullopt;
            return *delay;
        }
        if (!from.latitude || !from.longitude || !to.latitude || !to.longitude) return std::nullopt;
        return fibre_delay(*from.latitude, *from.longitude, *to.latitude, *to.longitude);
    }

    FileReport& report_;
    Collector collected_;
    Network network_;
    std::set<std::string> names_;
    std::map<std::string, int> used_;  ///< by label: suffixes that were tried
};

}  // namespace

Network read_graphml(FileReport& report) {
    return GraphMlReader(report).run();
}

}  // namespace dyetrace::scenario
