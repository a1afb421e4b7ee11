// SPDX-License-Identifier: GPL-2.0-or-later
// What `dyetrace show` tells of tenants, of their services, and of flows that were followed.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "analysis/cli/command.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::cli {

/// What a tenant may see: nothing of other tenants, and no host, device or address of the underlay. Throws
/// CommandError where the run has no such tenant.
[[nodiscard]] nlohmann::ordered_json tenant_json(const store::RunReader& run, const std::string& tenant);
/// The same as text.
void print_tenant(const store::RunReader& run, const std::string& tenant);

/// What the operator sees of tenants, services and followed flows; arrays, empty where there are none.
[[nodiscard]] nlohmann::ordered_json tenants_json(const store::RunReader& run);
[[nodiscard]] nlohmann::ordered_json scores_json(const store::RunReader& run);
[[nodiscard]] nlohmann::ordered_json flow_traces_json(const store::RunReader& run);
/// The same as text; nothing where there are none.
void print_scores(const store::RunReader& run);
void print_flow_traces(const store::RunReader& run);

}  // namespace dyetrace::cli
