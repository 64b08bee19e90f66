// SPDX-License-Identifier: BSD-3-Clause
#include "na/core/info_string.hpp"

namespace cinnabar::na {
namespace {

bool is_name(std::string_view text) {
    for (const char c : text) {
        const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' || c == ';' || c == ',' ||
                             c == '-' || c == '.';
        if (!allowed) return false;
    }
    return !text.empty();
}

}  // namespace

Result<InfoString> parse_info_string(std::string_view text, std::string* why) {
    if (text.empty()) {
        *why = "it is empty; expected [class+]protocol[://host]";
        return NA_INVALID_ARG;
    }
    InfoString info;
    std::string_view head = text;
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        if (text.substr(colon, 3) != "://") {
            *why = "':' must begin \"://\"";
            return NA_PROTONOSUPPORT;
        }
        head = text.substr(0, colon);
        info.host = text.substr(colon + 3);
    }
    if (const std::size_t plus = head.find('+'); plus != std::string_view::npos) {
        info.class_name = head.substr(0, plus);
        head = head.substr(plus + 1);
        if (!is_name(info.class_name)) {
            *why = "the class before '+' is not a name";
            return NA_INVALID_ARG;
        }
    }
    if (!is_name(head)) {
        *why = "the protocol is not a name";
        return NA_INVALID_ARG;
    }
    info.protocol = head;
    return info;
}

}  // namespace cinnabar::na
