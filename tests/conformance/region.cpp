// SPDX-License-Identifier: BSD-3-Clause
#include "tests/conformance/region.hpp"

namespace cinnabar::conformance {
namespace {

unsigned char byte_at(unsigned char seed, std::size_t offset) {
    return static_cast<unsigned char>(seed * 17u + offset * 31u + (offset >> 8) * 13u +
                                      (offset >> 16));
}

}  // namespace

std::vector<unsigned char> content_of(std::size_t size, unsigned char seed) {
    std::vector<unsigned char> content(size);
    for (std::size_t i = 0; i < size; ++i)
        content[i] = byte_at(seed, i);
    return content;
}

Region::Region(const Net& net, std::size_t size, std::size_t segments, unsigned char seed,
               unsigned long flags)
    : cls_(net.cls()), size_(size), segments_(segments) {
    std::size_t placed = 0;
    std::vector<na_segment> list;
    for (std::size_t i = 0; i < segments; ++i) {
        // Unequal: one more byte than its neighbour, and the rest at the end.
        const std::size_t rest = size - placed;
        const std::size_t length =
            i + 1 == segments ? rest : std::min(rest, size / segments / 2 + i % 5 + (i == 0));
        std::vector<unsigned char>& segment = segments_[i];
        segment.resize(length);
        for (std::size_t at = 0; at < length; ++at)
            segment[at] = byte_at(seed, placed + at);
        placed += length;
        list.push_back({segment.data(), length});
    }
    REQUIRE(NA_Mem_handle_create_segments(cls_, list.data(), list.size(), flags, &mem_) ==
            NA_SUCCESS);
    REQUIRE(NA_Mem_register(cls_, mem_, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
}

Region::~Region() {
    deregister();
    NA_Mem_handle_free(cls_, mem_);
}

void Region::deregister() {
    if (registered_) CHECK(NA_Mem_deregister(cls_, mem_) == NA_SUCCESS);
    registered_ = false;
}

std::vector<unsigned char> Region::content() const {
    std::vector<unsigned char> all;
    for (const auto& segment : segments_)
        all.insert(all.end(), segment.begin(), segment.end());
    return all;
}

std::vector<unsigned char> Region::serialized() const {
    std::vector<unsigned char> bytes(NA_Mem_handle_get_serialize_size(cls_, mem_));
    REQUIRE(!bytes.empty());
    REQUIRE(NA_Mem_handle_serialize(cls_, bytes.data(), bytes.size(), mem_) == NA_SUCCESS);
    return bytes;
}

Handle Region::remote_in(const Net& net) const {
    const std::vector<unsigned char> bytes = serialized();
    na_mem_handle_t* mem = nullptr;
    REQUIRE(NA_Mem_handle_deserialize(net.cls(), &mem, bytes.data(), bytes.size()) == NA_SUCCESS);
    return {net.cls(), mem};
}

na_return_t post(Op& op, const Pair& pair, const Transfer& t) {
    return (t.direction == Direction::put ? NA_Put : NA_Get)(
        pair.a.cls(), pair.a.context(), Op::on_complete, &op, t.local, t.local_offset, t.remote,
        t.remote_offset, t.size, pair.to_b.get(), 0, op.id());
}

na_return_t run(Pair& pair, const Transfer& transfer) {
    Op op(pair.a);
    if (const na_return_t ret = post(op, pair, transfer); ret != NA_SUCCESS) return ret;
    pump(pair, [&] { return op.done(); });
    CHECK(op.completions() == 1);
    return op.ret();
}

}  // namespace cinnabar::conformance
