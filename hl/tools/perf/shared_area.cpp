// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/shared_area.hpp"

#include <sys/mman.h>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

SharedArea& map(int descriptor, bool populated) {
    void* memory = ::mmap(nullptr, sizeof(SharedArea), PROT_READ | PROT_WRITE,
                          MAP_SHARED | (populated ? MAP_POPULATE : 0), descriptor, 0);
    check_system(memory != MAP_FAILED, "mapping the shared area");
    // All zeros is the state in which its atomics begin.
    return *static_cast<SharedArea*>(memory);
}

}  // namespace

SharedArea& create_shared_area(int& descriptor, bool populated) {
    descriptor = ::memfd_create("cinnabar-perf", 0);
    check_system(descriptor >= 0, "memfd_create");
    check_system(::ftruncate(descriptor, sizeof(SharedArea)) == 0, "ftruncate");
    return map(descriptor, populated);
}

SharedArea& open_shared_area(int descriptor, bool populated) {
    SharedArea& area = map(descriptor, populated);
    ::close(descriptor);
    return area;
}

}  // namespace cinnabar::perf
