// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/protocols.hpp"

#include "mercury.h"

namespace cinnabar::tools {

std::vector<Protocol> list_protocols(const std::string& info) {
    na_protocol_info* first = nullptr;
    std::vector<Protocol> list;
    if (HG_Get_na_protocol_info(info.empty() ? nullptr : info.c_str(), &first) != HG_SUCCESS)
        return list;
    for (const na_protocol_info* entry = first; entry != nullptr; entry = entry->next)
        list.push_back({entry->class_name, entry->protocol_name, entry->device_name});
    HG_Free_na_protocol_info(first);
    return list;
}

}  // namespace cinnabar::tools
