// SPDX-License-Identifier: BSD-3-Clause
// The UCX transport: its types, named for libna.
#include <string_view>

#include "na/sdk/adapter.hpp"
#include "plugins/ucx/class.hpp"

namespace cinnabar::ucx {

struct Plugin {
    static constexpr const char* name = "ucx";
    static constexpr const char* class_name = "ucx";
    using Class = ucx::Class;
    using Context = ucx::Context;
    using Address = ucx::Address;
    using Op = ucx::Op;
    using Memory = ucx::Memory;

    static bool check_protocol(std::string_view protocol) { return known_protocol(protocol); }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        emit(arg, "all", "all");
        emit(arg, "sm", "memory");
        for (const std::string& name : na::sdk::names_of_devices(na::sdk::list_interfaces()))
            emit(arg, "tcp", name.c_str());
    }
};

}  // namespace cinnabar::ucx

CINNABAR_NA_PLUGIN(cinnabar::ucx::Plugin)
