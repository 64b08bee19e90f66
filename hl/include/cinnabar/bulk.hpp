// SPDX-License-Identifier: BSD-3-Clause
// Bulk data over spans. An engine exposes memory as a Region; a Region is an argument like any
// other; whoever receives it moves data between that memory and a Region of its own, without the
// owner taking part: `region.on(caller.endpoint()).pull_into(local)`. Regions are handles, copied
// freely, and may outlive their engine. The memory itself is the owner's and must live as long as
// the Region and every copy that peers use. A transfer has ended when its function returns, also
// with an error: the network does not touch the local memory afterwards. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

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

// A piece of memory; a region may be made of several, which are one range to those who use it.
struct Segment {
    void* data = nullptr;
    std::size_t size = 0;
};

class RemoteRegion;
class LocalRange;

class CINNABAR_API Region {
public:
    static constexpr std::uint64_t signature = 0x6e6f69676572;

    Region() = default;
    explicit Region(std::shared_ptr<detail::RegionCore> core) noexcept : core_(std::move(core)) {}

    // Bytes; 0 without memory.
    std::size_t size() const;
    // The region as memory of that peer, all of it.
    RemoteRegion on(Endpoint owner) const;
    // A part of it, as the local side of a transfer; one that is not within is refused there.
    LocalRange select(std::size_t offset, std::size_t size) const;
    // The memory, of a region of this process that is in one piece; empty otherwise.
    std::span<std::byte> memory() const;
    const std::shared_ptr<detail::RegionCore>& core() const noexcept { return core_; }

private:
    std::shared_ptr<detail::RegionCore> core_;
};

class CINNABAR_API LocalRange {
public:
    LocalRange(const Region& region) : LocalRange(region, 0, region.size()) {}
    LocalRange(Region region, std::size_t offset, std::size_t size)
        : region_(std::move(region)), offset_(offset), size_(size) {}

    const Region& region() const noexcept { return region_; }
    std::size_t offset() const noexcept { return offset_; }
    std::size_t size() const noexcept { return size_; }

private:
    Region region_;
    std::size_t offset_;
    std::size_t size_;
};

// How a large transfer is cut: at most `window` pieces are under way at once.
struct Pieces {
    std::size_t size = 1024 * 1024;
    std::size_t window = 4;
};

class CINNABAR_API RemoteRegion {
public:
    RemoteRegion(Region region, Endpoint owner, std::size_t offset, std::size_t size)
        : region_(std::move(region)), owner_(std::move(owner)), offset_(offset), size_(size) {}

    std::size_t size() const noexcept { return size_; }
    // A part of it; a range that is not within is refused by the transfer.
    RemoteRegion select(std::size_t offset, std::size_t size) const;
    // The same with a deadline for each transfer, counted from its start.
    RemoteRegion within(Clock::duration duration) const;

    // Copies all of the peer's bytes to the start of `local`, or the start of `local` over all of
    // the peer's bytes. Errc::invalid when `local` is smaller, Errc::timeout after the deadline.
    Result<void> pull_into(const LocalRange& local, std::optional<TimePoint> deadline = {}) const;
    Result<void> push_from(const LocalRange& local, std::optional<TimePoint> deadline = {}) const;

    // The same in pieces. `arrived(offset, size)`, which may block, is called for each in order,
    // while those behind it move.
    using Arrived = std::function<void(std::size_t offset, std::size_t size)>;
    Result<void> pull_pieces(const LocalRange& local, Pieces pieces, const Arrived& arrived = {},
                             std::optional<TimePoint> deadline = {}) const;
    Result<void> push_pieces(const LocalRange& local, Pieces pieces, const Arrived& gone = {},
                             std::optional<TimePoint> deadline = {}) const;

private:
    std::optional<TimePoint> until(std::optional<TimePoint> deadline) const;

    Region region_;
    Endpoint owner_;
    std::size_t offset_;
    std::size_t size_;
    std::optional<Clock::duration> duration_;
};

// `local << remote.on(peer)` pulls, `local >> remote.on(peer)` pushes.
inline Result<void> operator<<(const LocalRange& local, const RemoteRegion& remote) {
    return remote.pull_into(local);
}
inline Result<void> operator>>(const LocalRange& local, const RemoteRegion& remote) {
    return remote.push_from(local);
}

template <>
struct CINNABAR_API Codec<Region> {
    static void write(Writer& writer, const Region& region);
    static void read(Reader& reader, Region& region);
};

}  // namespace v1
}  // namespace cinnabar
