// SPDX-License-Identifier: BSD-3-Clause
#include "na/loader/catalog.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "na/base/c_call.hpp"
#include "na/base/log.hpp"
#include "na/base/mutex.hpp"
#include "na/loader/loader.hpp"

namespace cinnabar::na {

std::atomic<unsigned> fork_count{0};

namespace {

struct Catalog {
    Mutex mutex;
    bool searched = false;
    std::vector<std::string> files;  // found and not yet loaded
    std::vector<std::unique_ptr<Plugin>> plugins;
};

// Never destroyed: classes may be finalized from a user's static destructors.
Catalog& catalog() {
    static auto* instance = new Catalog;
    return *instance;
}

int rank_of(const Plugin& plugin) {
    static constexpr std::array<std::string_view, 4> order{"sm", "tcp", "ofi", "ucx"};
    const auto found = std::find(order.begin(), order.end(), plugin.name);
    return static_cast<int>(found - order.begin());
}

void insert(Catalog& c, std::unique_ptr<Plugin> plugin) {
    const auto place = std::find_if(
        c.plugins.begin(), c.plugins.end(),
        [&](const std::unique_ptr<Plugin>& other) { return rank_of(*other) > rank_of(*plugin); });
    c.plugins.insert(place, std::move(plugin));
}

bool known(const Catalog& c, std::string_view name) {
    return std::any_of(c.plugins.begin(), c.plugins.end(),
                       [&](const auto& plugin) { return plugin->name == name; });
}

// The lock is held across fork() so that the child finds the list whole.
CINNABAR_NO_TS_ANALYSIS void before_fork() {
    catalog().mutex.lock();
}
CINNABAR_NO_TS_ANALYSIS void after_fork_in_parent() {
    catalog().mutex.unlock();
}
CINNABAR_NO_TS_ANALYSIS void after_fork_in_child() {
    fork_count.fetch_add(1, std::memory_order_relaxed);
    for (const auto& plugin : catalog().plugins)
        plugin->forked();
    catalog().mutex.unlock();
}

void search(Catalog& c) {
    if (c.searched) return;
    c.searched = true;
    ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    c.files = find_plugin_files(plugin_folders());
}

void load(Catalog& c, const std::string& path) {
    auto plugin = load_plugin(path);
    if (plugin != nullptr && !known(c, plugin->name)) insert(c, std::move(plugin));
}

void load_all(Catalog& c) {
    search(c);
    for (const std::string& path : std::exchange(c.files, {}))
        load(c, path);
}

// Loads the file of this plugin alone: a program that uses one transport does not pay for the
// libraries of the others.
void load_named(Catalog& c, std::string_view name) {
    search(c);
    const auto found = std::find_if(c.files.begin(), c.files.end(), [&](const std::string& path) {
        return plugin_name_of(path) == name;
    });
    if (found == c.files.end()) return;
    const std::string path = *found;
    c.files.erase(found);
    load(c, path);
}

const Plugin* match(const Catalog& c, std::string_view class_name, const std::string& protocol) {
    for (const auto& plugin : c.plugins)
        if ((class_name.empty() || plugin->class_name == class_name) &&
            plugin->cls.check_protocol(protocol.c_str()))
            return plugin.get();
    return nullptr;
}

}  // namespace

std::vector<const Plugin*> plugins() {
    Catalog& c = catalog();
    MutexLock lock(c.mutex);
    load_all(c);
    std::vector<const Plugin*> list;
    for (const auto& plugin : c.plugins)
        list.push_back(plugin.get());
    return list;
}

const Plugin* find_plugin(std::string_view class_name, const std::string& protocol,
                          std::string* why) {
    Catalog& c = catalog();
    MutexLock lock(c.mutex);
    // A plugin is mostly named after what it speaks ("sm", "tcp") or after its class ("ofi").
    load_named(c, protocol);
    if (const Plugin* plugin = match(c, class_name, protocol)) return plugin;
    load_named(c, class_name);
    if (const Plugin* plugin = match(c, class_name, protocol)) return plugin;
    load_all(c);
    if (const Plugin* plugin = match(c, class_name, protocol)) return plugin;
    std::string names;
    for (const auto& plugin : c.plugins)
        names += fmt::format("{}{} ({}+...)", names.empty() ? "" : ", ", plugin->name,
                             plugin->class_name);
    *why = fmt::format("no plugin speaks \"{}{}{}\"; loaded: {}", class_name,
                       class_name.empty() ? "" : "+", protocol,
                       names.empty() ? "none (set NA_PLUGIN_PATH)" : names);
    return nullptr;
}

}  // namespace cinnabar::na

na_return_t NA_Plugin_register(na_plugin_entry_t entry) {
    using namespace cinnabar::na;
    return cinnabar::c_call("NA_Plugin_register", [&]() -> cinnabar::Status {
        if (entry == nullptr) return NA_INVALID_ARG;
        std::string why;
        auto plugin = accept_plugin(entry(&host_functions), &why);
        if (plugin == nullptr)
            return cinnabar::log_error(NA_PROTONOSUPPORT, "na_loader",
                                       "NA_Plugin_register: the plugin cannot be used: {}", why);
        Catalog& c = catalog();
        cinnabar::MutexLock lock(c.mutex);
        if (known(c, plugin->name)) return NA_EXIST;
        insert(c, std::move(plugin));
        return NA_SUCCESS;
    });
}
