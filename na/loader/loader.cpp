// SPDX-License-Identifier: BSD-3-Clause
#include "na/loader/loader.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "na/base/log.hpp"

namespace cinnabar::na {
namespace {

constexpr std::string_view file_prefix = "libna_plugin_";
constexpr std::string_view file_suffix = ".so";

// A plugin may be older (shorter tables) or newer (longer) than this libna: take what both know.
template <class Table>
void copy_table(Table& to, const Table* from) {
    if (from != nullptr) std::memcpy(&to, from, std::min(from->size, sizeof(Table)));
    to.size = sizeof(Table);
}

std::string folder_of_libna() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&host_functions), &info) == 0) return {};
    return std::filesystem::path(info.dli_fname).parent_path().string();
}

}  // namespace

std::vector<std::string> plugin_folders() {
    std::vector<std::string> folders;
    if (const char* path = ::secure_getenv("NA_PLUGIN_PATH")) {
        std::string_view rest = path;
        while (!rest.empty()) {
            const std::size_t colon = rest.find(':');
            if (colon != 0) folders.emplace_back(rest.substr(0, colon));
            rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
        }
    }
    if (std::string own = folder_of_libna(); !own.empty()) folders.push_back(std::move(own));
    folders.emplace_back(NA_PLUGIN_INSTALL_PATH);
    return folders;
}

std::vector<std::string> find_plugin_files(const std::vector<std::string>& folders) {
    std::vector<std::string> files;
    std::vector<std::string> seen;
    for (const std::string& folder : folders) {
        std::error_code ignored;
        std::vector<std::string> here;
        for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with(file_prefix) && name.ends_with(file_suffix)) here.push_back(name);
        }
        std::sort(here.begin(), here.end());
        for (const std::string& name : here) {
            if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
            seen.push_back(name);
            files.push_back((std::filesystem::path(folder) / name).string());
        }
    }
    return files;
}

std::string plugin_name_of(const std::string& path) {
    const std::string file = std::filesystem::path(path).filename().string();
    return file.substr(file_prefix.size(), file.size() - file_prefix.size() - file_suffix.size());
}

std::unique_ptr<Plugin> accept_plugin(const na_plugin* table, std::string* why) {
    if (table == nullptr) {
        *why = "it says that it cannot work here";
        return nullptr;
    }
    if (table->abi_version != NA_PLUGIN_ABI_VERSION) {
        *why = fmt::format("it was built for plugin ABI {}, this libna has {}", table->abi_version,
                           NA_PLUGIN_ABI_VERSION);
        return nullptr;
    }
    if (table->name == nullptr || table->class_name == nullptr || table->class_ops == nullptr ||
        table->class_ops->check_protocol == nullptr || table->class_ops->open == nullptr) {
        *why = "its table lacks a name, check_protocol or open";
        return nullptr;
    }
    auto plugin = std::make_unique<Plugin>();
    plugin->table = table;
    plugin->name = table->name;
    plugin->class_name = table->class_name;
    copy_table(plugin->cls, table->class_ops);
    copy_table(plugin->address, table->address);
    copy_table(plugin->message, table->message);
    copy_table(plugin->memory, table->memory);
    copy_table(plugin->rma, table->rma);
    copy_table(plugin->progress, table->progress);
    if (table->size >= offsetof(na_plugin, forked) + sizeof(table->forked))
        plugin->forked = table->forked;
    fill_unsupported(*plugin);
    return plugin;
}

std::unique_ptr<Plugin> load_plugin(const std::string& path) {
    // Never closed again: objects and threads of the plugin's dependencies may outlive any class.
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        log_warning("na_loader", "plugin {} cannot be loaded: {}", path, ::dlerror());
        return nullptr;
    }
    auto entry = reinterpret_cast<na_plugin_entry_t>(::dlsym(library, "na_plugin_entry"));
    if (entry == nullptr) {
        log_warning("na_loader", "plugin {} cannot be used: it exports no na_plugin_entry", path);
        ::dlclose(library);
        return nullptr;
    }
    std::string why;
    auto plugin = accept_plugin(entry(&host_functions), &why);
    if (plugin == nullptr) {
        log_warning("na_loader", "plugin {} cannot be used: {}", path, why);
        ::dlclose(library);
    }
    return plugin;
}

}  // namespace cinnabar::na
