// SPDX-License-Identifier: BSD-3-Clause
// The shared-memory transport, "na+sm", as libna sees it.
#include <cstring>

#include "na/sdk/adapter.hpp"
#include "plugins/sm/class.hpp"
#include "plugins/sm/context.hpp"

namespace {

struct Plugin {
    static constexpr const char* name = "sm";
    static constexpr const char* class_name = "na";
    using Class = cinnabar::sm::Class;
    using Context = cinnabar::sm::Context;
    using Address = cinnabar::sm::Address;
    using Op = cinnabar::sm::Op;
    using Memory = cinnabar::sm::Memory;

    static bool check_protocol(const char* protocol) { return std::strcmp(protocol, "sm") == 0; }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        emit(arg, "sm", "shm");
    }
};

}  // namespace

CINNABAR_NA_PLUGIN(Plugin)
