// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/xml_reader.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <libxml/xmlreader.h>

#include "scenarios/reader/utf8.h"

namespace dyetrace::scenario {
namespace {

std::string_view view_of(const xmlChar* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

std::uint32_t line_at(std::string_view text, std::size_t offset) {
    return static_cast<std::uint32_t>(
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n') + 1);
}

/// Offset of a document type, which can only stand in front of the first element: with none there are no
/// entities that could be expanded, and nothing that could be fetched.
std::optional<std::size_t> find_document_type(std::string_view text) {
    for (std::size_t at = 0;;) {
        at = text.find_first_not_of(" \t\r\n", at);
        if (at == std::string_view::npos) return std::nullopt;
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("<!DOCTYPE")) return at;
        const std::string_view end = rest.starts_with("<?") ? "?>" : rest.starts_with("<!--") ? "-->" : "";
        if (end.empty()) return std::nullopt;
        at = text.find(end, at + 2);
        if (at == std::string_view::npos) return std::nullopt;
        at += end.size();
    }
}

/// What libxml2 tells first; the rest mostly follows from it.
struct FirstError {
    xmlTextReaderPtr reader = nullptr;
    std::string message;
    std::uint32_t line = 0;
};

void note_error(void* to, const char* message, xmlParserSeverities severity,
                xmlTextReaderLocatorPtr /*locator*/) {
    auto& error = *static_cast<FirstError*>(to);
    const bool is_warning =
        severity == XML_PARSER_SEVERITY_WARNING || severity == XML_PARSER_SEVERITY_VALIDITY_WARNING;
    if (is_warning || !error.message.empty()) return;
    error.message = message;
    error.message.erase(error.message.find_last_not_of(" \r\n") + 1);
    if (error.message.empty()) error.message = "this is no XML";
    // The locator knows the node that was read last; the parser is where it failed.
    const int line = xmlTextReaderGetParserLineNumber(error.reader);
    error.line = line > 0 ? static_cast<std::uint32_t>(line) : 0;
}

class Session {
  public:
    Session(FileReport& report, XmlHandler& handler)
        : report_(report),
          handler_(handler),
          reader_(xmlReaderForMemory(report.source().text().data(),
                                     static_cast<int>(report.source().text().size()), nullptr, "UTF-8",
                                     XML_PARSE_NONET | XML_PARSE_BIG_LINES),
                  &xmlFreeTextReader) {}

    bool run() {
        if (!reader_) {
            report_.error({}, {"there is no memory to read this file", ""});
            return false;
        }
        error_.reader = reader_.get();
        xmlTextReaderSetErrorHandler(reader_.get(), &note_error, &error_);
        int status = 1;
        while (error_.message.empty() && (status = xmlTextReaderRead(reader_.get())) == 1) {
            if (!visit()) return false;
        }
        if (status < 0 && error_.message.empty()) error_.message = "this is no XML";
        if (error_.message.empty()) return true;
        const std::uint32_t line = std::min(error_.line, report_.source().line_count());
        report_.error(line == 0 ? Place{} : report_.line(line),
                      {"not XML: " + printable(error_.message), ""});
        return false;
    }

  private:
    bool visit() {
        switch (xmlTextReaderNodeType(reader_.get())) {
            case XML_READER_TYPE_ELEMENT: {
                const bool is_empty = xmlTextReaderIsEmptyElement(reader_.get()) == 1;
                const XmlHandler::Element element = read_element();
                if (!handler_.begin(element)) return false;
                if (is_empty) handler_.end(element.name);
                return true;
            }
            case XML_READER_TYPE_END_ELEMENT:
                handler_.end(view_of(xmlTextReaderConstLocalName(reader_.get())));
                return true;
            case XML_READER_TYPE_TEXT:
            case XML_READER_TYPE_CDATA:
                handler_.text(view_of(xmlTextReaderConstValue(reader_.get())));
                return true;
            default: return true;
        }
    }

    XmlHandler::Element read_element() {
        XmlHandler::Element element;
        element.name = view_of(xmlTextReaderConstLocalName(reader_.get()));
        const long line = xmlGetLineNo(xmlTextReaderCurrentNode(reader_.get()));
        element.line = std::clamp<std::uint32_t>(line > 0 ? static_cast<std::uint32_t>(line) : 1, 1,
                                                 report_.source().line_count());
        while (xmlTextReaderMoveToNextAttribute(reader_.get()) == 1) {
            element.attributes.emplace_back(view_of(xmlTextReaderConstLocalName(reader_.get())),
                                            view_of(xmlTextReaderConstValue(reader_.get())));
        }
        xmlTextReaderMoveToElement(reader_.get());
        return element;
    }

    FileReport& report_;
    XmlHandler& handler_;
    FirstError error_;
    std::unique_ptr<xmlTextReader, void (*)(xmlTextReader*)> reader_;
};

}  // namespace

std::string_view XmlHandler::Element::attribute(std::string_view wanted) const {
    const auto found = std::find_if(attributes.begin(), attributes.end(),
                                    [&](const auto& attribute) { return attribute.first == wanted; });
    return found == attributes.end() ? std::string_view() : found->second;
}

bool read_xml(FileReport& report, XmlHandler& handler) {
    const std::string_view text = report.source().text();
    // libxml2 is told that this is UTF-8, whatever the document says of itself; so it is to be.
    const auto zero = text.find('\0');
    const auto bad = first_invalid_utf8(text);
    if (bad || zero != std::string_view::npos) {
        report.error(report.line(line_at(text, std::min(bad.value_or(text.size()), zero))),
                     {"this line is not UTF-8", "save the file as UTF-8"});
        return false;
    }
    if (const auto type = find_document_type(text)) {
        report.error(
            report.line(line_at(text, *type)),
            {"a document type is not read, nor any entity that it declares", "remove <!DOCTYPE ...>"});
        return false;
    }
    return Session(report, handler).run();
}

}  // namespace dyetrace::scenario
