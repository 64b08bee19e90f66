// SPDX-License-Identifier: BSD-3-Clause
// Bulk data over spans. An engine exposes memory as a Region; a Region is an argument like any
// other; whoever receives it moves data between that memory and a Region of its own, without the
// owner taking part: `region.on(caller.endpoint()).pull_into(local)`. Regions are handles, copied
// freely, and may outlive their engine. The memory itself is the owner's and must live as long as
// the Region and every copy that peers use. A transfer has ended when its function returns, also
// with an error: the network does not touch the local memory afterwards. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "cinnabar/archive.hpp"
#include "cinnabar/endpoint.hpp"
#include "cinnabar/error.hpp"
#include "cinnabar/pool.hpp"

namespace cinnabar {
inline namespace v1 {

namespace detail {
struct RegionCore;
}

// What peers may do with exposed memory; for memory of one's own, what transfers may do with it:
// pull_into() needs one that may be written, push_from() one that may be read.
enum class Access { read, write, read_write };

class RemoteRegion;

class CINNABAR_API Region {
public:
    static constexpr std::uint64_t signature = 0x6e6f69676572;

    Region() = default;
    explicit Region(std::shared_ptr<detail::RegionCore> core) noexcept : core_(std::move(core)) {}

    // Bytes; 0 without memory.
    std::size_t size() const;
    // The region as memory of that peer, all of it.
    RemoteRegion on(Endpoint owner) const;
    const std::shared_ptr<detail::RegionCore>& core() const noexcept { return core_; }

private:
    std::shared_ptr<detail::RegionCore> core_;
};

class CINNABAR_API RemoteRegion {
public:
    RemoteRegion(Region region, Endpoint owner, std::size_t offset, std::size_t size)
        : region_(std::move(region)), owner_(std::move(owner)), offset_(offset), size_(size) {}

    std::size_t size() const noexcept { return size_; }
    // A part of it; a range that is not within is refused by the transfer.
    RemoteRegion select(std::size_t offset, std::size_t size) const;

    // Copies all of the peer's bytes to the start of `local`, or the start of `local` over all of
    // the peer's bytes. Errc::invalid when `local` is smaller, Errc::timeout after the deadline.
    Result<void> pull_into(const Region& local, std::optional<TimePoint> deadline = {}) const;
    Result<void> push_from(const Region& local, std::optional<TimePoint> deadline = {}) const;

private:
    Region region_;
    Endpoint owner_;
    std::size_t offset_;
    std::size_t size_;
};

template <>
struct CINNABAR_API Codec<Region> {
    static void write(Writer& writer, const Region& region);
    static void read(Reader& reader, Region& region);
};

}  // namespace v1
}  // namespace cinnabar
