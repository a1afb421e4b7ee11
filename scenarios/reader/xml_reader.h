// SPDX-License-Identifier: GPL-2.0-or-later
// Elements and text of an XML document, one after the other, each with its line. Nothing is fetched, no
// entity is declared or expanded, and no document type is read: what has one is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/reader/network.h"

namespace dyetrace::scenario {

class XmlHandler {
  public:
    XmlHandler() = default;
    XmlHandler(const XmlHandler&) = delete;
    XmlHandler& operator=(const XmlHandler&) = delete;
    virtual ~XmlHandler() = default;

    struct Element {
        std::string name;  ///< without prefix
        std::uint32_t line = 0;
        std::vector<std::pair<std::string, std::string>> attributes;
        /// Empty where there is none.
        [[nodiscard]] std::string_view attribute(std::string_view wanted) const;
    };
    /// \return whether to go on
    virtual bool begin(const Element& element) = 0;
    virtual void text(std::string_view text) = 0;
    virtual void end(std::string_view name) = 0;
};

/// Tells the first error of XML with its line. \return whether the document was read to its end
bool read_xml(FileReport& report, XmlHandler& handler);

}  // namespace dyetrace::scenario
