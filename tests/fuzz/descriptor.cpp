// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as the descriptor of a region, on the class of each transport: what is accepted adds
// up, is written as it was read, and nothing outlives it. The first byte chooses the transport.
#include "bulk/descriptor.hpp"

#include <memory>
#include <vector>

#include "hg/core/class.hpp"
#include "tests/fuzz/property.hpp"
#include "tests/support/memory_plugin.hpp"

using cinnabar::fuzz::require;
using namespace cinnabar::bulk;

namespace {

struct Unref {
    void operator()(hg_bulk* region) const { unref_region(region); }
};
using RegionPtr = std::unique_ptr<hg_bulk, Unref>;

// Opened once, never closed: an input costs no set-up.
hg_class* open(const char* info_string) {
    HG_Set_log_level("none");
    cinnabar::test::register_memory_plugin();
    hg_class* cls = HG_Init(info_string, HG_TRUE);
    require(cls != nullptr);
    return cls;
}

hg_class& chosen(unsigned number) {
    static hg_class* const classes[] = {open("na+mem://fuzz"), open("na+sm"),
                                        open("tcp://127.0.0.1:0")};
    return *classes[number % 3];
}

RegionPtr read(hg_class& cls, const void* from, std::size_t size) {
    hg_bulk* region = nullptr;
    const hg_return_t ret = read_descriptor(cls, from, size, &region);
    require((region != nullptr) == (ret == HG_SUCCESS));
    return RegionPtr(region);
}

std::vector<char> written(const hg_bulk& region) {
    std::vector<char> bytes(descriptor_size(region, false));
    require(write_descriptor(region, false, bytes.data(), bytes.size()) == HG_SUCCESS);
    return bytes;
}

void check(hg_class& cls, const std::uint8_t* data, std::size_t size) {
    const RegionPtr region = read(cls, data, size);
    if (region == nullptr) return;
    std::uint64_t total = 0;
    for (const std::uint64_t length : region->lengths) {
        require(length <= region->length - total);
        total += length;
    }
    require(total == region->length && region->lengths.size() == region->handles.size());
    require(region->handles.size() <= region->segment_count);
    require(region->permissions != 0 && (region->permissions & ~HG_BULK_READWRITE) == 0);
    require(region->eager.empty() || region->eager.size() == region->length);

    const std::vector<char> bytes = written(*region);
    require(bytes.size() + region->eager.size() <= size);
    const RegionPtr again = read(cls, bytes.data(), bytes.size());
    require(again != nullptr && !(again->eager.size() > 0));
    require(again->length == region->length && again->segment_count == region->segment_count);
    require(again->permissions == region->permissions && again->lengths == region->lengths);
    require((again->bound != nullptr) == (region->bound != nullptr));
    require(written(*again) == bytes);
    require(read(cls, bytes.data(), bytes.size() - 1) == nullptr);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    hg_class& cls = chosen(data[0]);
    check(cls, data + 1, size - 1);
    require(cls.bulks.load() == 0 && cls.addresses.load() == 0);
    return 0;
}
