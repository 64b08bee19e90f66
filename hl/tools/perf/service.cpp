// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/service.hpp"

#include <dirent.h>
#include <mercury_proc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <vector>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/net.hpp"

namespace cinnabar::perf {
namespace {

// Memory that clients have forgotten to give back ends somewhere.
constexpr std::size_t most_areas = 16;
constexpr std::uint32_t largest_description = 1 << 20;

std::uint64_t bare_bytes = 0;  // set before there are other threads

std::uint64_t resident_bytes() {
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

template <class Integer, class... More>
hg_return_t process(hg_proc_t proc, Integer& first, More&... more) {
    if (const hg_return_t ret = hg_proc_raw(proc, &first, sizeof first); ret != HG_SUCCESS)
        return ret;
    if constexpr (sizeof...(more) > 0)
        return process(proc, more...);
    else
        return HG_SUCCESS;
}

hg_return_t process_echo(hg_proc_t proc, void* data) {
    auto& echo = *static_cast<Echo*>(data);
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    if (const hg_return_t ret = process(proc, echo.size); ret != HG_SUCCESS) return ret;
    if (hg_proc_get_op(proc) == HG_DECODE && echo.size > echo.capacity) return HG_OVERFLOW;
    return echo.size == 0 ? HG_SUCCESS : hg_proc_raw(proc, echo.bytes, echo.size);
}

hg_return_t process_shape(hg_proc_t proc, void* data) {
    auto& shape = *static_cast<Shape*>(data);
    auto library = static_cast<std::uint32_t>(shape.from_library);
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    const hg_return_t ret = process(proc, shape.bytes, shape.segments, library);
    shape.from_library = library != 0;
    return ret;
}

hg_return_t process_described(hg_proc_t proc, void* data) {
    auto& described = *static_cast<Described*>(data);
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    auto size = static_cast<std::uint32_t>(described.description.size());
    if (const hg_return_t ret = process(proc, described.number, size); ret != HG_SUCCESS)
        return ret;
    if (size > largest_description) return HG_OVERFLOW;
    described.description.resize(size);
    return size == 0 ? HG_SUCCESS : hg_proc_raw(proc, described.description.data(), size);
}

hg_return_t process_number(hg_proc_t proc, void* data) {
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    return process(proc, *static_cast<std::uint64_t*>(data));
}

hg_return_t process_usage(hg_proc_t proc, void* data) {
    auto& usage = *static_cast<Usage*>(data);
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    return process(proc, usage.descriptors, usage.resident_bytes, usage.cpu_nanoseconds,
                   usage.bare_bytes, usage.sleeps);
}

hg_return_t process_place(hg_proc_t proc, void* data) {
    auto& place = *static_cast<FloorPlace*>(data);
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    return process(proc, place.port, place.process, place.area, place.cookie);
}

// A client may be gone by now; that is its own business.
hg_return_t end(hg_handle_t handle) {
    return HG_Destroy(handle);
}

hg_return_t on_echo(hg_handle_t handle) {
    static thread_local std::vector<std::byte> bytes(largest_echo);
    Echo echo{0, bytes.data(), largest_echo};
    if (HG_Get_input(handle, &echo) == HG_SUCCESS) {
        (void)HG_Respond(handle, nullptr, nullptr, &echo);
        (void)HG_Free_input(handle, &echo);
    }
    return end(handle);
}

hg_return_t on_usage(hg_handle_t handle) {
    Usage usage = usage_of_this_process();
    (void)HG_Respond(handle, nullptr, nullptr, &usage);
    return end(handle);
}

hg_return_t on_floors(hg_handle_t handle) {
    auto* net = static_cast<Net*>(HG_Class_get_data(HG_Get_info(handle)->hg_class));
    FloorPlace place;
    if (net->begin_lending()) {
        place = start_floor_process(host_of(net->self()));
        net->lend_to(static_cast<pid_t>(place.process));
    }
    (void)HG_Respond(handle, nullptr, nullptr, &place);
    return end(handle);
}

ServiceIds register_with(hg_class_t* hg_class, hg_rpc_cb_t describe, hg_rpc_cb_t forget) {
    const ServiceIds ids{
        HG_Register_name(hg_class, "perf_echo", process_echo, process_echo, on_echo),
        HG_Register_name(hg_class, "perf_describe", process_shape, process_described, describe),
        HG_Register_name(hg_class, "perf_forget", process_number, nullptr, forget),
        HG_Register_name(hg_class, "perf_usage", nullptr, process_usage, on_usage),
        HG_Register_name(hg_class, "perf_floors", nullptr, process_place, on_floors)};
    if (ids.echo == 0 || ids.describe == 0 || ids.forget == 0 || ids.usage == 0 || ids.floors == 0)
        fail("cannot register the procedures");
    return ids;
}

}  // namespace

void note_bare_process() {
    bare_bytes = resident_bytes();
}

Usage usage_of_this_process() {
    Usage usage;
    if (DIR* folder = ::opendir("/proc/self/fd")) {
        while (::readdir(folder) != nullptr)
            ++usage.descriptors;
        ::closedir(folder);
        usage.descriptors -= 3;  // the folder's own, "." and ".."
    }
    usage.resident_bytes = resident_bytes();
    usage.bare_bytes = bare_bytes;
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    usage.sleeps = static_cast<std::uint64_t>(used.ru_nvcsw);
    timespec cpu{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    usage.cpu_nanoseconds = static_cast<std::uint64_t>(cpu.tv_sec) * 1000000000 +
                            static_cast<std::uint64_t>(cpu.tv_nsec);
    return usage;
}

ServiceIds register_service(hg_class_t* hg_class) {
    return register_with(hg_class, nullptr, nullptr);
}

Service::Service(hg_class_t* hg_class) : class_(hg_class) {
    const ServiceIds ids = register_with(hg_class, on_describe, on_forget);
    check(HG_Register_data(hg_class, ids.describe, this, nullptr), "HG_Register_data");
    check(HG_Register_data(hg_class, ids.forget, this, nullptr), "HG_Register_data");
}

Described Service::describe(const Shape& shape) {
    const std::scoped_lock lock(mutex_);
    if (!shape.is_possible() || areas_.size() >= most_areas) return {};
    auto area = std::make_unique<Area>(class_, shape);
    area->fill_with_pattern();
    Described made{++last_number_, {}};
    made.description.resize(HG_Bulk_get_serialize_size(area->region(), 0));
    check(HG_Bulk_serialize(made.description.data(), made.description.size(), 0, area->region()),
          "HG_Bulk_serialize");
    areas_.emplace(made.number, std::move(area));
    return made;
}

hg_return_t Service::on_describe(hg_handle_t handle) {
    const hg_info* info = HG_Get_info(handle);
    auto& service = *static_cast<Service*>(HG_Registered_data(info->hg_class, info->id));
    Shape shape;
    if (HG_Get_input(handle, &shape) == HG_SUCCESS) {
        Described made = service.describe(shape);
        (void)HG_Respond(handle, nullptr, nullptr, &made);
        (void)HG_Free_input(handle, &shape);
    }
    return end(handle);
}

hg_return_t Service::on_forget(hg_handle_t handle) {
    const hg_info* info = HG_Get_info(handle);
    auto& service = *static_cast<Service*>(HG_Registered_data(info->hg_class, info->id));
    std::uint64_t number = 0;
    if (HG_Get_input(handle, &number) == HG_SUCCESS) {
        {
            const std::scoped_lock lock(service.mutex_);
            service.areas_.erase(number);
        }
        (void)HG_Respond(handle, nullptr, nullptr, nullptr);
        (void)HG_Free_input(handle, &number);
    }
    return end(handle);
}

}  // namespace cinnabar::perf
