// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "plugins/sm/options.hpp"

namespace cinnabar::sm {
namespace {

constexpr int wanted_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

Result<Region> Region::create(const char* name, std::size_t size, FileDescriptor& fd) noexcept {
    fd.reset(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd)
        return log_error(code_of_errno(errno), log_name, "memfd_create: {}", std::strerror(errno));
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 ||
        ::fcntl(fd.get(), F_ADD_SEALS, wanted_seals) != 0)
        return log_error(code_of_errno(errno), log_name, "shared memory of {} bytes: {}", size,
                         std::strerror(errno));
    void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED)
        return log_error(code_of_errno(errno), log_name, "mapping {} bytes: {}", size,
                         std::strerror(errno));
    Region region;
    region.data_ = data;
    region.size_ = size;
    return region;
}

Result<Region> Region::adopt(int fd, std::size_t size) noexcept {
    struct stat status {};
    const int seals = ::fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & wanted_seals) != wanted_seals || (seals & F_SEAL_WRITE) != 0 ||
        ::fstat(fd, &status) != 0 || static_cast<std::size_t>(status.st_size) != size)
        return NA_PROTOCOL_ERROR;
    void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) return code_of_errno(errno);
    Region region;
    region.data_ = data;
    region.size_ = size;
    return region;
}

void Region::unmap() noexcept {
    if (data_ != nullptr) ::munmap(data_, size_);
    data_ = nullptr;
}

}  // namespace cinnabar::sm
