// SPDX-License-Identifier: GPL-2.0-or-later
// What can go wrong with a run database. Exceptions of SQLite never leave this folder; these do.
#pragma once

#include <stdexcept>
#include <string>

namespace dyetrace::store {

/// A database cannot be read or written. The message names the file and what is wrong with it.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The output is there already, and nobody said to replace it.
class OutputExists : public Error {
  public:
    using Error::Error;
};

/// What is there is not ours to replace, or not now, whatever was said.
class NotReplaced : public OutputExists {
  public:
    using OutputExists::OutputExists;
};

/// The output cannot be written: no such folder, no permission, disk full.
class CannotWrite : public Error {
  public:
    using Error::Error;
};

}  // namespace dyetrace::store
