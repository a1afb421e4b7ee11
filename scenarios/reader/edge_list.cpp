// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/edge_list.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "scenarios/reader/units.h"
#include "scenarios/reader/utf8.h"
#include "scenarios/reader/words.h"

namespace dyetrace::scenario {
namespace {

constexpr std::string_view form = "a line is: NODE NODE [RATE] [DELAY], or: host NODE";

class EdgeListReader {
  public:
    explicit EdgeListReader(FileReport& report) : report_(report) {}

    Network run() {
        const SourceText& source = report_.source();
        for (std::uint32_t line = 1; line <= source.line_count() && !is_full_; ++line) {
            if (first_invalid_utf8(source.line(line))) {
                report_.error(report_.line(line), {"this line is not UTF-8", "save the file as UTF-8"});
                break;
            }
            read_line(line, words_of(source.line(line)));
        }
        network_.is_whole = !is_full_;
        return std::move(network_);
    }

  private:
    void read_line(std::uint32_t line, const std::vector<Word>& words) {
        if (words.empty()) return;
        if (words.size() == 1 || words.size() > 4) {
            const Word& odd = words.size() == 1 ? words[0] : words[4];
            return report_.error(
                place_of(line, odd),
                {words.size() == 1 ? "a link has two ends" : "a word too many", std::string(form)});
        }
        if (words.size() == 2 && words[0].text == "host") {
            if (const auto host = node(line, words[1])) declare_host(line, words[1], *host);
            return;
        }
        const auto from = node(line, words[0]);
        const auto to = node(line, words[1]);
        if (!from || !to) return;
        if (network_.edges.size() == network_edges_most) {
            is_full_ = true;
            return report_.error(place_of(line, words[0]),
                                 {fmt::format("more than {} links", network_edges_most), ""});
        }
        NetworkEdge edge{*from, *to, report_.line(line)};
        for (std::size_t i = 2; i < words.size(); ++i)
            read_setting(line, words[i], edge);
        network_.edges.push_back(edge);
    }

    void declare_host(std::uint32_t line, const Word& word, std::uint32_t host) {
        NetworkNode& declared = network_.nodes[host];
        if (declared.is_host)
            return report_.error(place_of(line, word),
                                 {fmt::format("host {} is declared twice", word.text), ""});
        declared.is_host = true;
        declared.place = place_of(line, word);
    }

    std::optional<std::uint32_t> node(std::uint32_t line, const Word& word) {
        const std::string name = as_name(word.text);
        if (name != word.text) {
            report_.error(place_of(line, word),
                          {fmt::format("\"{}\" is no name", word.text),
                           "a name has at most 64 letters, and no colon, asterisk or question mark"});
            return std::nullopt;
        }
        const auto next = static_cast<std::uint32_t>(network_.nodes.size());
        const auto [found, is_new] = numbers_.try_emplace(name, next);
        if (!is_new) return found->second;
        if (network_.nodes.size() == network_nodes_most) {
            is_full_ = true;
            report_.error(place_of(line, word), {fmt::format("more than {} nodes", network_nodes_most), ""});
            return std::nullopt;
        }
        network_.nodes.push_back({name, place_of(line, word)});
        return next;
    }

    /// A rate or a delay, whichever it says that it is.
    void read_setting(std::uint32_t line, const Word& word, NetworkEdge& edge) {
        if (word.text == "-") return;
        const Place place = place_of(line, word);
        const bool is_rate = word.text.ends_with("bps");
        if (is_rate ? edge.rate_bps.has_value() : edge.delay.has_value())
            return report_.error(place,
                                 {fmt::format("a second {}", is_rate ? "rate" : "delay"), std::string(form)});
        if (is_rate) {
            const auto rate = parse_rate(word.text);
            if (!rate) return report_.error(place, rate.error());
            if (is_link_rate(static_cast<double>(*rate), place, report_))
                edge.rate_bps = static_cast<std::uint64_t>(*rate);
            return;
        }
        const auto delay = parse_duration(word.text);
        if (!delay)
            return report_.error(place, {fmt::format("\"{}\" is neither a rate nor a delay", word.text),
                                         "write for example 10Gbps 5ms"});
        if (is_link_delay(*delay, place, report_)) edge.delay = *delay;
    }

    FileReport& report_;
    Network network_;
    std::map<std::string, std::uint32_t> numbers_;
    bool is_full_ = false;
};

}  // namespace

Network read_edge_list(FileReport& report) {
    return EdgeListReader(report).run();
}

}  // namespace dyetrace::scenario
