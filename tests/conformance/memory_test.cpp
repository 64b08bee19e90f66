// SPDX-License-Identifier: BSD-3-Clause
// Memory handles: what can be described, how they travel, what bytes are refused.
#include <limits>

#include "tests/conformance/region.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;

CINNABAR_CONFORMANCE("what cannot be described is refused") {
    const Net net(transport);
    allow_log("");
    char bytes[16];
    na_mem_handle_t* mem = nullptr;
    na_segment segment{bytes, sizeof bytes};
    CHECK(NA_Mem_handle_create(net.cls(), bytes, sizeof bytes, 0, &mem) == codes::no_memory_flags);
    CHECK(NA_Mem_handle_create_segments(net.cls(), &segment, 0, NA_MEM_READWRITE, &mem) ==
          NA_INVALID_ARG);
    const std::size_t limit = NA_Mem_handle_get_max_segments(net.cls());
    std::vector<na_segment> many(limit + 1, segment);
    CHECK(NA_Mem_handle_create_segments(net.cls(), many.data(), many.size(), NA_MEM_READWRITE,
                                        &mem) == codes::too_many_segments);
    na_segment wrapping[2] = {{bytes, std::numeric_limits<std::size_t>::max()}, {bytes, 2}};
    CHECK(NA_Mem_handle_create_segments(net.cls(), wrapping, 2, NA_MEM_READWRITE, &mem) ==
          NA_INVALID_ARG);
    CHECK(mem == nullptr);
}

CINNABAR_CONFORMANCE("a handle with as many segments as allowed is registered") {
    const Net net(transport);
    const std::size_t limit =
        std::min<std::size_t>(NA_Mem_handle_get_max_segments(net.cls()), 4096);
    const Region region(net, limit * 8, limit, 1);
    CHECK_FALSE(region.serialized().empty());
}

CINNABAR_CONFORMANCE("a handle is registered again after it was deregistered") {
    const Net net(transport);
    char bytes[64];
    na_mem_handle_t* mem = nullptr;
    REQUIRE(NA_Mem_handle_create(net.cls(), bytes, sizeof bytes, NA_MEM_READWRITE, &mem) ==
            NA_SUCCESS);
    for (int i = 0; i < 3; ++i) {
        CHECK(NA_Mem_register(net.cls(), mem, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
        CHECK(NA_Mem_deregister(net.cls(), mem) == NA_SUCCESS);
    }
    NA_Mem_handle_free(net.cls(), mem);
}

CINNABAR_CONFORMANCE("a handle is not serialised into a smaller buffer") {
    const Net net(transport);
    allow_log("");
    for (const std::size_t segments : {1u, 16u}) {
        const Region region(net, 1000, segments, 1);
        const std::size_t needed = NA_Mem_handle_get_serialize_size(net.cls(), region.get());
        for (std::size_t size = 1; size < needed; ++size) {
            std::vector<unsigned char> bytes(size);
            REQUIRE(NA_Mem_handle_serialize(net.cls(), bytes.data(), size, region.get()) ==
                    codes::buffer_too_small);
        }
    }
}

CINNABAR_CONFORMANCE("a truncated handle is refused at every length") {
    const Pair pair(transport);
    allow_log("");
    for (const std::size_t segments : {1u, 16u}) {
        const Region region(pair.b, 1000, segments, 1);
        const auto bytes = region.serialized();
        for (std::size_t size = 1; size < bytes.size(); ++size) {
            // A copy of exactly this size, so that a sanitizer sees any read beyond it.
            const std::vector<unsigned char> cut(bytes.begin(),
                                                 bytes.begin() + static_cast<std::ptrdiff_t>(size));
            na_mem_handle_t* mem = nullptr;
            const na_return_t ret =
                NA_Mem_handle_deserialize(pair.a.cls(), &mem, cut.data(), cut.size());
            CAPTURE(segments, size);
            REQUIRE((ret == codes::truncated_object || ret == codes::malformed_object));
            REQUIRE(mem == nullptr);
        }
    }
}

CINNABAR_CONFORMANCE("garbage is no handle") {
    const Pair pair(transport);
    allow_log("");
    const Region region(pair.b, 1000, 3, 1);
    for (const int fill : {0x00, 0x7f, 0xff}) {
        const std::vector<unsigned char> garbage(region.serialized().size(),
                                                 static_cast<unsigned char>(fill));
        na_mem_handle_t* mem = nullptr;
        CHECK(NA_Mem_handle_deserialize(pair.a.cls(), &mem, garbage.data(), garbage.size()) !=
              NA_SUCCESS);
        CHECK(mem == nullptr);
    }
}

CINNABAR_CONFORMANCE("a handle with a flipped bit is refused or harmless") {
    Pair pair(transport);
    exchange(pair);
    allow_log("");
    const Region region(pair.b, 1000, 3, 1);
    const Region local(pair.a, 4000, 1, 2);
    const auto bytes = region.serialized();
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (const int flip : {0x01, 0x10, 0x80}) {
            auto bad = bytes;
            bad[at] = static_cast<unsigned char>(bad[at] ^ flip);
            na_mem_handle_t* mem = nullptr;
            if (NA_Mem_handle_deserialize(pair.a.cls(), &mem, bad.data(), bad.size()) != NA_SUCCESS)
                continue;
            // Whatever it describes now, a get must end, with success or an error, and crash
            // nobody.
            const Handle handle(pair.a.cls(), mem);
            (void)run(pair, {Direction::get, local.get(), 0, handle.get(), 0, 1000});
        }
    exchange(pair);
    CHECK(region.content() == content_of(1000, 1));
}

CINNABAR_CONFORMANCE("memory of the library is zeroed and takes part in transfers") {
    Pair pair(transport);
    constexpr std::size_t size = 100000;
    auto* memory = static_cast<unsigned char*>(NA_Mem_alloc(pair.b.cls(), size));
    REQUIRE(memory != nullptr);
    CHECK(std::all_of(memory, memory + size, [](unsigned char c) { return c == 0; }));
    na_mem_handle_t* mem = nullptr;
    // A part of it, not from its start.
    REQUIRE(NA_Mem_handle_create(pair.b.cls(), memory + 100, size - 200, NA_MEM_READWRITE, &mem) ==
            NA_SUCCESS);
    REQUIRE(NA_Mem_register(pair.b.cls(), mem, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
    {
        std::vector<unsigned char> bytes(NA_Mem_handle_get_serialize_size(pair.b.cls(), mem));
        REQUIRE(NA_Mem_handle_serialize(pair.b.cls(), bytes.data(), bytes.size(), mem) ==
                NA_SUCCESS);
        na_mem_handle_t* remote = nullptr;
        REQUIRE(NA_Mem_handle_deserialize(pair.a.cls(), &remote, bytes.data(), bytes.size()) ==
                NA_SUCCESS);
        const Handle handle(pair.a.cls(), remote);
        const Region out(pair.a, size, 1, 3), in(pair.a, size, 1, 4);
        CHECK(run(pair, {Direction::put, out.get(), 0, handle.get(), 0, size - 200}) == NA_SUCCESS);
        CHECK(run(pair, {Direction::get, in.get(), 0, handle.get(), 0, size - 200}) == NA_SUCCESS);
        const auto expected = content_of(size, 3);
        CHECK(std::equal(memory + 100, memory + size - 100, expected.begin()));
        CHECK(std::equal(expected.begin(), expected.end() - 200, in.content().begin()));
        CHECK(memory[99] == 0);
        CHECK(memory[size - 100] == 0);
    }
    CHECK(NA_Mem_deregister(pair.b.cls(), mem) == NA_SUCCESS);
    NA_Mem_handle_free(pair.b.cls(), mem);
    NA_Mem_free(pair.b.cls(), memory, size);
}
