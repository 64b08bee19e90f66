// SPDX-License-Identifier: BSD-3-Clause
// NA_Initialize to NA_Finalize: opening and closing nets, and asking what there is.
#include <cstdlib>
#include <cstring>

#include "na/base/c_call.hpp"
#include "na/core/class.hpp"
#include "na/core/info_string.hpp"
#include "na/loader/catalog.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

na_init_info current_layout(const na_init_info_4_0& old) {
    na_init_info info{};
    info.ip_subnet = old.ip_subnet;
    info.auth_key = old.auth_key;
    info.max_unexpected_size = old.max_unexpected_size;
    info.max_expected_size = old.max_expected_size;
    info.progress_mode = old.progress_mode;
    info.addr_format = old.addr_format;
    info.max_contexts = old.max_contexts;
    info.thread_mode = old.thread_mode;
    info.request_mem_device = old.request_mem_device;
    return info;
}

na_class* open_net(const char* text, bool listen, na_init_info init) {
    const char* shown = text == nullptr ? "(null)" : text;
    std::string why;
    Result<InfoString> parsed = parse_info_string(text == nullptr ? "" : text, &why);
    if (!parsed.ok()) {
        (void)log_error(parsed.status().code(), "na_cls", "cannot open \"{}\": {}", shown, why);
        return nullptr;
    }
    const Plugin* plugin = find_plugin(parsed->class_name, parsed->protocol, &why);
    if (plugin == nullptr) {
        (void)log_error(NA_PROTONOSUPPORT, "na_cls", "cannot open \"{}\": {}", shown, why);
        return nullptr;
    }
    if (init.max_contexts == 0) init.max_contexts = 1;
    auto* cls = new_object<na_class>(plugin->table->class_size, plugin, parsed->protocol, listen,
                                     (init.progress_mode & NA_NO_BLOCK) != 0, na_limits{},
                                     fork_count.load(std::memory_order_relaxed));
    if (cls == nullptr) {
        (void)log_error(NA_NOMEM, "na_cls", "cannot open \"{}\": out of memory", shown);
        return nullptr;
    }
    const na_plugin_open request{sizeof(na_plugin_open), cls->protocol.c_str(),
                                 parsed->host.c_str(), listen, &init};
    const na_return_t ret = plugin->cls.open(part(cls), &request);
    if (ret != NA_SUCCESS) {
        // The plugin has said why; this line ties the cause to what the user wrote.
        (void)log_error(ret, "na_cls", "cannot open \"{}\": {}", shown, NA_Error_to_string(ret));
        delete_object(cls);
        return nullptr;
    }
    cls->limits.size = sizeof cls->limits;
    plugin->cls.get_limits(part(cls), &cls->limits);
    return cls;
}

}  // namespace

void NA_Version_get(unsigned int* major_p, unsigned int* minor_p, unsigned int* patch_p) {
    if (major_p != nullptr) *major_p = NA_VERSION_MAJOR;
    if (minor_p != nullptr) *minor_p = NA_VERSION_MINOR;
    if (patch_p != nullptr) *patch_p = NA_VERSION_PATCH;
}

na_class_t* NA_Initialize(const char* info_string, bool listen) {
    return NA_Initialize_opt2(info_string, listen, 0, nullptr);
}

na_class_t* NA_Initialize_opt(const char* info_string, bool listen,
                              const struct na_init_info* na_init_info) {
    return NA_Initialize_opt2(info_string, listen, na_init_info == nullptr ? 0 : NA_VERSION(4, 0),
                              na_init_info);
}

na_class_t* NA_Initialize_opt2(const char* info_string, bool listen, unsigned int version,
                               const struct na_init_info* na_init_info) {
    return c_object("NA_Initialize", [&]() -> na_class* {
        struct na_init_info init {};
        if (na_init_info != nullptr) {
            if (version == 0) {
                (void)log_error(NA_INVALID_ARG, "na_cls",
                                "NA_Initialize_opt2: version 0 with options; pass "
                                "NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR)");
                return nullptr;
            }
            if (NA_VERSION_GE(version, NA_VERSION(5, 0)))
                init = *na_init_info;
            else
                init = current_layout(*reinterpret_cast<const na_init_info_4_0*>(na_init_info));
        }
        return open_net(info_string, listen, init);
    });
}

na_return_t NA_Finalize(na_class_t* na_class) {
    if (na_class == nullptr) return NA_INVALID_ARG;
    if (!forked(na_class)) {
        const int contexts = na_class->contexts.load(std::memory_order_acquire);
        const int addresses = na_class->addresses_in_use.load(std::memory_order_acquire);
        if (contexts > 0 || addresses > 0) {
            log_warning("na_cls", "NA_Finalize: {} context(s) and {} address(es) are still in use",
                        contexts, addresses);
            return NA_BUSY;
        }
        na_class->plugin->cls.close(part(na_class));
    }
    delete_object(na_class);
    return NA_SUCCESS;
}

void NA_Cleanup(void) {}

bool NA_Has_opt_feature(na_class_t* na_class, unsigned long flags) {
    return na_class != nullptr && na_class->plugin->cls.has_feature(part(na_class), flags);
}

const char* NA_Get_class_name(const na_class_t* na_class) {
    return na_class == nullptr ? nullptr : na_class->plugin->class_name.c_str();
}

const char* NA_Get_class_protocol(const na_class_t* na_class) {
    return na_class == nullptr ? nullptr : na_class->protocol.c_str();
}

bool NA_Is_listening(const na_class_t* na_class) {
    return na_class != nullptr && na_class->listen;
}

namespace {

struct ProtocolList {
    na_protocol_info* first = nullptr;
    na_protocol_info** end = &first;
    const Plugin* plugin = nullptr;
    const InfoString* filter = nullptr;
    bool failed = false;
};

void emit_protocol(void* arg, const char* protocol, const char* device) {
    auto& list = *static_cast<ProtocolList*>(arg);
    if (list.filter != nullptr && list.filter->protocol != protocol) return;
    auto* entry = static_cast<na_protocol_info*>(std::calloc(1, sizeof(na_protocol_info)));
    if (entry == nullptr) {
        list.failed = true;
        return;
    }
    entry->class_name = ::strdup(list.plugin->class_name.c_str());
    entry->protocol_name = ::strdup(protocol);
    entry->device_name = ::strdup(device);
    *list.end = entry;
    list.end = &entry->next;
}

}  // namespace

na_return_t NA_Get_protocol_info(const char* info_string,
                                 struct na_protocol_info** na_protocol_info_p) {
    return c_call("NA_Get_protocol_info", [&]() -> Status {
        if (na_protocol_info_p == nullptr) return NA_INVALID_ARG;
        *na_protocol_info_p = nullptr;
        InfoString filter;
        if (info_string != nullptr) {
            std::string why;
            Result<InfoString> parsed = parse_info_string(info_string, &why);
            if (!parsed.ok())
                return log_error(parsed.status().code(), "na_cls", "\"{}\": {}", info_string, why);
            filter = *parsed;
        }
        ProtocolList list;
        list.filter = info_string == nullptr ? nullptr : &filter;
        for (const Plugin* plugin : plugins()) {
            if (!filter.class_name.empty() && filter.class_name != plugin->class_name) continue;
            list.plugin = plugin;
            plugin->cls.list(emit_protocol, &list);
        }
        if (list.failed) {
            NA_Free_protocol_info(list.first);
            return NA_NOMEM;
        }
        *na_protocol_info_p = list.first;
        return NA_SUCCESS;
    });
}

void NA_Free_protocol_info(struct na_protocol_info* na_protocol_info) {
    while (na_protocol_info != nullptr) {
        struct na_protocol_info* next = na_protocol_info->next;
        std::free(na_protocol_info->class_name);
        std::free(na_protocol_info->protocol_name);
        std::free(na_protocol_info->device_name);
        std::free(na_protocol_info);
        na_protocol_info = next;
    }
}
