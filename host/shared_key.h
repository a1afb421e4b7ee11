// SPDX-License-Identifier: GPL-2.0-or-later
// The secret that an underlay's EPPCs share, where it has a file of its own.
#pragma once

#include <string>

#include "core/auth/keys.h"
#include "core/base/result.h"
#include "scenarios/reader/diagnostics.h"

namespace dyetrace::host {

/// Reads a file that holds 64 hexadecimal digits and nothing else but blanks around them. It must be a
/// regular file of root or of this user that neither group nor others may read or write: a secret in
/// anybody's hands is none.
[[nodiscard]] Result<auth::SharedKey, scenario::Problem> read_key_file(const std::string& path);

}  // namespace dyetrace::host
