// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/mapping_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

namespace cinnabar::sm {
namespace {

// The peer's descriptor may have been closed and its number reused: what is opened must be the very
// file.
Region map_place(pid_t pid, const SharedPlace& place) {
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(place.fd);
    struct stat status {};
    // Look before opening: opening a device or a pipe could have effects.
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_dev != place.device || status.st_ino != place.inode)
        return {};
    Result<Region> region = Region::adopt(fd.get(), place.size);
    return region.ok() ? std::move(*region) : Region();
}

}  // namespace

std::byte* MappingCache::find(pid_t pid, const SharedPlace& place) {
    ++clock_;
    for (Entry& entry : entries_)
        if (entry.inode == place.inode && entry.device == place.device && entry.fd == place.fd) {
            entry.used = clock_;
            if (entry.region.size() < place.size) return nullptr;
            return static_cast<std::byte*>(entry.region.data());
        }
    if (entries_.size() >= capacity)
        entries_.erase(
            std::min_element(entries_.begin(), entries_.end(),
                             [](const Entry& a, const Entry& b) { return a.used < b.used; }));
    Entry entry;
    entry.device = place.device;
    entry.inode = place.inode;
    entry.fd = place.fd;
    entry.used = clock_;
    entry.region = map_place(pid, place);
    entries_.push_back(std::move(entry));
    return static_cast<std::byte*>(entries_.back().region.data());
}

}  // namespace cinnabar::sm
