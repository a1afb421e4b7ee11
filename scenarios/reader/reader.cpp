// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scenarios/reader/checks.h"
#include "scenarios/reader/document.h"
#include "scenarios/reader/fabric.h"
#include "scenarios/reader/files.h"
#include "scenarios/reader/overrides.h"
#include "scenarios/reader/reading.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/spelling.h"
#include "scenarios/reader/utf8.h"

namespace dyetrace::scenario {
namespace {

namespace fs = std::filesystem;

/// Of one name. Far more than a fabric has links that anyone breaks by hand, or clocks that anyone sets.
constexpr std::size_t tables_most = 1000;

/// Suggestions and messages name what is in the file; not all of it where that is absurdly long.
std::string shortened(std::string_view name) {
    return name.size() <= 80 ? std::string(name) : std::string(name.substr(0, 77)) + "...";
}

class Loader {
  public:
    Loader(Scenario& scenario, Diagnostics& diagnostics, const LoadOptions& options)
        : scenario_(scenario),
          diagnostics_(diagnostics),
          options_(options),
          source_(scenario.path, scenario.text) {}

    void run() {
        Document document = parse_document(source_, diagnostics_);
        apply_overrides(document.root);
        // Half a tree would only look as if keys were missing.
        if (!document.whole) return;
        read_root(document.root);
        read_distributions();
        const Tell telling = [this](const Place& place, Severity severity, Problem problem) {
            tell(place, severity, std::move(problem));
        };
        plan_fabric(scenario_, reading_, options_.share, telling, diagnostics_);
        check_consistency(scenario_, reading_, telling);
    }

  private:
    void tell(const Place& place, Severity severity, Problem problem) {
        const Place& at = problem.place ? *problem.place : place;
        if (!at.is_override()) {
            diagnostics_.add(source_.at(at, severity, std::move(problem)));
            return;
        }
        Diagnostic diagnostic;
        diagnostic.severity = severity;
        diagnostic.input = "--set " + scenario_.overrides[at.set_number - 1];
        diagnostic.message = std::move(problem.message);
        diagnostic.suggestion = std::move(problem.suggestion);
        diagnostics_.add(std::move(diagnostic));
    }
    void error(const Place& place, Problem problem) { tell(place, Severity::Error, std::move(problem)); }

    void apply_overrides(Table& root) {
        for (std::size_t i = 0; i < scenario_.overrides.size(); ++i) {
            const Place place{0, 0, 1, i + 1};
            if (i == overrides_most)
                return error(place, {fmt::format("more than {} overrides", overrides_most)});
            if (auto problem = apply_override(root, scenario_.overrides[i], i + 1))
                error(place, std::move(*problem));
        }
    }

    void read_root(const Table& root) {
        for (const Entry& entry : root.entries) {
            if (!read_known(entry)) unknown_at_top(entry);
        }
    }

    /// False where no table has this name.
    bool read_known(const Entry& entry) {
        if (entry.key == "run") return read_single(run_schema(), entry, scenario_.run);
        if (entry.key == "fabric") return read_single(fabric_schema(), entry, scenario_.fabric);
        if (entry.key == "workload") return read_one_or_more(workload_schema(), entry, scenario_.workloads);
        if (entry.key == "tracking") return read_single(tracking_schema(), entry, scenario_.tracking);
        if (entry.key == "health") return read_single(health_schema(), entry, scenario_.health);
        if (entry.key == "clock") return read_list(clock_schema(), entry, scenario_.clocks);
        if (entry.key == "fault") return read_list(fault_schema(), entry, scenario_.faults);
        if (entry.key == "record") return read_single(record_schema(), entry, scenario_.record);
        if (entry.key == "tenant") return read_tenants(entry);
        if (entry.key == "service") return read_services(entry);
        if (entry.key == "probe") return read_list(probe_schema(), entry, scenario_.probes);
        if (entry.key == "flow_trace") return read_list(flow_trace_schema(), entry, scenario_.flow_traces);
        return false;
    }

    bool read_tenants(const Entry& entry) {
        return read_list(tenant_schema(), entry, scenario_.tenants, "tenant",
                         [this](const Entry& inner, const std::string& path, TenantSettings& tenant) {
                             if (inner.key == "guest")
                                 return read_inner(tenant_guest_schema(), inner, path, tenant.guests);
                             if (inner.key == "condition")
                                 return read_inner(tenant_condition_schema(), inner, path, tenant.conditions);
                             if (inner.key == "subscription")
                                 return read_inner(tenant_subscription_schema(), inner, path,
                                                   tenant.subscriptions);
                             return false;
                         });
    }

    bool read_services(const Entry& entry) {
        return read_list(service_schema(), entry, scenario_.services, "service",
                         [this](const Entry& inner, const std::string& path, ServiceSettings& service) {
                             if (inner.key != "instance") return false;
                             return read_inner(service_instance_schema(), inner, path, service.instances);
                         });
    }

    /// A list of tables in a table; `path` is that table's.
    template <class Section>
    bool read_inner(const TableSchema<Section>& schema, const Entry& entry, const std::string& path,
                    std::vector<Section>& sections) {
        return read_list(schema, entry, sections, path + "." + entry.key, NothingInside{});
    }

    /// For tables that have no tables in them.
    struct NothingInside {
        template <class Section>
        bool operator()(const Entry&, const std::string&, Section&) const {
            return false;
        }
    };

    template <class Section>
    bool read_single(const TableSchema<Section>& schema, const Entry& entry, Section& section) {
        if (const auto* table = entry.node.as<Table>()) {
            read_table(schema, schema.name, *table, entry.node.place, section);
            return true;
        }
        if (entry.node.as<Unreadable>() != nullptr) {
            // Whatever it was to say about these keys is not known.
            for (const auto& key : schema.keys)
                reading_.add(schema.name + "." + key.info.name, {entry.node.place, false, {}});
            return true;
        }
        const bool is_list = entry.node.as<Array>() != nullptr;
        error(entry.key_place, {fmt::format("{} is a table; this is {}", schema.name, entry.node.type_name()),
                                is_list ? fmt::format("write [{}], once", schema.name)
                                        : fmt::format("write [{}], and its keys below", schema.name)});
        return true;
    }

    /// A table, or a list of such.
    template <class Section>
    bool read_one_or_more(const TableSchema<Section>& schema, const Entry& entry,
                          std::vector<Section>& sections) {
        if (entry.node.as<Array>() == nullptr) return read_single(schema, entry, sections.front());
        sections.clear();
        return read_list(schema, entry, sections);
    }

    template <class Section>
    bool read_list(const TableSchema<Section>& schema, const Entry& entry, std::vector<Section>& sections) {
        return read_list(schema, entry, sections, schema.name, NothingInside{});
    }

    /// `path` is the list's, as in an override. `inside` reads what is a list of tables itself, and says
    /// whether it was.
    template <class Section, class Inside>
    bool read_list(const TableSchema<Section>& schema, const Entry& entry, std::vector<Section>& sections,
                   const std::string& path, const Inside& inside) {
        if (entry.node.as<Unreadable>() != nullptr) return true;
        const auto* array = entry.node.as<Array>();
        if (array == nullptr) {
            error(entry.key_place, {fmt::format("there can be several {} tables; this is {}", schema.name,
                                                entry.node.type_name()),
                                    fmt::format("write [[{}]], in double brackets", schema.name)});
            return true;
        }
        for (std::size_t i = 0; i < array->size(); ++i) {
            const Node& node = (*array)[i];
            if (i == tables_most) {
                error(node.place, {fmt::format("more than {} [[{}]] tables", tables_most, schema.name)});
                return true;
            }
            Section& section = sections.emplace_back();
            if (const auto* table = node.as<Table>()) {
                read_table(schema, fmt::format("{}.{}", path, i), *table, node.place, section, inside);
            } else {
                error(node.place, {fmt::format("this is {}, where a [[{}]] table belongs", node.type_name(),
                                               schema.name)});
            }
        }
        return true;
    }

    /// `path` is the table's, as in an override.
    template <class Section, class Inside = NothingInside>
    void read_table(const TableSchema<Section>& schema, const std::string& path, const Table& table,
                    const Place& header, Section& section, const Inside& inside = {}) {
        reading_.add(path, {header, true, {}});
        for (const Entry& entry : table.entries) {
            if (inside(entry, path, section)) continue;
            const auto key = std::find_if(schema.keys.begin(), schema.keys.end(), [&](const auto& candidate) {
                return candidate.info.name == entry.key;
            });
            if (key == schema.keys.end()) {
                unknown_key(schema, path, entry);
                continue;
            }
            Reading::Note note{entry.node.place, entry.node.as<Unreadable>() == nullptr, {}};
            if (const auto* list = entry.node.as<Array>()) {
                for (const Node& element : *list)
                    note.elements.push_back(element.place);
            }
            if (note.good) {
                if (auto problem = key->read(section, entry.node)) {
                    problem->message = entry.key + ": " + problem->message;
                    error(entry.node.place, std::move(*problem));
                    note.good = false;
                }
            }
            reading_.add(path + "." + entry.key, std::move(note));
        }
        for (const auto& key : schema.keys) {
            if (!key.info.is_required() || reading_.is_given(path + "." + key.info.name)) continue;
            error(header, {fmt::format("this {} has no {}", schema.name, key.info.name),
                           fmt::format("{} is {}", key.info.name, key.info.range)});
        }
    }

    template <class Section>
    void unknown_key(const TableSchema<Section>& schema, const std::string& path, const Entry& entry) {
        std::vector<std::string> names;
        for (const auto& key : schema.keys)
            names.push_back(key.info.name);
        Problem problem{fmt::format("unknown key \"{}\" in {}", shortened(entry.key), schema.info().header()),
                        did_you_mean(entry.key, names)};
        // Whoever wrote "knd" did not forget "kind".
        if (const auto near = nearest(entry.key, names); near && !reading_.is_given(path + "." + *near)) {
            reading_.add(path + "." + *near, {entry.node.place, false, {}});
        }
        if (problem.suggestion.empty()) problem.suggestion = other_table_with(entry.key);
        if (problem.suggestion.empty())
            problem.suggestion = fmt::format("its keys are {}", fmt::join(names, ", "));
        error(entry.key_place, std::move(problem));
    }

    void unknown_at_top(const Entry& entry) {
        std::vector<std::string> names;
        for (const TableInfo& table : schema()) {
            if (table.name.find('.') == std::string::npos) names.push_back(table.name);
        }
        const bool is_table = entry.node.as<Table>() != nullptr || entry.node.as<Array>() != nullptr;
        const std::string name = shortened(entry.key);
        Problem problem{is_table ? fmt::format("unknown table [{}]", name)
                                 : fmt::format("unknown key \"{}\" outside any table", name)};
        problem.suggestion = is_table ? did_you_mean(entry.key, names) : other_table_with(entry.key);
        if (problem.suggestion.empty())
            problem.suggestion = fmt::format("the tables are {}", fmt::join(names, ", "));
        error(entry.key_place, std::move(problem));
    }

    static std::string other_table_with(const std::string& name) {
        for (const TableInfo& table : schema()) {
            for (const KeyInfo& key : table.keys) {
                if (key.name == name) return "it belongs in " + table.header();
            }
        }
        return "";
    }

    void read_distributions() {
        const bool is_list = reading_.is_given("workload.0");
        for (std::size_t i = 0; i < scenario_.workloads.size(); ++i) {
            const std::string path = is_list ? fmt::format("workload.{}", i) : "workload";
            WorkloadSettings& workload = scenario_.workloads[i];
            if (workload.kind != WorkloadKind::Flows || !reading_.is_good(path + ".distribution")) continue;
            read_distribution(workload, reading_.place(path + ".distribution"));
        }
    }

    void read_distribution(WorkloadSettings& workload, const Place& place) {
        const std::string& name = workload.distribution;
        const auto path = find_distribution(name, fs::path(scenario_.path).parent_path(), options_.share);
        if (!path) return error(place, path.error());
        const auto text = read_input(*path);
        if (!text)
            return error(place, {fmt::format("{}: {}", path->string(), text.error().message),
                                 text.error().suggestion});
        workload.flow_sizes = FlowSizeDistribution::parse(path->string(), *text, diagnostics_);
    }

    Scenario& scenario_;
    Diagnostics& diagnostics_;
    const LoadOptions& options_;
    SourceText source_;
    Reading reading_;
};

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

fs::path shipped_scenarios() {
    return DYETRACE_SHARE_DIR;
}

std::optional<Scenario> load_text(const std::string& path, std::string text,
                                  const std::vector<std::string>& overrides, Diagnostics& diagnostics,
                                  const LoadOptions& options) {
    Scenario scenario;
    scenario.path = path;
    scenario.text = std::move(text);
    scenario.overrides = overrides;
    Diagnostics found;
    if (is_blank(scenario.text)) {
        Diagnostic empty;
        empty.input = path;
        empty.message = "the file is empty";
        empty.suggestion = "scenarios/gray-link.toml is one to begin with";
        found.add(std::move(empty));
    } else {
        Loader(scenario, found, options).run();
    }
    found.sort(path);
    diagnostics.append(found);
    if (found.has_errors()) return std::nullopt;
    return scenario;
}

std::optional<Scenario> load(const std::string& path, const std::vector<std::string>& overrides,
                             Diagnostics& diagnostics, const LoadOptions& options) {
    auto text = read_input(path);
    if (text) return load_text(path, *std::move(text), overrides, diagnostics, options);
    Diagnostic unreadable;
    unreadable.input = path;
    unreadable.message = text.error().message;
    unreadable.suggestion = text.error().suggestion;
    diagnostics.add(std::move(unreadable));
    return std::nullopt;
}

}  // namespace dyetrace::scenario
