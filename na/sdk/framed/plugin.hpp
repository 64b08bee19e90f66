// SPDX-License-Identifier: BSD-3-Clause
// Makes a plugin of a framed transport. The author's net (see transport.hpp) has also
//
//   static constexpr const char* protocol = "local";      // libna_plugin_local.so, local://...
//   static constexpr const char* subsystem = "na_local";  // in the log
//
// and one line in one file: CINNABAR_NA_FRAMED_PLUGIN(MyNet).
#pragma once

#include <memory>
#include <string_view>

#include "na/sdk/adapter.hpp"
#include "na/sdk/framed/class.hpp"
#include "na/sdk/framed/context.hpp"
#include "na/sdk/framed/memory.hpp"

namespace cinnabar::na::sdk::framed {

template <class AuthorsNet>
struct Plugin {
    static constexpr const char* name = AuthorsNet::protocol;
    static constexpr const char* class_name = "na";
    struct Class : framed::Class {
        Class() : framed::Class(std::make_unique<AuthorsNet>(), AuthorsNet::subsystem) {}
    };
    using Context = framed::Context;
    using Address = framed::Address;
    using Op = framed::Op;
    using Memory = framed::Memory;
    static bool check_protocol(std::string_view protocol) { return protocol == name; }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        emit(arg, name, name);
    }
};

}  // namespace cinnabar::na::sdk::framed

// Defines the entry function of a plugin.
#define CINNABAR_NA_FRAMED_PLUGIN(net) CINNABAR_NA_PLUGIN(::cinnabar::na::sdk::framed::Plugin<net>)
