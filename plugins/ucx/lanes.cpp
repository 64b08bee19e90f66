// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/lanes.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace cinnabar::ucx {

namespace {

using namespace std::string_view_literals;

constexpr std::array memory_names = {"self"sv, "sysv"sv, "posix"sv, "cma"sv, "knem"sv, "xpmem"sv};

// The name in front of the slash; empty if the line has none.
std::string_view transport_of(std::string_view line) noexcept {
    const std::size_t slash = line.find('/');
    if (slash == std::string_view::npos) return {};
    line = line.substr(0, slash);
    return line.substr(line.find_last_of(": ") + 1);
}

}  // namespace

Lanes kind_of_lanes(std::string_view description, std::string_view what) noexcept {
    bool any = false;
    bool memory = true;
    for (std::size_t at = description.find(what); at != std::string_view::npos;
         at = description.find(what, at + 1)) {
        any = true;
        const std::string_view name =
            transport_of(description.substr(at, description.find('\n', at) - at));
        if (std::find(memory_names.begin(), memory_names.end(), name) != memory_names.end())
            continue;
        memory = false;
        if (!name.empty() && name != "tcp") return Lanes::one_sided;
    }
    return any && memory ? Lanes::memory : Lanes::messages;
}

std::string printed(const std::function<void(std::FILE*)>& print) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* stream = ::open_memstream(&text, &size);
    if (stream == nullptr) return {};
    print(stream);
    (void)std::fclose(stream);
    std::string result(text, size);
    std::free(text);
    return result;
}

}  // namespace cinnabar::ucx
