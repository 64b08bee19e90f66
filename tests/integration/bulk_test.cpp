// SPDX-License-Identifier: BSD-3-Clause
// Bulk transfers between two classes: every segmentation, offset and size, checked byte by byte;
// data that travels with its description; many at once; what is forbidden; and a third party.
#include <algorithm>
#include <numeric>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

namespace {

// Memory in equal segments (the last may be shorter), with a margin on either side of each one that
// nobody may touch, and the region that describes it.
class Memory {
public:
    Memory(const Side& side, std::size_t size, std::size_t segment_size, unsigned seed,
           uint8_t flags = HG_BULK_READWRITE)
        : content_(content_of(size, seed)) {
        for (std::size_t at = 0; at < size || at == 0; at += segment_size) {
            const std::size_t length = std::min(segment_size, size - at);
            segments_.emplace_back(length + 2 * margin, std::uint8_t{0xa5});
            std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(at), length,
                        segments_.back().begin() + margin);
            bases_.push_back(segments_.back().data() + margin);
            sizes_.push_back(length);
        }
        REQUIRE(HG_Bulk_create(side.cls(), static_cast<uint32_t>(bases_.size()), bases_.data(),
                               sizes_.data(), flags, &region_) == HG_SUCCESS);
    }
    Memory(const Memory&) = delete;
    ~Memory() { CHECK(HG_Bulk_free(region_) == HG_SUCCESS); }

    hg_bulk_t region() const { return region_; }
    // What it should hold; a transfer that is expected to change it changes this too.
    std::vector<unsigned char>& content() { return content_; }
    bool intact() const {
        std::size_t at = 0;
        for (const auto& segment : segments_) {
            const std::size_t length = segment.size() - 2 * margin;
            if (!std::equal(segment.begin() + margin, segment.end() - margin,
                            content_.begin() + static_cast<std::ptrdiff_t>(at)))
                return false;
            for (std::size_t i = 0; i < margin; ++i)
                if (segment[i] != 0xa5 || segment[margin + length + i] != 0xa5) return false;
            at += length;
        }
        return true;
    }

private:
    static constexpr std::ptrdiff_t margin = 16;
    std::vector<unsigned char> content_;
    std::vector<std::vector<unsigned char>> segments_{};
    std::vector<void*> bases_{};
    std::vector<hg_size_t> sizes_{};
    hg_bulk_t region_ = HG_BULK_NULL;
};

// A region of the client as the server has it: described, sent and read.
class Remote {
public:
    Remote(const Side& side, hg_bulk_t origin, unsigned long flags = 0) {
        std::vector<char> bytes(HG_Bulk_get_serialize_size(origin, flags));
        REQUIRE(HG_Bulk_serialize(bytes.data(), bytes.size(), flags, origin) == HG_SUCCESS);
        REQUIRE(HG_Bulk_deserialize(side.cls(), &region_, bytes.data(), bytes.size()) ==
                HG_SUCCESS);
    }
    Remote(const Remote&) = delete;
    ~Remote() { CHECK(HG_Bulk_free(region_) == HG_SUCCESS); }
    hg_bulk_t region() const { return region_; }

private:
    hg_bulk_t region_ = HG_BULK_NULL;
};

struct Outcome {
    int callbacks = 0;
    hg_return_t ret = HG_RETURN_MAX;
    hg_cb_info_bulk info{};
    static hg_return_t take(const hg_cb_info* info) {
        auto& outcome = *static_cast<Outcome*>(info->arg);
        ++outcome.callbacks;
        outcome.ret = info->ret;
        outcome.info = info->info.bulk;
        return info->type == HG_CB_BULK ? HG_SUCCESS : HG_FAULT;
    }
};

// The server with its way to the client.
struct Bulks : Pair {
    explicit Bulks(const Setup& setup)
        : Pair(setup),
          to_client(setup.self ? client.self() : server.lookup(client.self().text())) {}
    hg_return_t start(Outcome& outcome, hg_bulk_op_t op, hg_bulk_t origin,
                      std::size_t origin_offset, hg_bulk_t local, std::size_t local_offset,
                      std::size_t size, hg_op_id_t* id = HG_OP_ID_IGNORE) {
        return HG_Bulk_transfer(server.context(), Outcome::take, &outcome, op, to_client.get(),
                                origin, origin_offset, local, local_offset, size, id);
    }
    hg_return_t transfer(hg_bulk_op_t op, hg_bulk_t origin, std::size_t origin_offset,
                         Memory& local, std::size_t local_offset, std::size_t size) {
        Outcome outcome;
        const hg_return_t ret =
            start(outcome, op, origin, origin_offset, local.region(), local_offset, size);
        if (ret != HG_SUCCESS) return ret;
        wait([&] { return outcome.callbacks > 0; });
        CHECK(outcome.callbacks == 1);
        CHECK(outcome.info.op == op);
        CHECK(outcome.info.size == size);
        CHECK(outcome.info.origin_handle == origin);
        CHECK(outcome.info.local_handle == local.region());
        return outcome.ret;
    }
    Address to_client;
};

struct Shape {
    std::size_t size, origin_segment, local_segment, origin_offset, local_offset, length;
};

constexpr std::size_t mib = 1 << 20;

void check_shape(Bulks& bulks, const Shape& s) {
    CAPTURE(s.size, s.origin_segment, s.local_segment, s.origin_offset, s.local_offset, s.length);
    Memory origin(bulks.client, s.size, s.origin_segment, 1),
        local(bulks.server, s.size, s.local_segment, 2);
    const Remote remote(bulks.server, origin.region());
    CHECK(HG_Bulk_get_size(remote.region()) == s.size);
    CHECK(HG_Bulk_get_segment_count(remote.region()) == HG_Bulk_get_segment_count(origin.region()));
    REQUIRE(bulks.transfer(HG_BULK_PULL, remote.region(), s.origin_offset, local, s.local_offset,
                           s.length) == HG_SUCCESS);
    const auto at = [](std::vector<unsigned char>& bytes, std::size_t offset) {
        return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    };
    std::copy_n(at(origin.content(), s.origin_offset), s.length,
                at(local.content(), s.local_offset));
    CHECK(local.intact());
    CHECK(origin.intact());
    // And something else back.
    Memory other(bulks.server, s.size, s.local_segment, 3);
    REQUIRE(bulks.transfer(HG_BULK_PUSH, remote.region(), s.origin_offset, other, s.local_offset,
                           s.length) == HG_SUCCESS);
    std::copy_n(at(other.content(), s.local_offset), s.length,
                at(origin.content(), s.origin_offset));
    CHECK(origin.intact());
    CHECK(other.intact());
}

}  // namespace

CINNABAR_INTEGRATION("any segmentation and offset, pulled and pushed", all_setups) {
    Bulks bulks(setup);
    for (const Shape& shape :
         {Shape{0, 1, 1, 0, 0, 0}, Shape{1, 1, 1, 0, 0, 1}, Shape{100, 100, 100, 0, 0, 100},
          Shape{100, 100, 100, 99, 0, 1}, Shape{4096, 4096, 4096, 17, 4000, 96},
          Shape{1000, 7, 1000, 0, 0, 1000}, Shape{1000, 1000, 7, 3, 5, 900},
          Shape{8192, 8, 1171, 4097, 4095, 4000}, Shape{mib, 1024, 149797, 524289, 13, 524287},
          Shape{mib, 149797, 1024, 13, 524289, 524287}, Shape{mib, mib, mib, 0, 0, mib},
          Shape{3 * mib + 1, mib, 2 * mib, 1, 2, 3 * mib - 5}, Shape{5000, 1, 5000, 100, 0, 1000}})
        check_shape(bulks, shape);
}

CINNABAR_INTEGRATION("64 MiB are pulled and pushed", peer_setups) {
    Bulks bulks(setup);
    check_shape(bulks, {64 * mib, 64 * mib, 64 * mib, 0, 0, 64 * mib});
    check_shape(bulks, {64 * mib, 5 * mib, 7 * mib, 3, 1, 64 * mib - 4});
}

CINNABAR_INTEGRATION("memory of the library's own is transferred as well", all_setups) {
    Bulks bulks(setup);
    const hg_size_t sizes[] = {100000, 0, 300000};
    hg_bulk_t origin = HG_BULK_NULL, local = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(bulks.client.cls(), 3, nullptr, sizes, HG_BULK_READWRITE, &origin) ==
            HG_SUCCESS);
    REQUIRE(HG_Bulk_create(bulks.server.cls(), 3, nullptr, sizes, HG_BULK_READWRITE, &local) ==
            HG_SUCCESS);
    CHECK(HG_Bulk_get_size(origin) == 400000);
    const std::vector<unsigned char> content = content_of(400000, 5);
    const auto for_each_byte = [](hg_bulk_t region, auto&& visit) {
        void* bases[3];
        hg_size_t lengths[3];
        uint32_t count = 0;
        REQUIRE(HG_Bulk_access(region, 0, 400000, HG_BULK_READWRITE, 3, bases, lengths, &count) ==
                HG_SUCCESS);
        std::size_t at = 0;
        for (uint32_t i = 0; i < count; ++i)
            for (hg_size_t j = 0; j < lengths[i]; ++j)
                visit(static_cast<unsigned char*>(bases[i])[j], at++);
        return at;
    };
    bool zero = true, equal = true;
    CHECK(for_each_byte(origin, [&](unsigned char& byte, std::size_t) { zero &= byte == 0; }) ==
          400000);
    CHECK(zero);
    for_each_byte(origin, [&](unsigned char& byte, std::size_t at) { byte = content[at]; });
    const Remote remote(bulks.server, origin);
    Outcome outcome;
    REQUIRE(bulks.start(outcome, HG_BULK_PULL, remote.region(), 0, local, 0, 400000) == HG_SUCCESS);
    bulks.wait([&] { return outcome.callbacks > 0; });
    CHECK(outcome.ret == HG_SUCCESS);
    for_each_byte(local,
                  [&](unsigned char& byte, std::size_t at) { equal &= byte == content[at]; });
    CHECK(equal);
    CHECK(HG_Bulk_free(origin) == HG_SUCCESS);
    CHECK(HG_Bulk_free(local) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("regions in arguments: small data comes along, a snapshot", all_setups) {
    Bulks bulks(setup);
    Memory local(bulks.server, 1000, 1000, 2);
    Outcome outcome;
    hg_bulk_t kept = HG_BULK_NULL;
    const hg_id_t id = bulks.add("pull", proc_bulk_request, nullptr, [&](hg_handle_t handle) {
        BulkRequest in;
        REQUIRE(HG_Get_input(handle, &in) == HG_SUCCESS);
        REQUIRE(HG_Bulk_ref_incr(in.bulk) == HG_SUCCESS);
        kept = in.bulk;
        REQUIRE(HG_Free_input(handle, &in) == HG_SUCCESS);
        serve_nothing(handle);
    });
    Memory origin(bulks.client, 1000, 100, 1, HG_BULK_READ_ONLY);
    BulkRequest in;
    in.bulk = origin.region();
    Call call(bulks.client, bulks.to, id);
    REQUIRE(bulks.run(call, &in) == HG_SUCCESS);
    REQUIRE(kept != HG_BULK_NULL);
    REQUIRE(bulks.start(outcome, HG_BULK_PULL, kept, 0, local.region(), 0, 1000) == HG_SUCCESS);
    // With the data here already, only the trigger is missing.
    if (!setup.self) {
        unsigned count = 0;
        CHECK(HG_Trigger(bulks.server.context(), 0, 1, &count) == HG_SUCCESS);
        CHECK(outcome.callbacks == 1);
    }
    bulks.wait([&] { return outcome.callbacks > 0; });
    CHECK(outcome.ret == HG_SUCCESS);
    local.content() = origin.content();
    CHECK(local.intact());
    CHECK(HG_Bulk_free(kept) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("ranges outside a region are refused, also when they wrap around",
                     all_setups) {
    Bulks bulks(setup);
    Memory origin(bulks.client, 1000, 100, 1), local(bulks.server, 500, 100, 2);
    const Remote remote(bulks.server, origin.region());
    allow_log("exceed");
    constexpr std::size_t huge = ~std::size_t{0};
    Outcome outcome;
    struct Range {
        std::size_t origin, local, size;
    };
    for (const Range& range :
         {Range{1000, 0, 1}, Range{0, 500, 1}, Range{501, 0, 500}, Range{0, 1, 500},
          Range{huge, 0, 1}, Range{huge - 3, 0, 8}, Range{0, huge, 1}, Range{0, huge - 3, 8},
          Range{0, 0, huge}, Range{1, 1, huge}}) {
        CAPTURE(range.origin, range.local, range.size);
        for (const hg_bulk_op_t op : {HG_BULK_PULL, HG_BULK_PUSH})
            CHECK(bulks.start(outcome, op, remote.region(), range.origin, local.region(),
                              range.local, range.size) == HG_INVALID_ARG);
    }
    void* base = nullptr;
    CHECK(HG_Bulk_access(local.region(), 499, 2, HG_BULK_READWRITE, 1, &base, nullptr, nullptr) ==
          HG_INVALID_ARG);
    CHECK(HG_Bulk_access(local.region(), huge, 2, HG_BULK_READWRITE, 1, &base, nullptr, nullptr) ==
          HG_INVALID_ARG);
    CHECK(outcome.callbacks == 0);
    CHECK(origin.intact());
    CHECK(local.intact());
}

CINNABAR_INTEGRATION("a region permits what its flags say", all_setups) {
    Bulks bulks(setup);
    Memory readable(bulks.client, 100, 100, 1, HG_BULK_READ_ONLY),
        writable(bulks.client, 100, 100, 2, HG_BULK_WRITE_ONLY), local(bulks.server, 100, 100, 3);
    const Remote read(bulks.server, readable.region()), write(bulks.server, writable.region());
    CHECK(HG_Bulk_get_flags(read.region()) == HG_BULK_READ_ONLY);
    CHECK(HG_Bulk_get_flags(write.region()) == HG_BULK_WRITE_ONLY);
    expect_log("do not permit");
    Outcome outcome;
    CHECK(bulks.start(outcome, HG_BULK_PUSH, read.region(), 0, local.region(), 0, 100) ==
          HG_PERMISSION);
    CHECK(bulks.start(outcome, HG_BULK_PULL, write.region(), 0, local.region(), 0, 100) ==
          HG_PERMISSION);
    CHECK(readable.intact());
    CHECK(local.intact());
    CHECK(bulks.transfer(HG_BULK_PUSH, write.region(), 0, local, 0, 100) == HG_SUCCESS);
    writable.content() = local.content();
    CHECK(writable.intact());
    const hg_size_t size = 10;
    hg_bulk_t region = HG_BULK_NULL;
    for (const int flags : {0, 4, 7, 255})
        CHECK(HG_Bulk_create(bulks.client.cls(), 1, nullptr, &size, static_cast<uint8_t>(flags),
                             &region) == HG_INVALID_ARG);
    CHECK(HG_Bulk_create(bulks.client.cls(), 0, nullptr, &size, HG_BULK_READWRITE, &region) ==
          HG_INVALID_ARG);
}

CINNABAR_INTEGRATION("64 transfers in flight, regions freed meanwhile", all_setups) {
    Bulks bulks(setup);
    constexpr std::size_t size = 100000;
    std::vector<std::unique_ptr<Memory>> origins, locals;
    std::vector<Outcome> outcomes(64);
    for (unsigned i = 0; i < 64; ++i) {
        origins.push_back(std::make_unique<Memory>(bulks.client, size, 30000, i));
        locals.push_back(std::make_unique<Memory>(bulks.server, size, 7777, 100 + i));
        const Remote remote(bulks.server, origins[i]->region());
        REQUIRE(bulks.start(outcomes[i], i % 2 == 0 ? HG_BULK_PULL : HG_BULK_PUSH, remote.region(),
                            0, locals[i]->region(), 0, size) == HG_SUCCESS);
    }
    bulks.wait([&] {
        return std::all_of(outcomes.begin(), outcomes.end(),
                           [](const Outcome& outcome) { return outcome.callbacks > 0; });
    });
    for (unsigned i = 0; i < 64; ++i) {
        CHECK(outcomes[i].ret == HG_SUCCESS);
        CHECK(outcomes[i].callbacks == 1);
        (i % 2 == 0 ? locals : origins)[i]->content() =
            (i % 2 == 0 ? origins : locals)[i]->content();
        CHECK(origins[i]->intact());
        CHECK(locals[i]->intact());
    }
}

CINNABAR_INTEGRATION("a transfer is cancelled or done, once", peer_setups) {
    Bulks bulks(setup);
    Memory origin(bulks.client, 8 * mib, 8 * mib, 1), local(bulks.server, 8 * mib, mib, 2);
    const Remote remote(bulks.server, origin.region());
    CHECK(HG_Bulk_cancel(HG_OP_ID_NULL) == HG_INVALID_ARG);
    allow_log("cancel");
    for (int steps = 0; steps < 6; ++steps) {
        Outcome outcome;
        hg_op_id_t id = HG_OP_ID_NULL;
        REQUIRE(bulks.start(outcome, steps % 2 == 0 ? HG_BULK_PULL : HG_BULK_PUSH, remote.region(),
                            0, local.region(), 0, 8 * mib, &id) == HG_SUCCESS);
        for (int i = 0; i < steps / 2 && outcome.callbacks == 0; ++i)
            bulks.step();
        if (outcome.callbacks == 0) REQUIRE(HG_Bulk_cancel(id) == HG_SUCCESS);
        bulks.wait([&] { return outcome.callbacks > 0; });
        CHECK((outcome.ret == HG_CANCELED || outcome.ret == HG_SUCCESS));
        for (int i = 0; i < 20; ++i)
            bulks.step();
        CHECK(outcome.callbacks == 1);
    }
    // What was under way is over: memory holds still and the next transfer is right.
    REQUIRE(bulks.transfer(HG_BULK_PULL, remote.region(), 0, local, 0, 8 * mib) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a bound region is transferred by a third party", peer_setups) {
    Bulks bulks(setup);
    Side third(setup);
    Memory origin(bulks.client, 100000, 1000, 1);
    REQUIRE(HG_Bulk_bind(origin.region(), bulks.client.context()) == HG_SUCCESS);
    expect_log("bound already");
    CHECK(HG_Bulk_bind(origin.region(), bulks.client.context()) == HG_INVALID_ARG);
    // Through the server's hands.
    const Remote second_hand(bulks.server, origin.region());
    const Remote third_hand(third, second_hand.region());
    REQUIRE(HG_Bulk_get_addr(third_hand.region()) != HG_ADDR_NULL);
    CHECK(HG_Bulk_get_context_id(third_hand.region()) == 0);
    Memory local(third, 100000, 777, 2);
    Outcome outcome;
    REQUIRE(HG_Bulk_bind_transfer(third.context(), Outcome::take, &outcome, HG_BULK_PULL,
                                  third_hand.region(), 5, local.region(), 3, 99000,
                                  HG_OP_ID_IGNORE) == HG_SUCCESS);
    while (outcome.callbacks == 0) {
        bulks.step();
        third.step();
    }
    CHECK(outcome.ret == HG_SUCCESS);
    std::copy_n(origin.content().begin() + 5, 99000, local.content().begin() + 3);
    CHECK(local.intact());
    // The other kinds are for what is not bound, and the reverse.
    Outcome refused;
    CHECK(bulks.start(refused, HG_BULK_PULL, second_hand.region(), 0, local.region(), 0, 1) ==
          HG_INVALID_ARG);
}

CINNABAR_INTEGRATION("memory that was given back is not reached any more", peer_setups) {
    // Through shared memory the kernel lets a peer of the same user read the process as it is.
    if (!setup.tcp()) return;
    Bulks bulks(setup);
    auto origin = std::make_unique<Memory>(bulks.client, 100000, 100000, 1);
    const Remote remote(bulks.server, origin->region());
    Memory local(bulks.server, 100000, 100000, 2);
    REQUIRE(bulks.transfer(HG_BULK_PULL, remote.region(), 0, local, 0, 10) == HG_SUCCESS);
    std::copy_n(origin->content().begin(), 10, local.content().begin());
    origin.reset();
    allow_log("");
    CHECK(bulks.transfer(HG_BULK_PULL, remote.region(), 0, local, 0, 100000) != HG_SUCCESS);
    CHECK(local.intact());
}
