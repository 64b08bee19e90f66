// SPDX-License-Identifier: BSD-3-Clause
// The ofi transport: its types, named for libna.
#include <string_view>

#include "na/sdk/adapter.hpp"
#include "plugins/ofi/class.hpp"

namespace cinnabar::ofi {

struct Plugin {
    static constexpr const char* name = "ofi";
    static constexpr const char* class_name = "ofi";
    using Class = ofi::Class;
    using Context = ofi::Context;
    using Address = ofi::Address;
    using Op = ofi::Op;
    using Memory = ofi::Memory;

    static bool check_protocol(std::string_view protocol) {
        return find_provider(protocol) != nullptr;
    }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        list_devices(emit, arg);
    }
};

}  // namespace cinnabar::ofi

CINNABAR_NA_PLUGIN(cinnabar::ofi::Plugin)
