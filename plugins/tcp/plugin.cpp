// SPDX-License-Identifier: BSD-3-Clause
// The tcp transport: its types, named for libna.
#include <string_view>

#include "na/sdk/adapter.hpp"
#include "plugins/tcp/class.hpp"

namespace cinnabar::tcp {

struct Plugin {
    static constexpr const char* name = "tcp";
    static constexpr const char* class_name = "na";
    using Class = tcp::Class;
    using Context = tcp::Context;
    using Address = tcp::Address;
    using Op = tcp::Op;
    using Memory = tcp::Memory;

    static bool check_protocol(std::string_view protocol) { return protocol == "tcp"; }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        for (const std::string& name : na::sdk::names_of_devices(na::sdk::list_interfaces()))
            emit(arg, "tcp", name.c_str());
    }
};

}  // namespace cinnabar::tcp

CINNABAR_NA_PLUGIN(cinnabar::tcp::Plugin)
