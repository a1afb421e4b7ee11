// SPDX-License-Identifier: GPL-2.0-or-later
// The list of all keys for people, made from the schema.
#pragma once

#include <string>

namespace dyetrace::scenario {

/// A Markdown section for each table of the schema: docs/scenario-reference.md holds it word for word.
[[nodiscard]] std::string reference_markdown();

}  // namespace dyetrace::scenario
