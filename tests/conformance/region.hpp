// SPDX-License-Identifier: BSD-3-Clause
// Registered memory for the conformance tests: a handle over segments of unequal sizes with a known
// content, and its remote form in another class.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/conformance/net.hpp"

namespace cinnabar::conformance {

class Handle {
public:
    Handle(na_class_t* cls, na_mem_handle_t* mem) : cls_(cls), mem_(mem) {}
    Handle(Handle&& other) noexcept : cls_(other.cls_), mem_(std::exchange(other.mem_, nullptr)) {}
    Handle(const Handle&) = delete;
    ~Handle() {
        if (mem_ != nullptr) NA_Mem_handle_free(cls_, mem_);
    }
    na_mem_handle_t* get() const { return mem_; }

private:
    na_class_t* cls_;
    na_mem_handle_t* mem_;
};

// `size` bytes in `segments` pieces, registered. Content: each byte a function of seed and offset.
class Region {
public:
    Region(const Net& net, std::size_t size, std::size_t segments, unsigned char seed,
           unsigned long flags = NA_MEM_READWRITE);
    Region(const Region&) = delete;
    ~Region();

    std::size_t size() const { return size_; }
    na_mem_handle_t* get() const { return mem_; }
    void deregister();
    std::vector<unsigned char> content() const;
    std::vector<unsigned char> serialized() const;
    // The form in which a peer has it.
    Handle remote_in(const Net& net) const;

private:
    na_class_t* cls_;
    std::size_t size_;
    std::vector<std::vector<unsigned char>> segments_;
    na_mem_handle_t* mem_ = nullptr;
    bool registered_ = true;
};

// What a region of this seed holds.
std::vector<unsigned char> content_of(std::size_t size, unsigned char seed);

enum class Direction { put, get };

// The local side of a transfer between two regions.
struct Transfer {
    Direction direction;
    na_mem_handle_t* local;
    na_offset_t local_offset;
    na_mem_handle_t* remote;
    na_offset_t remote_offset;
    std::size_t size;
};

// Posts it from a to b; the result of the post.
na_return_t post(Op& op, const Pair& pair, const Transfer& transfer);
// Posts it, waits for its end, gives its result.
na_return_t run(Pair& pair, const Transfer& transfer);

}  // namespace cinnabar::conformance
