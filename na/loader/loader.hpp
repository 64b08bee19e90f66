// SPDX-License-Identifier: BSD-3-Clause
// Loads plugin files: dlopen, entry function, version check. One warning line, with the reason, for
// a file that cannot be used.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "na/core/class.hpp"

namespace cinnabar::na {

// The folders that are searched, in order: NA_PLUGIN_PATH, libna's own, the install directory.
std::vector<std::string> plugin_folders();

// Files libna_plugin_<name>.so in these folders, the first of each name, in search order.
std::vector<std::string> find_plugin_files(const std::vector<std::string>& folders);

// "tcp" of ".../libna_plugin_tcp.so".
std::string plugin_name_of(const std::string& path);

// Loads one file; nullptr after a warning.
std::unique_ptr<Plugin> load_plugin(const std::string& path);

// Makes a Plugin of what an entry function gave; nullptr, with the reason in *why.
std::unique_ptr<Plugin> accept_plugin(const na_plugin* table, std::string* why);

// Puts the functions of loader/unsupported.cpp into every empty slot.
void fill_unsupported(Plugin& plugin);

}  // namespace cinnabar::na
