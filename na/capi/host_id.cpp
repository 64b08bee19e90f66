// SPDX-License-Identifier: BSD-3-Clause
// Who can be reached through shared memory: a number made of what must agree.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include "na/base/file_descriptor.hpp"
#include "na_sm.h"

namespace {

// The running system, the network namespace (which names of local sockets belong to), the user.
std::string identity() {
    std::string text;
    char buffer[64];
    const cinnabar::FileDescriptor boot(
        ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    if (boot) {
        const ssize_t size = ::read(boot.get(), buffer, sizeof buffer);
        if (size > 0) text.assign(buffer, static_cast<std::size_t>(size));
    }
    if (text.empty()) text = std::to_string(::gethostid());
    struct stat space {};
    if (::stat("/proc/self/ns/net", &space) == 0)
        text += std::to_string(space.st_dev) + ":" + std::to_string(space.st_ino);
    return text + "/" + std::to_string(::geteuid());
}

// FNV-1a, folded to 32 bits; never 0.
na_sm_id_t make_id() {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : identity())
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    const auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32));
    return folded == 0 ? 1 : static_cast<na_sm_id_t>(folded);
}

}  // namespace

na_return_t NA_SM_Host_id_get(na_sm_id_t* id_p) {
    if (id_p == nullptr) return NA_INVALID_ARG;
    try {
        static const na_sm_id_t id = make_id();
        *id_p = id;
    } catch (...) {
        return NA_NOMEM;
    }
    return NA_SUCCESS;
}

na_return_t NA_SM_Host_id_to_string(na_sm_id_t id, char* string) {
    if (string == nullptr || id <= 0 || id > static_cast<na_sm_id_t>(UINT32_MAX))
        return NA_INVALID_ARG;
    const auto end = std::to_chars(string, string + NA_SM_HOST_ID_LEN - 1, id).ptr;
    *end = '\0';
    return NA_SUCCESS;
}

na_return_t NA_SM_String_to_host_id(const char* string, na_sm_id_t* id_p) {
    if (string == nullptr || id_p == nullptr) return NA_INVALID_ARG;
    na_sm_id_t id = 0;
    const char* end = string + std::strlen(string);
    const auto [stop, error] = std::from_chars(string, end, id);
    if (error != std::errc() || stop != end || id <= 0 || id > static_cast<na_sm_id_t>(UINT32_MAX))
        return NA_PROTOCOL_ERROR;
    *id_p = id;
    return NA_SUCCESS;
}

void NA_SM_Host_id_copy(na_sm_id_t* dst_p, na_sm_id_t src) {
    if (dst_p != nullptr) *dst_p = src;
}

bool NA_SM_Host_id_cmp(na_sm_id_t id1, na_sm_id_t id2) {
    return id1 == id2;
}
